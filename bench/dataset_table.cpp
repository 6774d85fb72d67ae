#include "bench/dataset_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/dataset.hpp"

namespace icb {

std::vector<std::string> sipi_volumes() {
  std::vector<std::string> volumes;
  for (const auto& entry : sipi_manifest()) {
    if (std::ranges::find(volumes, entry.volume) == volumes.end()) volumes.push_back(entry.volume);
  }
  return volumes;
}

CsvTable dataset_table(const std::optional<std::filesystem::path>& directory) {
  CsvTable table({"name", "images", "present", "where", "origin"});
  for (const auto& volume : sipi_volumes()) {
    const auto known = std::ranges::count(sipi_manifest(), volume, &ManifestEntry::volume);
    const std::size_t present = directory ? sipi_volume(*directory, volume).images.size() : 0;
    table.add({fmt::format("sipi-{}", volume), fmt::to_string(known), fmt::to_string(present),
               present > 0 ? (*directory / volume).string() : "absent",
               fmt::format("USC-SIPI Image Database, volume {}", volume)});
  }
  const ImageSet& smoke = smoke_set();
  const std::string images = fmt::to_string(smoke.images.size());
  table.add({smoke.name, images, images, "built in", smoke.origin});
  return table;
}

}  // namespace icb
