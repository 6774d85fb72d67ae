/// Distance of the histograms of plain and cipher image: what maximum_deviation and
/// encryption_quality have in common.
#pragma once

#include <string>
#include <string_view>

#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// sum_i |a_i - b_i|, with the first and last bin at `ends` times their weight (1/2 or 1).
/// Errors: std::invalid_argument if the histograms differ in size.
double histogram_distance(const Histogram& a, const Histogram& b, double ends);

/// Mean and sd of histogram_distance(plain, c, ends), c the counts of n = total(plain) i.i.d.
/// uniform samples over K bins: sum f_i(c_i), f_i(c) = w_i |c - h_i|.
///
/// Each c_i is binomial(n, 1/K), so E f_i is a sum over that law: exact. Two counts are sums of n
/// i.i.d. pairs of indicators with correlation -1/(K - 1), so in Krawtchouk polynomials
/// (orthonormal under the binomial law, f_i = sum_j b_ij P_j) they are correlated degree by degree
/// with its powers (Eagleson, Ann. Math. Stat. 35, 1964):
///   Var = sum_i Var f_i + sum_{j>=1} (-1/(K-1))^j ((sum_i b_ij)^2 - sum_i b_ij^2).
/// Degrees 1 and 2 are summed; each degree j >= 3 left out is less than K/(K-1)^j of its own share
/// of sum Var f_i: 2e-5 of the variance for 256 bins.
///
/// With side = +1 if h > m = n/K, else -1, and r = max(0, side (c - h)),
/// |c - h| = side (h - c) + 2 r: the linear part is exact and r is 0 but near h = m.
/// Errors: std::invalid_argument if the histogram is empty.
NullModel histogram_distance_null(const Histogram& plain, double ends);

/// Finding with that null model, value and null multiplied by `factor`; p two-sided, normal.
Measurement histogram_distance_finding(std::string_view quantity, const std::string& channel,
                                       const Histogram& plain, const Histogram& cipher, double ends,
                                       double factor);

/// From this many samples a bin on, a normal p-value of a sum of distances of counts is within a
/// tenth at p = 0.001, unless hardly any bin matters.
inline constexpr std::uint64_t normal_from_per_bin = 50;

}  // namespace icb
