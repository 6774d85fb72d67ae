/// Local Shannon entropy: the mean entropy of 30 random disjoint blocks of 44 x 44 pixels.
///
/// Source:   Y. Wu, Y. Zhou, G. Saveriades, S. Agaian, J. P. Noonan, P. Natarajan, Information
///           Sciences 222 (2013) 323-342; (k, T) = (30, 1936).
/// Value:    bits, 0 to log2 1936 = 10.92, at most 8 for 8-bit samples; per channel, all
///           channels on the same blocks; "all" is the mean over the blocks of all channels,
///           each of one channel. n is the number of samples looked at.
/// Blocks:   squares as in the paper, `local_entropy_corners`; seed recorded. Smaller images
///           have fewer: 25 in 256 x 256, where 30 disjoint squares, often reported, do not
///           exist. An image with fewer than 44 rows or columns: not_applicable.
/// 16 bit:   the same with 65536 levels; entropy then counts the coincidences among 1936
///           samples.
/// Null:     samples i.i.d. uniform: blocks are independent, mean exact, sd that of one block
///           (exact to 2e-5) over sqrt(blocks).
/// p:        two-sided; as for `entropy`, the deficit log2 K - H is taken as gamma-distributed
///           with exact mean and sd.
/// Departs:  the paper's interval at 0.05, 7.901901305 to 7.903037329, is mean -+ z sd / k
///           where the mean of k blocks has sd / sqrt(k). It accepts 2 Phi(1.96 / sqrt(30)) - 1
///           = 28 % of ideal images, and more of them at smaller alpha. The verdict here is p;
///           `detail` has the paper's beside it, by its formula for the k at hand.
#include "metrics/local_entropy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/entropy.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

std::string published_verdict(double value, std::size_t blocks, std::size_t bins) {
  const auto [low, high] = local_entropy_published_interval(blocks, bins, 0.05);
  const double k = static_cast<double>(blocks);
  return fmt::format(
      "{} blocks; Wu et al. 2013 at 0.05: {:.9f} to {:.9f}, {}; too narrow by sqrt({}), it holds "
      "{:.0f} % of ideal images",
      blocks, low, high, low <= value && value <= high ? "inside" : "outside", blocks,
      100 * (1 - two_sided_normal_p(normal_quantile(0.975) / std::sqrt(k)).value()));
}

/// -p log2 p of the share p = c / 1936.
const std::array<double, local_block_samples + 1>& terms() {
  static const auto table = [] {
    std::array<double, local_block_samples + 1> out{};
    for (std::size_t c = 1; c < out.size(); ++c) {
      const double share = static_cast<double>(c) / local_block_samples;
      out.at(c) = -share * std::log2(share);
    }
    return out;
  }();
  return table;
}

/// As `block_entropy`, of a channel by itself: 8-bit samples, `cols` a row.
double plane_block_entropy(ConstBytes plane, std::size_t cols, Corner corner) {
  const auto& term = terms();
  // Two tables of counts and four sums, so that one step need not wait for the one before.
  std::array<std::array<std::uint16_t, 256>, 2> counts{};
  for (std::size_t row = 0; row < local_block_side; ++row) {
    const std::uint8_t* const at = &plane[(corner.row + row) * cols + corner.col];
    for (std::size_t col = 0; col < local_block_side; col += 2) {
      ++counts[0][at[col]];
      ++counts[1][at[col + 1]];
    }
  }
  std::array<double, 4> sums{};
  for (std::size_t v = 0; v < 256; v += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      sums[k] += term[std::size_t{counts[0][v + k]} + counts[1][v + k]];
    }
  }
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

/// Of `blocks` blocks whose entropies add up to `sum`.
Measurement measure(double sum, std::size_t blocks, int bits, const std::string& channel) {
  const double value = sum / static_cast<double>(blocks);
  const std::size_t bins = std::size_t{1} << bits;
  Measurement out = finding("local_entropy", channel, "bit", blocks * local_block_samples, value,
                            local_entropy_null(blocks, bins));
  out.p_value =
      gamma_tails(std::max(0.0, bits - value), bits - *out.expected, *out.sd).two_sided().value();
  add_detail(out, published_verdict(value, blocks, bins));
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  const Shape& shape = input.image.shape();
  const std::vector<Corner> corners = local_entropy_corners(shape, input.seed);
  std::vector<double> sums(shape.channels);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    for (const Corner corner : corners) {
      sums[c] += shape.sample_bytes == 1
                     ? plane_block_entropy(input.image.plane(c), shape.cols, corner)
                     : block_entropy(input.image, c, corner);
    }
  }
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    Measurement out;
    if (corners.empty()) {
      out =
          no_finding("local_entropy", channel, "bit", 0,
                     fmt::format("no block of 44 x 44 pixels in {} x {}", shape.rows, shape.cols));
    } else if (scope) {
      out = measure(sums[*scope], corners.size(), shape.depth_bits(), channel);
    } else {
      out = measure(std::accumulate(sums.begin(), sums.end(), 0.0), corners.size() * shape.channels,
                    shape.depth_bits(), channel);
    }
    out.seed = input.seed;
    return out;
  });
}

const RegisterMetric entry{
    {.name = "local_entropy",
     .unit = "bit",
     .formula = "mean entropy of k = 30 random disjoint blocks of 44 x 44 pixels",
     .expected = "exact binomial sum for 1936 samples; 7.902469317 for 8-bit samples",
     .sd = "that of one block over sqrt(k); 0.00869423 / sqrt(30) for 8-bit samples",
     .source = "Wu et al., Information Sciences 222 (2013); null model: metrics/entropy.hpp",
     .compute = compute}};

}  // namespace

std::vector<Corner> local_entropy_corners(const Shape& shape, std::uint64_t seed) {
  const std::size_t side = local_block_side;
  const std::size_t cells = (shape.rows / side) * (shape.cols / side);
  std::vector<Corner> corners;
  if (cells == 0) return corners;
  std::mt19937_64 engine(derive_seed(seed, "local_entropy/blocks"));
  const std::size_t top = uniform_below(engine, shape.rows % side + 1);
  const std::size_t left = uniform_below(engine, shape.cols % side + 1);
  for (std::size_t row = top; row + side <= shape.rows; row += side) {
    for (std::size_t col = left; col + side <= shape.cols; col += side) {
      corners.push_back({row, col});
    }
  }
  const std::size_t taken = std::min(local_blocks, cells);
  for (std::size_t i = 0; i < taken; ++i) {  // Fisher and Yates, as far as needed
    std::swap(corners[i], corners[i + uniform_below(engine, cells - i)]);
  }
  corners.resize(taken);
  return corners;
}

double block_entropy(ConstImage image, std::size_t channel, Corner corner) {
  const Shape& shape = image.shape();
  if (channel >= shape.channels || corner.row + local_block_side > shape.rows ||
      corner.col + local_block_side > shape.cols) {
    throw std::invalid_argument(fmt::format("local_entropy: no block at ({}, {}), channel {} of {}",
                                            corner.row, corner.col, channel, to_string(shape)));
  }
  Histogram counts(std::size_t{1} << shape.depth_bits());
  for (std::size_t row = corner.row; row < corner.row + local_block_side; ++row) {
    for (std::size_t col = corner.col; col < corner.col + local_block_side; ++col) {
      ++counts[image.sample(row, col, channel)];
    }
  }
  return shannon_entropy(counts);
}

NullModel local_entropy_null(std::size_t blocks, std::size_t bins) {
  const NullModel one = remembered(entropy_null, local_block_samples, bins);
  return {one.mean, one.sd / std::sqrt(static_cast<double>(blocks))};
}

std::pair<double, double> local_entropy_published_interval(std::size_t blocks, std::size_t bins,
                                                           double alpha) {
  const NullModel one = remembered(entropy_null, local_block_samples, bins);
  const double half = normal_quantile(1 - alpha / 2) * one.sd / static_cast<double>(blocks);
  return {one.mean - half, one.mean + half};
}

}  // namespace icb
