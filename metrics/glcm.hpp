/// Texture of the grey-level co-occurrence matrix: kernels over its counts and null models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/cooccurrence.hpp"
#include "metrics/finding.hpp"

namespace icb {

/// sum_ij (i - j)^2 p_ij, in [0, (levels - 1)^2]. These four need at least one pair.
double glcm_contrast(const PairTexture& texture);
/// sum_ij p_ij / (1 + |i - j|), in [1 / levels, 1].
double glcm_homogeneity(const PairTexture& texture);
/// sum_ij p_ij^2, in [1 / levels^2, 1].
double glcm_energy(const PairTexture& texture);
/// Pearson's r of the two levels, by `pearson`; absent if either does not vary.
std::optional<double> glcm_correlation(const PairTexture& texture);

/// Rows of samples in which neighbours are pairs: `count` rows of `length` >= 2, independent of
/// each other. A channel has its rows, all channels together those of all.
struct PairRows {
  std::uint64_t count = 0;
  std::uint64_t length = 0;

  std::uint64_t pairs() const { return count * (length - 1); }
};

/// Of f(|i - j|), i and j independent and uniform over L levels. With F = f - E f, g(b) = E F(a, b)
/// for given b, h(b) = E F(a, b)^2:
struct PairMoments {
  double mean = 0;
  double second = 0;  ///< E F^2
  double third = 0;   ///< E F^3
  double next = 0;    ///< E g^2, of two pairs that share a sample
  double twice = 0;   ///< E h g, of the same, one of them twice
  double chain = 0;   ///< E g(b) F(b, c) g(c), of three pairs in a chain
};

/// f for differences 0 to L - 1. Errors: std::invalid_argument for fewer than 2 levels.
PairMoments pair_moments(const std::vector<double>& f);

/// Null model of the mean of f(|i - j|) over all pairs, samples i.i.d. uniform. Exact, third moment
/// included: pairs are independent unless they share a sample, as neighbouring pairs do, so for n
/// pairs in M rows of C samples
///   n^2 Var = n E F^2 + 2 M (C-2) E g^2,
///   n^3 mu_3 = n E F^3 + 6 M (C-2) E h g + 6 M (C-3) E g(b) F(b, c) g(c).
SkewedNull difference_null(const PairMoments& moments, PairRows rows);

/// Null model of `glcm_energy`. Mean and sd exact, skewness to leading order.
///
/// sum c_ij^2 = n + 2 T, T the number of two places s < t whose pairs coincide: x_s = x_t and
/// x_(s+1) = x_(t+1). Two equations hold with probability p = 1/L^2 whether or not s + 1 = t:
///   E T = p n (n-1) / 2.
/// Coincidences (s, t) and (s', t') make four equations, of probability L^-4 as if independent, but
/// for two cases of three independent equations, L^-3:
///   A  (s', t') = (s+1, t+1), which repeats an equation. With S = M (C-2) places that have a next
///      one, A = S (S-1) / 2 such couples;
///   B  (s, s+1) with (s, s+2) or with (s-1, s+1), which close a triangle x_s = x_(s+1) = x_(s+2):
///      B = 2 M (C-3).
/// Cycles of four equations do not occur. So
///   Var T = p (1-p) n (n-1) / 2 + 2 (A + B)(L^-3 - L^-4),
/// and for large n, sum (c_ij - n p)^2 / (n p) has variance 2 (L^2 - 1) + 4 (L - 1), as the sum of
/// chi-square with (L-1)^2 and twice chi-square with L - 1 degrees of freedom it then is (Good,
/// Proc. Camb. Phil. Soc. 49, 1953). Skewness:
///   mu_3 T = p (1-p)(1-2p) n (n-1) / 2 + n (n-1)(n-2) p^3 (L-1)(L + 1 + 6 (S/n)^2),
/// exact without overlap (S = 0), that of Good's law for large n and of Poisson's for small n p.
SkewedNull energy_null(std::size_t levels, PairRows rows);

}  // namespace icb
