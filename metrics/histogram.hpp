/// Counts of sample values, shared by the metrics that look at values and not at places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image.hpp"

namespace icb {

/// Counts by value: 256 bins for 8-bit samples, 65536 for 16-bit ones.
using Histogram = std::vector<std::uint64_t>;

/// Samples of one channel; of all channels together if none is named.
/// Errors: std::invalid_argument if there is no such channel.
Histogram histogram(ConstImage image, std::optional<std::size_t> channel = std::nullopt);

/// Number of samples counted.
std::uint64_t total(const Histogram& counts);

}  // namespace icb
