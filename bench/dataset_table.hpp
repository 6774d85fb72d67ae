/// The image sets as a table: what `datasets list` and `list datasets` print.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/csv.hpp"

namespace icb {

/// Volumes of the manifest, in its order.
std::vector<std::string> sipi_volumes();

/// Columns name, images, present, where, origin. `directory`: where the database's images are, if
/// anywhere.
CsvTable dataset_table(const std::optional<std::filesystem::path>& directory);

}  // namespace icb
