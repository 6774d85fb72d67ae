#include "bench/files/convert.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "bench/files/key_file.hpp"
#include "bench/progress.hpp"
#include "bench/stop.hpp"
#include "bench/validators.hpp"
#include "core/csv.hpp"
#include "datasets/dataset.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;

constexpr const char* standard_stream = "-";
constexpr std::size_t start_bytes = 16;
constexpr const char* nothing_written = "interrupted: nothing was written";
constexpr const char* finished_is_kept =
    "interrupted: what is finished is kept; the same command goes on";

/// The same file by any path, link or hard link.
bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return path != standard_stream && fs::is_directory(path, error);
}

std::string read_standard_input() {
  std::string content;
  std::vector<char> buffer(std::size_t{1} << 16);
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(buffer.data(), 1, buffer.size(), stdin);
    content.append(buffer.data(), got);
    if (content.size() > max_file_bytes) {
      throw InputError(fmt::format("standard input: too large: expected at most {} bytes, got more",
                                   max_file_bytes));
    }
  }
  throw_if_stopped(nothing_written);
  if (std::ferror(stdin) != 0) throw InputError("standard input: cannot be read");
  return content;
}

/// A line of its own, on a terminal in the place of the progress.
void print_line(const std::string& text) {
  fmt::print(stderr, "{}icbench: {}\n", ::isatty(STDERR_FILENO) == 1 ? "\r\x1B[K" : "", text);
}

void print_notes(const std::string& name, const std::vector<std::string>& notes, bool quiet) {
  if (quiet) return;
  for (const std::string& note : notes) print_line(fmt::format("{}: {}", name, note));
}

std::string in_name(const ConvertOptions& options) {
  return options.in == standard_stream ? "standard input" : options.in;
}

void check_output(const ConvertOptions& options) {
  if (same_file(options.out, options.in)) {
    throw UsageError(fmt::format("{} and {} are the same file; expected another output", options.in,
                                 options.out));
  }
  if (same_file(options.out, options.key_file)) {
    throw UsageError(fmt::format("{} is the key file; expected another output", options.out));
  }
  if (is_folder(options.out)) {
    throw InputError(fmt::format("{}: expected a file to write, got a directory", options.out));
  }
  if (is_there(options.out) && !options.force) {
    throw InputError(fmt::format("{}: exists; --force replaces it", options.out));
  }
}

ExitCode convert_one(const Conversion& conversion, const ConvertOptions& options,
                     const container::Secret& key, bool quiet) {
  const bool to_stream = options.out == standard_stream;
  if (!to_stream) {
    conversion.check_name(options.out);
    check_output(options);
  } else if (::isatty(STDOUT_FILENO) == 1) {
    throw UsageError("standard output is a terminal; expected a file or a pipe for an image");
  }
  const std::string name = in_name(options);
  const std::string content =
      options.in == standard_stream ? read_standard_input() : read_image_file(options.in);
  const Converted converted = conversion.convert(content, name, options.out, key);
  throw_if_stopped(nothing_written);
  if (to_stream) {
    // main() notices what could not be written.
    std::fwrite(converted.content.data(), 1, converted.content.size(), stdout);
  } else {
    write_file_atomically(options.out, converted.content);
  }
  print_notes(name, converted.notes, quiet);
  return ExitCode::done;
}

// --- Folders -----------------------------------------------------------------------------------

struct Task {
  std::string name;    ///< relative to the input folder
  std::string output;  ///< relative to the output folder
  std::uintmax_t bytes;
};

struct Counts {
  std::size_t converted = 0;
  std::size_t existing = 0;
  std::size_t others = 0;
  std::size_t failed = 0;
};

std::string first_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string out(start_bytes, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

/// Regular files below the folder in the order of their names; folders behind links are left out.
std::vector<std::string> files_of(const fs::path& folder) {
  std::vector<std::string> out;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) out.push_back(entry.path().lexically_relative(folder).string());
    }
  } catch (const fs::filesystem_error& error) {
    throw InputError(
        fmt::format("{}: cannot be listed: {}", folder.string(), error.code().message()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void report_failure(const std::string& message, ExitCode code, Counts& counts, ExitCode& worst) {
  print_line(message);
  ++counts.failed;
  worst = std::max(worst, code);
}

/// The outputs that two inputs would get.
std::set<std::string> contested_outputs(const std::vector<Task>& tasks) {
  std::map<std::string, int> wanted;
  for (const Task& task : tasks) ++wanted[task.output];
  std::set<std::string> out;
  for (const auto& [output, count] : wanted) {
    if (count > 1) out.insert(output);
  }
  return out;
}

void check_folders(const ConvertOptions& options) {
  if (options.out == standard_stream) {
    throw UsageError(fmt::format("{} is a folder; expected a folder as output", options.in));
  }
  if (is_there(options.out) && !is_folder(options.out)) {
    throw InputError(fmt::format("{}: expected a folder, as {} is one", options.out, options.in));
  }
  const fs::path in = fs::canonical(options.in);
  const fs::path out = fs::weakly_canonical(options.out);
  const auto [inside, _] = std::mismatch(in.begin(), in.end(), out.begin(), out.end());
  if (inside == in.end()) {
    throw UsageError(
        fmt::format("{} is {} or inside it; expected a folder elsewhere", options.out, options.in));
  }
}

void convert_task(const Conversion& conversion, const ConvertOptions& options, const Task& task,
                  const container::Secret& key, bool quiet) {
  const fs::path in = fs::path(options.in) / task.name;
  const fs::path out = fs::path(options.out) / task.output;
  for (const fs::path& source : {in, fs::path(options.key_file)}) {
    if (same_file(out, source)) {
      throw InputError(
          fmt::format("{}: is the same file as the output {}", source.string(), out.string()));
    }
  }
  const Converted converted =
      conversion.convert(read_image_file(in), in.string(), out.string(), key);
  throw_if_stopped(finished_is_kept);
  write_file_atomically(out, converted.content);
  print_notes(in.string(), converted.notes, quiet);
}

ExitCode convert_folder(const Conversion& conversion, const ConvertOptions& options,
                        const container::Secret& key, bool quiet) {
  check_folders(options);
  Counts counts;
  ExitCode worst = ExitCode::done;
  std::vector<Task> tasks;
  for (const std::string& name : files_of(options.in)) {
    const fs::path path = fs::path(options.in) / name;
    // A file that cannot be opened is found out later, if its name says it is an image.
    if (!conversion.is_member(name, first_bytes(path))) {
      ++counts.others;
      print_notes(path.string(), {"not an image; skipped"}, quiet);
      continue;
    }
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    tasks.push_back({name, conversion.output_name(name), error ? 0 : bytes});
  }
  double total = 0;
  for (const Task& task : tasks) total += static_cast<double>(task.bytes) + 1;
  const std::set<std::string> contested = contested_outputs(tasks);
  {
    Progress progress(conversion.verb, total, 0, quiet);
    for (const Task& task : tasks) {
      throw_if_stopped(finished_is_kept);
      const std::string path = (fs::path(options.in) / task.name).string();
      if (contested.contains(task.output)) {
        report_failure(fmt::format("{}: another file of the folder would be written to {}, too",
                                   path, task.output),
                       ExitCode::bad_input, counts, worst);
      } else if (!options.force && is_there(fs::path(options.out) / task.output)) {
        ++counts.existing;
      } else {
        try {
          convert_task(conversion, options, task, key, quiet);
          ++counts.converted;
        } catch (const Interrupted&) {
          throw;
        } catch (const IntegrityError& error) {
          report_failure(error.what(), ExitCode::wrong_key, counts, worst);
        } catch (const InputError& error) {
          report_failure(error.what(), ExitCode::bad_input, counts, worst);
        } catch (const std::exception& error) {
          report_failure(fmt::format("{}: {}", path, error.what()), ExitCode::bad_input, counts,
                         worst);
        }
      }
      progress.advance(static_cast<double>(task.bytes) + 1);
    }
  }
  if (!quiet) {
    fmt::print(stderr, "{}: {} {}, {} there already, {} not images, {} failed\n", options.out,
               counts.converted, conversion.past, counts.existing, counts.others, counts.failed);
  }
  return worst;
}

}  // namespace

std::function<void()> refuse_result_options(CLI::App& app) {
  std::vector<CLI::Option*> refused;
  for (const char* name : {"--out", "--seed"}) refused.push_back(app.get_option(name));
  const std::string command = app.get_name();
  return [refused, command] {
    for (const CLI::Option* option : refused) {
      if (option->count() == 0) continue;
      throw UsageError(fmt::format(
          "{} means nothing to {}: keys and nonces come from the operating system, and there is "
          "nothing to put into a directory",
          option->get_name(), command));
    }
  };
}

void add_convert_options(CLI::App& app, const std::shared_ptr<ConvertOptions>& options) {
  app.add_option("IN", options->in, "file or folder to read; - for standard input")
      ->required()
      ->check(not_empty);
  app.add_option("OUT", options->out, "file or folder to write; - for standard output")
      ->required()
      ->check(not_empty);
  app.add_option("--key-file", options->key_file, "key of 64 hexadecimal digits (icbench keygen)")
      ->required()
      ->check(not_empty)
      ->option_text("FILE");
  app.add_flag("--force", options->force, "replace outputs that exist");
}

ExitCode convert_files(const Conversion& conversion, const ConvertOptions& options, bool quiet) {
  stop_gracefully_on_signals();
  const container::Secret key = read_key_file(options.key_file);
  if (const std::string warning = key_file_warning(options.key_file); !warning.empty() && !quiet) {
    fmt::print(stderr, "icbench: warning: {}\n", warning);
  }
  return is_folder(options.in) ? convert_folder(conversion, options, key, quiet)
                               : convert_one(conversion, options, key, quiet);
}

std::string extension_of(const std::string& name) {
  std::string out = fs::path(name).extension().string();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace icb
