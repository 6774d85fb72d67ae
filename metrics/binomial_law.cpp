#include "metrics/binomial_law.hpp"

#include <algorithm>
#include <cmath>

namespace icb {

BinomialLaw binomial_law(std::uint64_t n, double p) {
  const double odds = p / (1 - p);
  const auto mode = std::min(n, static_cast<std::uint64_t>(static_cast<double>(n) * p));
  std::vector<double> down;
  double mass = 1;
  for (std::uint64_t c = mode; c > 0 && mass > 1e-40; --c) {
    mass *= static_cast<double>(c) / (static_cast<double>(n - c + 1) * odds);
    down.push_back(mass);
  }
  BinomialLaw law{mode - down.size(), {down.rbegin(), down.rend()}};
  mass = 1;
  for (std::uint64_t c = mode;; ++c) {
    law.mass.push_back(mass);
    if (c == n || mass < 1e-40) break;
    mass *= static_cast<double>(n - c) * odds / static_cast<double>(c + 1);
  }
  double sum = 0;
  for (const double each : law.mass) sum += each;
  for (double& each : law.mass) each /= sum;
  return law;
}

BinomialExcess::BinomialExcess(std::uint64_t n, double p)
    : m_law(binomial_law(n, p)), m_mean(static_cast<double>(n) * p) {
  const std::size_t size = m_law.mass.size();
  m_from.resize(size + 1);
  m_below.resize(size + 1);
  const auto term = [this](std::size_t i) {
    const double w = m_law.mass[i];
    const double d = static_cast<double>(m_law.first + i) - m_mean;
    return Sums{w, w * d, w * d * d, w * d * d * d};
  };
  for (std::size_t i = 0; i < size; ++i) {
    const Sums up = term(i);
    const Sums down = term(size - 1 - i);
    for (std::size_t k = 0; k < 4; ++k) {
      m_below[i + 1][k] = m_below[i][k] + up[k];
      m_from[size - 1 - i][k] = m_from[size - i][k] + down[k];
    }
  }
}

Excess BinomialExcess::beyond(double t, int side) const {
  // The term c = mean + t itself adds nothing, on whichever side it is counted.
  const double place = std::ceil(t + m_mean - static_cast<double>(m_law.first));
  const double size = static_cast<double>(m_law.mass.size());
  const auto i = static_cast<std::size_t>(std::clamp(place, 0.0, size));
  const Sums& s = side > 0 ? m_from[i] : m_below[i];
  const double sign = side > 0 ? 1 : -1;
  return {sign * (s[1] - t * s[0]), s[2] - 2 * t * s[1] + t * t * s[0], sign * (s[2] - t * s[1]),
          sign * (s[3] - t * s[2])};
}

}  // namespace icb
