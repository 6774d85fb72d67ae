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
/// cancels: H = log2 K - D/n, D = sum h(c_i), without loss of digits. Mean and sd of D are those of
/// `cell_sum_null` up to degree 2: the mean is exact, what higher degrees add to the variance is
/// less than its 1 / (K-1)^2: 2e-5 for 256 bins, 3e-10 for 65536. For large n this is the usual
/// log2 K - (K-1)/(2 n ln 2) and sqrt((K-1)/2)/(n ln 2).
NullModel entropy_null(std::uint64_t n, std::size_t bins);

}  // namespace icb
