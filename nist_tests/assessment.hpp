/// What the p-values of many sequences say together: SP 800-22 rev. 1a, section 4.2, and one
/// verdict per test with its corrections stated.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "nist_tests/battery.hpp"

namespace icb {

/// All sequences of one p-value id. Not applicable ones are counted, never judged.
struct SubTestAssessment {
  std::string id;
  std::uint64_t sequences = 0;
  std::uint64_t applicable = 0;
  std::uint64_t passed = 0;              ///< p >= alpha
  double smallest = 1;                   ///< p-value
  std::array<std::uint64_t, 10> bins{};  ///< [0, 0.1), ..., [0.9, 1]
  /// Sec. 4.2.1: 1 - alpha -+ 3 sqrt(alpha (1 - alpha) / applicable), cut at 0 and 1.
  double interval_low = 0;
  double interval_high = 1;
  /// Of the numbers below, none where nothing was applicable.
  std::optional<PValue> proportion_p;  ///< exact binomial: P(as few or fewer pass)
  std::optional<PValue> uniformity_p;  ///< ten bins, sec. 4.2.2, real expected counts
  std::optional<PValue> ks_p;          ///< Kolmogorov-Smirnov, two-sided, exact distribution

  double proportion() const;
  bool in_interval() const;

  /// 55 sequences are what sec. 4.2.2 asks of the ten bins. The exact KS needs no such number.
  bool enough_for_uniformity() const { return applicable >= 55; }
};

struct TestAssessment {
  std::string name;
  std::vector<SubTestAssessment> subtests;
  std::map<std::string, std::uint64_t> not_applicable;  ///< reason, sequences
  std::map<std::string, std::uint64_t> flags;           ///< flag, sequences
  /// Simes' combination of proportion_p and ks_p (one sequence: of its p-values) of all sub-tests;
  /// none where no sub-test applied.
  std::optional<PValue> combined_p;
  std::optional<PValue> adjusted_p;  ///< Holm's over the tests of the battery
  bool rejected = false;             ///< adjusted_p < alpha
};

struct Assessment {
  std::uint64_t sequences = 0;
  std::uint64_t sequence_bits = 0;
  Alpha alpha{0.01};
  std::vector<TestAssessment> tests;
  std::uint64_t p_values = 0;            ///< first-level p-values in all
  std::uint64_t below_alpha = 0;         ///< of them
  double below_alpha_expected = 0;       ///< p_values * alpha: false alarms of an ideal source
  std::uint64_t outside_interval = 0;    ///< sub-tests whose proportion is outside its interval
  double outside_interval_expected = 0;  ///< of an ideal source: exact, from the binomial
};

/// Collects p-values, 8 bytes each, and assesses them at the end.
class Assessor {
 public:
  Assessor(const Battery& battery, std::uint64_t sequence_bits, Alpha alpha);
  /// Throws std::invalid_argument if the results are not those of the battery's tests.
  void add(const SequenceResults& results);
  Assessment result() const;

 private:
  struct Test;
  // ...
};

/// Simes 1986: min over i of m p_(i) / i. Throws std::invalid_argument if empty.
PValue simes(std::span<const PValue> p_values);
/// Holm 1979, step-down adjusted p-values in the order given.
std::vector<PValue> holm(std::span<const PValue> p_values);

}  // namespace icb
