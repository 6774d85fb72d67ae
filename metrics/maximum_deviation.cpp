/// Maximum deviation between the histograms of plain and cipher image.
///
/// Source:   N. El-Fishawy, O. M. Abu Zaid, Int. J. Network Security 5, 2007: "larger is better".
/// Value:    (D_0 + D_F)/2 + D_1 + ... + D_(F-1), D_i = |h_plain(i) - h_cipher(i)|; per channel,
///           then the samples of all channels.
/// Null:     plain image given, cipher samples i.i.d. uniform: `histogram_distance_null`, exact to
///           2e-5 of the variance. It depends on the plain histogram, so no value is good or bad
///           without it.
/// p:        two-sided, normal. Approximate below 50 samples a bin, where `detail` says so: a plain
///           image that is constant makes the value a binomial count.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include "metrics/histogram_distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "maximum_deviation";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const Histogram& histogram = plain.histogram(scope);
    return histogram_distance_finding(quantity, channel, histogram, input.image.histogram(scope),
                                      0.5, 1);
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "(D_0 + D_F)/2 + sum of the other D_i, D_i = |h_plain(i) - h_cipher(i)|",
     .expected = "sum of E |c - h_i|, c binomial(N, 1/K), for this plain histogram",
     .sd = "from exact multinomial covariances, see metrics/histogram_distance.hpp",
     .source = "El-Fishawy, Abu Zaid 2007; null model: exact multinomial moments",
     .family = "histogram_distance",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace
}  // namespace icb
