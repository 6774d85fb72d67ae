/// Chi-square of a histogram against the uniform law.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/units.hpp"
#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// X = sum (c_i - N/K)^2 / (N/K) = (K sum c_i^2 - N^2) / N over K bins; the numerator is an exact
/// integer. 0 if every bin holds the same. Errors: std::invalid_argument if empty, or for more than
/// 2^32 samples.
double chi_square(const Histogram& counts);

/// Upper tail of chi-square with bins - 1 degrees of freedom: the usual one-sided p-value, small
/// for a histogram rougher than chance.
PValue chi_square_upper(double value, std::size_t bins);

/// Both tails. The lower one is small for a histogram more uniform than chance.
Tails chi_square_tails(double value, std::size_t bins);

/// Mean K - 1 and sd sqrt(2 (K - 1)(1 - 1/n)) of X for n >= 1 i.i.d. uniform samples; both exact.
///
/// sum c_i^2 = n + 2 M with M the number of pairs of samples that agree. A pair agrees with
/// probability 1/K, and two pairs do so independently even if they share a sample (uniformity!), so
/// E M = n(n-1)/(2K), Var M = (n(n-1)/2)(1/K)(1 - 1/K), and X = K - n + 2 K M / n.
NullModel chi_square_null(std::uint64_t n, std::size_t bins);

}  // namespace icb
