#include "core/kolmogorov_smirnov.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

namespace icb {
namespace {

// Above, n is large enough for the expansion, and the recursion begins to take time.
constexpr std::uint64_t exact_up_to = 4000;

using Quiet = boost::math::policies::policy<
    boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

// P(D_n^+ >= d) = d sum_j C(n, j) q^(j-1) (1 - q)^(n-j), q = d + j / n, j <= n (1 - d).
double one_sided(double d, std::uint64_t n) {
  const auto size = static_cast<double>(n);
  double sum = 0;
  for (std::uint64_t j = 0; j < n; ++j) {
    const auto at = static_cast<double>(j);
    const double q = d + at / size;
    if (q >= 1) break;
    // The binomial probability of j, without its factorials.
    sum += boost::math::ibeta_derivative(at + 1, size - at + 1, q, Quiet{}) / (size + 1) / q;
  }
  return d * sum;
}

// P(X = j), X Poisson, for j = 0, 1, ... until nothing follows that a sum of 2 n terms would show.
std::vector<double> poisson(double mean) {
  std::vector<double> out{std::exp(-mean)};
  while (out.back() > 1e-22) out.push_back(out.back() * mean / static_cast<double>(out.size()));
  return out;
}

// The distribution of a Poisson process of rate 1, of paths that kept within the limits so far.
class Paths {
 public:
  explicit Paths(std::uint64_t n) : m_share(n + 1), m_low(0), m_high(0) { m_share[0] = 1; }

  void advance(const std::vector<double>& steps) {
    const std::size_t high = std::min(m_high + steps.size() - 1, m_share.size() - 1);
    for (std::size_t j = high + 1; j-- > m_low;) {  // downwards: what is read is not yet written
      double sum = 0;
      const std::size_t most = std::min(j - m_low, steps.size() - 1);
      for (std::size_t r = j > m_high ? j - m_high : 0; r <= most; ++r) {
        sum += steps[r] * m_share[j - r];
      }
      m_share[j] = sum;
    }
    m_high = high;
  }

  void keep_at_least(std::size_t low) { m_low = std::max(m_low, low); }

  void keep_at_most(std::size_t high) { m_high = std::min(m_high, high); }

  bool none() const { return m_low > m_high; }

  double at_end() const { return m_high + 1 == m_share.size() ? m_share.back() : 0; }

 private:
  std::vector<double> m_share;
  std::size_t m_low;
  std::size_t m_high;
};

// P(D_n < d). The order statistics are a Poisson process N of rate 1 on [0, n], given N(n) = n; D_n
// < d means |N(t) - t| < c = n d for all t. Counts are integers, so the upper limit matters only at
// t = i + 1 - f, where it is N <= k + i, and the lower one at t = i + f, where it is N > i - k; c =
// k + f.
double exact_cdf(double d, std::uint64_t n) {
  const double c = static_cast<double>(n) * d;
  const auto k = static_cast<std::uint64_t>(c);
  const double f = c - std::floor(c);
  const bool lower_first = f <= 0.5;
  const double margin = std::min(f, 1 - f);  // from an integer to the nearest event
  const auto first = poisson(margin);
  const auto within = poisson(1 - 2 * margin);
  const auto between = poisson(2 * margin);
  Paths paths(n);
  const auto lower = [&](std::uint64_t i) {
    if (i >= k) paths.keep_at_least(i - k + 1);
  };
  const auto upper = [&](std::uint64_t i) { paths.keep_at_most(k + i); };
  for (std::uint64_t i = 0; i < n; ++i) {
    paths.advance(i == 0 ? first : between);
    lower_first ? lower(i) : upper(i);
    if (paths.none()) return 0;
    paths.advance(within);
    lower_first ? upper(i) : lower(i);
    if (paths.none()) return 0;
  }
  paths.advance(first);
  const auto size = static_cast<double>(n);
  // P(N(n) = n) = n^n e^-n / n!
  return paths.at_end() / boost::math::gamma_p_derivative(size + 1, size, Quiet{});
}

// Pelz & Good's K_0 + K_1 / n^(1/2) + K_2 / n + K_3 / n^(3/2) at z = sqrt(n) d.
double pelz_good_cdf(double z, double n) {
  const double pi2 = std::numbers::pi * std::numbers::pi;
  const double z2 = z * z;
  const double z4 = z2 * z2;
  const double z6 = z4 * z2;
  const double z8 = z4 * z4;
  double k0 = 0;
  double k1 = 0;
  double k2 = 0;
  double k3 = 0;
  double k2_whole = 0;
  double k3_whole = 0;
  for (int k = 20; k >= 0; --k) {  // k and -k - 1 give the same half-integer square
    const double h = pi2 * (k + 0.5) * (k + 0.5);
    const double e = 2 * std::exp(-h / (2 * z2));
    k0 += e;
    k1 += (h - z2) * e;
    k2 += (6 * z6 + 2 * z4 + h * (2 * z4 - 5 * z2) + h * h * (1 - 2 * z2)) * e;
    k3 += (h * h * h * (5 - 30 * z2) + h * h * (-60 * z2 + 212 * z4) + h * (135 * z4 - 96 * z6) -
           30 * z6 - 90 * z8) *
          e;
    const double w = pi2 * k * k;
    const double g = 2 * std::exp(-w / (2 * z2));
    k2_whole += w * g;
    k3_whole += (3 * w * z2 - w * w) * g;
  }
  const double half = std::sqrt(std::numbers::pi / 2);
  const double root = std::sqrt(n);
  return half *
         (k0 / z + k1 / (6 * z4 * root) + (k2 / (72 * z6 * z) - k2_whole / (36 * z2 * z)) / n +
          (k3 / (6480 * z8 * z2) + k3_whole / (216 * z6)) / (n * root));
}

}  // namespace

double kolmogorov_smirnov_statistic(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("Kolmogorov-Smirnov needs at least one value");
  std::vector<double> sorted(values.begin(), values.end());
  for (const double value : sorted) {
    if (!(value >= 0 && value <= 1)) {
      throw std::invalid_argument("Kolmogorov-Smirnov: a value is not in [0, 1]");
    }
  }
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double d = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto before = static_cast<double>(i);
    d = std::max({d, (before + 1) / n - sorted[i], sorted[i] - before / n});
  }
  return d;
}

PValue kolmogorov_smirnov_p(double d, std::uint64_t n) {
  if (n == 0 || std::isnan(d)) {
    throw std::invalid_argument("Kolmogorov-Smirnov needs n >= 1 and a number, got n = " +
                                std::to_string(n) + ", d = " + std::to_string(d));
  }
  const auto size = static_cast<double>(n);
  if (d >= 1) return PValue{0.0};
  // D_n is at least 1 / (2 n); and P(D_n < d) is below 1e-17 at the second limit.
  if (2 * size * d <= 1 || size * d * d < 0.028) return PValue{1.0};
  const auto clamped = [](double p) { return PValue{std::clamp(p, 0.0, 1.0)}; };
  if (d >= 0.5 || size * d * d >= 4) return clamped(2 * one_sided(d, n));
  return clamped(1 -
                 (n <= exact_up_to ? exact_cdf(d, n) : pelz_good_cdf(std::sqrt(size) * d, size)));
}

}  // namespace icb
