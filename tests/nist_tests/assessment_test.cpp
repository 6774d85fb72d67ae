#include "nist_tests/assessment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "core/kolmogorov_smirnov.hpp"
#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

constexpr std::uint64_t length = 1000000;

double uniform(std::mt19937_64& engine) { return static_cast<double>(engine() >> 11) * 0x1p-53; }

double normal(std::mt19937_64& engine) {  // Box & Muller
  return std::sqrt(-2 * std::log(1 - uniform(engine))) *
         std::cos(2 * std::numbers::pi * uniform(engine));
}

/// A stand-in for running the tests: p(id) for every id of every test.
template <class P>
SequenceResults results_of(const Battery& battery, P p) {
  SequenceResults out;
  for (const auto* test : battery.tests()) {
    std::vector<SubResult> subs;
    for (const auto& id : test->ids(battery.parameters(), length)) {
      subs.push_back({id, PValue{p(id)}});
    }
    out.push_back({subs, {}, {}});
  }
  return out;
}

const TestAssessment& test_of(const Assessment& assessment, const std::string& name) {
  return *std::ranges::find(assessment.tests, name, &TestAssessment::name);
}

// --- One sub-test

TEST(SubTest, CountsAndTextbookNumbers) {
  std::vector<double> p;
  for (int i = 0; i < 100; ++i) p.push_back((i + 0.5) / 100);
  p[50] = 0.01;  // alpha itself passes
  p[51] = 1;     // in the last bin
  const auto sub = assess_subtest("id", 120, p, Alpha{0.01});
  EXPECT_EQ(sub.sequences, 120U);
  EXPECT_EQ(sub.applicable, 100U);
  EXPECT_EQ(sub.passed, 99U);
  EXPECT_EQ(sub.smallest, 0.005);
  EXPECT_EQ(sub.bins, (std::array<std::uint64_t, 10>{11, 10, 10, 10, 10, 8, 10, 10, 10, 11}));
  EXPECT_DOUBLE_EQ(sub.proportion(), 0.99);
  EXPECT_NEAR(sub.interval_low, 0.96015037593984963, 1e-9);  // 0.99 - 3 sqrt(0.0099 / 100)
  EXPECT_EQ(sub.interval_high, 1);
  EXPECT_TRUE(sub.in_interval());
  EXPECT_TRUE(sub.enough_for_uniformity());
  EXPECT_NEAR(sub.proportion_p.value().value(), 1 - std::pow(0.99, 100), 1e-12);
  EXPECT_EQ(sub.uniformity_p, chi_square_upper_p((1 + 4 + 1) / 10.0, 9));
  EXPECT_EQ(sub.ks_p, kolmogorov_smirnov_p(kolmogorov_smirnov_statistic(p), 100));
}

TEST(SubTest, ProportionOutsideItsInterval) {
  std::vector<double> p(100, 0.5);
  std::fill_n(p.begin(), 3, 0.001);
  EXPECT_TRUE(assess_subtest("id", 100, p, Alpha{0.01}).in_interval());
  p[3] = 0.001;  // 0.96 < 0.96015
  const auto sub = assess_subtest("id", 100, p, Alpha{0.01});
  EXPECT_FALSE(sub.in_interval());
  EXPECT_NEAR(sub.proportion_p.value().value(), binomial_lower_p(96, 100, 0.99).value(), 1e-15);
}

TEST(SubTest, NothingApplicableIsNotJudged) {
  const auto sub = assess_subtest("id", 7, {}, Alpha{0.01});
  EXPECT_EQ(sub.sequences, 7U);
  EXPECT_EQ(sub.applicable, 0U);
  EXPECT_TRUE(sub.in_interval());
  for (const auto& p : {sub.proportion_p, sub.uniformity_p, sub.ks_p, sub.combined_p}) {
    EXPECT_FALSE(p.has_value());
  }
}

TEST(SubTest, OneSequenceIsItsPValue) {
  for (const double p : {0.0, 1e-300, 1e-5, 0.3, 1.0}) {
    const std::vector<double> one{p};
    EXPECT_DOUBLE_EQ(
        assess_subtest("id", 1, one, Alpha{0.01}, Tolerance::none()).combined_p->value(), p);
    EXPECT_DOUBLE_EQ(assess_subtest("id", 1, one, Alpha{0.01}).combined_p->value(),
                     Tolerance{}.tail(p));
  }
}

TEST(SubTest, EachOfTheThreeChecksCounts) {
  const auto combined = [](const std::vector<double>& p) {
    return assess_subtest("id", p.size(), p, Alpha{0.01}).combined_p->value();
  };
  std::vector<double> even;
  for (int i = 0; i < 100; ++i) even.push_back((i + 0.5) / 100);
  EXPECT_GT(combined(even), 0.5);
  auto p = even;
  p[0] = 1e-30;  // one sequence as no ideal source makes it
  EXPECT_LT(combined(p), 1e-15);
  p = even;
  for (std::size_t i = 0; i < 8; ++i) p[i] = 0.009;  // eight of a hundred below alpha, none small
  const double expected = binomial_lower_p(92, 100, 1 - Tolerance{}.tail(0.01)).value();
  EXPECT_DOUBLE_EQ(combined(p), 3 * expected);
  EXPECT_DOUBLE_EQ(combined(std::vector<double>(100, 0.5)),  // D = 1/2
                   3 * kolmogorov_smirnov_p(0.48, 100).value());
}

TEST(SubTest, FewSequencesAreJudgedToo) {
  const std::vector<double> low(10, 0.02);  // all pass at 0.01, and no ideal source does that
  const auto sub = assess_subtest("id", 10, low, Alpha{0.01});
  EXPECT_EQ(sub.passed, 10U);
  EXPECT_FALSE(sub.enough_for_uniformity());
  EXPECT_LT(sub.combined_p->value(), 1e-10);
}

TEST(SubTest, Refuses) {
  const std::vector<double> p{0.5, 0.5};
  EXPECT_THROW(assess_subtest("id", 1, p, Alpha{0.01}), std::invalid_argument);
  EXPECT_THROW(assess_subtest("id", 2, p, Alpha{0}), std::invalid_argument);
  EXPECT_THROW(assess_subtest("id", 2, p, Alpha{1}), std::invalid_argument);
  EXPECT_THROW(assess_subtest("id", 2, std::vector{0.5, 1.5}, Alpha{0.01}), std::invalid_argument);
}

TEST(ToleranceTest, TailIsAContinuousBound) {
  const Tolerance tolerance;
  EXPECT_NEAR(tolerance.tail(0.01), 0.013, 5e-5);
  EXPECT_EQ(tolerance.tail(0.5), 0.5);
  EXPECT_EQ(tolerance.tail(0), 0);
  EXPECT_EQ(tolerance.tail(1), 1);
  double previous = 0;
  for (double p = 1e-12; p < 1; p *= 1.1) {
    EXPECT_GE(tolerance.tail(p), p);
    EXPECT_GE(tolerance.tail(p), previous);
    EXPECT_EQ(Tolerance::none().tail(p), p);
    previous = tolerance.tail(p);
  }
}

/// P(chi-square of six independent Poisson counts >= x), means as given, on a grid of 0.05.
double poisson_tail(const std::vector<double>& means, double x) {
  const auto cells = static_cast<std::size_t>(x / 0.05);
  std::vector<double> below(cells, 0);  // the distribution of the sum, below x
  below[0] = 1;
  for (const double mean : means) {
    std::vector<double> next(cells, 0);
    for (int count = 0; count < 4000; ++count) {
      const double part = (count - mean) * (count - mean) / mean;
      const auto shift = static_cast<std::size_t>(part / 0.05 + 0.5);
      if (shift >= cells) continue;
      const double share = std::exp(-mean + count * std::log(mean) - std::lgamma(count + 1.0));
      for (std::size_t i = shift; i < cells; ++i) next[i] += share * below[i - shift];
    }
    below = std::move(next);
  }
  return 1 - std::accumulate(below.begin(), below.end(), 0.0);
}

// The two tests with the smallest expected counts: excursions of x = 4, and longest run in 100
// blocks. The counts as independent, with one degree of freedom more.
TEST(ToleranceTest, CoversTheChiSquaresOfSmallCounts) {
  const double e = 7.0 / 8;
  const double pi[] = {e, 1.0 / 64, e / 64, e * e / 64, e * e * e / 64, std::pow(e, 4) / 8};
  const auto excursions_tail = [&](double x) {  // over J >= 500 at 10^6 bits: |normal|
    double sum = 0;
    double weights = 0;
    for (int cycles = 525; cycles < 3000; cycles += 50) {
      std::vector<double> means;
      for (const double share : pi) means.push_back(cycles * share);
      const double weight = std::exp(-0.5e-6 * cycles * cycles);
      sum += weight * poisson_tail(means, x);
      weights += weight;
    }
    return sum / weights;
  };
  const std::vector<double> longest{8.66, 20.82, 24.84, 19.39, 12.17, 6.80, 7.31};
  for (const double x : {20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0}) {
    EXPECT_LE(excursions_tail(x), Tolerance{}.tail(chi_square_upper_p(x, 6).value())) << x;
    EXPECT_LE(poisson_tail(longest, x), Tolerance{}.tail(chi_square_upper_p(x, 7).value())) << x;
  }
  // And it is needed.
  EXPECT_GT(excursions_tail(40), 5 * chi_square_upper_p(40, 6).value());
  EXPECT_GT(poisson_tail(longest, 40), 5 * chi_square_upper_p(40, 7).value());
}

// --- Outside the interval

TEST(OutsideInterval, IsTheBinomialSum) {
  for (const double alpha : {0.01, 0.001, 0.05, 0.3}) {
    for (std::uint64_t n = 1; n <= 200; ++n) {
      const double half = proportion_half_width(Alpha{alpha}, n);
      double expected = 0;
      for (std::uint64_t k = 0; k <= n; ++k) {
        const double share = static_cast<double>(k) / static_cast<double>(n);
        if (share >= 1 - alpha - half && share <= 1 - alpha + half) continue;
        const auto size = static_cast<double>(n);
        const auto at = static_cast<double>(k);
        expected +=
            std::exp(std::lgamma(size + 1) - std::lgamma(at + 1) - std::lgamma(size - at + 1) +
                     at * std::log1p(-alpha) + (size - at) * std::log(alpha));
      }
      EXPECT_NEAR(outside_interval_probability(n, Alpha{alpha}), expected, 1e-11)
          << alpha << ", " << n;
    }
  }
  EXPECT_EQ(outside_interval_probability(0, Alpha{0.01}), 0);
}

// --- The assessment

TEST(Assessor, CountsEverything) {
  const Battery battery({"runs", "random-excursions", "frequency"}, {});
  Assessor assessor(battery, length, Alpha{0.01});
  for (int s = 0; s < 60; ++s) {
    auto results = results_of(battery, [&](const std::string&) { return (s + 0.5) / 60; });
    if (s % 3 == 0) {
      results[1].outcome = NotApplicable{fmt::format("J = {} cycles, needs 500", 400 + s)};
    }
    if (s == 4) results[1].outcome = NotApplicable{"something else"};
    if (s % 2 == 0) results[2].flags = {fmt::format("{} of 60", s), "short"};
    assessor.add(results);
  }
  const auto result = assessor.result();
  EXPECT_EQ(result.sequences, 60U);
  EXPECT_EQ(result.sequence_bits, length);
  ASSERT_EQ(result.tests.size(), 3U);
  EXPECT_EQ(result.tests[0].name, "runs");  // the battery's order
  const auto& excursions = result.tests[1];
  ASSERT_EQ(excursions.not_applicable.size(), 2U);
  EXPECT_EQ(excursions.not_applicable[0].example, "J = 400 cycles, needs 500");
  EXPECT_EQ(excursions.not_applicable[0].sequences, 20U);
  EXPECT_EQ(excursions.not_applicable[1].sequences, 1U);
  ASSERT_EQ(excursions.subtests.size(), 8U);
  EXPECT_EQ(excursions.subtests[7].applicable, 39U);
  EXPECT_EQ(excursions.subtests[7].sequences, 60U);
  ASSERT_EQ(result.tests[2].flags.size(), 2U);
  EXPECT_EQ(result.tests[2].flags[0].example, "0 of 60");
  EXPECT_EQ(result.tests[2].flags[0].sequences, 30U);
  EXPECT_EQ(result.p_values, 2 * 60 + 8 * 39U);
  EXPECT_EQ(result.below_alpha, 2U);  // s = 0: 1/120, in runs and frequency
  EXPECT_DOUBLE_EQ(result.below_alpha_expected, 4.32);
  EXPECT_EQ(result.outside_interval, 0U);
  EXPECT_DOUBLE_EQ(result.outside_interval_expected,
                   2 * outside_interval_probability(60, Alpha{0.01}) +
                       8 * outside_interval_probability(39, Alpha{0.01}));
  for (const auto& test : result.tests) EXPECT_FALSE(test.rejected);
}

TEST(Assessor, CombinesBySimesAndHolm) {
  const Battery battery({"runs", "random-excursions", "frequency"}, {});
  Assessor assessor(battery, length, Alpha{0.01}, Tolerance::none());
  std::map<std::string, double> given{{"runs", 0.004}, {"frequency", 0.5}};
  double next = 0.00001;
  for (const auto& id : find<RandomnessEntry>("random-excursions").ids({}, length)) {
    given[id] = next;
    next += 0.1;
  }
  assessor.add(results_of(battery, [&](const std::string& id) { return given.at(id); }));
  const auto result = assessor.result();
  EXPECT_DOUBLE_EQ(test_of(result, "random-excursions").combined_p->value(), 0.00008);
  EXPECT_DOUBLE_EQ(test_of(result, "random-excursions").adjusted_p->value(), 0.00024);
  EXPECT_TRUE(test_of(result, "random-excursions").rejected);
  EXPECT_DOUBLE_EQ(test_of(result, "runs").combined_p->value(), 0.004);
  EXPECT_DOUBLE_EQ(test_of(result, "runs").adjusted_p->value(), 0.008);  // of the two left
  EXPECT_TRUE(test_of(result, "runs").rejected);
  EXPECT_DOUBLE_EQ(test_of(result, "frequency").adjusted_p->value(), 0.5);
  EXPECT_FALSE(test_of(result, "frequency").rejected);
}

TEST(Assessor, ATestThatNeverAppliedTakesNoPartInHolm) {
  const Battery battery({"runs", "spectral"}, {});
  Assessor assessor(battery, length, Alpha{0.01}, Tolerance::none());
  auto results = results_of(battery, [](const std::string&) { return 0.009; });
  results[1].outcome = NotApplicable{"n = 3 bits, needs 100"};
  assessor.add(results);
  const auto result = assessor.result();
  EXPECT_FALSE(result.tests[1].combined_p.has_value());
  EXPECT_FALSE(result.tests[1].adjusted_p.has_value());
  EXPECT_FALSE(result.tests[1].rejected);
  EXPECT_DOUBLE_EQ(result.tests[0].adjusted_p->value(), 0.009);
  EXPECT_TRUE(result.tests[0].rejected);
}

TEST(Assessor, NothingAdded) {
  const auto result = Assessor(Battery({}, {}), length, Alpha{0.01}).result();
  EXPECT_EQ(result.sequences, 0U);
  EXPECT_EQ(result.p_values, 0U);
  for (const auto& test : result.tests) EXPECT_FALSE(test.combined_p.has_value());
}

TEST(Assessor, RefusesOtherResults) {
  const Battery battery({"runs", "frequency"}, {});
  const Battery other({"frequency", "runs"}, {});
  Assessor assessor(battery, length, Alpha{0.01});
  const auto p = [](const std::string&) { return 0.5; };
  EXPECT_THROW(assessor.add(results_of(other, p)), std::invalid_argument);
  EXPECT_THROW(assessor.add(results_of(Battery({"runs"}, {}), p)), std::invalid_argument);
  EXPECT_THROW(Assessor(battery, length, Alpha{0}), std::invalid_argument);
  EXPECT_EQ(assessor.result().sequences, 0U);
  EXPECT_EQ(assessor.result().p_values, 0U);
}

// An ideal source fails the prerequisite of the runs test once in 16,000 sequences and gets p = 0.
TEST(Assessor, AZeroThatTheStandardSetsIsNoProof) {
  const Battery battery({"frequency", "runs"}, {});
  for (const std::string zero : {"runs", "frequency"}) {
    Assessor assessor(battery, length, Alpha{0.01}, Tolerance::none());
    for (int s = 0; s < 1000; ++s) {
      assessor.add(results_of(battery, [&](const std::string& id) {
        return s == 0 && id == zero ? 0 : (s + 0.5) / 1000;
      }));
    }
    const auto result = assessor.result();
    EXPECT_FALSE(test_of(result, "runs").rejected);
    EXPECT_EQ(test_of(result, "frequency").rejected, zero == "frequency");
  }
}

TEST(Assessor, ABadGeneratorIsRejectedByTheTestsThatSeeIt) {
  const Battery battery({"frequency", "binary-matrix-rank", "longest-run"}, {});
  Assessor assessor(battery, 40000, Alpha{0.01});
  std::mt19937_64 engine(seed());
  for (int s = 0; s < 20; ++s) {
    const auto bits = pack(random_bits(engine, 40000, 131));  // P(1) = 0.512
    assessor.add(battery.run(bits.view()));
  }
  const auto result = assessor.result();
  EXPECT_TRUE(test_of(result, "frequency").rejected);
  EXPECT_FALSE(test_of(result, "binary-matrix-rank").rejected);
  EXPECT_GT(result.below_alpha, 10U);
}

// --- Under the null hypothesis

struct Null {
  std::size_t sequences;
  int trials;
  double correlation;  // of the normal scores behind the p-values of one test
};

class FamilyWiseError : public ::testing::TestWithParam<Null> {};

// Stand-in for an ideal source: p-values exactly uniform, or at the edge of the tolerated tail.
TEST_P(FamilyWiseError, IsAtMostAlpha) {
  const Null plan = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed()));
  std::mt19937_64 engine(seed());
  const Battery battery({}, {});
  const Alpha alpha{0.05};
  for (const bool edge : {false, true}) {
    std::uint64_t rejected = 0;
    for (int trial = 0; trial < plan.trials; ++trial) {
      Assessor assessor(battery, length, alpha, edge ? Tolerance{} : Tolerance::none());
      for (std::size_t s = 0; s < plan.sequences; ++s) {
        double common = 0;
        std::string of;
        assessor.add(results_of(battery, [&](const std::string& id) {
          if (const auto test = id.substr(0, id.find('/')); of != test) {
            of = test;
            common = normal(engine);
          }
          const double z = std::sqrt(plan.correlation) * common +
                           std::sqrt(1 - plan.correlation) * normal(engine);
          const double p = std::erfc(z / std::sqrt(2)) / 2;
          return edge && p < 0.021952 ? std::pow(p / 0.28, 1.5) : p;  // the inverse of tail
        }));
      }
      const auto result = assessor.result();
      rejected += std::ranges::any_of(result.tests, &TestAssessment::rejected) ? 1U : 0U;
    }
    EXPECT_GT(binomial_upper_p(rejected, static_cast<std::uint64_t>(plan.trials), 0.05).value(),
              1e-4)
        << rejected << " of " << plan.trials << (edge ? ", edge" : ", uniform");
  }
}

INSTANTIATE_TEST_SUITE_P(Null, FamilyWiseError,
                         ::testing::Values(Null{1, 2000, 0}, Null{1, 2000, 0.8}, Null{10, 800, 0},
                                           Null{10, 800, 0.8}, Null{55, 200, 0.3},
                                           Null{100, 120, 0}, Null{1000, 12, 0}),
                         [](const auto& plan) {
                           return fmt::format("of_{}_correlation_{}", plan.param.sequences,
                                              static_cast<int>(10 * plan.param.correlation));
                         });

}  // namespace
}  // namespace icb::test
