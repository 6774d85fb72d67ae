/// Mean absolute error of plain and cipher image.
///
/// Source:   textbook. 85.33 for two independent uniform 8-bit images.
/// Value:    mean |p - c|, 0 to F; per channel, then the samples of all channels.
/// Null:     plain image given, cipher samples i.i.d. uniform: `mae_null`, exact.
/// p:        two-sided, normal. One term's excess kurtosis is -1.2 (plain image constant) and more,
///           which makes p at 0.001 too large by about 4.6 / N of itself. Below 50 samples `detail`
///           says so.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include "metrics/mae.hpp"

#include <cmath>
#include <stdexcept>

#include "metrics/distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "mae";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(plain, scope);
    const double value = static_cast<double>(sums.absolute) / static_cast<double>(sums.n);
    return finding_of_mean(quantity, channel, "1", sums.n, value, mae_null(plain.histogram(scope)));
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "mean |p - c| of plain and cipher samples",
     .expected = "mean (p (p + 1) + (F - p)(F - p + 1)) / (2 F + 2) over the plain samples",
     .sd = "sqrt(mean Var |p - U| / N)",
     .source = "textbook; null model: exact moments for this plain histogram",
     .family = "squared_error",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace

NullModel mae_null(const Histogram& plain) {
  const double n = static_cast<double>(total(plain));
  if (n == 0) throw std::invalid_argument("mae_null: the plain histogram is empty");
  const double levels = static_cast<double>(plain.size());
  double mean = 0;
  double variance = 0;
  for (std::size_t value = 0; value < plain.size(); ++value) {
    if (plain[value] == 0) continue;
    const double p = static_cast<double>(value);
    const double up = levels - 1 - p;
    const double share = static_cast<double>(plain[value]) / n;
    const double distance = (p * (p + 1) + up * (up + 1)) / (2 * levels);
    const double a = (p - up) / 2;
    mean += share * distance;
    variance += share * (a * a + (levels * levels - 1) / 12 - distance * distance);
  }
  return {mean, std::sqrt(variance / n)};
}

}  // namespace icb
