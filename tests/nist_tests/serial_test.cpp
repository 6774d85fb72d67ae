#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// psi^2_m of 2.11.4, as printed: the sequence is extended by its own beginning, patterns are
// strings.
long double plain_psi2(const PlainBits& bits, unsigned m) {
  if (m == 0) return 0;
  const std::size_t n = bits.size();
  const auto counts = plain_pattern_counts(bits, m);
  long double sum = 0;
  for (const auto& [pattern, count] : counts) {
    sum += static_cast<long double>(count) * static_cast<long double>(count);
  }
  const auto length = static_cast<long double>(n);
  return std::pow(2.0L, m) / length * sum - length;
}

void expect_formula(const PlainBits& plain, BitView bits, unsigned m) {
  const auto psi2_m = static_cast<double>(plain_psi2(plain, m));
  const auto psi2_m1 = static_cast<double>(plain_psi2(plain, m - 1));
  const auto psi2_m2 = static_cast<double>(plain_psi2(plain, m - 2));
  const auto delta_1 = static_cast<double>(plain_psi2(plain, m) - plain_psi2(plain, m - 1));
  const auto delta_2 = static_cast<double>(plain_psi2(plain, m) - 2 * plain_psi2(plain, m - 1) +
                                           plain_psi2(plain, m - 2));
  const auto result = run("serial", bits, {.serial_block = m});
  const double tolerance = 1e-14 * (1 + psi2_m);
  EXPECT_NEAR(statistic(result, "psi2_m"), psi2_m, tolerance);
  EXPECT_NEAR(statistic(result, "psi2_m1"), psi2_m1, tolerance);
  EXPECT_NEAR(statistic(result, "psi2_m2"), psi2_m2, tolerance);
  EXPECT_NEAR(statistic(result, "delta_1"), delta_1, tolerance);
  EXPECT_NEAR(statistic(result, "delta_2"), delta_2, tolerance);
  EXPECT_GE(statistic(result, "delta_1"), 0.0);
  EXPECT_GE(statistic(result, "delta_2"), 0.0);
  const std::string id = "serial/m=" + std::to_string(m);
  const double p_1 = upper_gamma_q(std::pow(2.0, m - 2.0), statistic(result, "delta_1") / 2);
  const double p_2 = upper_gamma_q(std::pow(2.0, m - 3.0), statistic(result, "delta_2") / 2);
  EXPECT_EQ(p_of(result, id + "/delta-1"), p_1);
  EXPECT_EQ(p_of(result, id + "/delta-2"), p_2);
}

TEST(Serial, AgreesWithTheFormula) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (n > 40 && engine() % 16 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const auto packed = pack(plain);
      for (const unsigned m : {2U, 3U, 4U, 9U}) {
        SCOPED_TRACE(m);
        expect_formula(plain, packed.view(), m);
        if (HasFailure()) return;
      }
    }
  }
  for (const std::size_t n : {10007U, 65537U}) {
    const auto plain = random_bits(engine, n);
    const auto packed = pack(plain);
    for (const unsigned m : {2U, 8U, 16U}) expect_formula(plain, packed.view(), m);
  }
}

TEST(Serial, ExampleOfTheMillionBitsOfE) {
  const auto result = run("serial", bits_of_e(1000000).view(), {.serial_block = 2});  // 2.11.8
  EXPECT_NEAR(p_of(result, "serial/m=2/delta-1"), 0.843764, 1e-6);
  EXPECT_NEAR(p_of(result, "serial/m=2/delta-2"), 0.561915, 1e-6);
  EXPECT_TRUE(result.flags.empty());
  // The counts of 2.11.8 are 250116, 249855, 249855, 250174; 499971 zeros.
  const double expected = (4.0 * (250116.0 * 250116 + 2 * 249855.0 * 249855 + 250174.0 * 250174) -
                           2.0 * (499971.0 * 499971 + 500029.0 * 500029)) /
                          1e6;
  EXPECT_NEAR(statistic(result, "delta_1"), expected, 1e-9);
}

TEST(Serial, Conditions) {
  EXPECT_FALSE(applies(run("serial", BitSequence().view())));
  const auto bits = BitSequence::from_text(std::string(2048, '1'));  // floor(log2 n) - 2 = 9
  EXPECT_EQ(run("serial", bits.view(), {.serial_block = 8}).flags.size(), 0U);
  EXPECT_EQ(run("serial", bits.view(), {.serial_block = 9}).flags.size(), 1U);
  for (const unsigned m : {0U, 1U, 25U}) {
    EXPECT_THROW(run("serial", bits.view(), {.serial_block = m}), std::invalid_argument);
  }
  EXPECT_TRUE(applies(run("serial", bits.view(), {.serial_block = 24})));
}

// Known in closed form: one pattern n times, so psi^2_m = (2^m - 1) n.
TEST(Serial, AllZero) {
  constexpr std::uint64_t n = 4000037;
  const auto zeros = BitSequence::from_bytes(Bytes(n / 8 + 1), 0, n);
  const auto result = run("serial", zeros.view());
  EXPECT_EQ(statistic(result, "psi2_m"), 65535.0 * n);
  EXPECT_EQ(statistic(result, "delta_1"), 32768.0 * n);
  EXPECT_EQ(statistic(result, "delta_2"), 16384.0 * n);
  EXPECT_EQ(p_of(result, "serial/m=16/delta-1"), 0.0);
}

TEST(Serial, RejectsAPeriod) {
  PlainBits bits(16384);
  std::mt19937_64 engine(seed());
  const auto period = random_bits(engine, 1000);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = period[i % 1000];
  const auto result = run("serial", pack(bits).view(), {.serial_block = 10});
  EXPECT_LT(p_of(result, "serial/m=10/delta-1"), 1e-6);
}

}  // namespace
}  // namespace icb::test
