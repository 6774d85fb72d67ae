/// Irregular deviation: how uneven the distances of plain and cipher samples are.
#pragma once

#include <optional>

#include "core/image.hpp"
#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// Histogram of |a - b| over the samples of one channel, or of all. The shapes must be the same.
Histogram absolute_distances(ConstImage a, ConstImage b, std::optional<std::size_t> channel);

/// sum_d |h_d - N/K| over the K bins of a histogram of N samples; an exact integer over K.
double irregular_deviation(const Histogram& distances);

/// Its null model for given plain samples and cipher samples i.i.d. uniform on 0..F, F = K - 1.
struct IrregularNull {
  NullModel null;
  /// How many bins, in effect, the variance beyond the linear parts comes from; K if that is less
  /// than a tenth of the variance.
  double bins = 0;
};

/// Of a sample p, |p - U| = d has probability q_d(p) = ([p >= d] + [p + d <= F, d > 0]) / K. So h_d
/// is the sum of two independent binomial counts, with 1/K over the samples that reach d on one
/// side, with 2/K over those that do on both, and E |h_d - m|, m = N/K, is a double sum over the
/// two laws: exact. As sum h_d = N and counts of different bins have covariance
///   -sum_p q_d(p) q_e(p),   exact,
/// write |h_d - m| = E + B_d (h_d - E h_d) + rest, B_d the regression coefficient. The linear parts
/// have the exact variance
///   sum_p (sum_d B_d^2 q_d - (sum_d B_d q_d)^2)
/// (sums over d in constant time a p, by running sums); the rests have their exact variances, and
/// covariances of second order in the correlations of bins, which are left out: less than the
/// largest correlation, about 2/K, of the variance: 0.4 % of the sd for 8 bit at most.
/// Errors: std::invalid_argument if the histogram is empty.
IrregularNull irregular_deviation_null(const Histogram& plain);

}  // namespace icb
