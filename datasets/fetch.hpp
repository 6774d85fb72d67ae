/// Fetching one volume against a given list of files: what fetch_sipi does for every volume.
#pragma once

#include <span>
#include <string_view>

#include "datasets/dataset.hpp"

namespace icb {

/// Brings <options.directory>/<volume> to the state the entries of that volume describe; does
/// nothing if it is there already. `manifest` may hold other volumes too. Throws UsageError if it
/// holds none of this one.
void fetch_volume(const FetchOptions& options, std::string_view volume,
                  std::span<const ManifestEntry> manifest);

}  // namespace icb
