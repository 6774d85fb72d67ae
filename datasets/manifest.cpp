#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "datasets/dataset.hpp"

namespace icb {

namespace embedded {
extern const std::string_view sipi_manifest_csv;
}

namespace {

std::size_t number(const std::string& text, std::size_t line) {
  std::size_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc{} || end != last) {
    throw std::logic_error(fmt::format("manifest.csv:{}: \"{}\" is not a number", line, text));
  }
  return value;
}

std::vector<ManifestEntry> parse_manifest() {
  const auto rows = parse_csv(embedded::sipi_manifest_csv);
  const std::vector<std::string> header = {"volume", "name",     "description", "width",
                                           "height", "channels", "sha256"};
  if (rows.empty() || rows[0] != header) throw std::logic_error("manifest.csv: unexpected header");
  std::vector<ManifestEntry> entries;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row.size() != header.size() || row[6].size() != 64) {
      throw std::logic_error(fmt::format("manifest.csv:{}: unexpected fields", i + 1));
    }
    entries.push_back({row[0], row[1], row[2], number(row[3], i + 1), number(row[4], i + 1),
                       number(row[5], i + 1), row[6]});
  }
  return entries;
}

bool holds_images(const std::filesystem::path& directory) {
  std::error_code error;
  return std::any_of(sipi_manifest().begin(), sipi_manifest().end(), [&](const auto& entry) {
    return std::filesystem::is_regular_file(sipi_file(directory, entry), error);
  });
}

std::filesystem::path required(const std::filesystem::path& directory, const char* origin) {
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) {
    throw InputError(fmt::format("{}: no such directory (from {})", directory.string(), origin));
  }
  if (!std::filesystem::is_directory(directory, error)) {
    throw InputError(
        fmt::format("{}: expected a directory, got a file (from {})", directory.string(), origin));
  }
  if (!holds_images(directory)) {
    throw InputError(fmt::format(
        "{}: holds no image of the USC-SIPI manifest, expected for example {} (from {})",
        directory.string(), sipi_file("", sipi_manifest().front()).string(), origin));
  }
  return directory;
}

cv::Mat load_checked(const std::filesystem::path& path, const ManifestEntry& entry) {
  const std::string content = read_file(path);
  if (const std::string found = to_hex(sha256(content)); found != entry.sha256) {
    throw InputError(fmt::format("{}: altered: expected SHA-256 {}, found {}", path.string(),
                                 entry.sha256, found));
  }
  return decode_image(content, path.string());
}

}  // namespace

const std::vector<ManifestEntry>& sipi_manifest() {
  static const std::vector<ManifestEntry> entries = parse_manifest();
  return entries;
}

std::string sipi_manifest_sha256() { return to_hex(sha256(embedded::sipi_manifest_csv)); }

std::filesystem::path sipi_file(const std::filesystem::path& directory,
                                const ManifestEntry& entry) {
  return directory / entry.volume / (entry.name + ".tiff");
}

std::optional<std::filesystem::path> find_sipi(const std::optional<std::filesystem::path>& option) {
  if (option) return required(*option, "the option");
  if (const char* variable = std::getenv("ICBENCH_DATA");
      variable != nullptr && *variable != '\0') {
    return required(variable, "$ICBENCH_DATA");
  }
  for (const char* candidate : {"datasets/sipi", "../shared/sipi"}) {
    if (holds_images(candidate)) return candidate;
  }
  return std::nullopt;
}

std::vector<VerifiedFile> verify_sipi(const std::filesystem::path& directory) {
  return verify_files(directory, sipi_manifest());
}

std::vector<VerifiedFile> verify_files(const std::filesystem::path& directory,
                                       std::span<const ManifestEntry> entries) {
  std::vector<VerifiedFile> files;
  for (const auto& entry : entries) {
    const auto path = sipi_file(directory, entry);
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      files.push_back({&entry, FileState::missing, ""});
      continue;
    }
    const std::string found = sha256_of_file(path.string());
    files.push_back({&entry, found == entry.sha256 ? FileState::ok : FileState::altered, found});
  }
  return files;
}

ImageSet sipi_volume(const std::filesystem::path& directory, std::string_view volume) {
  ImageSet set{.name = fmt::format("sipi-{}", volume),
               .origin = fmt::format("USC-SIPI Image Database, volume {}", volume),
               .generated = false,
               .images = {}};
  bool known = false;
  for (const auto& entry : sipi_manifest()) {
    if (entry.volume != volume) continue;
    known = true;
    const auto path = sipi_file(directory, entry);
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) continue;
    set.images.push_back(
        {.name = entry.name,
         .description = entry.description,
         .sha256 = entry.sha256,
         .shape = {.rows = entry.height, .cols = entry.width, .channels = entry.channels},
         .load = [path, &entry] { return load_checked(path, entry); }});
  }
  if (!known) {
    throw UsageError(
        fmt::format("unknown volume \"{}\"; expected one of: aerials, misc, textures", volume));
  }
  return set;
}

const ImageRef& find_image(const ImageSet& set, std::string_view name) {
  std::string known;
  for (const auto& image : set.images) {
    if (image.name == name) return image;
    known += (known.empty() ? "" : ", ") + image.name;
  }
  throw UsageError(fmt::format("unknown image \"{}\" in set \"{}\"; expected one of: {}", name,
                               set.name, known));
}

}  // namespace icb
