/// Distributions and second-level summaries, on Boost.Math. Every tail is computed directly, never
/// as one minus the other, so small p-values keep their digits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/units.hpp"

namespace icb {

/// 2 P(Z > |z|), Z standard normal.
PValue two_sided_normal_p(double z);
/// P(X > x) for chi-square with k > 0 degrees of freedom; x >= 0.
PValue chi_square_upper_p(double x, double degrees);
/// Q(a, x), the regularised upper incomplete gamma function ("igamc" of SP 800-22); a > 0, x >= 0.
double upper_gamma_q(double a, double x);
/// P(X <= k), X binomial(n, probability).
PValue binomial_lower_p(std::uint64_t k, std::uint64_t n, double probability);
/// P(X >= k), X binomial(n, probability).
PValue binomial_upper_p(std::uint64_t k, std::uint64_t n, double probability);

/// Clopper-Pearson interval of a probability after k successes in n >= 1 trials: it covers the true
/// one with at least `confidence`, in (0, 1). Clopper & Pearson, Biometrika 26, 1934. Throws
/// std::invalid_argument if k > n, n = 0 or confidence is outside.
struct BinomialInterval {
  double low;
  double high;
};

BinomialInterval binomial_interval(std::uint64_t k, std::uint64_t n, double confidence);
/// Standard normal quantile, probability in (0, 1).
double normal_quantile(double probability);

/// Half width of the acceptance interval of the proportion of sequences passing at `alpha`:
/// 3 sqrt(alpha (1 - alpha) / sequences); SP 800-22 sec. 4.2.1.
double proportion_half_width(Alpha alpha, std::uint64_t sequences);

/// How many p-values are in [0, 0.1), [0.1, 0.2), ..., [0.9, 1]. Throws std::invalid_argument if
/// one is outside [0, 1].
std::array<std::uint64_t, 10> tenths(std::span<const double> p_values);

/// Chi-square of p-values in ten equal bins and its tail, SP 800-22 sec. 4.2.2. The expected count
/// is s / 10 as a real number (NIST's program divides integers). Throws std::invalid_argument if
/// empty.
///
/// An approximation: for 55 p-values 0.01 stands for 0.015, 1e-4 for 6e-4, 1e-6 for 3e-5.
PValue uniformity_of_bins(const std::array<std::uint64_t, 10>& counts);
PValue uniformity_p(std::span<const double> p_values);

/// Simes (Biometrika, 1986): min over i of m p_(i) / i. A p-value of "all null hypotheses hold",
/// for independent and for the usual positively dependent p-values. Throws std::invalid_argument if
/// empty.
PValue simes(std::span<const PValue> p_values);

/// Holm (Scand. J. Statist., 1979): step-down adjusted p-values in the order given. Comparing each
/// with alpha keeps the probability of any false rejection at alpha under every dependence.
std::vector<PValue> holm(std::span<const PValue> p_values);

/// p-values in groups that say nearly the same: Simes within each group, Holm over the groups.
/// Returns the corrected p-value of its group for each. Throws std::invalid_argument if there are
/// not as many groups named as p-values.
///
///   holm_of_groups({"a", "a", "b"}, {0.01, 0.01, 0.5}) gives 0.02, 0.02, 0.5
std::vector<PValue> holm_of_groups(std::span<const std::string> groups,
                                   std::span<const PValue> p_values);

}  // namespace icb
