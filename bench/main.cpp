/// icbench: the command line. Commands register themselves (bench/command.hpp).
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <opencv2/core/utility.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/command.hpp"
#include "bench/validators.hpp"
#include "core/build_info.hpp"
#include "core/memory.hpp"

namespace {

using icb::CommonOptions;
using icb::ExitCode;
using icb::fits_64_bits;
using icb::is_number;
using icb::not_empty;

void add_common_options(CLI::App& app, const icb::CommandEntry& command, CommonOptions& common) {
  std::map<std::string, icb::Format> formats;
  std::vector<std::string> names;
  for (const icb::Format format : command.formats) {
    names.emplace_back(icb::to_string(format));
    formats[names.back()] = format;
  }
  app.add_option_function<std::string>(
         "--format",
         [&common, formats](const std::string& name) { common.format = formats.at(name); },
         fmt::format("{}", fmt::join(names, ", ")))
      ->check(CLI::IsMember(names))
      ->option_text("NAME");
  app.add_option("--out", common.out, "directory for results")
      ->check(not_empty)
      ->option_text("DIR");
  app.add_option("--seed", common.seed, "master seed; everything random derives from it")
      ->check(fits_64_bits)
      ->option_text("N [1]");
  app.add_option("--threads", common.threads, "number of threads; 0: all cores")
      ->check(CLI::Range(0U, 4096U))
      ->option_text("N [0]");
  app.add_option("--alpha", common.alpha, "significance level")
      ->check(CLI::Range(1e-12, 0.5) & is_number)
      ->option_text("A [0.01]");
  app.add_flag("--quiet", common.quiet, "no progress and no messages but errors");
}

int code(ExitCode exit) { return static_cast<int>(exit); }

int run(int argc, char** argv) {
  CLI::App app{"icbench: a research suite for image ciphers", "icbench"};
  app.set_version_flag("--version", fmt::format("icbench {} ({}{})", icb::build_info().version,
                                                icb::build_info().commit,
                                                icb::build_info().dirty ? ", modified" : ""));
  app.require_subcommand(1);
  CommonOptions common;
  std::map<const CLI::App*, std::function<ExitCode(const CommonOptions&)>> runs;
  for (const auto& [name, command] : icb::registry<icb::CommandEntry>()) {
    CLI::App* sub = app.add_subcommand(name, command.summary);
    add_common_options(*sub, command, common);
    runs[sub] = command.setup(*sub);
  }
  // CLI11 would only say that a command is missing.
  if (argc > 1 && argv[1][0] != '-') icb::find<icb::CommandEntry>(argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int result = app.exit(error, std::cout, std::cerr);
    return result == 0 ? 0 : code(ExitCode::wrong_usage);
  }
  return code(runs.at(app.get_subcommands().front())(common));
}

int report(const std::exception& error, ExitCode exit) {
  fmt::print(stderr, "icbench: {}\n", error.what());
  return code(exit);
}

}  // namespace

int main(int argc, char** argv) {
  icb::keep_freed_memory();
  cv::setNumThreads(1);  // parallelism is ours: over cells
  try {
    const int result = run(argc, argv);
    std::cout.flush();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
      throw icb::InputError("standard output: cannot be written");
    }
    return result;
  } catch (const icb::UsageError& error) {
    return report(error, ExitCode::wrong_usage);
  } catch (const icb::IntegrityError& error) {
    return report(error, ExitCode::wrong_key);
  } catch (const icb::Interrupted& error) {
    fmt::print(stderr, "icbench: {}\n", error.what());
    // The shell must see that a signal ended the program, not an exit code of the contract.
    std::signal(error.signal, SIG_DFL);
    std::raise(error.signal);
    return 128 + error.signal;
  } catch (const icb::InputError& error) {
    return report(error, ExitCode::bad_input);
  } catch (const std::exception& error) {
    return report(error, ExitCode::bad_input);
  }
}
