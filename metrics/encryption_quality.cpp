/// Encryption quality: mean distance of the histograms of plain and cipher image, bin by bin.
///
/// Source:   I. E. Ziedan, M. M. Fouad, D. H. Salem, National Radio Science Conference, Cairo,
///           2003: "larger is better".
/// Value:    sum |h_cipher(i) - h_plain(i)| / K over K = 256 or 65536 bins; per channel, then the
///           samples of all channels.
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

constexpr const char* quantity = "encryption_quality";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const Histogram& histogram = plain.histogram(scope);
    return histogram_distance_finding(quantity, channel, histogram, input.image.histogram(scope), 1,
                                      1.0 / static_cast<double>(histogram.size()));
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "sum |h_cipher(i) - h_plain(i)| / K over K bins",
     .expected = "sum of E |c - h_i| / K, c binomial(N, 1/K), for this plain histogram",
     .sd = "from exact multinomial covariances, see metrics/histogram_distance.hpp",
     .source = "Ziedan, Fouad, Salem 2003; null model: exact multinomial moments",
     .family = "histogram_distance",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace
}  // namespace icb
