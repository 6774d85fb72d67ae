#include "metrics/distance.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <stdexcept>

namespace icb {

DistanceSums& DistanceSums::operator+=(const DistanceSums& other) {
  n += other.n;
  different += other.different;
  absolute += other.absolute;
  squares += other.squares;
  bits += other.bits;
  return *this;
}

DistanceSums distance_sums(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  const Shape& shape = a.shape();
  if (b.shape() != shape) {
    throw std::invalid_argument(fmt::format("distance: expected two images of {}, got one of {}",
                                            to_string(shape), to_string(b.shape())));
  }
  if (channel && *channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("distance: channel must be below {}, got {}", shape.channels, *channel));
  }
  if (shape.samples() > std::uint64_t{1} << 32) {
    throw std::invalid_argument(
        fmt::format("distance: expected at most 2^32 samples, got {}", shape.samples()));
  }
  const std::size_t first = channel.value_or(0);
  const std::size_t last = channel ? *channel + 1 : shape.channels;
  DistanceSums sums;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t c = first; c < last; ++c) {
        const std::uint16_t u = a.sample(row, col, c);
        const std::uint16_t v = b.sample(row, col, c);
        const std::uint64_t distance = u > v ? u - v : v - u;
        ++sums.n;
        sums.different += distance != 0 ? 1U : 0U;
        sums.absolute += distance;
        sums.squares += distance * distance;
        sums.bits += static_cast<std::uint64_t>(std::popcount(static_cast<std::uint16_t>(u ^ v)));
      }
    }
  }
  return sums;
}

std::optional<double> psnr_of(double mean_squared_error, int depth_bits) {
  if (depth_bits != 8 && depth_bits != 16) {
    throw std::invalid_argument(fmt::format("psnr: expected 8 or 16 bit, got {}", depth_bits));
  }
  if (mean_squared_error == 0) return std::nullopt;
  const double peak = std::ldexp(1.0, depth_bits) - 1;
  return 10 * std::log10(peak * peak / mean_squared_error);
}

}  // namespace icb
