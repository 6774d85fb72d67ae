#include "metrics/distance.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "metrics/distance.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // nothing to gain: all samples are left to the caller

std::size_t add_distances(const std::uint8_t* /*a*/, const std::uint8_t* /*b*/,
                          std::size_t /*samples*/, std::size_t /*channels*/,
                          std::size_t /*channel*/, std::uint64_t* /*sums*/) {
  return 0;
}

#else

using D8 = hn::ScalableTag<std::uint8_t>;
using Samples = hn::Vec<D8>;

// A vector of the samples of a channel; of all of them if there is one channel only.
HWY_INLINE Samples load(const std::uint8_t* from, std::size_t channels, std::size_t channel) {
  const D8 d;
  if (channels == 1) return hn::LoadU(d, from);
  auto a = hn::Zero(d);
  auto b = a;
  auto c = a;
  auto e = a;
  if (channels == 2) hn::LoadInterleaved2(d, from, a, b);
  if (channels == 3) hn::LoadInterleaved3(d, from, a, b, c);
  if (channels == 4) hn::LoadInterleaved4(d, from, a, b, c, e);
  if (channel == 0) return a;
  if (channel == 1) return b;
  return channel == 2 ? c : e;
}

// Adds to sums: different, absolute, squares, bits. Returns how many samples that were; fewer than
// a vector are left.
std::size_t add_distances(const std::uint8_t* HWY_RESTRICT a, const std::uint8_t* HWY_RESTRICT b,
                          std::size_t samples, std::size_t channels, std::size_t channel,
                          std::uint64_t* HWY_RESTRICT sums) {
  const D8 d8;
  const hn::Repartition<std::int16_t, D8> d16;
  const hn::Repartition<std::int32_t, D8> d32;
  const hn::Repartition<std::uint64_t, D8> d64;
  const std::size_t lanes = hn::Lanes(d8);
  const auto one = hn::Set(d8, std::uint8_t{1});
  const auto low = hn::Set(d16, std::int16_t{255});
  std::size_t i = 0;
  while (i + lanes <= samples) {
    // Every step adds at most 4 * 255^2 to a 32-bit lane.
    const std::size_t steps = HWY_MIN((samples - i) / lanes, std::size_t{8192});
    auto different = hn::Zero(d64);
    auto absolute = hn::Zero(d64);
    auto bits = hn::Zero(d64);
    auto squares = hn::Zero(d32);
    auto squares_odd = hn::Zero(d32);
    for (std::size_t step = 0; step < steps; ++step, i += lanes) {
      const auto x = load(a + channels * i, channels, channel);
      const auto y = load(b + channels * i, channels, channel);
      const auto distance = hn::Sub(hn::Max(x, y), hn::Min(x, y));
      different = hn::Add(different, hn::SumsOf8(hn::Min(distance, one)));
      absolute = hn::Add(absolute, hn::SumsOf8(distance));
      bits = hn::Add(bits, hn::SumsOf8(hn::PopulationCount(hn::Xor(x, y))));
      const auto even = hn::And(hn::BitCast(d16, distance), low);
      const auto odd = hn::And(hn::ShiftRight<8>(hn::BitCast(d16, distance)), low);
      squares = hn::ReorderWidenMulAccumulate(d32, even, even, squares, squares_odd);
      squares = hn::ReorderWidenMulAccumulate(d32, odd, odd, squares, squares_odd);
    }
    sums[0] += hn::GetLane(hn::SumOfLanes(d64, different));
    sums[1] += hn::GetLane(hn::SumOfLanes(d64, absolute));
    HWY_ALIGN std::int32_t each[HWY_MAX_BYTES / 4];
    for (const auto part : {squares, squares_odd}) {
      hn::Store(part, d32, each);
      for (std::size_t k = 0; k < hn::Lanes(d32); ++k)
        sums[2] += static_cast<std::uint32_t>(each[k]);
    }
    sums[3] += hn::GetLane(hn::SumOfLanes(d64, bits));
  }
  return i;
}

#endif

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(add_distances);

namespace {

void check(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
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
}

void add_sample(DistanceSums& sums, std::uint16_t u, std::uint16_t v) {
  const std::uint64_t distance = u > v ? u - v : v - u;
  ++sums.n;
  sums.different += distance != 0 ? 1U : 0U;
  sums.absolute += distance;
  sums.squares += distance * distance;
  sums.bits += static_cast<std::uint64_t>(std::popcount(static_cast<std::uint16_t>(u ^ v)));
}

}  // namespace

DistanceSums& DistanceSums::operator+=(const DistanceSums& other) {
  n += other.n;
  different += other.different;
  absolute += other.absolute;
  squares += other.squares;
  bits += other.bits;
  return *this;
}

DistanceSums distance_sums(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  check(a, b, channel);
  const Shape& shape = a.shape();
  if (shape.sample_bytes != 1) return plain_distance_sums(a, b, channel);
  const std::size_t channels = channel ? shape.channels : 1;
  const std::size_t first = channel.value_or(0);
  const std::size_t samples = shape.samples() / channels;
  std::array<std::uint64_t, 4> sums{};
  const std::size_t done = HWY_DYNAMIC_DISPATCH(add_distances)(
      a.bytes().data(), b.bytes().data(), samples, channels, first, sums.data());
  DistanceSums out{done, sums[0], sums[1], sums[2], sums[3]};
  for (std::size_t i = done; i < samples; ++i) {
    add_sample(out, a.bytes()[channels * i + first], b.bytes()[channels * i + first]);
  }
  return out;
}

DistanceSums plain_distance_sums(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  check(a, b, channel);
  const Shape& shape = a.shape();
  const std::size_t first = channel.value_or(0);
  const std::size_t last = channel ? *channel + 1 : shape.channels;
  DistanceSums sums;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t c = first; c < last; ++c) {
        add_sample(sums, a.sample(row, col, c), b.sample(row, col, c));
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

#endif  // HWY_ONCE
