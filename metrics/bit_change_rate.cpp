/// Share of bits that differ between two cipher images.
///
/// Source:   H. Feistel, Scientific American 228, 1973 (avalanche).
/// Value:    a fraction, 0 to 1; n is the number of bits: 8 or 16 a sample.
/// Null:     both images i.i.d. uniform, independent: differing bits are binomial(n, 1/2): mean
///           0.5, sd 0.5 / sqrt(n), exact.
/// p:        exact and two-sided, see `changed_share`.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a second image.
#include "metrics/changed_share.hpp"
#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "bit_change_rate";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& second = second_of(input, quantity);
  const Shape& shape = input.image.shape();
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(second, scope);
    const std::uint64_t bits = sums.n * static_cast<std::uint64_t>(shape.depth_bits());
    return changed_share(quantity, channel, bits, sums.bits, 0.5);
  });
}

const RegisterMetric entry{{.name = quantity,
                            .unit = "1",
                            .formula = "share of bits that differ between two cipher images",
                            .expected = "1 / 2",
                            .sd = "1 / (2 sqrt(n)), n bits",
                            .source = "Feistel 1973 (avalanche); null model: binomial, exact",
                            .needs = Needs::second,
                            .compute = compute}};

}  // namespace
}  // namespace icb
