#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// Massey 1969, one coefficient per byte.
std::uint64_t plain_complexity(const PlainBits& s, std::size_t first, std::size_t count) {
  PlainBits c(count + 1);
  PlainBits b(count + 1);
  c[0] = b[0] = 1;
  std::size_t length = 0;
  std::size_t since = 1;  // N - m
  for (std::size_t n = 0; n < count; ++n, ++since) {
    unsigned discrepancy = 0;
    for (std::size_t i = 0; i <= length; ++i) {
      discrepancy ^= static_cast<unsigned>(c[i] & s[first + n - i]);
    }
    if (discrepancy == 0) continue;
    const PlainBits t = c;
    for (std::size_t i = since; i <= count; ++i) c[i] ^= b[i - since];
    if (2 * length <= n) {
      length = n + 1 - length;
      b = t;
      since = 0;
    }
  }
  return length;
}

TEST(LinearComplexity, KernelAgreesWithTheTextbook) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    if (plain.size() > 5000) return;
    EXPECT_EQ(sp80022::linear_complexity(bits, 0, plain.size()),
              plain_complexity(plain, 0, plain.size()));
    const std::size_t first = plain.size() / 3;
    const std::size_t count = plain.size() / 2;
    EXPECT_EQ(sp80022::linear_complexity(bits, first, count),
              plain_complexity(plain, first, count));
  });
}

TEST(LinearComplexity, ExampleOfSection2104) {
  EXPECT_EQ(sp80022::linear_complexity(BitSequence::from_text("1101011110001").view(), 0, 13), 4U);
}

TEST(LinearComplexity, ExampleOfSection2108) {
  const auto e = bits_of_e(1000000);
  // Printed: 11, 31, 116, 501, 258, 57, 26 and p = 0.845406, with 0.01047 for 1/96.
  const TestParameters nist{.constants = Constants::nist, .linear_complexity_block = 1000};
  const auto result = run("linear-complexity", e.view(), nist);
  const double expected[] = {11, 31, 116, 501, 258, 57, 26};
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(statistic(result, "nu_" + std::to_string(i)), expected[i]);
  }
  EXPECT_NEAR(only_p(result), 0.845406, 1e-6);
  EXPECT_TRUE(result.flags.empty());
}

// The integer classes are those of T in floating point, by the standard's mu and by NIST's
// program's.
TEST(LinearComplexity, ClassesAreThoseOfT) {
  std::mt19937_64 engine(seed());
  for (const unsigned m : {1U, 2U, 3U, 4U, 7U, 13U, 64U, 65U, 500U, 501U}) {
    const auto plain = random_bits(engine, 300 * m);
    std::array<double, 7> standard{};
    std::array<double, 7> program{};
    const double sign = m % 2 == 0 ? 1 : -1;
    const double tail = (m / 3.0 + 2.0 / 9) / std::pow(2.0, m);
    for (std::size_t i = 0; i < 300; ++i) {
      const auto l = static_cast<double>(plain_complexity(plain, i * m, m));
      const auto class_of = [](double t) {
        std::size_t out = 0;
        for (const double edge : {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}) out += t > edge ? 1U : 0U;
        return out;
      };
      standard.at(class_of(sign * (l - (m / 2.0 + (9 - sign) / 36 - tail)) + 2.0 / 9)) += 1;
      program.at(class_of(sign * (l - (m / 2.0 + (9 + sign) / 36 - tail)) + 2.0 / 9)) += 1;
    }
    EXPECT_EQ(standard, program) << "M = " << m;
    const auto result =
        run("linear-complexity", pack(plain).view(), {.linear_complexity_block = m});
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(statistic(result, "nu_" + std::to_string(i)), standard.at(i)) << "M = " << m;
    }
  }
}

TEST(LinearComplexity, Conditions) {
  const auto bits = BitSequence::from_text(std::string(499, '1'));
  const auto result = run("linear-complexity", bits.view());
  ASSERT_FALSE(applies(result));
  EXPECT_NE(std::get<NotApplicable>(result.outcome).reason.find("499"), std::string::npos);
  EXPECT_EQ(statistic(result, "N"), 0);
  EXPECT_THROW(run("linear-complexity", bits.view(), {.linear_complexity_block = 0}),
               std::invalid_argument);
  // n, M and N below what is recommended
  EXPECT_EQ(run("linear-complexity", bits.view(), {.linear_complexity_block = 400}).flags.size(),
            3U);
}

TEST(LinearComplexity, RejectsAShortRegister) {
  std::mt19937_64 engine(seed());
  auto bits = random_bits(engine, 100000);
  for (std::size_t i = 31; i < bits.size(); ++i) bits[i] = bits[i - 31] ^ bits[i - 3];
  EXPECT_LT(only_p(run("linear-complexity", pack(bits).view())), 1e-12);
}

}  // namespace
}  // namespace icb::test
