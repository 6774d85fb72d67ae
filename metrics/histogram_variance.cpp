/// Variance of the counts of the histogram.
///
/// Source:   population variance of the K counts, (1/K^2) sum_i sum_j (c_i - c_j)^2 / 2 as
///           Y.-Q. Zhang and X.-Y. Wang, Information Sciences 273 (2014), write it.
/// Value:    0 and up; per channel, then all samples pooled. It is chi_square times N / K^2 and
///           tells nothing that chi-square does not, hence the family.
/// Null:     that of chi-square times N / K^2: mean (N/K)(1 - 1/K), exact as is the sd.
/// p:        chi-square's, two-sided; approximate below 5 samples a bin, and `detail` says so.
/// Shapes:   any. One sample has this value for certain: no z, no p.
#include <cmath>
#include <vector>

#include "metrics/cell_sums.hpp"
#include "metrics/chi_square.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

Measurement measure(const Histogram& counts, const std::string& channel) {
  const std::uint64_t n = total(counts);
  const double bins = static_cast<double>(counts.size());
  const double scale = static_cast<double>(n) / (bins * bins);
  const double x = chi_square(counts);
  const NullModel null = chi_square_null(n, counts.size());
  Measurement out = finding("histogram_variance", channel, "1", n, x * scale,
                            {null.mean * scale, null.sd * scale});
  if (!out.z) {
    add_detail(out, "one sample has this value for certain");
    return out;
  }
  judge_roughness(out, chi_square_tails(x, counts.size()), counts.size());
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    return measure(input.image.histogram(scope), channel);
  });
}

const RegisterMetric entry{
    {.name = "histogram_variance",
     .unit = "1",
     .formula = "(1/K) sum (c_i - N/K)^2 over the K counts c_i of N samples",
     .expected = "(N/K)(1 - 1/K)",
     .sd = "(N/K^2) sqrt(2 (K - 1)(1 - 1/N))",
     .source = "population variance of the counts; null model: chi_square's, times N / K^2",
     .family = "histogram",
     .compute = compute}};

}  // namespace
}  // namespace icb
