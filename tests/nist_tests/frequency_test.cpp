#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

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

TEST(Frequency, KernelAgreesForEveryLength) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 0; n <= 2000; ++n) {
    const auto plain = random_bits(engine, n, n % 5 == 0 ? 250 : 128);
    const auto expected = static_cast<std::uint64_t>(std::count(plain.begin(), plain.end(), 1));
    const auto packed = pack(plain);
    for_all_targets([&] { EXPECT_EQ(sp80022::count_ones(packed.view()), expected) << n; });
  }
}

TEST(Frequency, NoBitsDoNotApply) { EXPECT_FALSE(applies(run("frequency", BitSequence().view()))); }

TEST(Frequency, RejectsABias) {
  std::mt19937_64 engine(seed());
  const auto biased = pack(random_bits(engine, 10000, 138));
  EXPECT_LT(p_of(run("frequency", biased.view()), "frequency"), 1e-6);
}

}  // namespace
}  // namespace icb::test
