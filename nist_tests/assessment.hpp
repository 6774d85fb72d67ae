/// What the p-values of many sequences say together: SP 800-22 rev. 1a, section 4.2, and one
/// verdict per test with its corrections stated. Why it is done so: docs/sp80022.md.
///
///   Assessor assessor(battery, 1000000, Alpha{0.01});
///   assessor.add(results);                              // of every sequence
///   for (const auto& test : assessor.result().tests) report(test.name, test.rejected);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/statistics.hpp"
#include "core/units.hpp"
#include "nist_tests/battery.hpp"

namespace icb {

/// How far from uniform the p-values of an ideal source may be. Those of the standard's tests are
/// approximations (chi-square of small counts, few distinct values, a variance a few per cent off),
/// and enough sequences find that out in any generator. A verdict is about the generator only if
/// it allows for it: its null hypothesis is, F being the distribution function of a p-value,
///
///   F(p) <= tail(p) = max(p, tail_factor p^tail_exponent, zero)   and
///   |F(p) - p| <= distribution.
///
/// `zero` is that of the test: the standard sets p = 0 where the prerequisite of the runs test
/// fails, and one ideal source in 16,000 does. The other defaults hold for the default parameters
/// and 10^6 bits; without tolerance they are 0, 1, 0.
struct Tolerance {
  double tail_factor = 0.28;
  double tail_exponent = 2.0 / 3;
  double distribution = 0.02;
  double zero = 0;

  static constexpr Tolerance none() { return {0, 1, 0, 0}; }

  double tail(double p) const;
};

/// All sequences of one p-value id. Sequences the test does not apply to are counted, never judged.
struct SubTestAssessment {
  /// What sec. 4.2.2 asks of the ten bins, in sequences. The exact KS needs no such number.
  static constexpr std::uint64_t uniformity_from = 55;

  std::string id;
  std::uint64_t sequences = 0;
  std::uint64_t applicable = 0;
  std::uint64_t passed = 0;              ///< p >= alpha
  double smallest = 1;                   ///< p-value
  std::array<std::uint64_t, 10> bins{};  ///< [0, 0.1), ..., [0.9, 1]
  /// Sec. 4.2.1: 1 - alpha -+ 3 sqrt(alpha (1 - alpha) / applicable), cut at 0 and 1.
  double interval_low = 0;
  double interval_high = 1;
  /// As the textbook has them, without tolerance; none where nothing was applicable.
  std::optional<PValue> proportion_p;  ///< exact binomial: P(as few or fewer pass)
  std::optional<PValue> uniformity_p;  ///< ten bins, sec. 4.2.2, real expected counts
  std::optional<PValue> ks_p;          ///< Kolmogorov-Smirnov, two-sided, exact distribution
  double ks_distance = 0;              ///< its statistic, sup |F_n(p) - p|
  /// The sub-test's part in the verdict, with tolerance. Of one sequence tail(its p). Of more,
  /// Simes' combination of three: as many below alpha by Binomial(applicable, tail(alpha)); a
  /// smallest p-value as small, 1 - (1 - tail(smallest))^applicable; and Kolmogorov-Smirnov of
  /// D - distribution.
  std::optional<PValue> combined_p;

  double proportion() const;  ///< 0 where nothing was applicable
  bool in_interval() const;   ///< true where nothing was applicable

  bool enough_for_uniformity() const { return applicable >= uniformity_from; }
};

/// Assesses one id. Throws std::invalid_argument if a p-value is not in [0, 1], if there are more
/// of them than sequences, or alpha is 0 or 1.
SubTestAssessment assess_subtest(std::string id, std::uint64_t sequences,
                                 std::span<const double> p_values, Alpha alpha,
                                 const Tolerance& tolerance = {});

/// Texts that are the same but for their numbers.
struct Remark {
  std::string example;  ///< the first one
  std::uint64_t sequences;
};

struct TestAssessment {
  std::string name;
  std::vector<SubTestAssessment> subtests;
  std::vector<Remark> not_applicable;  ///< reasons
  std::vector<Remark> flags;
  /// Simes' combination of the sub-tests' combined_p; none where no sub-test applied.
  std::optional<PValue> combined_p;
  std::optional<PValue> adjusted_p;  ///< Holm's over the tests of the battery that applied
  bool rejected = false;             ///< adjusted_p < alpha
};

struct Assessment {
  std::uint64_t sequences = 0;
  std::uint64_t sequence_bits = 0;
  Alpha alpha{0.01};
  Tolerance tolerance;
  std::vector<TestAssessment> tests;
  std::uint64_t p_values = 0;            ///< first-level p-values in all
  std::uint64_t below_alpha = 0;         ///< of them
  double below_alpha_expected = 0;       ///< p_values * alpha: false alarms of an ideal source
  std::uint64_t outside_interval = 0;    ///< sub-tests whose proportion is outside its interval
  double outside_interval_expected = 0;  ///< of an ideal source: exact, from the binomial
};

/// Collects p-values, 8 bytes each, and assesses them at the end. With an ideal source within the
/// tolerance, the probability that `rejected` is set anywhere is at most alpha where Simes'
/// inequality holds.
class Assessor {
 public:
  /// Throws std::invalid_argument if alpha is 0 or 1.
  Assessor(const Battery& battery, std::uint64_t sequence_bits, Alpha alpha,
           const Tolerance& tolerance = {});
  /// Throws std::invalid_argument if the results are not those of the battery's tests.
  void add(const SequenceResults& results);
  Assessment result() const;

 private:
  struct Test {
    std::string name;
    double zero_probability;
    std::vector<std::string> ids;
    std::vector<std::vector<double>> p_values;  // of each id
    std::vector<Remark> not_applicable;
    std::vector<Remark> flags;
  };

  std::vector<Test> m_tests;
  std::uint64_t m_sequences = 0;
  std::uint64_t m_sequence_bits;
  Alpha m_alpha;
  Tolerance m_tolerance;
};

/// Probability that a proportion of `applicable` sequences is outside its interval of sec. 4.2.1,
/// each passing with 1 - alpha.
double outside_interval_probability(std::uint64_t applicable, Alpha alpha);

}  // namespace icb
