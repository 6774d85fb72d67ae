/// Number of samples change rate: the share of samples that differ between two cipher images.
///
/// Source:   Y. Wu, J. P. Noonan, S. Agaian, "NPCR and UACI randomness tests for image encryption",
///           Cyber Journals JSAT, April 2011. There a "pixel" of a colour image is not defined;
///           here samples count, and `npcr_pixels` counts tuples.
/// Value:    a fraction, 0 to 1; per channel, then the samples of all channels.
/// Null:     both images i.i.d. uniform, independent: N (1 - NPCR) is binomial(N, 1/(F + 1)), F
///           255 or 65535: mean F/(F + 1), variance F / ((F + 1)^2 N), exact.
/// p:        exact and two-sided, see `changed_share`: images that differ in more samples than
///           chance allows are as telling as those that differ in fewer. The literature's test is
///           one-sided and normal: it rejects at alpha if NPCR is below
///           mean - sd Phi^-1(1 - alpha): 99.5893 % at 0.05 for 512 x 512.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a second image.
#include <cmath>

#include "metrics/changed_share.hpp"
#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "npcr";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& second = second_of(input, quantity);
  const double same = std::ldexp(1.0, -input.image.shape().depth_bits());
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(second, scope);
    return changed_share(quantity, channel, sums.n, sums.different, same);
  });
}

const RegisterMetric entry{{.name = quantity,
                            .unit = "1",
                            .formula = "share of samples that differ between two cipher images",
                            .expected = "F / (F + 1), F the largest value of a sample",
                            .sd = "sqrt(F / N) / (F + 1)",
                            .source = "Wu, Noonan, Agaian, JSAT 2011; null model: binomial, exact",
                            .needs = Needs::second,
                            .compute = compute}};

}  // namespace
}  // namespace icb
