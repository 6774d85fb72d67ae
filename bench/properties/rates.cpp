#include "bench/properties/rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/hash.hpp"
#include "core/kolmogorov_smirnov.hpp"
#include "core/statistics.hpp"
#include "metrics/finding.hpp"

namespace icb::properties {
namespace {

constexpr std::array<double, 3> levels{0.05, 0.01, 0.001};
constexpr double confidence = 0.95;

Finding rate_finding(const RatesOf& of, std::span<const double> p_values, double level) {
  const std::uint64_t n = p_values.size();
  const auto rejected = static_cast<std::uint64_t>(
      std::ranges::count_if(p_values, [level](double p) { return p < level; }));
  const auto count = static_cast<double>(n);
  Finding out{.measurement = finding(fmt::format("{}_rejected_{:g}", of.stem, level), "all", "1", n,
                                     static_cast<double>(rejected) / count,
                                     {level, std::sqrt(level * (1 - level) / count)}),
              .family = of.family,
              .null_model = fmt::format("binomial({}, {:g})", n, level),
              .decides = of.decides};
  Measurement& m = out.measurement;
  m.p_value = std::min(1.0, 2 * std::min(binomial_lower_p(rejected, n, level).value(),
                                         binomial_upper_p(rejected, n, level).value()));
  const BinomialInterval interval = binomial_interval(rejected, n, confidence);
  out.low = interval.low;
  out.high = interval.high;
  m.detail = fmt::format("{} of {} rejected at {:g}; 95 % interval {:.3g} to {:.3g}", rejected, n,
                         level, interval.low, interval.high);
  return out;
}

Finding ks_finding(const RatesOf& of, std::span<const double> p_values) {
  const double d = kolmogorov_smirnov_statistic(p_values);
  Finding out{.measurement = measurement_of(of.stem + "_ks", d, p_values.size()),
              .family = of.family,
              .null_model = "Kolmogorov-Smirnov, exact; " + of.null_model,
              .decides = of.decides};
  out.measurement.p_value = kolmogorov_smirnov_p(d, p_values.size()).value();
  out.measurement.detail =
      fmt::format("D = {:.4g} of {} p-values from uniform", d, p_values.size());
  return out;
}

Finding mean_finding(const RatesOf& of, std::span<const double> z) {
  double sum = 0;
  for (const double each : z) sum += each;
  const auto n = static_cast<double>(z.size());
  Finding out{
      .measurement =
          finding(of.stem + "_mean", "all", "sd", z.size(), sum / n, {0, 1 / std::sqrt(n)}),
      .family = of.family,
      .null_model = fmt::format("normal, mean 0, sd 1 / sqrt({}); {}", z.size(), of.null_model),
      .decides = of.decides};
  out.measurement.p_value = two_sided_normal_p(*out.measurement.z).value();
  out.measurement.detail =
      fmt::format("mean of {} is {:.3g} sd of the mean off", z.size(), *out.measurement.z);
  return out;
}

}  // namespace

double uniform_of(std::uint64_t seed, std::string_view label) {
  return static_cast<double>(derive_seed(seed, label) >> 11) * 0x1p-53;
}

PValue randomised_binomial_p(std::uint64_t k, std::uint64_t n, double probability, double v) {
  const double below = k == 0 ? 0 : binomial_lower_p(k - 1, n, probability).value();
  const double above = k == n ? 0 : binomial_upper_p(k + 1, n, probability).value();
  const double here =
      std::max(0.0, below < above ? binomial_lower_p(k, n, probability).value() - below
                                  : binomial_upper_p(k, n, probability).value() - above);
  const double tail = std::min(below + v * here, above + (1 - v) * here);
  return PValue{std::clamp(2 * tail, 0.0, 1.0)};
}

double uniform_p(const Measurement& m, double v) {
  if (m.quantity != "npcr" && m.quantity != "bit_change_rate") return m.p_value.value();
  const double unchanged = 1 - *m.expected;
  const auto changed =
      static_cast<std::uint64_t>(std::llround(m.value.value() * static_cast<double>(m.n)));
  return randomised_binomial_p(m.n - changed, m.n, unchanged, v).value();
}

void Samples::add(const Measurement& m) {
  if (!m.p_value) return;
  p.push_back(*m.p_value);
  if (m.z) z.push_back(*m.z);
}

std::vector<Finding> rate_findings(const RatesOf& of, const Samples& samples) {
  std::vector<Finding> out;
  if (samples.p.empty()) {
    Finding none = exact_finding(of.stem, of.family, 0, 0, of.null_model);
    none.decides = of.decides;
    out.push_back(std::move(none));
  } else {
    for (const double level : levels) out.push_back(rate_finding(of, samples.p, level));
    out.push_back(ks_finding(of, samples.p));
    if (!samples.z.empty()) out.push_back(mean_finding(of, samples.z));
  }
  for (Finding& each : out) each.measurement.nonce_policy = of.nonce_policy;
  return out;
}

}  // namespace icb::properties
