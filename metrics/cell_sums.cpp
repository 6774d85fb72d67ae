#include "metrics/cell_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace icb {

SkewedNull cell_sum_null(std::uint64_t n, std::size_t bins, const std::function<double(double)>& h,
                         std::uint64_t degrees) {
  if (n == 0 || bins < 2) {
    throw std::invalid_argument(
        fmt::format("cell_sum_null: expected samples >= 1 and bins >= 2, got {} and {}", n, bins));
  }
  const double k = static_cast<double>(bins);
  if (n == 1) return {{(k - 1) * h(0) + h(1), 0}, 0};
  const double samples = static_cast<double>(n);
  const double p = 1 / k;
  const BinomialLaw law = binomial_law(n, p);
  const std::size_t size = law.mass.size();
  std::vector<double> e(size);  // h, then less its mean, then less its linear part
  double mean = 0;
  for (std::size_t i = 0; i < size; ++i) {
    e[i] = h(static_cast<double>(law.first + i));
    mean += law.mass[i] * e[i];
  }
  for (double& each : e) each -= mean;

  // c P_j = a(j+1) P_(j+1) + (p (n - j) + (1 - p) j) P_j + a(j) P_(j-1)
  const auto a = [&](double j) { return std::sqrt(p * (1 - p) * j * (samples - j + 1)); };
  std::vector<double> before(size);
  std::vector<double> now(size, 1);
  double spread = 0;
  double third = 0;
  double shared = 0;
  double weight = -1;  // (-1)^j (K - 1)^(1-j) of degree j = 1
  for (std::uint64_t degree = 1; degree <= std::min(n, degrees); ++degree) {
    const double j = static_cast<double>(degree - 1);
    double b = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double c = static_cast<double>(law.first + i);
      const double next =
          ((c - p * (samples - j) - (1 - p) * j) * now[i] - a(j) * before[i]) / a(j + 1);
      before[i] = now[i];
      now[i] = next;
      b += law.mass[i] * e[i] * next;
    }
    if (degree == 1) {
      for (std::size_t i = 0; i < size; ++i) {
        e[i] -= b * now[i];
        spread += law.mass[i] * e[i] * e[i];
        third += law.mass[i] * e[i] * e[i] * e[i];
      }
      continue;
    }
    weight /= -(k - 1);
    if (std::abs(weight) < 1e-17) break;
    shared += b * b * weight;
  }
  const double variance = k * std::max(0.0, spread + shared);
  const double sd = std::sqrt(variance);
  return {{k * mean, sd}, variance > 0 ? k * third / (variance * sd) : 0};
}

void judge_roughness(Measurement& out, const Tails& tails, std::size_t bins, std::string_view lower,
                     std::string_view upper) {
  out.p_value = tails.two_sided().value();
  if (*out.p_value < 0.01) {
    add_detail(out, tails.lower < tails.upper ? fmt::format("{}more uniform than chance", lower)
                                              : fmt::format("{}less uniform than chance", upper));
  }
  if (out.n < 5 * bins) {
    add_detail(out, fmt::format("p is approximate: {} samples in {} bins", out.n, bins));
  }
}

}  // namespace icb
