#include "nist_tests/assessment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <variant>

#include "core/kolmogorov_smirnov.hpp"
#include "core/statistics.hpp"

namespace icb {
namespace {

void check(Alpha alpha) {
  if (alpha.value() <= 0 || alpha.value() >= 1) {
    throw std::invalid_argument(
        fmt::format("an assessment needs 0 < alpha < 1, got {}", alpha.value()));
  }
}

struct Interval {
  double low;
  double high;

  bool holds(std::uint64_t passed, std::uint64_t applicable) const {
    const double share = static_cast<double>(passed) / static_cast<double>(applicable);
    return share >= low && share <= high;
  }
};

// Sec. 4.2.1.
Interval interval(std::uint64_t applicable, Alpha alpha) {
  const double half = proportion_half_width(alpha, applicable);
  return {std::max(0.0, 1 - alpha.value() - half), std::min(1.0, 1 - alpha.value() + half)};
}

// P(any of `count` p-values is as small), each with probability tail.
PValue smallest_of(double tail, std::uint64_t count) {
  if (tail >= 1) return PValue{1.0};
  return PValue{std::clamp(-std::expm1(static_cast<double>(count) * std::log1p(-tail)), 0.0, 1.0)};
}

PValue combined(const SubTestAssessment& sub, Alpha alpha, const Tolerance& tolerance) {
  const PValue smallest = smallest_of(tolerance.tail(sub.smallest), sub.applicable);
  if (sub.applicable == 1) return smallest;
  const std::array<PValue, 3> checks{
      binomial_lower_p(sub.passed, sub.applicable, 1 - tolerance.tail(alpha.value())), smallest,
      kolmogorov_smirnov_p(std::max(0.0, sub.ks_distance - tolerance.distribution),
                           sub.applicable)};
  return simes(checks);
}

// The text with every number as one #.
std::string without_numbers(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    const bool inside = !out.empty() && out.back() == '#';
    if (!digit) {
      out += c;
    } else if (!inside) {
      out += '#';
    }
  }
  return out;
}

void count(std::vector<Remark>& remarks, const std::string& text) {
  const std::string key = without_numbers(text);
  for (Remark& remark : remarks) {
    if (without_numbers(remark.example) == key) {
      ++remark.sequences;
      return;
    }
  }
  remarks.push_back({text, 1});
}

}  // namespace

double Tolerance::tail(double p) const {
  return std::min(1.0, std::max({p, tail_factor * std::pow(p, tail_exponent), zero}));
}

double SubTestAssessment::proportion() const {
  return applicable == 0 ? 0 : static_cast<double>(passed) / static_cast<double>(applicable);
}

bool SubTestAssessment::in_interval() const {
  return applicable == 0 || Interval{interval_low, interval_high}.holds(passed, applicable);
}

SubTestAssessment assess_subtest(std::string id, std::uint64_t sequences,
                                 std::span<const double> p_values, Alpha alpha,
                                 const Tolerance& tolerance) {
  check(alpha);
  if (p_values.size() > sequences) {
    throw std::invalid_argument(
        fmt::format("{}: {} p-values of {} sequences", id, p_values.size(), sequences));
  }
  SubTestAssessment out;
  out.id = std::move(id);
  out.sequences = sequences;
  out.applicable = p_values.size();
  if (p_values.empty()) return out;
  out.bins = tenths(p_values);
  out.passed = static_cast<std::uint64_t>(
      std::ranges::count_if(p_values, [&](double p) { return p >= alpha.value(); }));
  out.smallest = std::ranges::min(p_values);
  const Interval limits = interval(out.applicable, alpha);
  out.interval_low = limits.low;
  out.interval_high = limits.high;
  out.proportion_p = binomial_lower_p(out.passed, out.applicable, 1 - alpha.value());
  out.uniformity_p = uniformity_of_bins(out.bins);
  out.ks_distance = kolmogorov_smirnov_statistic(p_values);
  out.ks_p = kolmogorov_smirnov_p(out.ks_distance, out.applicable);
  out.combined_p = combined(out, alpha, tolerance);
  return out;
}

double outside_interval_probability(std::uint64_t applicable, Alpha alpha) {
  if (applicable == 0) return 0;
  const Interval limits = interval(applicable, alpha);
  std::uint64_t low = 0;  // the smallest and the largest count inside
  std::uint64_t high = applicable;
  // The limits are within a count of these; rounding is decided as in_interval does.
  const auto size = static_cast<double>(applicable);
  low = static_cast<std::uint64_t>(std::max(0.0, std::floor(limits.low * size) - 1));
  while (low < applicable && !limits.holds(low, applicable)) ++low;
  high = std::min(applicable, static_cast<std::uint64_t>(limits.high * size) + 1);
  while (high > 0 && !limits.holds(high, applicable)) --high;
  const double pass = 1 - alpha.value();
  const double below = low == 0 ? 0 : binomial_lower_p(low - 1, applicable, pass).value();
  return below + binomial_upper_p(high + 1, applicable, pass).value();
}

Assessor::Assessor(const Battery& battery, std::uint64_t sequence_bits, Alpha alpha,
                   const Tolerance& tolerance)
    : m_sequence_bits(sequence_bits), m_alpha(alpha), m_tolerance(tolerance) {
  check(alpha);
  for (const auto* test : battery.tests()) {
    auto ids = test->ids(battery.parameters(), sequence_bits);
    const std::size_t size = ids.size();
    m_tests.push_back({test->name,
                       test->zero_probability,
                       std::move(ids),
                       std::vector<std::vector<double>>(size),
                       {},
                       {}});
  }
}

void Assessor::add(const SequenceResults& results) {
  if (results.size() != m_tests.size()) {
    throw std::invalid_argument(
        fmt::format("results of {} tests, the battery has {}", results.size(), m_tests.size()));
  }
  // All are looked at before anything is kept.
  for (std::size_t t = 0; t < results.size(); ++t) {
    const auto* subs = std::get_if<std::vector<SubResult>>(&results[t].outcome);
    if (subs == nullptr) continue;
    if (!std::ranges::equal(*subs, m_tests[t].ids, {}, &SubResult::id)) {
      throw std::invalid_argument(
          fmt::format("the p-values are not those of {} on {} bits: {} came, expected {}",
                      m_tests[t].name, m_sequence_bits, subs->size(), m_tests[t].ids.size()));
    }
  }
  for (std::size_t t = 0; t < results.size(); ++t) {
    Test& test = m_tests[t];
    for (const std::string& flag : results[t].flags) count(test.flags, flag);
    if (const auto* reason = std::get_if<NotApplicable>(&results[t].outcome)) {
      count(test.not_applicable, reason->reason);
      continue;
    }
    const auto& subs = std::get<std::vector<SubResult>>(results[t].outcome);
    for (std::size_t i = 0; i < subs.size(); ++i) test.p_values[i].push_back(subs[i].p.value());
  }
  ++m_sequences;
}

Assessment Assessor::result() const {
  Assessment out;
  out.sequences = m_sequences;
  out.sequence_bits = m_sequence_bits;
  out.alpha = m_alpha;
  out.tolerance = m_tolerance;
  std::vector<std::size_t> judged;  // tests that applied, and their p
  std::vector<PValue> combined_p;
  for (const Test& test : m_tests) {
    TestAssessment assessed;
    assessed.name = test.name;
    assessed.not_applicable = test.not_applicable;
    assessed.flags = test.flags;
    Tolerance tolerance = m_tolerance;
    tolerance.zero = std::max(tolerance.zero, test.zero_probability);
    std::vector<PValue> parts;
    for (std::size_t i = 0; i < test.ids.size(); ++i) {
      const auto sub =
          assess_subtest(test.ids[i], m_sequences, test.p_values[i], m_alpha, tolerance);
      if (sub.combined_p) parts.push_back(*sub.combined_p);
      out.p_values += sub.applicable;
      out.below_alpha += sub.applicable - sub.passed;
      out.outside_interval += sub.in_interval() ? 0U : 1U;
      out.outside_interval_expected += outside_interval_probability(sub.applicable, m_alpha);
      assessed.subtests.push_back(sub);
    }
    if (!parts.empty()) {
      assessed.combined_p = simes(parts);
      judged.push_back(out.tests.size());
      combined_p.push_back(*assessed.combined_p);
    }
    out.tests.push_back(std::move(assessed));
  }
  const auto adjusted = holm(combined_p);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    TestAssessment& test = out.tests[judged[i]];
    test.adjusted_p = adjusted[i];
    test.rejected = rejects(adjusted[i], m_alpha, TestCount{1});
  }
  out.below_alpha_expected = static_cast<double>(out.p_values) * m_alpha.value();
  return out;
}

}  // namespace icb
