#include "metrics/histogram_distance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/statistics.hpp"
#include "metrics/binomial_law.hpp"

namespace icb {
namespace {

double weight(std::size_t bin, std::size_t bins, double ends) {
  return bin == 0 || bin + 1 == bins ? ends : 1;
}

}  // namespace

double histogram_distance(const Histogram& a, const Histogram& b, double ends) {
  if (a.size() != b.size()) {
    throw std::invalid_argument(
        fmt::format("histogram_distance: expected {} bins, got {}", a.size(), b.size()));
  }
  double sum = 0;  // of integers and halves: exact
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t d = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    sum += weight(i, a.size(), ends) * static_cast<double>(d);
  }
  return sum;
}

NullModel histogram_distance_null(const Histogram& plain, double ends) {
  const std::uint64_t n = total(plain);
  if (n == 0) throw std::invalid_argument("histogram_distance_null: the histogram is empty");
  const double samples = static_cast<double>(n);
  const double k = static_cast<double>(plain.size());
  const double m = samples / k;
  const double variance = m * (1 - 1 / k);
  const double norm1 = std::sqrt(variance);
  const double norm2 = std::sqrt(2 * samples * (samples - 1)) * (1 - 1 / k) / k;
  const BinomialExcess counts(n, 1 / k);
  double mean = 0;
  double spread = 0;  // sum of Var f_i
  double b1 = 0;
  double b1_squares = 0;
  double b2 = 0;
  double b2_squares = 0;
  Excess e;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double w = weight(i, plain.size(), ends);
    const double t = static_cast<double>(plain[i]) - m;
    const int side = t > 0 ? 1 : -1;
    if (i == 0 || plain[i] != plain[i - 1]) e = counts.beyond(t, side);
    const double first = w * (2 * e.rd / norm1 - side * norm1);
    const double second =
        n == 1 ? 0 : w * 2 * (e.rdd - (1 - 2 / k) * e.rd - variance * e.r) / norm2;
    mean += w * (std::abs(t) + 2 * e.r);
    spread += first * first + 4 * w * w * (e.rr - e.r * e.r - e.rd * e.rd / variance);
    b1 += first;
    b1_squares += first * first;
    b2 += second;
    b2_squares += second * second;
  }
  const double rho = -1 / (k - 1);
  const double var = spread + rho * (b1 * b1 - b1_squares) + rho * rho * (b2 * b2 - b2_squares);
  return {mean, std::sqrt(std::max(0.0, var))};
}

Measurement histogram_distance_finding(std::string_view quantity, const std::string& channel,
                                       const Histogram& plain, const Histogram& cipher, double ends,
                                       double factor) {
  const std::uint64_t n = total(plain);
  const NullModel null = histogram_distance_null(plain, ends);
  Measurement out =
      finding(quantity, channel, "1", n, factor * histogram_distance(plain, cipher, ends),
              {factor * null.mean, factor * null.sd});
  if (out.z) out.p_value = two_sided_normal_p(*out.z).value();
  if (n < normal_from_per_bin * plain.size()) {
    add_detail(out, fmt::format("normal p is approximate: {} samples in {} bins", n, plain.size()));
  }
  return out;
}

}  // namespace icb
