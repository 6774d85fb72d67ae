/// Distances between two images of the same shape, sample by sample: exact integer sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/image.hpp"

namespace icb {

/// Sums over the samples at the same place in two images.
struct DistanceSums {
  std::uint64_t n = 0;          ///< samples
  std::uint64_t different = 0;  ///< of them
  std::uint64_t absolute = 0;   ///< sum of |a - b|
  std::uint64_t squares = 0;    ///< sum of (a - b)^2
  std::uint64_t bits = 0;       ///< bits that differ

  DistanceSums& operator+=(const DistanceSums& other);

  friend bool operator==(const DistanceSums&, const DistanceSums&) = default;
};

/// Over one channel, or over all of them if none is named; fast for 8 bit. Errors:
/// std::invalid_argument if the shapes differ, there is no such channel, or there are more than
/// 2^32 samples.
DistanceSums distance_sums(ConstImage a, ConstImage b,
                           std::optional<std::size_t> channel = std::nullopt);

/// The same sample by sample: the reference, and what serves 16 bit.
DistanceSums plain_distance_sums(ConstImage a, ConstImage b,
                                 std::optional<std::size_t> channel = std::nullopt);

/// Peak signal-to-noise ratio in dB, 10 log10(F^2 / mse), F the largest value of a sample; absent
/// (infinite) if mse is 0. depth_bits: 8 or 16.
std::optional<double> psnr_of(double mean_squared_error, int depth_bits);

}  // namespace icb
