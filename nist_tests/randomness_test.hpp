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
  std::string id;  ///< test, parameter, sub-index: "runs", "serial/m=16/delta-1"
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

/// Everything that can be set; the defaults are those of NIST's program. A test throws
/// std::invalid_argument for a value it cannot work with; a value the standard advises against is
/// a flag in the result.
struct TestParameters {
  Constants constants = Constants::exact;
  unsigned block_frequency_block = 128;     ///< M of sec. 2.2, >= 1
  unsigned longest_run_block = 0;           ///< M of sec. 2.4: 8, 128, 10000, or 0: by n
  unsigned rank_rows = 32;                  ///< M of sec. 2.5, 1 to 64
  unsigned rank_columns = 32;               ///< Q of sec. 2.5, 1 to 64
  double dft_divisor = 4;                   ///< of n 0.95 0.05, the variance of N_1 in sec. 2.6
  unsigned non_overlapping_template = 9;    ///< m of sec. 2.7, 2 to 16: all aperiodic templates
  unsigned non_overlapping_blocks = 8;      ///< N of sec. 2.7, >= 1
  unsigned overlapping_template = 9;        ///< m of sec. 2.8, 2 to 16: m ones
  unsigned overlapping_block = 1032;        ///< M of sec. 2.8, >= m
  unsigned universal_block = 0;             ///< L of sec. 2.9, 1 to 16, or 0: by n
  unsigned universal_initial = 0;           ///< Q of sec. 2.9, or 0: 10 2^L
  unsigned linear_complexity_block = 500;   ///< M of sec. 2.10, >= 1
  unsigned serial_block = 16;               ///< m of sec. 2.11, 2 to 24
  unsigned approximate_entropy_block = 10;  ///< m of sec. 2.12, 1 to 24

  bool operator==(const TestParameters&) const = default;
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

  std::string name;     ///< kebab-case: frequency, runs, longest-run, ...
  std::string title;    ///< as the standard calls it
  std::string section;  ///< "2.1"
  /// Of all p-values, in order, for sequences of n bits; the same where the test does not apply.
  std::function<std::vector<std::string>(const TestParameters&, std::uint64_t n)> ids;
  std::function<TestResult(BitView, const TestParameters&)> run;
  /// Bound of the probability that an ideal source gets p = 0, where the standard sets it.
  double zero_probability = 0;
  std::vector<RandomnessVector> vectors = {};
};

using RegisterRandomnessTest = Register<RandomnessEntry>;

}  // namespace icb
