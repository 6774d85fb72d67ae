#include "bench/protocols/pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <unordered_set>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/binomial_law.hpp"
#include "metrics/mae.hpp"
#include "metrics/metric.hpp"

namespace icb::protocols {
namespace {

/// Values first, first + step, ... with their probabilities.
struct Law {
  double first = 0;
  double step = 1;
  std::vector<double> mass;
};

Law law_of(BinomialLaw binomial) {
  return {static_cast<double>(binomial.first), 1, std::move(binomial.mass)};
}

/// P(all of `count` values in a set) from the probability of its complement.
double all_in(double outside, std::uint64_t count) {
  return std::exp(static_cast<double>(count) * std::log1p(-std::min(outside, 1.0)));
}

/// Mean and sd of the largest of `count` values, taken in the order of `mass`: value k is the
/// largest with probability F(k)^count - F(k - 1)^count.
NullModel largest_of(const std::vector<double>& mass, std::uint64_t count) {
  std::vector<double> above(mass.size() + 1, 0.0);  // P(X >= k), summed from the far end
  for (std::size_t k = mass.size(); k-- > 0;) above[k] = above[k + 1] + mass[k];
  double before = 0;
  double sum = 0;
  std::vector<double> largest(mass.size());
  for (std::size_t k = 0; k < mass.size(); ++k) {
    const double up_to = all_in(above[k + 1], count);
    largest[k] = std::max(0.0, up_to - before);
    before = up_to;
    sum += static_cast<double>(k) * largest[k];
  }
  double squares = 0;
  for (std::size_t k = 0; k < mass.size(); ++k) {
    squares += std::pow(static_cast<double>(k) - sum, 2) * largest[k];
  }
  return {sum, std::sqrt(squares)};
}

ExtremesNull extremes_of(const Law& law, std::uint64_t count) {
  const NullModel up = largest_of(law.mass, count);
  const NullModel down = largest_of({law.mass.rbegin(), law.mass.rend()}, count);
  const double last = law.first + law.step * static_cast<double>(law.mass.size() - 1);
  return {{last - law.step * down.mean, law.step * down.sd},
          {law.first + law.step * up.mean, law.step * up.sd}};
}

NullModel over(const NullModel& null, double n) { return {null.mean / n, null.sd / n}; }

std::string clopper_pearson(std::uint64_t k, std::uint64_t n) {
  const BinomialInterval interval = binomial_interval(k, n, 0.95);
  return fmt::format("95 % interval {:.4g} to {:.4g}", interval.low, interval.high);
}

bool counts_bits(const std::string& metric) { return metric == "bit_change_rate"; }

bool is_count(const std::string& metric) { return metric == "npcr" || counts_bits(metric); }

Tails binomial_tails(std::uint64_t k, std::uint64_t n, double probability) {
  return {binomial_lower_p(k, n, probability).value(), binomial_upper_p(k, n, probability).value()};
}

/// Tails of the smallest of `count` values; `one` are those of one of them, both with the value.
Tails tails_of_smallest(const Tails& one, std::uint64_t count) {
  return {at_least_one(one.lower, count), std::pow(one.upper, static_cast<double>(count))};
}

Tails tails_of_largest(const Tails& one, std::uint64_t count) {
  return {std::pow(one.lower, static_cast<double>(count)), at_least_one(one.upper, count)};
}

constexpr std::uint64_t normal_tail_from = 2000;  // samples

/// All samples as those of one gray image: what "all" pools, in one pass.
ConstImage pooled(ConstImage image) {
  const Shape& shape = image.shape();
  return {{shape.rows, shape.cols * shape.channels, 1, shape.sample_bytes}, image.bytes()};
}

}  // namespace

Bytes nonce_of(const ProtocolInput& input, std::string_view label) {
  return derive_bytes(input.seed, fmt::format("nonce/{}", label), input.cipher.nonce_bytes.value);
}

std::vector<std::uint64_t> distinct_below(std::mt19937_64& engine, std::uint64_t count,
                                          std::uint64_t bound,
                                          std::span<const std::uint64_t> taken) {
  std::unordered_set<std::uint64_t> seen(taken.begin(), taken.end());
  std::vector<std::uint64_t> out;
  while (out.size() < count && seen.size() < bound) {
    const std::uint64_t number = uniform_below(engine, bound);
    if (seen.insert(number).second) out.push_back(number);
  }
  return out;
}

std::string place_name(const Shape& shape, std::uint64_t sample) {
  const std::uint64_t pixel = sample / shape.channels;
  return fmt::format("row {}, column {}, channel {}", pixel / shape.cols, pixel % shape.cols,
                     channel_name(shape, sample % shape.channels));
}

std::string pooled_channel(const Shape& shape) {
  return shape.channels > 1 ? "all" : channel_name(shape, 0);
}

ExtremesNull extremes_of_shares(std::uint64_t count, std::uint64_t n, double probability) {
  const ExtremesNull counts = extremes_of(law_of(binomial_law(n, probability)), count);
  const auto samples = static_cast<double>(n);
  return {over(counts.smallest, samples), over(counts.largest, samples)};
}

ExtremesNull extremes_of_normals(std::uint64_t count, const NullModel& null) {
  constexpr int cells = 9 * 128;
  Law law{-9, 1.0 / 128, {}};
  const auto upper = [](int k) {  // P(Z > k - 1/2 grid steps)
    return std::erfc((k - 0.5) / 128 / std::numbers::sqrt2) / 2;
  };
  for (int k = -cells; k <= cells; ++k) {
    const int far = k > 0 ? k : -k;  // by symmetry, where the tail is small
    law.mass.push_back(upper(far) - upper(far + 1));
  }
  const ExtremesNull standard = extremes_of(law, count);
  return {{null.mean + null.sd * standard.smallest.mean, null.sd * standard.smallest.sd},
          {null.mean + null.sd * standard.largest.mean, null.sd * standard.largest.sd}};
}

double at_least_one(double probability, std::uint64_t count) {
  if (probability >= 1) return 1;
  return -std::expm1(static_cast<double>(count) * std::log1p(-probability));
}

Measurement share_rejected(std::string_view quantity, std::uint64_t rejected, std::uint64_t count,
                           double alpha) {
  const auto n = static_cast<double>(count);
  Measurement out = finding(quantity, "", "1", count, static_cast<double>(rejected) / n,
                            {alpha, std::sqrt(alpha * (1 - alpha) / n)});
  out.p_value = binomial_upper_p(rejected, count, alpha).value();
  add_detail(out, fmt::format("{} of {} rejected at {:g}, {}", rejected, count, alpha,
                              clopper_pearson(rejected, count)));
  return out;
}

NullModel uaci_given(ConstImage image) {
  const double most = std::ldexp(1.0, image.shape().depth_bits()) - 1;
  const NullModel mae = mae_null(histogram(image, std::nullopt));
  return {mae.mean / most, mae.sd / most};
}

PairSummary::PairSummary(std::string prefix, std::vector<std::string> metrics, double alpha,
                         bool shared)
    : m_prefix(std::move(prefix)),
      m_metrics(std::move(metrics)),
      m_alpha(alpha),
      m_shared(shared),
      m_values(m_metrics.size()),
      m_null(m_metrics.size()) {
  for (const std::string& metric : m_metrics) find<MetricEntry>(metric);
}

void PairSummary::add(ConstImage first, ConstImage second, const std::string& name) {
  m_names.push_back(name);
  m_shape = first.shape();
  const MetricInput input{.image = pooled(first), .second = pooled(second)};
  for (std::size_t i = 0; i < m_metrics.size(); ++i) {
    const Measurement found = find<MetricEntry>(m_metrics[i]).compute(input).at(0);
    NullModel null{found.expected.value(), found.sd.value()};
    double p = found.p_value.value();
    if (m_shared && !is_count(m_metrics[i])) {
      if (!m_uaci_given) m_uaci_given = uaci_given(first);
      null = *m_uaci_given;
      p = two_sided_normal_p((*found.value - null.mean) / null.sd).value();
    }
    m_null[i] = null;
    m_values[i].push_back({*found.value, p});
  }
}

std::vector<Measurement> PairSummary::rows_of(std::size_t metric) const {
  const std::string& name = m_metrics[metric];
  const std::vector<Value>& values = m_values[metric];
  const NullModel& null = m_null[metric];
  const std::uint64_t pairs = values.size();
  const std::uint64_t n = counts_bits(name) ? 8 * m_shape.bytes() : m_shape.samples();
  const ExtremesNull extremes =
      is_count(name) ? extremes_of_shares(pairs, n, null.mean) : extremes_of_normals(pairs, null);
  const std::string stem = fmt::format("{}_{}", m_prefix, name);
  const auto [least, most] = std::ranges::minmax_element(values, {}, &Value::value);

  const auto count_of = [n](double value) {
    return static_cast<std::uint64_t>(std::llround(value * static_cast<double>(n)));
  };
  const auto tails = [&](double value) -> Tails {
    if (is_count(name)) return binomial_tails(count_of(value), n, null.mean);
    const double z = (value - null.mean) / null.sd / std::numbers::sqrt2;
    return {std::erfc(-z) / 2, std::erfc(z) / 2};
  };

  Measurement smallest = finding(stem + "_min", "", "1", pairs, least->value, extremes.smallest);
  smallest.p_value = tails_of_smallest(tails(least->value), pairs).two_sided().value();
  add_detail(smallest, m_names[static_cast<std::size_t>(least - values.begin())]);

  Measurement largest = finding(stem + "_max", "", "1", pairs, most->value, extremes.largest);
  largest.p_value = tails_of_largest(tails(most->value), pairs).two_sided().value();
  add_detail(largest, m_names[static_cast<std::size_t>(most - values.begin())]);

  double sum = 0;
  std::uint64_t total = 0;
  std::uint64_t rejected = 0;
  for (const Value& each : values) {
    sum += each.value;
    total += count_of(each.value);
    rejected += each.p < m_alpha ? 1U : 0U;
  }
  const auto count = static_cast<double>(pairs);
  Measurement mean =
      finding(stem + "_mean", "", "1", pairs, sum / count, {null.mean, null.sd / std::sqrt(count)});
  mean.p_value = is_count(name) ? binomial_tails(total, pairs * n, null.mean).two_sided().value()
                                : two_sided_normal_p(*mean.z).value();

  if (!is_count(name) && n < normal_tail_from) {
    for (Measurement* row : {&smallest, &largest}) {
      add_detail(*row, fmt::format("p is approximate: {} samples", n));
    }
  }

  Measurement share = share_rejected(stem + "_rejected", rejected, pairs, m_alpha);
  // At the quantile of alpha = 0.01 one count is about 1.5 / sd of the tail's probability.
  if (is_count(name) && null.sd * static_cast<double>(n) < 30) {
    add_detail(share, "conservative: few counts, so p is below alpha more rarely than alpha");
  }
  return {smallest, mean, largest, share};
}

std::vector<Measurement> PairSummary::rows(std::string_view note) const {
  if (m_names.empty()) throw std::logic_error(m_prefix + ": no pairs to summarise");
  std::vector<Measurement> out;
  for (std::size_t metric = 0; metric < m_metrics.size(); ++metric) {
    for (Measurement row : rows_of(metric)) {
      row.channel = pooled_channel(m_shape);
      if (!note.empty()) add_detail(row, note);
      out.push_back(std::move(row));
    }
  }
  return out;
}

std::vector<ProtocolQuantity> PairSummary::quantities(const std::string& prefix,
                                                      const std::vector<std::string>& metrics) {
  std::vector<ProtocolQuantity> out;
  for (const std::string& metric : metrics) {
    const std::string stem = fmt::format("{}_{}", prefix, metric);
    const bool counted = is_count(metric);
    out.push_back({stem + "_min", "1", fmt::format("smallest {} of all pairs", metric),
                   counted ? "of the smallest of n binomial shares, exact"
                           : "of the smallest of n normal values",
                   "likewise"});
    out.push_back({stem + "_mean", "1", fmt::format("mean {} of all pairs", metric),
                   fmt::format("that of {}", metric), fmt::format("that of {} / sqrt(n)", metric)});
    out.push_back({stem + "_max", "1", fmt::format("largest {} of all pairs", metric),
                   counted ? "of the largest of n binomial shares, exact"
                           : "of the largest of n normal values",
                   "likewise"});
    out.push_back({stem + "_rejected", "1",
                   fmt::format("share of pairs whose {} is rejected at alpha", metric), "alpha",
                   "sqrt(alpha (1 - alpha) / n)"});
    for (std::size_t i = out.size() - 4; i < out.size(); ++i) out[i].family = stem;
  }
  return out;
}

std::vector<Measurement> not_applicable(const std::vector<ProtocolQuantity>& quantities,
                                        const Shape& shape, const std::string& reason) {
  std::vector<Measurement> out;
  for (const ProtocolQuantity& each : quantities) {
    out.push_back(no_finding(each.name, pooled_channel(shape), each.unit, 0, reason));
  }
  return out;
}

}  // namespace icb::protocols
