/// Shannon entropy of the samples.
///
/// Source:   C. E. Shannon, Bell System Technical Journal 27, 1948. Null model: `entropy_null`.
/// Value:    bits, 0 to 8 (256 bins) or 0 to 16 (65536 bins); per channel, then all samples pooled.
/// Null:     N samples i.i.d. uniform: exact mean, sd exact to 2e-5. No sample has N samples'
/// entropy
///           above log2 N, so with few samples for the bins the expectation is far below 8 or 16;
///           it is the expectation for this very N that an image is held against.
/// p:        two-sided, since too uniform is as suspicious as too rough. The deficit log2 K - H is
///           taken as gamma-distributed with the exact mean and sd: for large N it is chi-square
///           (the likelihood-ratio statistic), whose skewness a normal p would miss by a third at
///           0.001. Below 5 samples a bin p is approximate and `detail` says so.
/// Shapes:   any. One sample has entropy 0 for certain: no z, no p.
#include "metrics/entropy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "metrics/binomial_law.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

Measurement measure(const Histogram& counts, const std::string& channel) {
  const std::uint64_t n = total(counts);
  const double bits = std::log2(static_cast<double>(counts.size()));
  Measurement out = finding("entropy", channel, "bit", n, shannon_entropy(counts),
                            entropy_null(n, counts.size()));
  if (!out.z) {
    add_detail(out, "one sample has entropy 0 for certain");
    return out;
  }
  const Tails tails = gamma_tails(std::max(0.0, bits - *out.value), bits - *out.expected, *out.sd);
  out.p_value = tails.two_sided().value();
  if (*out.p_value < 0.01) {
    add_detail(out,
               tails.lower < tails.upper ? "more uniform than chance" : "less uniform than chance");
  }
  if (n < 5 * counts.size()) {
    add_detail(out, fmt::format("p is approximate: {} samples in {} bins", n, counts.size()));
  }
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    return measure(input.image.histogram(scope), channel);
  });
}

const RegisterMetric entry{
    {.name = "entropy",
     .unit = "bit",
     .formula = "-sum p_i log2 p_i, p_i the share of value i",
     .expected = "exact binomial sum; about log2 K - (K - 1) / (2 N ln 2)",
     .sd = "binomial sum, exact to 2e-5; about sqrt((K - 1) / 2) / (N ln 2)",
     .source = "Shannon 1948; null model: exact binomial sums, see metrics/entropy.hpp",
     .family = "histogram",
     .compute = compute}};

}  // namespace

double shannon_entropy(const Histogram& counts) {
  const double n = static_cast<double>(total(counts));
  if (n == 0) throw std::invalid_argument("entropy of no samples is undefined");
  double sum = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / n;
    sum -= share * std::log2(share);
  }
  return sum > 0 ? sum : 0.0;  // a constant image: 0, not -0
}

NullModel entropy_null(std::uint64_t n, std::size_t bins) {
  if (n == 0 || bins < 2) {
    throw std::invalid_argument(
        fmt::format("entropy_null: expected samples >= 1 and bins >= 2, got {} and {}", n, bins));
  }
  if (n == 1) return {0, 0};
  const double k = static_cast<double>(bins);
  const double samples = static_cast<double>(n);
  const double m = samples / k;
  const double q = 1 - 1 / k;
  const double variance = m * q;
  const BinomialLaw law = binomial_law(n, 1 / k);
  const auto h = [m](double c) {
    return ((c > 0 ? c * std::log(c / m) : 0.0) - c + m) / std::numbers::ln2;
  };
  double mean = 0;
  for (std::size_t i = 0; i < law.mass.size(); ++i) {
    mean += law.mass[i] * h(static_cast<double>(law.first + i));
  }
  // Krawtchouk polynomials of degree 1 and 2 by their central moments.
  const double norm1 = std::sqrt(variance);
  const double norm2 = std::sqrt(2 * samples * (samples - 1)) * q / k;
  double spread = 0;
  double b1 = 0;
  double b2 = 0;
  for (std::size_t i = 0; i < law.mass.size(); ++i) {
    const double c = static_cast<double>(law.first + i);
    const double d = c - m;
    const double e = h(c) - mean;
    spread += law.mass[i] * e * e;
    b1 += law.mass[i] * e * d / norm1;
    b2 += law.mass[i] * e * (d * d - (1 - 2 / k) * d - variance) / norm2;
  }
  const double var_d = k * (std::max(0.0, spread - b1 * b1) + b2 * b2 / (k - 1));
  return {std::log2(k) - k * mean / samples, std::sqrt(var_d) / samples};
}

}  // namespace icb
