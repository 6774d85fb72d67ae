#include "core/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <stdexcept>

namespace icb {
namespace {

// Rounding may leave a tail a few units beyond 1.
PValue clamped(double p) { return PValue{std::clamp(p, 0.0, 1.0)}; }

// An overflow or underflow is a tail of 0, not an exception.
using Quiet = boost::math::policies::policy<
    boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<true>>;

}  // namespace

PValue two_sided_normal_p(double z) {
  return clamped(std::erfc(std::abs(z) / std::numbers::sqrt2));
}

double upper_gamma_q(double a, double x) { return boost::math::gamma_q(a, x, Quiet{}); }

PValue chi_square_upper_p(double x, double degrees) {
  return clamped(upper_gamma_q(degrees / 2, x / 2));
}

PValue binomial_lower_p(std::uint64_t k, std::uint64_t n, double probability) {
  if (k >= n) return PValue{1.0};
  const boost::math::binomial distribution(static_cast<double>(n), probability);
  return clamped(boost::math::cdf(distribution, static_cast<double>(k)));
}

PValue binomial_upper_p(std::uint64_t k, std::uint64_t n, double probability) {
  if (k == 0) return PValue{1.0};
  if (k > n) return PValue{0.0};
  const boost::math::binomial distribution(static_cast<double>(n), probability);
  return clamped(boost::math::cdf(complement(distribution, static_cast<double>(k - 1))));
}

BinomialInterval binomial_interval(std::uint64_t k, std::uint64_t n, double confidence) {
  if (n == 0 || k > n || !(confidence > 0 && confidence < 1)) {
    throw std::invalid_argument("binomial_interval: expected k <= n, n >= 1, confidence in (0, 1)");
  }
  const auto successes = static_cast<double>(k);
  const auto trials = static_cast<double>(n);
  const double tail = (1 - confidence) / 2;
  using Binomial = boost::math::binomial;  // Clopper-Pearson is its default
  return {k == 0 ? 0 : Binomial::find_lower_bound_on_p(trials, successes, tail),
          k == n ? 1 : Binomial::find_upper_bound_on_p(trials, successes, tail)};
}

double normal_quantile(double probability) {
  return boost::math::quantile(boost::math::normal{}, probability);
}

double proportion_half_width(Alpha alpha, std::uint64_t sequences) {
  const double a = alpha.value();
  return 3 * std::sqrt(a * (1 - a) / static_cast<double>(sequences));
}

std::array<std::uint64_t, 10> tenths(std::span<const double> p_values) {
  std::array<std::uint64_t, 10> counts{};
  for (const double p : p_values) {
    if (!(p >= 0 && p <= 1)) throw std::invalid_argument("uniformity: a p-value is not in [0, 1]");
    ++counts.at(std::min<std::size_t>(9, static_cast<std::size_t>(p * 10)));
  }
  return counts;
}

PValue uniformity_of_bins(const std::array<std::uint64_t, 10>& counts) {
  const auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (total == 0) throw std::invalid_argument("uniformity of no p-values is undefined");
  const double expected = static_cast<double>(total) / 10;
  double chi_square = 0;
  for (const std::uint64_t count : counts) {
    const double d = static_cast<double>(count) - expected;
    chi_square += d * d / expected;
  }
  return chi_square_upper_p(chi_square, 9);
}

PValue uniformity_p(std::span<const double> p_values) {
  return uniformity_of_bins(tenths(p_values));
}

PValue simes(std::span<const PValue> p_values) {
  if (p_values.empty()) throw std::invalid_argument("Simes' combination of no p-values");
  std::vector<PValue> sorted(p_values.begin(), p_values.end());
  std::ranges::sort(sorted);
  double smallest = 1;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    smallest = std::min(smallest, sorted[i].value() * static_cast<double>(sorted.size()) /
                                      static_cast<double>(i + 1));
  }
  return PValue{smallest};
}

std::vector<PValue> holm(std::span<const PValue> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<PValue> out(p_values.begin(), p_values.end());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, left * p_values[order[rank]].value()));
    out[order[rank]] = PValue{largest};
  }
  return out;
}

std::vector<PValue> holm_of_groups(std::span<const std::string> groups,
                                   std::span<const PValue> p_values) {
  if (groups.size() != p_values.size()) {
    throw std::invalid_argument("holm_of_groups: expected a group for each p-value");
  }
  std::map<std::string, std::vector<PValue>> members;
  for (std::size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(p_values[i]);
  std::vector<PValue> combined;
  std::map<std::string, std::size_t> places;
  for (const auto& [group, values] : members) {
    places[group] = combined.size();
    combined.push_back(simes(values));
  }
  const std::vector<PValue> adjusted = holm(combined);
  std::vector<PValue> out;
  for (const std::string& group : groups) out.push_back(adjusted[places.at(group)]);
  return out;
}

}  // namespace icb
