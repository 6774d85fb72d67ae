/// Share of samples that differ between plain and cipher image. Not an NPCR, though often printed
/// as one: it says nothing of how a changed plain image changes its cipher image.
///
/// Source:   the formula of `npcr` applied to another pair of images.
/// Value:    a fraction, 0 to 1; per channel, then the samples of all channels.
/// Null:     plain image given, cipher samples i.i.d. uniform: whatever the plain image is, each
///           sample is unchanged with probability 1/(F + 1), so the law is that of `npcr`, exact.
/// p:        exact and two-sided, see `changed_share`.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include <cmath>

#include "metrics/changed_share.hpp"
#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "plain_cipher_npcr";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  const double same = std::ldexp(1.0, -input.image.shape().depth_bits());
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(plain, scope);
    return changed_share(quantity, channel, sums.n, sums.different, same);
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "share of samples that differ between plain and cipher image",
     .expected = "F / (F + 1), F the largest value of a sample",
     .sd = "sqrt(F / N) / (F + 1)",
     .source = "formula of NPCR on another pair of images; null model: binomial, exact",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace
}  // namespace icb
