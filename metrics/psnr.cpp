/// Peak signal-to-noise ratio of plain and cipher image.
///
/// Source:   textbook. 7.7476 dB for two independent uniform 8-bit images.
/// Value:    10 log10(F^2 / mse) in dB; per channel, then the samples of all channels. Identical
///           images: infinite, so not_applicable.
/// Null:     plain image given, cipher samples i.i.d. uniform: `psnr_null`, an expansion good to
///           O(N^-3) in the variance.
/// p:        that of `mse`, of which this is a decreasing function: the same images are rejected.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include "metrics/distance.hpp"
#include "metrics/metric.hpp"
#include "metrics/mse.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "psnr";

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  const Shape& shape = input.image.shape();
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    const DistanceSums& sums = input.image.distances(plain, scope);
    const double error = static_cast<double>(sums.squares) / static_cast<double>(sums.n);
    const auto value = psnr_of(error, shape.depth_bits());
    if (!value) return no_finding(quantity, channel, "dB", sums.n, "identical: infinite");
    const Histogram& counts = plain.histogram(scope);
    const Measurement judged =
        finding_of_mean(quantity, channel, "dB", sums.n, error, mse_null(counts));
    Measurement out = finding(quantity, channel, "dB", sums.n, *value, psnr_null(counts));
    out.p_value = judged.p_value;
    out.detail = judged.detail;
    return out;
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "dB",
     .formula = "10 log10(F^2 / mse), F the largest value of a sample",
     .expected = "10 log10(F^2 / E mse) and terms of second order",
     .sd = "(10 / ln 10) sd(mse) / E mse and terms of second order",
     .source = "textbook; null model: expansion of the logarithm, see metrics/mse.hpp",
     .family = "squared_error",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace
}  // namespace icb
