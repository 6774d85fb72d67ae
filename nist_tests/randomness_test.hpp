/// The interface of the randomness tests of NIST SP 800-22 rev. 1a. A test sees a view of bits and
/// returns p-values with ids, its integer statistics, or the reason why it does not apply.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/bits.hpp"
#include "core/registry.hpp"
#include "core/units.hpp"

namespace icb {

/// `exact`: probabilities derived exactly. `nist`: the rounded or outdated constants of NIST's
/// program, for comparison with results obtained by it.
enum class Constants { exact, nist };

struct SubResult {
  std::string id;  ///< e.g. "runs", "random-excursions/x=-4"
  PValue p;
};

/// "Does not apply" is a result with its number in the reason, never p = 0.
struct NotApplicable {
  std::string reason;  ///< e.g. "J = 412 cycles, needs 500"
};

struct TestResult {
  std::variant<std::vector<SubResult>, NotApplicable> outcome;
  /// Named statistics (counts, chi-square, J, ...), in a fixed order, also where not applicable.
  std::vector<std::pair<std::string, double>> statistics;
  /// Conditions the standard recommends and this input does not meet, although the test was run.
  std::vector<std::string> flags;
};

struct TestParameters {
  Constants constants = Constants::exact;
  unsigned linear_complexity_block = 500;   ///< M of sec. 2.10
  unsigned approximate_entropy_block = 10;  ///< m of sec. 2.12
};

/// A worked example of the standard, or one of another stated origin.
struct RandomnessVector {
  std::string source;  ///< e.g. "SP 800-22 rev. 1a, sec. 2.1.8"
  std::string bits;    ///< '0' and '1'
  TestParameters parameters;
  std::vector<std::pair<std::string, double>> p_values;  ///< id, value
  double tolerance;  ///< absolute, from the number of digits printed
};

struct RandomnessEntry {
  static constexpr const char* kind = "randomness test";

  std::string name;              ///< kebab-case: frequency, runs, longest-run, ...
  std::string title;             ///< as the standard calls it
  std::string section;           ///< "2.1"
  std::vector<std::string> ids;  ///< of all p-values, in order
  std::function<TestResult(BitView, const TestParameters&)> run;
  std::vector<RandomnessVector> vectors = {};
};

using RegisterRandomnessTest = Register<RandomnessEntry>;

}  // namespace icb
