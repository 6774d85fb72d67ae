/// Mean absolute error of plain and cipher image under the null model.
#pragma once

#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// Mean and sd of (1/N) sum |p_i - U_i|, the plain samples p_i given by their histogram, U_i i.i.d.
/// uniform on 0..F. Exact: with L = F + 1,
///   E |p - U| = (p (p + 1) + (F - p)(F - p + 1)) / (2 L),
///   E (p - U)^2 = (p - F/2)^2 + (L^2 - 1)/12.
/// Errors: std::invalid_argument if the histogram is empty.
NullModel mae_null(const Histogram& plain);

}  // namespace icb
