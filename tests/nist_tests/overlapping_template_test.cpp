#include "nist_tests/overlapping_template.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// The scan of 2.8.4: the window moves one bit at a time.
std::array<std::uint64_t, 6> plain_nu(const PlainBits& bits, unsigned m, std::size_t block) {
  std::array<std::uint64_t, 6> nu{};
  for (std::size_t first = 0; first + block <= bits.size(); first += block) {
    std::size_t found = 0;
    for (std::size_t i = first; i + m <= first + block; ++i) {
      found += std::accumulate(&bits[i], &bits[i] + m, 0U) == m ? 1U : 0U;
    }
    ++nu[std::min<std::size_t>(found, 5)];
  }
  return nu;
}

void expect_scan(const PlainBits& plain, unsigned m, unsigned block) {
  const auto packed = pack(plain);
  const auto nu = plain_nu(plain, m, block);
  for (const auto constants : {Constants::exact, Constants::nist}) {
    const auto result =
        run("overlapping-template", packed.view(),
            {.constants = constants, .overlapping_template = m, .overlapping_block = block});
    ASSERT_EQ(applies(result), plain.size() >= block && block >= m + 4);
    EXPECT_EQ(statistic(result, "N"), static_cast<double>(plain.size() / block));
    if (plain.size() < block) return;
    for (std::size_t i = 0; i < 6; ++i) {
      ASSERT_EQ(statistic(result, "nu_" + std::to_string(i)), static_cast<double>(nu[i])) << i;
    }
    if (!applies(result)) continue;
    const double lambda = (block - m + 1.0) / std::pow(2.0, m);
    EXPECT_EQ(statistic(result, "lambda"), lambda);
    EXPECT_EQ(statistic(result, "eta"), lambda / 2);
    const auto pi = constants == Constants::exact
                        ? sp80022::occurrences_of_ones(m, block)
                        : sp80022::occurrences_of_ones_by_poisson(lambda / 2);
    double chi_square = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      const double expected = static_cast<double>(plain.size() / block) * pi[i];
      chi_square += std::pow(static_cast<double>(nu[i]) - expected, 2) / expected;
    }
    ASSERT_NEAR(statistic(result, "chi_square"), chi_square, 1e-11 * (1 + chi_square));
    ASSERT_EQ(only_p(result), upper_gamma_q(2.5, statistic(result, "chi_square") / 2));
  }
}

TEST(OverlappingTemplate, AgreesWithTheScanOfTheStandard) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (n > 200 && engine() % 8 != 0) continue;
      const auto m = static_cast<unsigned>(2 + engine() % (n % 2 == 0 ? 4 : 15));
      const auto block = static_cast<unsigned>(m + engine() % (n % 3 == 0 ? 300 : 30));
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", m = " + std::to_string(m) +
                   ", M = " + std::to_string(block) + ", seed " + std::to_string(seed()));
      expect_scan(plain, m, block);
      if (HasFailure()) return;
    }
  }
  for (const std::size_t n : {10007U, 131101U}) {
    for (const auto& [name, plain] : streams(engine, n)) expect_scan(plain, 9, 1032);
  }
}

// All strings of a block, counted.
TEST(OverlappingTemplate, ProbabilitiesOfSmallBlocks) {
  for (const auto& [m, block] : {std::pair{2U, 10U}, {2U, 16U}, {3U, 12U}, {5U, 16U}, {9U, 13U}}) {
    std::array<std::uint64_t, 6> strings{};
    for (std::uint32_t string = 0; string < std::uint32_t{1} << block; ++string) {
      PlainBits bits(block);
      for (unsigned i = 0; i < block; ++i) bits[i] = (string >> i) & 1U;
      const auto nu = plain_nu(bits, m, block);
      for (std::size_t i = 0; i < 6; ++i) strings[i] += nu[i];
    }
    const auto pi = sp80022::occurrences_of_ones(m, block);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(pi[i], static_cast<double>(strings[i]) / std::pow(2.0, block)) << m << ", " << i;
    }
  }
}

// The exact fractions of scripts/constants/sp80022_probabilities.py, rounded.
TEST(OverlappingTemplate, ProbabilitiesOfTheDefault) {
  const double exact[] = {0.36409105321672786, 0.1856589001062404,  0.1393811304590327,
                          0.10057114399877812, 0.07043232634639846, 0.13986544587282249};
  const auto pi = sp80022::occurrences_of_ones(9, 1032);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(pi[i], exact[i], 1e-14 * exact[i]) << i;
  // As NIST's program has them.
  const double nist[] = {0.36787944117144233, 0.18393972058572117, 0.13795479043929088,
                         0.09963401531726562, 0.06993541459769606, 0.14065661788858394};
  const auto poisson = sp80022::occurrences_of_ones_by_poisson(1);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(poisson[i], nist[i], 2e-16) << i;
}

TEST(OverlappingTemplate, ExampleOfTheMillionBitsOfE) {
  const auto e = bits_of_e(1000000);
  const auto nist = run("overlapping-template", e.view(), {.constants = Constants::nist});
  EXPECT_NEAR(only_p(nist), 0.110434, 1e-6);  // 2.8.8
  const double nu[] = {329, 164, 150, 111, 78, 136};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(statistic(nist, "nu_" + std::to_string(i)), nu[i]);
  }
  EXPECT_EQ(statistic(nist, "N"), 968);
  EXPECT_NEAR(statistic(nist, "chi_square"), 8.965859, 1e-6);
  EXPECT_EQ(statistic(nist, "lambda"), 2);
  EXPECT_EQ(statistic(nist, "eta"), 1);
  EXPECT_TRUE(nist.flags.empty());
}

TEST(OverlappingTemplate, Conditions) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 1000000);
  const auto flags = [&](unsigned m, unsigned block) {
    return run("overlapping-template", bits.view(),
               {.overlapping_template = m, .overlapping_block = block})
        .flags;
  };
  EXPECT_EQ(flags(9, 1032).size(), 0U);
  EXPECT_EQ(flags(10, 2056).size(), 0U);
  EXPECT_EQ(flags(9, 500).size(), 1U);     // lambda below 1
  EXPECT_EQ(flags(9, 1700).size(), 1U);    // lambda above 3
  EXPECT_EQ(flags(9, 4000).size(), 3U);    // that, m far from log2 M, and pi_0 small
  EXPECT_EQ(flags(13, 16396).size(), 1U);  // N min pi_i = 60 * 0.07
}

TEST(OverlappingTemplate, ConditionsOnTheLength) {
  std::mt19937_64 engine(seed());
  const auto flags = [&](std::size_t n) {
    return run("overlapping-template", random_sequence(engine, n).view()).flags.size();
  };
  EXPECT_EQ(flags(999999), 1U);
  EXPECT_EQ(flags(71 * 1032), 1U);  // 71 * 0.07043 = 5.0007
  EXPECT_EQ(flags(70 * 1032), 2U);
}

TEST(OverlappingTemplate, DoesNotApply) {
  const auto bits = BitSequence::from_text(std::string(1031, '1'));
  const auto too_short = run("overlapping-template", bits.view());
  ASSERT_FALSE(applies(too_short));
  EXPECT_EQ(std::get<NotApplicable>(too_short.outcome).reason, "n = 1031 bits, needs M = 1032");
  EXPECT_FALSE(applies(run("overlapping-template", bits.view(),
                           {.overlapping_template = 9, .overlapping_block = 12})));
  EXPECT_TRUE(applies(run("overlapping-template", bits.view(),
                          {.overlapping_template = 9, .overlapping_block = 13})));
  for (const unsigned m : {0U, 1U, 17U}) {
    EXPECT_THROW(run("overlapping-template", bits.view(), {.overlapping_template = m}),
                 std::invalid_argument);
  }
  EXPECT_THROW(run("overlapping-template", bits.view(), {.overlapping_block = 8}),
               std::invalid_argument);
}

TEST(OverlappingTemplate, RejectsLongRuns) {
  std::mt19937_64 engine(seed());
  auto plain = random_bits(engine, 200000);
  for (std::size_t i = 0; i + 12 <= plain.size(); i += 1500) {
    std::fill_n(plain.begin() + static_cast<std::ptrdiff_t>(i), 12, std::uint8_t{1});
  }
  EXPECT_LT(only_p(run("overlapping-template", pack(plain).view())), 1e-6);
}

// e^-eta is 0 in a double from eta = 746 on.
TEST(OverlappingTemplate, ClassesWithoutProbabilityDoNotApply) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 200000);
  const TestParameters many{
      .constants = Constants::nist, .overlapping_template = 4, .overlapping_block = 25000};
  const auto result = run("overlapping-template", bits.view(), many);
  ASSERT_FALSE(applies(result));
  EXPECT_NE(std::get<NotApplicable>(result.outcome).reason.find("1562.31"), std::string::npos);
}

}  // namespace
}  // namespace icb::test
