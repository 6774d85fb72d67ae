/// Mean entropy of random disjoint blocks of 44 x 44 pixels and its null model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/image.hpp"
#include "metrics/finding.hpp"

namespace icb {

inline constexpr std::size_t local_block_side = 44;
inline constexpr std::size_t local_block_samples = local_block_side * local_block_side;  ///< 1936
inline constexpr std::size_t local_blocks = 30;

/// First pixel of a block.
struct Corner {
  std::size_t row = 0;
  std::size_t col = 0;

  friend auto operator<=>(const Corner&, const Corner&) = default;
};

/// Corners of up to 30 disjoint blocks, all of an image's channels: as many whole 44 x 44 cells as
/// rows and columns hold, the grid shifted at random within what is left over, 30 of the cells
/// drawn without replacement; all of them if there are fewer. Empty if not one fits. In the order
/// drawn, by std::mt19937_64(derive_seed(seed, "local_entropy/blocks")).
std::vector<Corner> local_entropy_corners(const Shape& shape, std::uint64_t seed);

/// Shannon entropy in bits of the 1936 samples of one block.
/// Errors: std::invalid_argument if the block or channel lies outside the image.
double block_entropy(ConstImage image, std::size_t channel, Corner corner);

/// Of the mean over `blocks` >= 1 independent blocks: `entropy_null(1936, bins)`, sd over
/// sqrt(blocks).
NullModel local_entropy_null(std::size_t blocks, std::size_t bins);

/// Acceptance interval of the literature, mean -+ z sd / blocks, z the normal quantile of
/// 1 - alpha / 2: sqrt(blocks) too narrow. Wu et al.'s printed digits for 30 blocks of 256 levels.
std::pair<double, double> local_entropy_published_interval(std::size_t blocks, std::size_t bins,
                                                           double alpha);

}  // namespace icb
