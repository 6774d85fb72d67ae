// Under the null hypothesis a test rejects at 0.01 one sequence in a hundred. 2000 sequences each,
// the count inside the central 99.9 per cent of Binomial(2000, 0.01).
//
// 2^14 bits are good for frequency, runs, longest-run (M = 128, 128 blocks) and approximate-entropy
// with m = 5, and with parameters as small for the other tests of patterns. serial with m = 5
// expects each pattern 512 times. non-overlapping-template with m = 3 expects each of its 4
// templates 256 times in a block; m = 9 expects 4 times, which is not normal yet, and has 148
// p-values that would all have to be inside the interval. overlapping-template with m = 4, M = 35
// has lambda = 2 as the default has, and 468 blocks instead of 15, so every class expects at
// least 30.
//
// 2^13 are good for block-frequency (64 blocks of 128) and cumulative-sums, whose z has steps of
// 0.011 in units of sqrt(n).
//
// They are not good for
//   spectral:           the standard's variance n 0.95 0.05 / 4 is too small by 4 / 3.8 at every n,
//   so the
//                       rate is near 0.012, still inside;
//   binary-matrix-rank: 16 matrices, p has few values; 2^16 bits, 64 matrices, here;
//   linear-complexity:  32 blocks, 0.3 expected in the first class; 2^17 bits here, and the classes
//   at
//                       the ends still expect 2.7 and 5.5;
//   universal:          c of 2.9.4 makes sigma too small, by 5 per cent at L = 6; at L = 7, from
//                       904960 bits on, by 2, and the rate is near 0.012, still inside;
//   excursions:         500 cycles are rare below 10^6 bits; 2^20 bits here, counted where they
//   apply.
#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// The central interval of Binomial(count, 0.01) with 0.0005 outside on each side.
void expect_one_in_a_hundred(std::uint64_t rejected, std::uint64_t count) {
  EXPECT_GT(binomial_lower_p(rejected, count, 0.01).value(), 0.0005)
      << rejected << " of " << count << " rejected";
  if (rejected > 0) {
    EXPECT_LT(binomial_lower_p(rejected - 1, count, 0.01).value(), 0.9995)
        << rejected << " of " << count << " rejected";
  }
}

struct Plan {
  std::string test;
  std::size_t bits;
  TestParameters parameters = {};
};

class Calibration : public ::testing::TestWithParam<Plan> {};

TEST_P(Calibration, RejectsOneInAHundred) {
  const auto& [test, n, parameters] = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed()));
  std::mt19937_64 engine(seed());
  const auto& entry = find<RandomnessEntry>(test);
  const auto ids = entry.ids(parameters, n);
  std::vector<std::uint64_t> rejected(ids.size());
  std::uint64_t applied = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto bits = random_sequence(engine, n);
    const auto result = entry.run(bits.view(), parameters);
    if (!applies(result)) continue;
    ++applied;
    const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
    for (std::size_t j = 0; j < p_values.size(); ++j) {
      rejected[j] += rejects(p_values[j].p, Alpha{0.01}, TestCount{1}) ? 1U : 0U;
    }
  }
  EXPECT_GE(applied, 1000U);
  for (std::size_t j = 0; j < rejected.size(); ++j) {
    SCOPED_TRACE(ids[j]);
    expect_one_in_a_hundred(rejected[j], applied);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Null, Calibration,
    ::testing::Values(
        Plan{"block-frequency", 1U << 13}, Plan{"cumulative-sums", 1U << 13},
        Plan{"universal", 904960}, Plan{"frequency", 1U << 13}, Plan{"runs", 1U << 13},
        Plan{"longest-run", 1U << 14}, Plan{"binary-matrix-rank", 1U << 16},
        Plan{"spectral", 1U << 14}, Plan{"linear-complexity", 1U << 17},
        Plan{"approximate-entropy", 1U << 14, {.approximate_entropy_block = 5}},
        Plan{"serial", 1U << 14, {.serial_block = 5}},
        Plan{"non-overlapping-template", 1U << 14, {.non_overlapping_template = 3}},
        Plan{
            "overlapping-template", 1U << 14, {.overlapping_template = 4, .overlapping_block = 35}},
        Plan{"random-excursions", 1U << 20}, Plan{"random-excursions-variant", 1U << 20}),
    [](const auto& plan) {
      std::string name = plan.param.test;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace icb::test
