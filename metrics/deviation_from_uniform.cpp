/// Mean absolute deviation of the histogram from the uniform one ("DH", "deviation from
/// ideality").
///
/// Source:   "deviation from ideality" in the literature on image ciphers, which takes 0 for
///           ideal. An ideal cipher's images have the mean below; 0 is as improbable as a
///           chi-square of 0.
/// Value:    sum |c_i - N/K| / N, 0 to 2 (1 - 1/K); the numerator is an exact integer over K.
///           Per channel, then all samples pooled.
/// Null:     N samples i.i.d. uniform: `cell_sum_null` of |c - N/K| / N. Mean (De Moivre's mean
///           absolute deviation of a binomial) and sd are exact; about sqrt(2 K / (pi N)) and
///           sqrt((1 - 2/pi) / N). Its correlation with chi-square is 0.94 for large N, hence
///           the family.
/// p:        two-sided, Pearson's type III law with that mean, sd and skewness; right to a
///           tenth at 0.05 and 0.01, to a quarter at 0.001 (what 60,000 images show). Below 5
///           samples a bin p is approximate (one sample a bin: to a fifth; fewer: coarse, too
///           large) and `detail` says so.
/// Shapes:   any. One sample has this value for certain: no z, no p.
#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "metrics/cell_sums.hpp"
#include "metrics/histogram.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

double deviation(const Histogram& counts, std::uint64_t n) {
  if (n > std::uint64_t{1} << 40) {
    throw std::invalid_argument(
        fmt::format("deviation_from_uniform: expected at most 2^40 samples, got {}", n));
  }
  const std::uint64_t bins = counts.size();
  std::uint64_t sum = 0;  // K |c_i - N/K|
  for (const std::uint64_t count : counts) {
    const std::uint64_t scaled = count * bins;
    sum += scaled > n ? scaled - n : n - scaled;
  }
  return static_cast<double>(sum) / (static_cast<double>(bins) * static_cast<double>(n));
}

SkewedNull deviation_null(std::uint64_t n, std::size_t bins) {
  const double samples = static_cast<double>(n);
  const double mean = samples / static_cast<double>(bins);
  return cell_sum_null(n, bins, [&](double c) { return std::abs(c - mean) / samples; });
}

Measurement measure(const Histogram& counts, const std::string& channel) {
  const std::uint64_t n = total(counts);
  const SkewedNull null = remembered(deviation_null, n, counts.size());
  Measurement out =
      finding("deviation_from_uniform", channel, "1", n, deviation(counts, n), null.moments);
  if (!out.z) {
    add_detail(out, "one sample has this value for certain");
    return out;
  }
  judge_roughness(out, skewed_tails(*out.value, null), counts.size());
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    return measure(input.image.histogram(scope), channel);
  });
}

const RegisterMetric entry{
    {.name = "deviation_from_uniform",
     .unit = "1",
     .formula = "sum |c_i - N/K| / N over the K counts c_i of N samples",
     .expected = "exact binomial sum; about sqrt(2 K / (pi N))",
     .sd = "exact, from the joint law of the counts; about sqrt((1 - 2/pi) / N)",
     .source = "deviation from ideality of the literature; null model: metrics/cell_sums.hpp",
     .family = "histogram",
     .compute = compute}};

}  // namespace
}  // namespace icb
