#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::test {
namespace {

TEST(Runs, AgreesWithAPlainCount) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    const double n = static_cast<double>(plain.size());
    double runs = 1;
    double ones = plain[0];
    for (std::size_t i = 1; i < plain.size(); ++i) {
      runs += plain[i] != plain[i - 1] ? 1 : 0;
      ones += plain[i];
    }
    const auto result = run("runs", bits);
    EXPECT_EQ(statistic(result, "V_n"), runs);
    EXPECT_EQ(statistic(result, "ones"), ones);
    const double pi = ones / n;
    const bool failed = std::abs(2 * ones - n) * std::abs(2 * ones - n) >= 16 * n;
    const double variance = pi * (1 - pi);
    if (failed) {
      EXPECT_EQ(p_of(result, "runs"), 0.0);
    } else if (variance == 0) {
      EXPECT_FALSE(applies(result));
    } else {
      const double z = std::abs(runs - 2 * n * variance) / (2 * std::sqrt(2 * n) * variance);
      EXPECT_NEAR(p_of(result, "runs"), std::erfc(z), 1e-12);
    }
    EXPECT_EQ(result.flags.size(), (plain.size() < 100 ? 1U : 0U) + (failed ? 1U : 0U));
  });
}

TEST(Runs, KernelAgreesForEveryLength) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    const auto plain = random_bits(engine, n, n % 5 == 0 ? 250 : 128);
    std::uint64_t expected = 1;
    for (std::size_t i = 1; i < n; ++i) expected += plain[i] != plain[i - 1] ? 1U : 0U;
    const auto packed = pack(plain);
    for_all_targets([&] { EXPECT_EQ(sp80022::count_runs(packed.view()), expected) << n; });
  }
}

// n = 64: |S_n| = 32 is 4 sqrt(n) to the bit; the standard's >= fails the prerequisite there.
TEST(Runs, PrerequisiteAtItsEdge) {
  const auto at = BitSequence::from_text(std::string(48, '1') + std::string(16, '0'));
  const auto below = BitSequence::from_text(std::string(47, '1') + std::string(17, '0'));
  EXPECT_EQ(p_of(run("runs", at.view()), "runs"), 0.0);
  EXPECT_EQ(run("runs", at.view()).flags.size(), 2U);
  EXPECT_GT(p_of(run("runs", below.view()), "runs"), 0.0);
  EXPECT_EQ(run("runs", below.view()).flags.size(), 1U);
}

TEST(Runs, EmptyDoesNotApply) {
  EXPECT_EQ(sp80022::count_runs(BitSequence().view()), 0U);
  EXPECT_FALSE(applies(run("runs", BitSequence().view())));
}

TEST(Runs, RejectsStickyBits) {
  std::mt19937_64 engine(seed());
  auto bits = random_bits(engine, 10000);
  for (std::size_t i = 1; i < bits.size(); ++i) {
    if (engine() % 8 == 0) bits[i] = bits[i - 1];
  }
  EXPECT_LT(p_of(run("runs", pack(bits).view()), "runs"), 1e-6);
}

// p = 0 where |S_n| >= 4 sqrt(n), 2.3.4 step 2.
TEST(Runs, BoundOfTheProbabilityOfZero) {
  const double bound = find<RandomnessEntry>("runs").zero_probability;
  double largest = 0;
  for (std::uint64_t n = 16; n <= 4000; ++n) {
    std::uint64_t ones = (n + 1) / 2;
    while ((2 * ones - n) * (2 * ones - n) < 16 * n) ++ones;
    largest = std::max(largest, 2 * binomial_upper_p(ones, n, 0.5).value());
  }
  EXPECT_LT(largest, bound);
  EXPECT_GT(largest, 0.7 * bound);
}

}  // namespace
}  // namespace icb::test
