/// Statistics of a histogram that are sums over its cells: their null model, and how their findings
/// end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "core/measurement.hpp"
#include "metrics/binomial_law.hpp"
#include "metrics/finding.hpp"

namespace icb {

/// Mean, sd and skewness of D = sum h(c_i) over the counts c_i of n >= 1 i.i.d. uniform samples in
/// K = bins >= 2 cells.
///
///   cell_sum_null(n, 256, [m](double c) { return std::abs(c - m); });
///
/// Each count is binomial(n, 1/K), so E D = K E h, a sum over the binomial law: exact. Two counts
/// are sums of n i.i.d. pairs of indicators with correlation -1/(K-1), so in Krawtchouk polynomials
/// (orthonormal under the binomial law, h = sum b_j P_j) they are correlated degree by degree with
/// (-1/(K-1))^j (Eagleson, Ann. Math. Stat. 35, 1964):
///   Var D = K sum_{j>=2} b_j^2 (1 + (-1)^j / (K-1)^(j-1)).
/// sum b_j^2 = Var h; b_j are sums over the binomial law, P_j by its three-term recurrence. Terms
/// (K-1)^(1-j) are taken up to `degrees`, or until they fall below 1e-17: then the sd is exact.
/// What degrees above d add is less than Var D / (K-1)^d. Skewness: K E e^3 / Var D^(3/2), e the
/// part of h - E h without its linear term; to a relative O(1/K), counts being nearly independent
/// but for their sum. h is centred best as the caller knows: linear parts cancel in exact
/// arithmetic only. Errors: std::invalid_argument for other n or bins.
SkewedNull cell_sum_null(std::uint64_t n, std::size_t bins, const std::function<double(double)>& h,
                         std::uint64_t degrees = std::numeric_limits<std::uint64_t>::max());

/// Sets the two-sided p of a histogram's finding from the tails of its roughness (lower: more
/// uniform than chance); `detail` names the tail when p < 0.01, led by these words, and says that p
/// is approximate below 5 samples a bin. n is that of the finding.
void judge_roughness(Measurement& out, const Tails& tails, std::size_t bins,
                     std::string_view lower = "lower tail: ",
                     std::string_view upper = "upper tail: ");

}  // namespace icb
