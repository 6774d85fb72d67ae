/// Correlation of a plain image with its cipher image, sample by sample.
///
/// Source:   Eq. 6 to 8 of Y. M. Khazaal, M. A. Falih, A. H. Majeed, 2024 (two means and the 2-D
///           correlation coefficient CC).
/// Value:    Pearson's r in [-1, 1] per channel, then "all": one r over the samples of all
/// channels,
///           means pooled too. n is the number of samples N.
/// Null:     plain image given, cipher samples i.i.d. uniform. Given the cipher's values, every
/// order
///           of them is equally likely, so r is a permutation statistic: E r = 0 and
///           Var r = 1/(N - 1), exactly, whatever the plain image is.
/// p:        two-sided, by `symmetric_p` with the exact excess kurtosis of that permutation law,
///           whatever both histograms are (Pitman 1937; `permutation_excess`). Simulated: within 6
///           per cent at p = 0.01, 12 at 0.001. Where the excess is below -0.4 - fewer than about
///           16 samples, or a plain image nearly constant with a few bright spots - p is normal,
///           too large in its tails, and `detail` says so.
/// Shapes:   any, both of the same; otherwise std::invalid_argument, as without a plain image.
///           No variance in either: not_applicable.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/correlation.hpp"
#include "metrics/distance.hpp"
#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "plain_cipher_correlation";

/// Sum and sum of squares of the values counted.
std::pair<std::uint64_t, std::uint64_t> powers(const Histogram& counts) {
  std::pair<std::uint64_t, std::uint64_t> sums;
  for (std::uint64_t v = 0; v < counts.size(); ++v) {
    sums.first += counts[v] * v;
    sums.second += counts[v] * v * v;
  }
  return sums;
}

/// The sum of products by (x - y)^2 = x^2 + y^2 - 2 x y.
PairSums pairs_of(const CountedImage& plain, const CountedImage& cipher, std::size_t channel) {
  const DistanceSums& distances = cipher.distances(plain, channel);
  const auto [x, xx] = powers(plain.histogram(channel));
  const auto [y, yy] = powers(cipher.histogram(channel));
  return {distances.n, x, y, xx, yy, (xx + yy - distances.squares) / 2};
}

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  const Shape& shape = input.image.shape();
  std::array<PairSums, 4> sums;
  PairSums pooled;
  for (std::size_t channel = 0; channel < shape.channels; ++channel) {
    sums.at(channel) = pairs_of(plain, input.image, channel);
    pooled += sums.at(channel);
  }
  std::vector<Measurement> out;
  for (const auto scope : scopes(shape)) {
    const PairSums& own = scope ? sums.at(*scope) : pooled;
    const std::string channel = scope_name(shape, scope);
    const auto r = pearson(own);
    if (!r) {
      out.push_back(no_finding(quantity, channel, "1", own.n, "no variance in plain or cipher"));
      continue;
    }
    const double n = static_cast<double>(own.n);
    Measurement found = finding(quantity, channel, "1", own.n, *r, {0, 1 / std::sqrt(n - 1)});
    const double excess =
        own.n < 4 ? -2.0 : permutation_excess(plain.histogram(scope), input.image.histogram(scope));
    found.p_value = symmetric_p(*found.z, excess).value();
    if (excess < least_excess) {
      add_detail(found, fmt::format("normal p, too large in its tails: excess kurtosis of r is "
                                    "{:.2g} for this plain image, {} samples",
                                    excess, own.n));
    }
    out.push_back(found);
  }
  return out;
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula = "Pearson's r of plain and cipher samples at the same place",
     .expected = "0",
     .sd = "1 / sqrt(N - 1), exact",
     .source = "Khazaal et al. 2024, Eq. 6-8; null model: permutation argument, exact",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace
}  // namespace icb
