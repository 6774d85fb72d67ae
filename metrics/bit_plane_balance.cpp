/// Share of ones in the bit plane that deviates most from a half.
///
/// Source:   the monobit test of SP 800-22 (2.1) per bit plane, exact. A chi-square over the
///           planes would be as sensitive to many small faults, but its value shows no plane;
///           one plane at fault (a sign bit, a counter) is what happens.
/// Value:    0 to 1; of the 8 or 16 planes the one whose share is farthest from 1/2, the most
///           significant of equals; `detail` names it (0 is the least significant) with its own
///           z. Per channel, then all samples pooled.
/// Null:     N samples i.i.d. uniform: every plane's ones are binomial(N, 1/2), and the planes
///           are independent. Turning all bits over turns shares s into 1 - s: the mean is 1/2.
///           The sd is that of the farthest of the planes, sqrt(E max (s_b - 1/2)^2), summed
///           over the exact law P(max >= d) = 1 - (1 - P(one plane >= d))^planes; about 1.86 /
///           (2 sqrt(N)) for 8 planes and 2.13 / (2 sqrt(N)) for 16.
/// p:        two-sided: the binomial p of the plane, corrected for their number, 1 - (1 -
///           p)^planes. Exact; with few samples shares are coarse and p errs to the large side.
/// Shapes:   any.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/cell_sums.hpp"
#include "metrics/histogram.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

/// P(at least one of `planes` independent events of probability p).
double any_of(double p, std::size_t planes) {
  return p < 1 ? -std::expm1(static_cast<double>(planes) * std::log1p(-p)) : 1;
}

/// Of the share of n bits that is farthest from 1/2: 1/2 and sqrt(E max_b (s_b - 1/2)^2).
NullModel farthest_null(std::uint64_t n, std::size_t planes) {
  const BinomialLaw law = binomial_law(n, 0.5);
  double beyond = 0;  // P(|2 ones - n| >= distance) of one plane
  double mean_square = 0;
  for (std::size_t i = law.mass.size(); i-- > 0;) {
    const std::uint64_t ones = law.first + i;
    if (2 * ones <= n) break;
    const double distance = static_cast<double>(2 * ones - n);
    const double nearer = std::max(0.0, distance - 2);
    beyond = std::min(1.0, beyond + 2 * law.mass[i]);
    double none = 1 - beyond;  // to the power of planes, 8 or 16
    for (std::size_t power = 1; power < planes; power *= 2) none *= none;
    mean_square += (distance * distance - nearer * nearer) * (1 - none);
  }
  return {0.5, std::sqrt(mean_square) / (2 * static_cast<double>(n))};
}

/// The upper half of the histogram has the top bit; added to the lower half, it leaves the
/// histogram of the other bits.
std::vector<std::uint64_t> ones_by_plane(Histogram counts, std::size_t planes) {
  std::vector<std::uint64_t> ones(planes);
  for (std::size_t plane = planes; plane-- > 0;) {
    const std::size_t half = std::size_t{1} << plane;
    for (std::size_t value = 0; value < half; ++value) {
      ones[plane] += counts[half + value];
      counts[value] += counts[half + value];
    }
  }
  return ones;
}

Measurement measure(const Histogram& counts, std::size_t planes, const std::string& channel) {
  const std::uint64_t n = total(counts);
  const double samples = static_cast<double>(n);
  const std::vector<std::uint64_t> ones = ones_by_plane(counts, planes);
  const auto farther = [n](std::uint64_t x) { return std::max(x, n - x); };
  std::size_t worst = planes - 1;
  for (std::size_t plane = planes; plane-- > 0;) {
    if (farther(ones[plane]) > farther(ones[worst])) worst = plane;
  }
  const double share = static_cast<double>(ones[worst]) / samples;
  Measurement out =
      finding("bit_plane_balance", channel, "1", n, share, remembered(farthest_null, n, planes));
  const double p = std::min(1.0, 2 * binomial_upper_p(farther(ones[worst]), n, 0.5).value());
  out.p_value = any_of(p, planes);
  add_detail(out, fmt::format("plane {} of 0 to {}, z = {:.2f} by itself", worst, planes - 1,
                              (share - 0.5) * 2 * std::sqrt(samples)));
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  const Shape& shape = input.image.shape();
  const auto planes = static_cast<std::size_t>(shape.depth_bits());
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    return measure(input.image.histogram(scope), planes, channel);
  });
}

const RegisterMetric entry{
    {.name = "bit_plane_balance",
     .unit = "1",
     .formula = "share of ones in the bit plane whose share is farthest from 1/2",
     .expected = "1/2",
     .sd = "exact, of the farthest of 8 or 16 planes; about 1.86 or 2.13 times 1 / (2 sqrt(N))",
     .source = "SP 800-22 2.1, per plane; null model: exact law of the largest of the binomials",
     .compute = compute}};

}  // namespace
}  // namespace icb
