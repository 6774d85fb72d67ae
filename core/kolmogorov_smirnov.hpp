/// The two-sided one-sample Kolmogorov-Smirnov test, with the exact distribution of its statistic.
#pragma once

#include <cstdint>
#include <span>

#include "core/units.hpp"

namespace icb {

/// D_n = sup |F_n(x) - x|, F_n the empirical distribution function of values in [0, 1].
/// Throws std::invalid_argument if there are none, or one is outside.
///
///   kolmogorov_smirnov_statistic(std::array{0.5}) == 0.5
double kolmogorov_smirnov_statistic(std::span<const double> values);

/// P(D_n >= d) for n >= 1 independent values uniform on [0, 1].
///
/// - d >= 1/2 or n d^2 >= 4: twice the exact one-sided sum of Smirnov (all terms positive, so small
///   tails keep their digits). What that counts twice, a path beyond both limits, is nothing for
///   d >= 1/2 and else below exp(-6 n d^2), 4e-11, of it.
/// - n <= 4000 below that: exact, by the recursion of Pomeranz (CACM 1974) on n Poisson counts. The
///   complement is taken of a number of about 1e-12 error.
/// - n > 4000 below that: the expansion of Pelz & Good (J. Roy. Statist. Soc. B, 1976) to n^(-3/2).
///
/// Relative error: below 2e-9 for n <= 4000, below 1e-7 above (1e-9 again for n d^2 >= 4). Which
/// method where follows Simard & L'Ecuyer (J. Stat. Softw. 39(11), 2011). Checked against rational
/// arithmetic in scripts/constants/kolmogorov_smirnov.py.
/// Throws std::invalid_argument for n = 0 or d that is not a number.
///
///   kolmogorov_smirnov_p(0.5, 1).value() == 1
PValue kolmogorov_smirnov_p(double d, std::uint64_t n);

}  // namespace icb
