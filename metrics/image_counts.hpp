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

/// The co-occurrence at 256 levels, transposed: counts[256 * right + left], as a pair lies in
/// memory. Where every count fits in a byte, `bytes` has them and `counts` is empty.
struct PairTable {
  Bytes bytes;
  std::vector<std::uint32_t> counts;
  std::uint64_t pairs = 0;  ///< their sum
};

PairTable plane_pairs(const Plane& plane);

/// The other way round: as `icb::cooccurrence`.
Cooccurrence transposed(const PairTable& table);

/// Sums over the cells of a table, from one pass over them.
struct CellSums {
  std::vector<std::uint64_t> left;         ///< how often a level is the left one
  std::vector<std::uint64_t> differences;  ///< as in PairTexture
  std::uint64_t squares = 0;               ///< as in PairTexture
  Cooccurrence coarse;                     ///< at 8 levels, not transposed
};

CellSums sum_cells(const PairTable& table);

/// The histogram that follows: all samples of the plane but the last of each row are left ones.
Histogram histogram_from(const CellSums& sums, const Plane& plane);

/// The sum of the squared counts of all these tables pooled.
std::uint64_t pooled_squares(std::span<const PairTable* const> tables);

/// to[i] += from[i]. Contract: as many counts in both.
void add_counts(std::span<const std::uint32_t> from, std::span<std::uint32_t> to);

}  // namespace icb
