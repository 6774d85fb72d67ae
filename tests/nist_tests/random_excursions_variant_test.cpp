#include <gtest/gtest.h>

#include <cmath>

#include "nist_tests/random_walk.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

TEST(RandomExcursionsVariant, KernelAgreesWithThePlainWalk) {
  const auto check = [](const PlainBits& plain, BitView bits) {
    sp80022::VisitCounts expected;
    std::int64_t s = 0;
    for (const auto bit : plain) {
      s += bit != 0 ? 1 : -1;
      if (s == 0) ++expected.cycles;
      if (s != 0 && s >= -9 && s <= 9)
        ++expected.xi.at(static_cast<std::size_t>(s < 0 ? s + 9 : s + 8));
    }
    if (s != 0) ++expected.cycles;
    const auto counts = sp80022::count_visits(bits);
    EXPECT_EQ(counts.cycles, expected.cycles);
    EXPECT_EQ(counts.xi, expected.xi);
  };
  for_all_streams(check);
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {99991U, 300007U}) {
    const auto plain = random_bits(engine, n);
    check(plain, pack(plain).view());
  }
}

TEST(RandomExcursionsVariant, ExampleOfSection2154) {
  const auto bits = BitSequence::from_text("0110110101");
  const auto counts = sp80022::count_visits(bits.view());
  EXPECT_EQ(counts.cycles, 3U);
  const std::uint64_t xi = counts.xi[sp80022::state_index(1, 9)];
  EXPECT_EQ(xi, 4U);
  EXPECT_NEAR(sp80022::visits_p(xi, counts.cycles, 1).value(), 0.683091, 1e-6);
  EXPECT_FALSE(applies(run("random-excursions-variant", bits.view())));
}

TEST(RandomExcursionsVariant, ExampleOfSection2158) {
  const auto e = bits_of_e(1000000);
  const auto result = run("random-excursions-variant", e.view());
  EXPECT_EQ(statistic(result, "J"), 1490);
  const double printed[] = {0.858946, 0.794755, 0.576249, 0.493417, 0.633873, 0.917283,
                            0.934708, 0.816012, 0.826009, 0.137861, 0.200642, 0.441254,
                            0.939291, 0.505683, 0.445935, 0.512207, 0.538635, 0.593930};
  const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
  for (std::size_t i = 0; i < 18; ++i) EXPECT_NEAR(p_values[i].p.value(), printed[i], 1e-6);
}

TEST(RandomExcursionsVariant, ConditionOnTheNumberOfCycles) {
  std::string text;
  for (int i = 0; i < 499; ++i) text += "01";
  const auto few = run("random-excursions-variant", BitSequence::from_text(text).view());
  ASSERT_FALSE(applies(few));
  EXPECT_EQ(std::get<NotApplicable>(few.outcome).reason, "J = 499 cycles, needs 500");
  EXPECT_TRUE(applies(run("random-excursions-variant", BitSequence::from_text(text + "0").view())));
}

// Every cycle is "01": state -1 exactly as often as expected, every other never.
TEST(RandomExcursionsVariant, RejectsAlternatingBits) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "01";
  const auto result = run("random-excursions-variant", BitSequence::from_text(text).view());
  for (const auto& sub : std::get<std::vector<SubResult>>(result.outcome)) {
    if (sub.id == "random-excursions-variant/x=-1") {
      EXPECT_EQ(sub.p.value(), 1.0);
    } else {
      EXPECT_LT(sub.p.value(), 1e-6) << sub.id;
    }
  }
}

}  // namespace
}  // namespace icb::test
