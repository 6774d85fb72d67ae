/// Floating frequency: the mean number of distinct byte values in a window of 64 bytes.
///
/// Source:   CrypTool 1, "Floating Frequency": distinct characters in a window of 64 that slides
///           over the document. There a curve, here its mean. Null model: exact moments, see
///           metrics/floating_frequency.hpp.
/// Value:    1 to 64; 56.72 is expected. Bytes of a channel in raster order, both bytes of a 16-bit
///           sample as stored; "all": the mean over the windows of all channels, each of one
///           channel. n is the number of bytes.
/// Sees:     values that come back sooner (repetitions, smooth regions) or later (counters, sorted
///           or balanced bytes) than chance would have it, whatever the histogram.
/// p:        two-sided, normal. Simulated: within 5 per cent at p = 0.01 and 15 at 0.001 from 256
///           bytes a channel on; below, within 30 per cent (one window, 64 bytes: 70, being
///           discrete), and `detail` says so.
/// Shapes:   any; below 64 bytes a channel not_applicable.
#include "metrics/floating_frequency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/metric.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "metrics/floating_frequency.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

/// `runs` runs of `windows` windows each, side by side: the processor works on all of them at once.
template <std::size_t runs>
HWY_INLINE std::uint64_t distinct_in_runs(const std::uint8_t* HWY_RESTRICT bytes,
                                          std::uint32_t windows) {
  std::uint32_t last[runs][256] = {};  // place of a value, from 1 on
  std::uint32_t sums[runs] = {};
  const std::uint32_t width = floating_window;
  for (std::uint32_t i = 0; i < windows; ++i) {
    const std::uint32_t place = i + 1;
    for (std::size_t k = 0; k < runs; ++k) {
      std::uint32_t& previous = last[k][bytes[i + k * windows]];
      const std::uint32_t distance = place - previous;
      previous = place;
      sums[k] += distance < width ? distance : width;
    }
  }
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < runs; ++k) {
    sum += sums[k];
    for (std::uint32_t late = 1; late < width; ++late) {  // windows that start beyond the run
      const std::uint32_t place = windows + late;
      std::uint32_t& previous = last[k][bytes[place - 1 + k * windows]];
      const std::uint32_t distance = place - previous < width ? place - previous : width;
      previous = place;
      sum += distance > late ? distance - late : 0;
    }
  }
  return sum;
}

std::uint64_t distinct_sum(const std::uint8_t* bytes, std::uint64_t windows) {
  constexpr std::size_t runs = 4;
  constexpr std::uint64_t longest = std::uint64_t{1} << 20;  // sums below 2^32
  std::uint64_t sum = 0;
  while (windows >= runs) {
    const std::uint64_t length = windows / runs < longest ? windows / runs : longest;
    sum += distinct_in_runs<runs>(bytes, static_cast<std::uint32_t>(length));
    bytes += runs * length;
    windows -= runs * length;
  }
  return windows == 0 ? sum : sum + distinct_in_runs<1>(bytes, static_cast<std::uint32_t>(windows));
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(distinct_sum);

namespace {

constexpr const char* quantity = "floating_frequency";

/// Of `channels` channels of `bytes` bytes each, whose windows have `distinct` values in sum.
Measurement measure(std::uint64_t distinct, std::uint64_t bytes, std::size_t channels,
                    const std::string& channel) {
  const std::uint64_t n = bytes * channels;
  if (bytes < floating_window) {
    return no_finding(
        quantity, channel, "1", n,
        fmt::format("{} bytes{}, a window has 64", bytes, channels == 1 ? "" : " a channel"));
  }
  const std::uint64_t windows = channels * (bytes - (floating_window - 1));
  const double mean = static_cast<double>(distinct) / static_cast<double>(windows);
  Measurement out = finding(quantity, channel, "1", n, mean,
                            remembered(floating_frequency_null, bytes, channels));
  out.p_value = two_sided_normal_p(*out.z).value();
  if (bytes < 256) {
    add_detail(
        out, fmt::format("p is approximate: {} bytes{}", bytes, channels == 1 ? "" : " a channel"));
  }
  return out;
}

/// Of one channel of a 16-bit image.
Bytes bytes_of(ConstImage image, std::size_t channel) {
  const Shape& shape = image.shape();
  Bytes out;
  out.reserve(2 * shape.pixels());
  for (std::size_t at = 2 * channel; at < shape.bytes(); at += shape.pixel_bytes()) {
    out.push_back(image.bytes()[at]);
    out.push_back(image.bytes()[at + 1]);
  }
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  const Shape& shape = input.image.shape();
  const std::uint64_t bytes = shape.pixels() * shape.sample_bytes;
  std::uint64_t pooled = 0;
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    if (!scope) return measure(pooled, bytes, shape.channels, channel);
    const std::uint64_t distinct =
        distinct_in_windows(shape.sample_bytes == 1 ? input.image.plane(*scope)
                                                    : ConstBytes(bytes_of(input.image, *scope)));
    pooled += distinct;
    return measure(distinct, bytes, 1, channel);
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "mean number of distinct values over all windows of 64 bytes of one channel",
     .expected = "256 (1 - (255/256)^64)",
     .sd = "exact, from the covariances of overlapping windows",
     .source = "CrypTool 1, floating frequency; null model derived, see "
               "metrics/floating_frequency.hpp",
     .compute = compute}};

}  // namespace

std::uint64_t distinct_in_windows(ConstBytes bytes) {
  if (bytes.size() < floating_window) return 0;
  return HWY_DYNAMIC_DISPATCH(distinct_sum)(bytes.data(), bytes.size() - (floating_window - 1));
}

NullModel floating_frequency_null(std::uint64_t n, std::size_t channels) {
  if (n < floating_window) {
    throw std::invalid_argument(
        fmt::format("floating_frequency_null: expected 64 bytes or more, got {}", n));
  }
  constexpr double k = 256;
  constexpr double w = floating_window;
  const double windows = static_cast<double>(n - (floating_window - 1));
  const double q = 1 - 1 / k;
  const double r = 1 - 2 / k;
  double variance = 0;
  for (double h = 0; h < std::min(w, windows); ++h) {
    const double covariance = k * std::pow(q, w + h) +
                              k * (k - 1) * std::pow(r, w - h) * std::pow(q, 2 * h) -
                              k * k * std::pow(q, 2 * w);
    variance += (h == 0 ? 1 : 2) * (windows - h) / (windows * windows) * covariance;
  }
  return {k * (1 - std::pow(q, w)), std::sqrt(variance / static_cast<double>(channels))};
}

}  // namespace icb

#endif  // HWY_ONCE
