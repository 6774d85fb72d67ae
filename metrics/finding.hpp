/// What metrics share: the finding half of a measurement, its null model, two-sided p-values, and
/// the order "per channel, then all".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/image.hpp"
#include "core/measurement.hpp"
#include "core/units.hpp"

namespace icb {

/// Mean and standard deviation of a quantity over ideal cipher images of the size at hand.
struct NullModel {
  double mean = 0;
  double sd = 0;  ///< 0: the quantity cannot vary at this size, so z and p do not exist.
};

/// The same, with the law's third moment.
struct SkewedNull {
  NullModel moments;
  double skewness = 0;
};

/// null(n, k), computed once per process and function: images come in few sizes, and such sums may
/// take longer than the count they judge. Null is NullModel or SkewedNull. Any thread.
template <class Null>
Null remembered(Null (*null)(std::uint64_t n, std::size_t k), std::uint64_t n, std::size_t k);

/// Name of a channel in measurements; "all" for no channel, the samples of all channels pooled.
std::string scope_name(const Shape& shape, std::optional<std::size_t> channel);

/// Every channel, then "all" (std::nullopt) if there is more than one.
std::vector<std::optional<std::size_t>> scopes(const Shape& shape);

/// One measurement per scope, in that order; `measure` gets the scope and its name.
std::vector<Measurement> each_scope(
    const Shape& shape,
    const std::function<Measurement(std::optional<std::size_t> scope, const std::string& channel)>&
        measure);

/// Value with its null model and z = (value - mean) / sd; status ok; p_value left to the caller.
Measurement finding(std::string_view quantity, std::string channel, std::string_view unit,
                    std::uint64_t n, double value, const NullModel& null);

/// Fewer terms than this make the normal p of a mean rough.
inline constexpr std::uint64_t normal_from_terms = 50;

/// Finding whose value is the mean of n independent bounded terms; p two-sided, normal. Below 50
/// terms `detail` says that p is rough.
Measurement finding_of_mean(std::string_view quantity, std::string channel, std::string_view unit,
                            std::uint64_t n, double value, const NullModel& null);

/// A quantity that does not exist here, with the reason in `detail`.
Measurement no_finding(std::string_view quantity, std::string channel, std::string_view unit,
                       std::uint64_t n, std::string reason);

/// Adds to `detail`, separated by "; ".
void add_detail(Measurement& measurement, std::string_view text);

/// P(X <= x) and P(X > x), X gamma-distributed with that mean and standard deviation (both > 0),
/// x >= 0. Chi-square with k degrees of freedom has mean k and sd sqrt(2 k).
struct Tails {
  double lower = 0;
  double upper = 0;

  /// 2 min(lower, upper), at most 1.
  PValue two_sided() const;
};

Tails gamma_tails(double x, double mean, double sd);

/// Tails of Pearson's type III law: a gamma law moved and, if need be, mirrored so that it has this
/// mean, sd (> 0) and skewness; a normal one if that is below 1e-4. For sums with nearly that law,
/// whose first three moments are known.
Tails skewed_tails(double x, const SkewedNull& null);

}  // namespace icb
