#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// phi_m of 2.12.4, as printed, in long double.
long double plain_phi(const PlainBits& bits, unsigned m) {
  const std::size_t n = bits.size();
  const auto counts = plain_pattern_counts(bits, m);
  long double sum = 0;
  for (const auto& [pattern, count] : counts) {
    const long double share = static_cast<long double>(count) / static_cast<long double>(n);
    sum += share * std::log(share);
  }
  return sum;
}

TEST(ApproximateEntropy, AgreesWithTheFormula) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    const auto n = static_cast<long double>(plain.size());
    for (const unsigned m : {1U, 2U, 3U, 5U, 10U}) {
      if (m > 3 && plain.size() % 10 != 7) continue;
      const long double entropy = plain_phi(plain, m) - plain_phi(plain, m + 1);
      const auto expected = static_cast<double>(2 * n * (std::log(2.0L) - entropy));
      const auto result = run("approximate-entropy", bits, {.approximate_entropy_block = m});
      EXPECT_NEAR(statistic(result, "chi_square"), expected, 1e-12 * (1 + expected)) << "m = " << m;
      const double p = upper_gamma_q(std::pow(2.0, m - 1.0), std::max(0.0, expected / 2));
      EXPECT_NEAR(only_p(result), p, 1e-11) << "m = " << m;
    }
  });
}

TEST(ApproximateEntropy, Conditions) {
  EXPECT_FALSE(applies(run("approximate-entropy", BitSequence().view())));
  const auto bits = BitSequence::from_text(std::string(2048, '1'));  // floor(log2 n) - 5 = 6
  EXPECT_EQ(run("approximate-entropy", bits.view(), {.approximate_entropy_block = 5}).flags.size(),
            0U);
  EXPECT_EQ(run("approximate-entropy", bits.view(), {.approximate_entropy_block = 6}).flags.size(),
            1U);
  for (const unsigned m : {0U, 25U}) {
    EXPECT_THROW(run("approximate-entropy", bits.view(), {.approximate_entropy_block = m}),
                 std::invalid_argument);
  }
}

TEST(ApproximateEntropy, RejectsAPeriod) {
  PlainBits bits(16384);
  std::mt19937_64 engine(seed());
  const auto period = random_bits(engine, 1000);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = period[i % 1000];
  const auto result =
      run("approximate-entropy", pack(bits).view(), {.approximate_entropy_block = 8});
  EXPECT_LT(only_p(result), 1e-6);
}

}  // namespace
}  // namespace icb::test
