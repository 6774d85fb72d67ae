/// Unified average changing intensity between two cipher images.
///
/// Source:   Y. Wu, J. P. Noonan, S. Agaian, "NPCR and UACI randomness tests for image encryption",
///           Cyber Journals JSAT, April 2011. Null model: `uaci_null`, the same moments.
/// Value:    mean |a - b| / F as a fraction, 0 to 1; per channel, then the samples of all channels.
/// Null:     both images i.i.d. uniform, independent.
/// p:        two-sided, normal, as in the literature (512 x 512: 33.3730 to 33.5541 %
///           pass at 0.05).
///           |a - b| has skewness 0.57 and excess kurtosis -0.6, which makes p at 0.001 too large
///           by about 1.05 / N of itself: a tenth at 10 samples. Below 50 `detail` says so.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a second image.
#include "metrics/uaci.hpp"

#include <cmath>

#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "uaci";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& second = second_of(input, quantity);
  const int depth = input.image.shape().depth_bits();
  const double peak = std::ldexp(1.0, depth) - 1;
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(second, scope);
    const double value = static_cast<double>(sums.absolute) / (peak * static_cast<double>(sums.n));
    return finding_of_mean(quantity, channel, "1", sums.n, value, uaci_null(sums.n, depth));
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "mean |a - b| / F of two cipher images, F the largest value of a sample",
     .expected = "(F + 2) / (3 F + 3)",
     .sd = "sqrt((F + 2)(F^2 + 2 F + 3) / (18 (F + 1)^2 F N))",
     .source = "Wu, Noonan, Agaian, JSAT 2011; null model: exact moments",
     .needs = Needs::second,
     .compute = compute}};

}  // namespace

NullModel uaci_null(std::uint64_t n, int depth_bits) {
  const double f = std::ldexp(1.0, depth_bits) - 1;
  const double variance =
      (f + 2) * (f * f + 2 * f + 3) / (18 * (f + 1) * (f + 1) * f * static_cast<double>(n));
  return {(f + 2) / (3 * f + 3), std::sqrt(variance)};
}

}  // namespace icb
