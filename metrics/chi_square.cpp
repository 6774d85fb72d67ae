/// Chi-square of the sample histogram against the uniform law.
///
/// Source:   K. Pearson, Philosophical Magazine 50, 1900. Null model: `chi_square_null`, exact.
/// Value:    0 and up; 255 degrees of freedom for 8-bit samples, 65535 for 16-bit ones; per
/// channel,
///           then all samples pooled.
/// p:        two-sided, twice the smaller tail of chi-square, since a histogram more uniform than
///           chance betrays a cipher too; `detail` names the tail when p < 0.01. The usual
///           one-sided p is `chi_square_upper`. Below 5 samples a bin chi-square's tails are
///           approximate and `detail` says so.
/// Shapes:   any. One sample gives K - 1 for certain: no z, no p.
#include "metrics/chi_square.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/cell_sums.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

__extension__ using Int128 = __int128;

Measurement measure(const Histogram& counts, const std::string& channel) {
  const std::uint64_t n = total(counts);
  const double value = chi_square(counts);
  Measurement out =
      finding("chi_square", channel, "1", n, value, chi_square_null(n, counts.size()));
  if (!out.z) {
    add_detail(out, "one sample has this value for certain");
    return out;
  }
  judge_roughness(out, chi_square_tails(value, counts.size()), counts.size());
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    return measure(input.image.histogram(scope), channel);
  });
}

const RegisterMetric entry{
    {.name = "chi_square",
     .unit = "1",
     .formula = "(K sum c_i^2 - N^2) / N over the K counts c_i of N samples",
     .expected = "K - 1",
     .sd = "sqrt(2 (K - 1)(1 - 1/N))",
     .source = "Pearson 1900; null model: exact multinomial moments, see metrics/chi_square.hpp",
     .family = "histogram",
     .compute = compute}};

}  // namespace

double chi_square(const Histogram& counts) {
  const std::uint64_t n = total(counts);
  if (n == 0 || n > (std::uint64_t{1} << 32)) {
    throw std::invalid_argument(fmt::format("chi_square: expected 1 to 2^32 samples, got {}", n));
  }
  Int128 squares = 0;
  for (const std::uint64_t count : counts) {
    squares += static_cast<Int128>(count) * static_cast<Int128>(count);
  }
  const Int128 numerator = static_cast<Int128>(counts.size()) * squares -
                           static_cast<Int128>(n) * static_cast<Int128>(n);
  return static_cast<double>(numerator) / static_cast<double>(n);
}

PValue chi_square_upper(double value, std::size_t bins) {
  return chi_square_upper_p(value, static_cast<double>(bins - 1));
}

Tails chi_square_tails(double value, std::size_t bins) {
  const double degrees = static_cast<double>(bins - 1);
  return gamma_tails(value, degrees, std::sqrt(2 * degrees));
}

NullModel chi_square_null(std::uint64_t n, std::size_t bins) {
  if (n == 0 || bins < 2) {
    throw std::invalid_argument(fmt::format(
        "chi_square_null: expected samples >= 1 and bins >= 2, got {} and {}", n, bins));
  }
  const double degrees = static_cast<double>(bins - 1);
  return {degrees, std::sqrt(2 * degrees * (1 - 1 / static_cast<double>(n)))};
}

}  // namespace icb
