/// Counts of adjacent pairs of grey levels: the grey-level co-occurrence matrix (GLCM).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image.hpp"
#include "metrics/correlation.hpp"

namespace icb {

/// How often level j stands right of level i: counts[i * levels + j], offset (0, +1), not
/// symmetric. A sample of depth d is at level floor(sample * levels / 2^d).
///
/// Source: R. M. Haralick, K. Shanmugam, I. Dinstein, IEEE Trans. SMC 3 (1973) 610-621.
struct Cooccurrence {
  std::size_t levels = 0;
  std::vector<std::uint32_t> counts;  ///< levels^2 of them, row-major in the left level
  std::uint64_t pairs = 0;            ///< their sum
};

/// Pairs within one channel, or those of all channels together if none is named. levels: a power of
/// two from 2 to 256. Errors: std::invalid_argument for other levels, no such channel, or 2^32
/// pairs and more.
Cooccurrence cooccurrence(ConstImage image, std::optional<std::size_t> channel, std::size_t levels);

/// The same pairs at fewer levels, a power of two from 2 to counts.levels. Errors:
/// std::invalid_argument for other levels.
Cooccurrence coarser(const Cooccurrence& counts, std::size_t levels);

/// What metrics of texture need of such a matrix: exact sums over its cells.
struct PairTexture {
  PairSums sums;                           ///< of the two levels of each pair
  std::vector<std::uint64_t> differences;  ///< how many pairs differ by d levels, d < levels
  std::uint64_t squares = 0;               ///< sum of the squared counts
};

PairTexture pair_texture(const Cooccurrence& counts);

}  // namespace icb
