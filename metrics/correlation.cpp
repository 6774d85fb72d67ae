/// Correlation of adjacent samples: horizontal (0, +1), vertical (+1, 0), diagonal (+1, +1),
/// antidiagonal (+1, -1).
///
/// Source:   Eq. 5 of Y. M. Khazaal, M. A. Falih, A. H. Majeed, 2024. The paper lets D(x), D(y) and
///           cov stand for three directions; this is the usual definition, once per direction,
///           and the fourth that is as near.
/// Value:    Pearson's r in [-1, 1] within each channel, then "all": one r over the pairs of all
///           channels, means pooled too. n is the number of pairs.
/// Pairs:    all of them, or MetricInput.pairs drawn per channel with replacement, seeded by
///           derive_seed(seed, "correlation_horizontal/0") and so on for each channel's index.
/// Null:     samples i.i.d. uniform; mean and sd in `adjacent_null`. p two-sided, by
///           `adjacent_p`; below 12 pairs too large in its tails, and `detail` says so.
/// Shapes:   any. Without pairs or without variance: not_applicable.
#include "metrics/correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/histogram.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

__extension__ using Int128 = __int128;

/// The incomplete beta function in doubles: as good as in long doubles to 1e-14 here, and ten times
/// as fast.
double ibeta(double a, double b, double x) {
  using namespace boost::math::policies;
  return std::clamp(boost::math::ibeta(a, b, x, policy<promote_double<false>>{}), 0.0, 1.0);
}

/// n Sab - Sa Sb.
Int128 scaled_moment(std::uint64_t n, std::uint64_t ab, std::uint64_t a, std::uint64_t b) {
  return static_cast<Int128>(n) * static_cast<Int128>(ab) -
         static_cast<Int128>(a) * static_cast<Int128>(b);
}

void check_channel(const Shape& shape, std::size_t channel) {
  if (channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("correlation: channel must be below {}, got {}", shape.channels, channel));
  }
}

/// (rows - dr)(cols - |dc|) of a grid, 0 if it does not fit.
double places(const Shape& shape, PairOffset offset, std::size_t times) {
  const std::size_t dr = offset.rows * times;
  const std::size_t dc = offset.width() * times;
  if (dr >= shape.rows || dc >= shape.cols) return 0;
  return static_cast<double>(shape.rows - dr) * static_cast<double>(shape.cols - dc);
}

/// Of r of adjacent uniform samples.
double excess_of(const NullModel& null) {
  const double pairs = 1 + 1 / (null.sd * null.sd);
  return (1.44 - 6) / pairs;
}

/// Fisher's k4 / k2^2 of n >= 4 values that vary.
double k_kurtosis(const std::vector<std::uint64_t>& counts, double n) {
  double mean = 0;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    mean += static_cast<double>(counts[v]) * static_cast<double>(v) / n;
  }
  double m2 = 0;
  double m4 = 0;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    if (counts[v] == 0) continue;
    const double d = static_cast<double>(v) - mean;
    const double share = static_cast<double>(counts[v]) / n;
    m2 += share * d * d;
    m4 += share * d * d * d * d;
  }
  return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * m4 / (m2 * m2) - 3 * (n - 1));
}

Measurement measure(const MetricInput& input, const std::string& quantity, PairOffset offset,
                    std::optional<std::size_t> scope, const PairSums& sums) {
  const Shape& shape = input.image.shape();
  const std::string channel = scope_name(shape, scope);
  const std::uint64_t available = pair_count(shape, offset);
  Measurement out;
  if (available == 0) {
    out = no_finding(quantity, channel, "1", 0, fmt::format("no pair in {}", to_string(shape)));
  } else if (const auto r = pearson(sums); !r) {
    out = no_finding(quantity, channel, "1", sums.n,
                     fmt::format("no variance in {} pair{}", sums.n, sums.n == 1 ? "" : "s"));
  } else {
    const std::size_t channels = scope ? 1 : shape.channels;
    const NullModel null = adjacent_null(shape, offset, input.pairs, channels);
    out = finding(quantity, channel, "1", sums.n, *r, null);
    judge_adjacent(out, null);
  }
  if (input.pairs > 0) out.seed = input.seed;
  return out;
}

std::vector<Measurement> compute(const MetricInput& input, const std::string& quantity,
                                 PairOffset offset) {
  const Shape& shape = input.image.shape();
  std::vector<PairSums> sums(shape.channels);
  PairSums pooled;
  if (input.pairs == 0) {
    sums = input.image.adjacent(offset);
  } else if (pair_count(shape, offset) > 0) {
    for (std::size_t channel = 0; channel < shape.channels; ++channel) {
      sums[channel] =
          sampled_pairs(input.image, channel, offset, input.pairs,
                        derive_seed(input.seed, fmt::format("{}/{}", quantity, channel)));
    }
  }
  for (const PairSums& each : sums) pooled += each;
  return each_scope(shape, [&](auto scope, const std::string&) {
    return measure(input, quantity, offset, scope, scope ? sums[*scope] : pooled);
  });
}

MetricEntry direction(const std::string& name, PairOffset offset) {
  return {
      .name = name,
      .unit = "1",
      .formula = "Pearson's r of all pairs of neighbours (sampled ones with --pairs)",
      .expected = "-f / (n - 1), f the share of samples that are in two pairs",
      .sd = "about 1 / sqrt(n - 1); to O(n^-3) in the source file",
      .source = "Khazaal et al. 2024, Eq. 5; null model derived, see metrics/correlation.hpp",
      .compute = [name, offset](const MetricInput& input) { return compute(input, name, offset); }};
}

const RegisterMetric horizontal_entry{direction("correlation_horizontal", horizontal)};
const RegisterMetric vertical_entry{direction("correlation_vertical", vertical)};
const RegisterMetric diagonal_entry{direction("correlation_diagonal", diagonal)};
const RegisterMetric antidiagonal_entry{direction("correlation_antidiagonal", antidiagonal)};

}  // namespace

PairSums& PairSums::operator+=(const PairSums& other) {
  n += other.n;
  x += other.x;
  y += other.y;
  xx += other.xx;
  yy += other.yy;
  xy += other.xy;
  return *this;
}

std::optional<double> pearson(const PairSums& sums) {
  if (sums.n > PairSums::limit) {
    throw std::invalid_argument(
        fmt::format("pearson: at most {} pairs, got {}", PairSums::limit, sums.n));
  }
  const Int128 xx = scaled_moment(sums.n, sums.xx, sums.x, sums.x);
  const Int128 yy = scaled_moment(sums.n, sums.yy, sums.y, sums.y);
  if (xx == 0 || yy == 0) return std::nullopt;
  const Int128 xy = scaled_moment(sums.n, sums.xy, sums.x, sums.y);
  const double r =
      static_cast<double>(xy) / std::sqrt(static_cast<double>(xx) * static_cast<double>(yy));
  return std::clamp(r, -1.0, 1.0);
}

double pearson_standard_error(double r, std::uint64_t n) {
  if (n < 2 || !(r >= -1 && r <= 1)) {
    throw std::invalid_argument(fmt::format(
        "pearson_standard_error: expected r in [-1, 1] and n >= 2, got r = {}, n = {}", r, n));
  }
  return (1 - r * r) / std::sqrt(static_cast<double>(n - 1));
}

std::uint64_t pair_count(const Shape& shape, PairOffset offset) {
  if (offset.rows >= shape.rows || offset.width() >= shape.cols) return 0;
  return static_cast<std::uint64_t>(shape.rows - offset.rows) * (shape.cols - offset.width());
}

PairSums adjacent_pairs(ConstImage image, std::size_t channel, PairOffset offset) {
  const Shape& shape = image.shape();
  check_channel(shape, channel);
  PairSums sums;
  for (std::size_t row = 0; row + offset.rows < shape.rows; ++row) {
    for (std::size_t col = 0; col + offset.width() < shape.cols; ++col) {
      sums.add(image.sample(row, col + offset.from_col(), channel),
               image.sample(row + offset.rows, col + offset.to_col(), channel));
    }
  }
  return sums;
}

PairSums sampled_pairs(ConstImage image, std::size_t channel, PairOffset offset,
                       std::uint64_t pairs, std::uint64_t seed) {
  const Shape& shape = image.shape();
  check_channel(shape, channel);
  const std::uint64_t available = pair_count(shape, offset);
  if (available == 0) {
    throw std::invalid_argument(fmt::format("sampled_pairs: no pair in {}", to_string(shape)));
  }
  std::mt19937_64 engine(seed);
  PairSums sums;
  for (std::uint64_t k = 0; k < pairs; ++k) {
    const std::uint64_t place = uniform_below(engine, available);
    const std::size_t row = place / (shape.cols - offset.width());
    const std::size_t col = place % (shape.cols - offset.width());
    sums.add(image.sample(row, col + offset.from_col(), channel),
             image.sample(row + offset.rows, col + offset.to_col(), channel));
  }
  return sums;
}

NullModel adjacent_null(const Shape& shape, PairOffset offset, std::uint64_t pairs,
                        std::size_t channels) {
  return adjacent_null(shape, offset, pairs, channels, std::size_t{1} << shape.depth_bits());
}

NullModel adjacent_null(const Shape& shape, PairOffset offset, std::uint64_t pairs,
                        std::size_t channels, std::size_t levels) {
  const std::uint64_t available = pair_count(shape, offset);
  if (available * channels < 2) {
    throw std::invalid_argument(
        fmt::format("adjacent_null: needs 2 pairs, {} channel(s) of {} have {}", channels,
                    to_string(shape), available * channels));
  }
  const double k = static_cast<double>(channels);
  const double n = k * static_cast<double>(available);
  const double f = k * places(shape, offset, 2) / n;
  const double g = k * places(shape, offset, 3) / n;
  const double square = static_cast<double>(levels) * static_cast<double>(levels);  // L^2
  const double excess = 0.6 * (3 * square - 7) / (square - 1) - 1;                  // K - 1
  if (pairs == 0) {
    const double variance = 1 / (n - 1) - (excess * f + 2 * g - f * f) / (n * n);
    return {-f / (n - 1), std::sqrt(variance)};
  }
  const double s = k * static_cast<double>(pairs);
  const double t = 1 / s + 1 / n - k / (s * n);  // channels are drawn from separately
  const double variance =
      t + t * t - (2 + excess * (2 + f)) / (s * n) + (f * f - 2 * g - excess * f) / (n * n);
  // With a handful of pairs drawn the expansion may leave its range; the leading term does not.
  return {-(1 - 1 / s) * f / (n - 1), std::sqrt(variance > 0 ? variance : t)};
}

PValue symmetric_p(double z, double excess) {
  const double x = std::abs(z);
  if (excess == 0 || excess < least_excess) return two_sided_normal_p(z);
  if (excess > 0) {
    const double degrees = 4 + 6 / excess;
    const double t = x * std::sqrt(degrees / (degrees - 2));
    return PValue{ibeta(degrees / 2, 0.5, degrees / (degrees + t * t))};
  }
  // (1 - x^2/c^2)^(a - 1) on [-c, c] has variance c^2/(2a + 1), excess kurtosis -6/(2a + 3).
  const double a = (-6 / excess - 3) / 2;
  const double inside = 1 - x * x / (2 * a + 1);
  return PValue{inside > 0 ? ibeta(a, 0.5, inside) : 0.0};
}

double permutation_excess(const std::vector<std::uint64_t>& x,
                          const std::vector<std::uint64_t>& y) {
  const std::uint64_t count = total(x);
  if (count < 4 || total(y) != count) {
    throw std::invalid_argument(fmt::format(
        "permutation_excess: expected 4 or more values of both, got {} and {}", count, total(y)));
  }
  const double n = static_cast<double>(count);
  return (n - 2) * (n - 3) / (n * (n + 1) * (n - 1)) * k_kurtosis(x, n) * k_kurtosis(y, n) -
         6 / (n + 1);
}

PValue adjacent_p(double r, const NullModel& null) {
  return symmetric_p((r - null.mean) / null.sd, excess_of(null));
}

void judge_adjacent(Measurement& out, const NullModel& null) {
  out.p_value = adjacent_p(*out.value, null).value();
  if (excess_of(null) < least_excess) {
    add_detail(out, fmt::format("normal p, too large in its tails: {} pairs", out.n));
  }
}

}  // namespace icb
