/// Irregular deviation of the distances between plain and cipher samples.
///
/// Source:   N. El-Fishawy, O. M. Abu Zaid, Int. J. Network Security 5, 2007: "smaller is better".
/// Value:    sum |h_d - N/K|, h the histogram of |p - c| over K = 256 or 65536 bins; per channel,
///           then the samples of all channels. Not 0 for an ideal cipher, since |p - U| is not
///           uniform.
/// Null:     plain image given, cipher samples i.i.d. uniform: `irregular_deviation_null`, mean
///           exact, sd to 0.4 % for 8 bit.
/// p:        two-sided, normal. Approximate below 50 samples a bin, as `detail` says. None where
/// the
///           variance comes from few bins (a plain image of one middle gray: two of them, and
///           half-normal ones), since the normal law would reject too often there.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
#include "metrics/irregular_deviation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/binomial_law.hpp"
#include "metrics/histogram_distance.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "irregular_deviation";

/// Moments of r = max(0, side (X - m)), X = c1 + c2 and D = X - E X.
Excess excess_of_sum(const BinomialExcess& one, double mean1, const BinomialLaw& both, double mean2,
                     double m, int side) {
  Excess sum;
  for (std::size_t i = 0; i < both.mass.size(); ++i) {
    const double c2 = static_cast<double>(both.first + i);
    const Excess e = one.beyond(m - c2 - mean1, side);
    sum.r += both.mass[i] * e.r;
    sum.rr += both.mass[i] * e.rr;
    sum.rd += both.mass[i] * (e.rd + (c2 - mean2) * e.r);
  }
  return sum;
}

/// |X - m|, X the count of a bin: `one` samples hit it with probability 1/K, `both` with 2/K.
struct Bin {
  std::uint64_t one = 0;
  std::uint64_t both = 0;
  double center = 0;  ///< E X
  double mean = 0;    ///< E |X - m|
  double slope = 0;   ///< B
  double rest = 0;    ///< variance of |X - m| - B X
};

Bin bin_of(std::uint64_t one, std::uint64_t both, double k, double m) {
  const double mean1 = static_cast<double>(one) / k;
  const double mean2 = 2 * static_cast<double>(both) / k;
  const double variance = mean1 * (1 - 1 / k) + mean2 * (1 - 2 / k);
  Bin out{.one = one, .both = both, .center = mean1 + mean2};
  out.mean = std::abs(m - out.center);
  if (variance == 0) return out;
  const int side = m > out.center ? 1 : -1;
  const BinomialLaw law = binomial_law(both, 2 / k);
  const Excess e = excess_of_sum(BinomialExcess(one, 1 / k), mean1, law, mean2, m, side);
  out.mean += 2 * e.r;
  out.slope = 2 * e.rd / variance - side;
  out.rest = std::max(0.0, 4 * (e.rr - e.r * e.r - e.rd * e.rd / variance));
  return out;
}

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  return each_scope(input.image.shape(), [&](auto scope, const std::string& channel) {
    const Histogram& counts = plain.histogram(scope);
    const std::uint64_t n = total(counts);
    const IrregularNull null = irregular_deviation_null(counts);
    Measurement out =
        finding(quantity, channel, "1", n,
                irregular_deviation(absolute_distances(plain, input.image, scope)), null.null);
    if (null.bins < 20) {
      add_detail(out, "no p: a few bins decide for this plain image, and z is skewed");
      return out;
    }
    if (out.z) out.p_value = two_sided_normal_p(*out.z).value();
    if (n < normal_from_per_bin * counts.size()) {
      add_detail(out,
                 fmt::format("normal p is approximate: {} samples in {} bins", n, counts.size()));
    }
    return out;
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "sum |h_d - N/K|, h the histogram of |p - c| over K bins",
     .expected = "sum of E |h_d - N/K|, h_d a sum of two binomial counts, for this plain histogram",
     .sd = "from exact covariances of the h_d, see metrics/irregular_deviation.hpp",
     .source = "El-Fishawy, Abu Zaid 2007; null model derived, to 0.4 % of the sd",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace

Histogram absolute_distances(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  const Shape& shape = a.shape();
  Histogram counts(std::size_t{1} << shape.depth_bits());
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t c = channel.value_or(0); c < (channel ? *channel + 1 : shape.channels);
           ++c) {
        const int d = a.sample(row, col, c) - b.sample(row, col, c);
        ++counts[static_cast<std::size_t>(std::abs(d))];
      }
    }
  }
  return counts;
}

double irregular_deviation(const Histogram& distances) {
  const std::uint64_t n = total(distances);
  const std::uint64_t k = distances.size();
  std::uint64_t sum = 0;
  for (const std::uint64_t h : distances) sum += k * h > n ? k * h - n : n - k * h;
  return static_cast<double>(sum) / static_cast<double>(k);
}

IrregularNull irregular_deviation_null(const Histogram& plain) {
  const std::uint64_t n = total(plain);
  if (n == 0) throw std::invalid_argument("irregular_deviation_null: the histogram is empty");
  const std::size_t bins = plain.size();
  const double k = static_cast<double>(bins);
  const double m = static_cast<double>(n) / k;
  std::vector<std::uint64_t> upto(bins + 1);  // index p: samples below p
  for (std::size_t p = 0; p < bins; ++p) upto[p + 1] = upto[p] + plain[p];

  double mean = 0;
  double rest = 0;
  double rest_squares = 0;
  double linear = 0;
  std::vector<double> slopes(bins + 1);  // index d: sum of B below d
  Bin bin;
  for (std::size_t d = 0; d < bins; ++d) {
    const std::uint64_t down = n - upto[d];                // samples p >= d
    const std::uint64_t up = d == 0 ? 0 : upto[bins - d];  // samples p <= F - d
    const std::uint64_t both = down + up > n ? down + up - n : 0;
    const std::uint64_t one = down + up - 2 * both;
    if (d == 0 || one != bin.one || both != bin.both) bin = bin_of(one, both, k, m);
    mean += bin.mean;
    rest += bin.rest;
    rest_squares += bin.rest * bin.rest;
    linear += bin.slope * bin.slope * bin.center;
    slopes[d + 1] = slopes[d] + bin.slope;
  }
  for (std::size_t p = 0; p < bins; ++p) {
    if (plain[p] == 0) continue;
    const double expected = (slopes[p + 1] + slopes[bins - p] - slopes[1]) / k;
    linear -= static_cast<double>(plain[p]) * expected * expected;
  }
  linear = std::max(0.0, linear);
  const double variance = linear + rest;
  const bool matters = rest > 0.1 * variance;
  return {{mean, std::sqrt(variance)}, matters ? rest * rest / rest_squares : k};
}

}  // namespace icb
