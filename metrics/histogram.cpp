#include "metrics/histogram.hpp"

#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

namespace icb {

Histogram histogram(ConstImage image, std::optional<std::size_t> channel) {
  const Shape& shape = image.shape();
  if (channel && *channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("histogram: channel must be below {}, got {}", shape.channels, *channel));
  }
  Histogram counts(std::size_t{1} << shape.depth_bits());
  const std::size_t step = channel ? shape.channels : 1;
  const ConstBytes bytes = image.bytes();
  for (std::size_t n = channel.value_or(0); n < shape.samples(); n += step) {
    const std::size_t value = shape.sample_bytes == 1
                                  ? std::size_t{bytes[n]}
                                  : bytes[2 * n] + std::size_t{256} * bytes[2 * n + 1];
    ++counts[value];
  }
  return counts;
}

std::uint64_t total(const Histogram& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace icb
