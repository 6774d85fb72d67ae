/// `icbench datasets list|fetch|verify`: the image sets, where they are and whether they are whole.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/command.hpp"
#include "bench/dataset_table.hpp"
#include "bench/print_table.hpp"
#include "datasets/dataset.hpp"

namespace icb {
namespace {

struct Options {
  std::string data;
  std::string to = FetchOptions{}.directory.string();
  std::string url = FetchOptions{}.base_url;
  std::vector<std::string> volumes;
};

std::optional<std::filesystem::path> data_option(const Options& options) {
  if (options.data.empty()) return std::nullopt;
  return options.data;
}

ExitCode list(const Options& options, const CommonOptions& common) {
  const auto directory = find_sipi(data_option(options));
  print_table(dataset_table(directory), common, "datasets");
  if (!directory && !common.quiet) {
    fmt::print(stderr, "The USC-SIPI images are absent; \"icbench datasets fetch\" gets them.\n");
  }
  return ExitCode::done;
}

/// A misspelt volume is refused before anything is done.
void check_volumes(const std::vector<std::string>& volumes) {
  const auto known = sipi_volumes();
  for (const auto& volume : volumes) {
    if (std::find(known.begin(), known.end(), volume) == known.end()) {
      throw UsageError(fmt::format("unknown volume \"{}\"; expected one of: {}", volume,
                                   fmt::join(known, ", ")));
    }
  }
}

ExitCode fetch(const Options& options, const CommonOptions& common) {
  FetchOptions what;
  what.base_url = options.url;
  what.directory = options.to;
  what.quiet = common.quiet;
  if (!options.volumes.empty()) what.volumes = options.volumes;
  while (what.base_url.ends_with('/')) what.base_url.pop_back();
  check_volumes(what.volumes);
  fetch_sipi(what);
  return ExitCode::done;
}

ExitCode verify(const Options& options, const CommonOptions& common) {
  const auto directory = find_sipi(data_option(options));
  if (!directory) {
    throw InputError(
        "datasets/sipi: no USC-SIPI images here, in ../shared/sipi or in $ICBENCH_DATA; give "
        "--data DIR or "
        "run \"icbench datasets fetch\"");
  }
  std::vector<ManifestEntry> entries;
  check_volumes(options.volumes);
  for (const auto& entry : sipi_manifest()) {
    const bool wanted = options.volumes.empty() ||
                        std::find(options.volumes.begin(), options.volumes.end(), entry.volume) !=
                            options.volumes.end();
    if (wanted) entries.push_back(entry);
  }
  static constexpr const char* names[] = {"ok", "missing", "altered"};
  std::size_t counts[] = {0, 0, 0};
  CsvTable table({"file", "state", "expected_sha256", "found_sha256"});
  for (const auto& file : verify_files(*directory, entries)) {
    const auto state = static_cast<std::size_t>(file.state);
    ++counts[state];
    // The table for people names what is wrong; the other formats hold every file.
    if (file.state == FileState::ok && common.format == Format::table) continue;
    table.add(
        {sipi_file("", *file.entry).string(), names[state], file.entry->sha256, file.found_sha256});
  }
  if (common.format != Format::table || !table.rows().empty()) {
    print_table(table, common, "verify");
  }
  if (!common.quiet) {
    fmt::print(stderr, "{}: {} files of the manifest: {} ok, {} missing, {} altered\n",
               directory->string(), entries.size(), counts[0], counts[1], counts[2]);
  }
  return counts[1] + counts[2] == 0 ? ExitCode::done : ExitCode::check_failed;
}

const RegisterCommand entry{{
    .name = "datasets",
    .summary = "The image sets: list them, fetch the USC-SIPI database, verify its checksums",
    .setup = [](CLI::App& app) -> std::function<ExitCode(const CommonOptions&)> {
      auto options = std::make_shared<Options>();
      app.require_subcommand(1);
      app.fallthrough();  // the common options may come last
      auto* listing = app.add_subcommand("list", "Name, number of images and place of every set");
      listing->add_option("--data", options->data, "Directory of the USC-SIPI volumes");
      auto* fetching = app.add_subcommand("fetch", "Download volumes and check every file");
      fetching->add_option("--volume", options->volumes, "misc, aerials or textures; default all");
      fetching->add_option("--url", options->url, "Address below which <volume>.zip lies")
          ->capture_default_str();
      fetching->add_option("--to", options->to, "Directory to fetch into")->capture_default_str();
      auto* verifying = app.add_subcommand("verify", "Compare every file with its checksum");
      verifying->add_option("--data", options->data, "Directory of the USC-SIPI volumes");
      verifying->add_option("--volume", options->volumes, "Only these volumes; default all");
      for (auto* sub : {listing, fetching, verifying}) sub->fallthrough();
      return [=](const CommonOptions& common) {
        if (listing->parsed()) return list(*options, common);
        if (fetching->parsed()) return fetch(*options, common);
        return verify(*options, common);
      };
    },
}};

}  // namespace
}  // namespace icb
