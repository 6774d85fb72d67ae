/// The verdict on one image, or one pair or triple of them: which measurements an ideal cipher
/// would hardly give, all of them considered together.
///
/// A *test* is a (family, channel, nonce policy). Its members are the measurements of that family,
/// channel and policy that have a p-value: nearly one statistic, said several times. Their p-values
/// become one by Simes, so that saying the same thing thrice costs nothing; the p-values of the
/// tests are then corrected by Holm, which holds under every dependence ("all" repeats the
/// channels). If the p-values are right, an ideal image is rejected with probability at most alpha,
/// and with 1e-6 for each p-value where that is more; how much less depends on how dependent the
/// tests are.
///
/// Measurements that do not decide (what a cipher does under a repeated nonce) are judged in the
/// same way, among themselves, and change nothing else.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/measurement.hpp"
#include "core/units.hpp"

namespace icb {

/// A raw p-value below this is rejected whatever alpha is and however many tests there are. Among
/// 10,000 p-values of ideal images there is one by chance with probability 1 %.
inline constexpr double extreme_p = 1e-6;

/// A measurement and what became of it.
struct JudgedMeasurement {
  Measurement measurement;  ///< status `reject` if it is rejected
  std::string family;
  /// The larger of its own p-value and the corrected one of its test; absent without a p-value.
  std::optional<double> p_corrected;
  bool extreme = false;  ///< its own p-value is below `extreme_p`; `detail` says so
  bool decides = true;   ///< takes part in the verdict
};

/// All but `rows` and `aside_rejected` are of the measurements that decide.
struct Verdict {
  std::vector<JudgedMeasurement> rows;  ///< in the order given
  std::size_t aside_rejected = 0;       ///< measurements rejected that do not decide
  std::size_t tests = 0;                ///< that could be made
  std::size_t tests_rejected = 0;
  std::size_t rows_rejected = 0;
  /// The smallest corrected p-value of a test: "is this image ideal?" answered by one number.
  /// Absent if no measurement has a p-value.
  std::optional<PValue> p;
  bool rejected = false;  ///< any test
};

/// Family of the metric of that name; any other quantity is a family of its own.
std::string family_of(const Measurement& measurement);

bool always(const Measurement& measurement);

/// Judges the measurements of one image. Those with status `error` or `not_applicable` pass
/// through. Errors: std::invalid_argument if a p-value is outside [0, 1].
Verdict judge(std::vector<Measurement> measurements, Alpha alpha,
              const std::function<std::string(const Measurement&)>& family = family_of,
              const std::function<bool(const Measurement&)>& decides = always);

}  // namespace icb
