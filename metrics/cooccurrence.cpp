#include "metrics/cooccurrence.hpp"

#include <fmt/format.h>

#include <bit>
#include <numeric>
#include <stdexcept>

namespace icb {
namespace {

void check_levels(std::size_t levels, std::size_t most) {
  if (!std::has_single_bit(levels) || levels < 2 || levels > most) {
    throw std::invalid_argument(fmt::format(
        "co-occurrence: levels must be a power of two from 2 to {}, got {}", most, levels));
  }
}

}  // namespace

Cooccurrence cooccurrence(ConstImage image, std::optional<std::size_t> channel,
                          std::size_t levels) {
  const Shape& shape = image.shape();
  check_levels(levels, 256);
  if (channel && *channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("co-occurrence: channel must be below {}, got {}", shape.channels, *channel));
  }
  if (shape.samples() >= std::uint64_t{1} << 32) {
    throw std::invalid_argument(
        fmt::format("co-occurrence: expected fewer than 2^32 samples, got {}", shape.samples()));
  }
  Cooccurrence out{levels, std::vector<std::uint32_t>(levels * levels), 0};
  const int shift = shape.depth_bits() - std::countr_zero(levels);
  const std::size_t first = channel.value_or(0);
  const std::size_t last = channel ? *channel + 1 : shape.channels;
  for (std::size_t c = first; c < last; ++c) {
    for (std::size_t row = 0; row < shape.rows; ++row) {
      for (std::size_t col = 0; col + 1 < shape.cols; ++col) {
        const std::size_t left = image.sample(row, col, c) >> shift;
        const std::size_t right = image.sample(row, col + 1, c) >> shift;
        ++out.counts[left * levels + right];
      }
    }
  }
  out.pairs = static_cast<std::uint64_t>(last - first) * shape.rows * (shape.cols - 1);
  return out;
}

Cooccurrence coarser(const Cooccurrence& counts, std::size_t levels) {
  check_levels(levels, counts.levels);
  Cooccurrence out{levels, std::vector<std::uint32_t>(levels * levels), counts.pairs};
  const std::size_t factor = counts.levels / levels;
  const std::uint32_t* from = counts.counts.data();
  for (std::size_t i = 0; i < counts.levels; ++i) {
    std::uint32_t* const row = out.counts.data() + (i / factor) * levels;
    for (std::size_t j = 0; j < levels; ++j, from += factor) {
      row[j] = std::accumulate(from, from + factor, row[j]);
    }
  }
  return out;
}

PairTexture pair_texture(const Cooccurrence& counts) {
  const std::size_t levels = counts.levels;
  PairTexture out;
  out.differences.resize(levels);
  out.sums.n = counts.pairs;
  for (std::uint64_t i = 0; i < levels; ++i) {
    for (std::uint64_t j = 0; j < levels; ++j) {
      const std::uint64_t count = counts.counts[i * levels + j];
      out.sums.x += count * i;
      out.sums.y += count * j;
      out.sums.xx += count * i * i;
      out.sums.yy += count * j * j;
      out.sums.xy += count * i * j;
      out.differences[i > j ? i - j : j - i] += count;
      out.squares += count * count;
    }
  }
  return out;
}

}  // namespace icb
