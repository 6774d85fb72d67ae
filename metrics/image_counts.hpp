/// Counts of 8-bit samples at the speed of the machine: what `histogram`, `adjacent_pairs` and
/// `cooccurrence` count, of channels that stand alone in memory. The plain versions are the
/// reference; the results are the same integers on every instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/image.hpp"
#include "metrics/cooccurrence.hpp"
#include "metrics/correlation.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// One channel: rows * cols samples of one byte, no padding.
struct Plane {
  std::size_t rows = 0;
  std::size_t cols = 0;
  ConstBytes bytes;
};

/// The channels of an 8-bit image of several, one after the other. Errors: std::invalid_argument
/// for 16 bit or one channel, which is in order as it is.
Bytes split_channels(ConstImage image);

/// The directions of neighbours, in the order `neighbour_pairs` has them.
inline constexpr std::array<PairOffset, 4> neighbours{horizontal, vertical, diagonal, antidiagonal};

/// As `adjacent_pairs`, for each of `neighbours`: one pass over the samples.
std::array<PairSums, 4> neighbour_pairs(const Plane& plane);

/// As `icb::histogram`.
Histogram plane_histogram(const Plane& plane);

/// As `icb::cooccurrence` at 256 levels.
Cooccurrence plane_cooccurrence(const Plane& plane);

/// The histogram that follows from the 256-level co-occurrence of the plane: all samples but the
/// last of each row are left ones.
Histogram histogram_from(const Cooccurrence& counts, const Plane& plane);

/// to[i] += from[i]. Contract: as many counts in both.
void add_counts(std::span<const std::uint32_t> from, std::span<std::uint32_t> to);

}  // namespace icb
