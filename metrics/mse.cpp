/// Mean squared error of plain and cipher image.
///
/// Source:   textbook; as a measure of encryption (larger is said to be better) common in the
///           literature. An ideal cipher has no large value but that of `mse_null`.
/// Value:    mean (p - c)^2, 0 to F^2; per channel, then the samples of all channels.
/// Null:     plain image given, cipher samples i.i.d. uniform: `mse_null`, exact.
/// p:        two-sided, normal. Skewness and excess kurtosis of one term are at most 0.64 and -0.86
///           (a term's when the plain image is constant), which makes p at 0.001 too large by about
///           1.7 / N of itself. Below 50 samples `detail` says so.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include "metrics/mse.hpp"

#include <cmath>
#include <stdexcept>

#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "mse";

/// First three cumulants of the mean of (p - U)^2.
struct Cumulants {
  double mean = 0;
  double variance = 0;
  double third = 0;
};

Cumulants cumulants(const Histogram& plain) {
  const double n = static_cast<double>(total(plain));
  if (n == 0) throw std::invalid_argument("mse_null: the plain histogram is empty");
  const double levels = static_cast<double>(plain.size());
  const double l2 = levels * levels;
  const double m2 = (l2 - 1) / 12;
  const double m4 = (l2 - 1) * (3 * l2 - 7) / 240;
  const double m6 = (l2 - 1) * (3 * l2 * l2 - 18 * l2 + 31) / 1344;
  double aa = 0;  // mean of a^2
  for (std::size_t p = 0; p < plain.size(); ++p) {
    if (plain[p] == 0) continue;
    const double a = static_cast<double>(p) - (levels - 1) / 2;
    aa += static_cast<double>(plain[p]) / n * a * a;
  }
  const double spread = m4 - m2 * m2;
  // (p - U)^2 less its mean is 2 a e + (e^2 - m2), e = U - F/2; odd moments of e are 0.
  return {aa + m2, (4 * aa * m2 + spread) / n,
          (12 * aa * spread + m6 - 3 * m2 * m4 + 2 * m2 * m2 * m2) / (n * n)};
}

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(plain, scope);
    const double value = static_cast<double>(sums.squares) / static_cast<double>(sums.n);
    return finding_of_mean(quantity, channel, "1", sums.n, value, mse_null(plain.histogram(scope)));
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "mean (p - c)^2 of plain and cipher samples",
     .expected = "mean a^2 + m2, a = p - F/2, m2 = ((F + 1)^2 - 1)/12",
     .sd = "sqrt((4 m2 mean a^2 + m4 - m2^2) / N), m4 = ((F + 1)^2 - 1)(3 (F + 1)^2 - 7)/240",
     .source = "textbook; null model: exact moments for this plain histogram",
     .family = "squared_error",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace

NullModel mse_null(const Histogram& plain) {
  const Cumulants k = cumulants(plain);
  return {k.mean, std::sqrt(k.variance)};
}

NullModel psnr_null(const Histogram& plain) {
  const Cumulants k = cumulants(plain);
  const double peak = static_cast<double>(plain.size() - 1);
  const double v = k.variance / (k.mean * k.mean);
  const double s = k.third / (k.mean * k.mean * k.mean);
  const double decibel = 10 / std::log(10.0);
  const double mean = std::log(peak * peak / k.mean) + v / 2 - s / 3 + 0.75 * v * v;
  return {decibel * mean, decibel * std::sqrt(v - s + 2.5 * v * v)};
}

}  // namespace icb
