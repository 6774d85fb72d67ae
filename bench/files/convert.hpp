/// What `encrypt` and `decrypt` have in common: one file or a folder of files from IN to OUT.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/command.hpp"
#include "container/keys.hpp"

namespace icb {

struct ConvertOptions {
  std::string in;
  std::string out;
  std::string key_file;
  std::string cipher = "khazaal2024";  ///< of encrypt
  bool force = false;
};

/// The content of one file becomes the content of another.
struct Converted {
  std::string content;
  std::vector<std::string> notes;  ///< for the user, one sentence each
};

struct Conversion {
  std::string verb;  ///< "encrypt"
  std::string past;  ///< "encrypted"
  /// Throws UsageError if no output can have that name ("-" never comes here).
  std::function<void(const std::string& out)> check_name;
  /// `out`: name of the output, which decides its format; "-" for standard output. Throws
  /// InputError or IntegrityError starting with `name`.
  std::function<Converted(std::string_view content, const std::string& name, const std::string& out,
                          const container::Secret& key)>
      convert;
  /// Whether a file of a folder is one to convert, by its name and first bytes.
  std::function<bool(const std::string& name, std::string_view start)> is_member;
  /// Name of the output of a file of a folder.
  std::function<std::string(const std::string& name)> output_name;
};

/// IN, OUT, --key-file and --force; common options that mean nothing here are refused when used.
void add_convert_options(CLI::App& app, const std::shared_ptr<ConvertOptions>& options);

/// Refuses --out and --seed, which promise what these commands do not do (UsageError).
std::function<void()> refuse_result_options(CLI::App& app);

/// One file, "-" for standard input and output, or a folder with everything below it. Throws
/// UsageError if input and output are the same file, InputError if the output exists (without
/// force) and whatever the conversion throws; then nothing is written. In a folder, a file that
/// fails is reported and the others go on; returns the worst code. Existing outputs are skipped, so
/// that an interrupted run goes on where it stopped.
ExitCode convert_files(const Conversion& conversion, const ConvertOptions& options, bool quiet);

/// Lower-case extension with its dot, of the last component; empty if there is none.
std::string extension_of(const std::string& name);

}  // namespace icb
