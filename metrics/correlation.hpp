/// Pearson correlation of sample pairs: exact sums, one final formula, standard errors and the null
/// model of adjacent samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/image.hpp"
#include "metrics/finding.hpp"

namespace icb {

/// Integer sums over pairs (x, y) of samples. Integers, so that neither the order of the pairs nor
/// the number of threads can change a digit. Exact for up to `limit` pairs of 16-bit samples.
struct PairSums {
  static constexpr std::uint64_t limit = std::uint64_t{1} << 32;

  std::uint64_t n = 0;
  std::uint64_t x = 0;
  std::uint64_t y = 0;
  std::uint64_t xx = 0;
  std::uint64_t yy = 0;
  std::uint64_t xy = 0;

  void add(std::uint16_t a, std::uint16_t b) {
    const std::uint64_t u = a;
    const std::uint64_t v = b;
    ++n;
    x += u;
    y += v;
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }

  PairSums& operator+=(const PairSums& other);

  friend bool operator==(const PairSums&, const PairSums&) = default;
};

/// r = (n Sxy - Sx Sy) / sqrt((n Sxx - Sx^2)(n Syy - Sy^2)), in [-1, 1]; Eq. 5 of Khazaal et al.
/// 2024 with its two variances and covariance taken over one and the same pair sequence. Numerator
/// and both variances are exact integers before the division. Absent if x or y does not vary.
/// Errors: std::invalid_argument above PairSums::limit pairs.
std::optional<double> pearson(const PairSums& sums);

/// Large-sample standard error of r, (1 - r^2) / sqrt(n - 1).
///
/// ASSUMES INDEPENDENT PAIRS (and a bivariate normal law when r is not 0). Adjacent pairs of a
/// smooth image are neither, so beside a plain image's r this is a lower bound of the error, no
/// more. n >= 2 pairs. Errors: std::invalid_argument otherwise, or for r outside [-1, 1].
double pearson_standard_error(double r, std::uint64_t n);

/// Step from the first sample of a pair to the second: `rows` 0 or 1, `cols` -1, 0 or 1, not both
/// 0. The box of a pair with its upper left corner at (row, col) holds the first sample at (row,
/// col + from_col()) and the second at (row + rows, col + to_col()).
struct PairOffset {
  std::size_t rows = 0;
  std::ptrdiff_t cols = 0;

  constexpr std::size_t from_col() const { return cols < 0 ? static_cast<std::size_t>(-cols) : 0; }

  constexpr std::size_t to_col() const { return cols > 0 ? static_cast<std::size_t>(cols) : 0; }

  /// |cols|
  constexpr std::size_t width() const { return from_col() + to_col(); }
};

inline constexpr PairOffset horizontal{0, 1};
inline constexpr PairOffset vertical{1, 0};
inline constexpr PairOffset diagonal{1, 1};
inline constexpr PairOffset antidiagonal{1, -1};

/// Number of pairs within one channel: (rows - offset.rows)(cols - |offset.cols|).
std::uint64_t pair_count(const Shape& shape, PairOffset offset);

/// Sums over all pairs of a channel. Errors: std::invalid_argument if there is no such channel.
PairSums adjacent_pairs(ConstImage image, std::size_t channel, PairOffset offset);

/// Sums over `pairs` pairs drawn uniformly, with replacement, from all pairs of a channel, by
/// std::mt19937_64(seed) and uniform_below: draw k of [0, pair_count) has its box in row
/// k / (cols - |offset.cols|). Errors: std::invalid_argument if there is no such channel or no
/// pair.
PairSums sampled_pairs(ConstImage image, std::size_t channel, PairOffset offset,
                       std::uint64_t pairs, std::uint64_t seed);

/// Two-sided p-value of a standardised z whose law is symmetric with that excess kurtosis:
/// Pearson's type II (a beta law stretched to sd 1) below 0, normal at 0, type VII (Student's t)
/// above. Below `least_excess` type II is too crude and ends too early; the normal law stands in,
/// whose p is too large in the tails.
///
/// r is bounded, so its tails are lighter than normal. With n independent pairs its excess kurtosis
/// is near (g h - 6)/n, g and h those of x and y (exact under permutation: `permutation_excess`),
/// and this law is the one with the right sd and kurtosis.
PValue symmetric_p(double z, double excess);

inline constexpr double least_excess = -0.4;

/// Excess kurtosis of r if all orders of the y are equally likely, exact: with G = k4 / k2^2 of x
/// and H of y (Fisher's k-statistics), (n-2)(n-3) G H / (n (n+1)(n-1)) - 6/(n+1); E. J. G. Pitman,
/// Suppl. J. R. Stat. Soc. 4 (1937) 225-232. x and y by their histograms of the same n >= 4 values;
/// both vary. Errors: std::invalid_argument for other n.
double permutation_excess(const std::vector<std::uint64_t>& x, const std::vector<std::uint64_t>& y);

/// Mean and standard deviation of r of adjacent samples, image i.i.d. uniform over its depth.
/// `channels` of them pooled; `pairs` drawn per channel, 0: all.
/// Errors: std::invalid_argument unless channels * pair_count >= 2.
///
/// Derivation. Let z be the samples with mean 0 and variance 1, n pairs (u, v), A the first places,
/// B the second ones, f = |A and B| / n, g = (pairs with u in B and v in A) / n, and K = (3/5)(3
/// L^2 - 7) / (L^2 - 1) the kurtosis of L levels (1.8 for large L). Write
///   r = (c - a b) / sqrt((1 + p - a^2)(1 + q - b^2)),
/// c = mean of z_u z_v, a and b the two sample means, 1 + p and 1 + q the two mean squares; all
/// five are O(n^-1/2). Two pairs never are the same two places, so their products are uncorrelated
/// and E c^2 = 1/n although neighbouring pairs share a sample; E ab = f/n does not vanish, which is
/// where the bias comes from. Up to terms of O(n^-3) for r^2 (odd moments of the uniform law are
/// 0):
///   E c^2 p = E c^2 q = (K-1)(1+f)/n^2,   E c^2 a^2 = E c^2 b^2 = 1/n^2,
///   E c^2 p^2 = E c^2 q^2 = (K-1)/n^2,    E c^2 p q = (K-1) f/n^2,
///   E abc = (1+g)/n^2,                    E a^2 b^2 = (1 + 2 f^2)/n^2,
/// and the expansion r^2 = c^2 (1 - p - q + a^2 + b^2 + p^2 + q^2 + pq) - 2abc + a^2 b^2 + ...
/// gives
///   E r = -f / (n - 1) + O((1 - f) / n^2) + O(n^-3),
///   Var r = 1/(n - 1) - ((K-1) f + 2 g - f^2) / n^2 + O(n^-3).
/// Checks: f = g = 0 (two columns: pairs independent) is the permutation result 0 and 1/(n - 1),
/// exact; f = g = 1 (a closed ring) is -1/(n-1) and 1/n - (K-1)/n^2, that of Wald & Wolfowitz, Ann.
/// Math. Stat. 14 (1943), and for K = 3 that of Anderson's circular coefficient (1942).
/// k channels pooled: the same with k n pairs. The antidiagonal is the diagonal of the mirror
/// image.
///
/// Sampled pairs, s a channel: a pair may be drawn twice, so with t = 1/s + 1/n - 1/(s n)
///   E c^2 = t;   E r = -(1 - 1/s) f/(n - 1);
///   Var r = t + t^2 - (2 + (K-1)(2 + f)) / (s n) + (f^2 - 2 g - (K-1) f) / n^2,
/// which is 1/(s - 1) for s << n and the all-pairs value for s >> n. Not 1/s: 5,000 draws from a 64
/// x 64 image have sd 0.021, not 0.014, since the image's own r is what scatters.
NullModel adjacent_null(const Shape& shape, PairOffset offset, std::uint64_t pairs,
                        std::size_t channels);
/// The same for samples of `levels` equally likely values, whatever the depth.
NullModel adjacent_null(const Shape& shape, PairOffset offset, std::uint64_t pairs,
                        std::size_t channels, std::size_t levels);

/// Two-sided p-value of r of adjacent samples under that null model, from `symmetric_p` with excess
/// kurtosis (g^2 - 6)/n_e: g = -1.2 that of the uniform law, n_e = 1 + 1/sd^2 the number of
/// independent pairs with the same sd. Simulated: within 8 per cent at p = 0.05, 13 at 0.01,
/// 25 at 0.001 and a factor 2 at 0.0001 from 12 pairs on; within 2, 3, 6 and 20 from 40 on. (At
/// 0.001 with 40 pairs Fisher's z is off by 35 per cent, a beta law on [-1, 1] by 11, the normal
/// law by 43.)
PValue adjacent_p(double r, const NullModel& null);

/// Sets p of a finding of r, and says in `detail` where it is normal for want of a better one.
void judge_adjacent(Measurement& out, const NullModel& null);

}  // namespace icb
