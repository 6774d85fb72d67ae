/// `icbench datasets list|fetch|verify`: the image sets, where they are and whether they are whole.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/command.hpp"
#include "core/csv.hpp"
#include "datasets/dataset.hpp"

namespace icb {
namespace {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

std::string as_text(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& name : table.header) widths.push_back(name.size());
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}{}", row[i], widths[i], i + 1 < row.size() ? "  " : "");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return out;
}

std::string as_json(const Table& table) {
  auto rows = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object;
    for (std::size_t i = 0; i < row.size(); ++i) object[table.header[i]] = row[i];
    rows.push_back(std::move(object));
  }
  return rows.dump(2) + "\n";
}

/// To stdout, or to <out>/<name>.<txt|csv|json>.
void emit(const CommonOptions& common, const std::string& name, const Table& table) {
  std::string text;
  const char* extension = "txt";
  switch (common.format) {
    case Format::table:
      text = as_text(table);
      break;
    case Format::csv: {
      CsvTable csv(table.header);
      for (const auto& row : table.rows) csv.add(row);
      text = csv.text();
      extension = "csv";
      break;
    }
    case Format::json:
      text = as_json(table);
      extension = "json";
      break;
  }
  if (common.out) {
    write_file_atomically(*common.out / fmt::format("{}.{}", name, extension), text);
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

std::vector<std::string> sipi_volumes() {
  std::vector<std::string> volumes;
  for (const auto& entry : sipi_manifest()) {
    if (std::find(volumes.begin(), volumes.end(), entry.volume) == volumes.end()) {
      volumes.push_back(entry.volume);
    }
  }
  return volumes;
}

std::size_t count_of(const std::string& volume) {
  return static_cast<std::size_t>(
      std::count_if(sipi_manifest().begin(), sipi_manifest().end(),
                    [&](const auto& entry) { return entry.volume == volume; }));
}

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
  Table table{{"name", "images", "present", "where", "origin"}, {}};
  for (const auto& volume : sipi_volumes()) {
    const std::string origin = fmt::format("USC-SIPI Image Database, volume {}", volume);
    const std::size_t present = directory ? sipi_volume(*directory, volume).images.size() : 0;
    table.rows.push_back({fmt::format("sipi-{}", volume), fmt::to_string(count_of(volume)),
                          fmt::to_string(present),
                          present > 0 ? (*directory / volume).string() : "absent", origin});
  }
  const ImageSet& smoke = smoke_set();
  const std::string images = fmt::to_string(smoke.images.size());
  table.rows.push_back({smoke.name, images, images, "built in", smoke.origin});
  emit(common, "datasets", table);
  if (!directory && !common.quiet) {
    fmt::print(stderr, "The USC-SIPI images are absent; \"icbench datasets fetch\" gets them.\n");
  }
  return ExitCode::done;
}

ExitCode fetch(const Options& options, const CommonOptions& common) {
  FetchOptions what;
  what.base_url = options.url;
  what.directory = options.to;
  what.quiet = common.quiet;
  if (!options.volumes.empty()) what.volumes = options.volumes;
  while (what.base_url.ends_with('/')) what.base_url.pop_back();
  // A misspelt volume is refused before the first download.
  const auto known = sipi_volumes();
  for (const auto& volume : what.volumes) {
    if (std::find(known.begin(), known.end(), volume) == known.end()) {
      throw UsageError(fmt::format("unknown volume \"{}\"; expected one of: {}", volume,
                                   fmt::join(known, ", ")));
    }
  }
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
  const auto known = sipi_volumes();
  for (const auto& volume : options.volumes) {
    if (std::find(known.begin(), known.end(), volume) == known.end()) {
      throw UsageError(fmt::format("unknown volume \"{}\"; expected one of: {}", volume,
                                   fmt::join(known, ", ")));
    }
  }
  for (const auto& entry : sipi_manifest()) {
    const bool wanted = options.volumes.empty() ||
                        std::find(options.volumes.begin(), options.volumes.end(), entry.volume) !=
                            options.volumes.end();
    if (wanted) entries.push_back(entry);
  }
  static constexpr const char* names[] = {"ok", "missing", "altered"};
  std::size_t counts[] = {0, 0, 0};
  Table table{{"file", "state", "expected_sha256", "found_sha256"}, {}};
  for (const auto& file : verify_files(*directory, entries)) {
    const auto state = static_cast<std::size_t>(file.state);
    ++counts[state];
    // The table for people names what is wrong; the other formats hold every file.
    if (file.state == FileState::ok && common.format == Format::table) continue;
    table.rows.push_back(
        {sipi_file("", *file.entry).string(), names[state], file.entry->sha256, file.found_sha256});
  }
  if (common.format != Format::table || !table.rows.empty()) emit(common, "verify", table);
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
