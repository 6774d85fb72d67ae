/// Shannon entropy of a histogram and its exact null model.
#pragma once

#include <cstddef>
#include <cstdint>

#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// H = -sum p_i log2 p_i in bits, in [0, log2(bins)]. Errors: std::invalid_argument if empty.
double shannon_entropy(const Histogram& counts);

/// Mean and standard deviation of H of n >= 1 i.i.d. uniform samples over K = bins >= 2 values.
///
/// Let m = n/K and h(c) = (c ln(c/m) - c + m) / ln 2. As the counts add up to n, the linear part
/// cancels: H = log2 K - D/n, D = sum h(c_i), without loss of digits. Each count is binomial(n,
/// 1/K):
///   E D = K E h, a sum over the binomial law: exact.
/// Two counts are sums of n i.i.d. pairs of indicators with correlation -1/(K-1), so in Krawtchouk
/// polynomials (orthonormal under the binomial law, h = sum b_j P_j) they are correlated degree by
/// degree with (-1/(K-1))^j (Eagleson, Ann. Math. Stat. 35, 1964):
///   Var D = K sum_{j>=2} b_j^2 (1 + (-1)^j / (K-1)^(j-1)).
/// b_1, b_2 and sum b_j^2 = Var h are sums over the binomial law; what j >= 3 adds beside the 1 is
/// left out, which is less than Var D / (K-1)^2: 2e-5 for 256 bins, 3e-10 for 65536. For large n
/// this is the usual log2 K - (K-1)/(2 n ln 2) and sqrt((K-1)/2)/(n ln 2).
NullModel entropy_null(std::uint64_t n, std::size_t bins);

}  // namespace icb
