#include <gtest/gtest.h>

#include <cmath>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

TEST(Frequency, AgreesWithAPlainCount) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    double sum = 0;
    for (const auto bit : plain) sum += bit != 0 ? 1 : -1;
    const auto result = run("frequency", bits);
    EXPECT_EQ(statistic(result, "S_n"), sum);
    const double n = static_cast<double>(plain.size());
    EXPECT_NEAR(p_of(result, "frequency"), std::erfc(std::abs(sum) / std::sqrt(2 * n)), 1e-14);
    EXPECT_EQ(result.flags.size(), plain.size() < 100 ? 1U : 0U);
  });
}

TEST(Frequency, NoBitsDoNotApply) { EXPECT_FALSE(applies(run("frequency", BitSequence().view()))); }

TEST(Frequency, RejectsABias) {
  std::mt19937_64 engine(seed());
  const auto biased = pack(random_bits(engine, 10000, 138));
  EXPECT_LT(p_of(run("frequency", biased.view()), "frequency"), 1e-6);
}

}  // namespace
}  // namespace icb::test
