#include <gtest/gtest.h>

#include <algorithm>

#include "core/statistics.hpp"
#include "nist_tests/random_walk.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// Steps 1 to 5 of 2.14.4: S' = 0, s_1, ..., s_n, 0, cut at its zeros.
sp80022::ExcursionCounts plain_counts(const PlainBits& bits) {
  std::vector<std::int64_t> walk{0};
  for (const auto bit : bits) walk.push_back(walk.back() + (bit != 0 ? 1 : -1));
  if (walk.back() != 0) walk.push_back(0);
  sp80022::ExcursionCounts out;
  std::vector<std::int64_t> cycle;
  for (std::size_t i = 1; i < walk.size(); ++i) {
    cycle.push_back(walk[i]);
    if (walk[i] != 0) continue;
    ++out.cycles;
    for (std::size_t j = 0; j < 8; ++j) {
      const auto x = static_cast<std::int64_t>(j) - 4 + (j >= 4 ? 1 : 0);
      const auto visits = std::count(cycle.begin(), cycle.end(), x);
      ++out.nu.at(j).at(static_cast<std::size_t>(std::min<std::ptrdiff_t>(visits, 5)));
    }
    cycle.clear();
  }
  return out;
}

TEST(RandomExcursions, KernelAgreesWithThePlainWalk) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    const auto expected = plain_counts(plain);
    const auto counts = sp80022::count_excursions(bits);
    EXPECT_EQ(counts.cycles, expected.cycles);
    EXPECT_EQ(counts.nu, expected.nu);
  });
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {99991U, 300007U}) {  // far from zero most of the time
    const auto plain = random_bits(engine, n);
    EXPECT_EQ(sp80022::count_excursions(pack(plain).view()).nu, plain_counts(plain).nu);
  }
  EXPECT_EQ(sp80022::count_excursions(BitSequence().view()).cycles, 0U);
}

// Sec. 2.14.4: J = 3; chi-square of x = 1 is 13/3 (printed 4.333033), p = 0.502488 (printed
// 0.502529).
TEST(RandomExcursions, ExampleOfSection2144) {
  const auto bits = BitSequence::from_text("0110110101");
  const auto counts = sp80022::count_excursions(bits.view());
  EXPECT_EQ(counts.cycles, 3U);
  const auto& nu = counts.nu[sp80022::state_index(1, 4)];
  EXPECT_EQ(nu, (std::array<std::uint64_t, 6>{1, 1, 0, 1, 0, 0}));
  const double chi_square =
      sp80022::chi_square(nu, sp80022::excursion_probabilities(1, Constants::exact));
  EXPECT_NEAR(chi_square, 13.0 / 3, 1e-14);
  EXPECT_NEAR(chi_square_upper_p(chi_square, 5).value(), 0.502487515435573, 1e-14);
  EXPECT_FALSE(applies(run("random-excursions", bits.view())));
}

TEST(RandomExcursions, ExampleOfSection2148) {
  const auto e = bits_of_e(1000000);
  const auto result = run("random-excursions", e.view());
  EXPECT_EQ(statistic(result, "J"), 1490);
  const double printed[] = {0.573306, 0.197996, 0.164011, 0.007779,
                            0.786868, 0.440912, 0.797854, 0.778186};
  const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(p_values[i].p.value(), printed[i], 1e-6);
}

TEST(RandomExcursions, ProbabilitiesSumToOneAndAreNearThoseOfNistsProgram) {
  for (const std::int64_t x : {-4, -3, -2, -1, 1, 2, 3, 4}) {
    const auto exact = sp80022::excursion_probabilities(x, Constants::exact);
    const auto nist = sp80022::excursion_probabilities(x, Constants::nist);
    EXPECT_TRUE(sp80022::sums_to_one(exact)) << x;
    EXPECT_TRUE(sp80022::sums_to_one(nist, 2e-10)) << x;
    for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(exact.at(k), nist.at(k), 1.1e-10) << x;
  }
}

TEST(RandomExcursions, ConditionOnTheNumberOfCycles) {
  std::string text;
  for (int i = 0; i < 499; ++i) text += "01";
  const auto few = run("random-excursions", BitSequence::from_text(text).view());
  ASSERT_FALSE(applies(few));
  EXPECT_EQ(std::get<NotApplicable>(few.outcome).reason, "J = 499 cycles, needs 500");
  EXPECT_EQ(statistic(few, "J"), 499);
  const auto enough = run("random-excursions", BitSequence::from_text(text + "0").view());
  EXPECT_TRUE(applies(enough));
  EXPECT_EQ(enough.flags.size(), 1U);
  EXPECT_EQ(sp80022::too_few_cycles(1581, 100'000'000'000), "J = 1581 cycles, needs 1582");
  EXPECT_EQ(sp80022::too_few_cycles(1582, 100'000'000'000), "");
}

// Every cycle is "01": state -1 once, never another.
TEST(RandomExcursions, RejectsAlternatingBits) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "01";
  const auto result = run("random-excursions", BitSequence::from_text(text).view());
  for (const auto& sub : std::get<std::vector<SubResult>>(result.outcome)) {
    EXPECT_LT(sub.p.value(), 1e-12) << sub.id;
  }
}

}  // namespace
}  // namespace icb::test
