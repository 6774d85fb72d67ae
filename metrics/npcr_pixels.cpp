/// Share of pixels that differ between two cipher images, a pixel being the tuple of its samples.
///
/// Source:   as `npcr`, read with pixels of colour images as tuples: the reading behind figures
///           near 100 %, since all channels of a pixel must agree for it to count as unchanged.
/// Value:    a fraction, 0 to 1; N is the number of pixels. "all" only.
/// Null:     both images i.i.d. uniform, independent: N (1 - value) is binomial(N, q), q = (F +
///           1)^-channels, exact.
/// p:        exact and two-sided, see `changed_share`.
/// Shapes:   2 to 4 channels; with one it is `npcr` itself: not_applicable.
#include <cmath>

#include "metrics/changed_share.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "npcr_pixels";

template <std::size_t size>
std::uint64_t pixels_that_differ(ConstBytes a, ConstBytes b) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < a.size(); at += size) {
    unsigned difference = 0;
    for (std::size_t i = at; i < at + size; ++i) difference |= a[i] ^ unsigned { b[i] };
    count += difference != 0 ? 1U : 0U;
  }
  return count;
}

std::uint64_t pixels_that_differ(ConstImage a, ConstImage b) {
  switch (a.shape().pixel_bytes()) {
    case 2:
      return pixels_that_differ<2>(a.bytes(), b.bytes());
    case 3:
      return pixels_that_differ<3>(a.bytes(), b.bytes());
    case 4:
      return pixels_that_differ<4>(a.bytes(), b.bytes());
    case 6:
      return pixels_that_differ<6>(a.bytes(), b.bytes());
    default:  // 4 channels of 16 bit
      return pixels_that_differ<8>(a.bytes(), b.bytes());
  }
}

std::vector<Measurement> compute(const MetricInput& input) {
  const ConstImage second = second_of(input, quantity);
  const Shape& shape = input.image.shape();
  if (shape.channels == 1) {
    return {no_finding(quantity, channel_name(shape, 0), "1", shape.pixels(),
                       "one channel: the same as npcr")};
  }
  const double same = std::ldexp(1.0, -shape.depth_bits() * static_cast<int>(shape.channels));
  return {changed_share(quantity, "all", shape.pixels(), pixels_that_differ(input.image, second),
                        same)};
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "share of pixels with any sample that differs between two cipher images",
     .expected = "1 - q, q = (F + 1)^-channels, F the largest value of a sample",
     .sd = "sqrt(q (1 - q) / N), N pixels",
     .source = "Wu, Noonan, Agaian, JSAT 2011, pixels as tuples; null model: binomial, exact",
     .needs = Needs::second,
     .compute = compute,
     .per_channel = false}};

}  // namespace
}  // namespace icb
