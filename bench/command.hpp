/// The interface of icbench's commands: one source file each, self-registered.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/registry.hpp"

namespace icb {

/// `sts`: the layout of the final report of NIST's program, of the command `nist` only.
enum class Format { table, csv, json, sts };

inline std::string_view to_string(Format format) {
  switch (format) {
    case Format::csv:
      return "csv";
    case Format::json:
      return "json";
    case Format::sts:
      return "sts";
    case Format::table:
      break;
  }
  return "table";
}

/// Options every command has.
struct CommonOptions {
  Format format = Format::table;
  std::optional<std::filesystem::path> out;
  std::uint64_t seed = 1;
  unsigned threads = 0;  ///< 0: all cores
  double alpha = 0.01;
  bool quiet = false;
};

struct CommandEntry {
  static constexpr const char* kind = "command";

  std::string name;
  std::string summary;
  /// Adds the command's own options to `app` (whose storage must outlive parsing: capture by
  /// shared_ptr) and returns what runs it. Results go to stdout or below common.out, messages to
  /// stderr.
  std::function<std::function<ExitCode(const CommonOptions&)>(CLI::App& app)> setup;
  std::vector<Format> formats = {Format::table, Format::csv, Format::json};  ///< of --format
};

using RegisterCommand = Register<CommandEntry>;

}  // namespace icb
