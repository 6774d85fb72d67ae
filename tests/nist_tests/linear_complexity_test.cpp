#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::test {
namespace {

// Massey 1969, one coefficient per byte: the complexity of the first 0, 1, 2, ... bits.
std::vector<std::uint64_t> plain_profile(const PlainBits& s) {
  std::vector<std::uint64_t> profile{0};
  PlainBits c(s.size() + 1);
  PlainBits b(s.size() + 1);
  c[0] = b[0] = 1;
  std::size_t length = 0;
  std::size_t since = 1;  // N - m
  for (std::size_t n = 0; n < s.size(); ++n, ++since) {
    unsigned discrepancy = 0;
    for (std::size_t i = 0; i <= length; ++i) discrepancy ^= static_cast<unsigned>(c[i] & s[n - i]);
    if (discrepancy != 0) {
      const PlainBits t = c;
      for (std::size_t i = since; i <= s.size(); ++i) c[i] ^= b[i - since];
      if (2 * length <= n) {
        length = n + 1 - length;
        b = t;
        since = 0;
      }
    }
    profile.push_back(length);
  }
  return profile;
}

std::uint64_t plain_complexity(const PlainBits& s, std::size_t first, std::size_t count) {
  const auto begin = s.begin() + static_cast<std::ptrdiff_t>(first);
  return plain_profile({begin, begin + static_cast<std::ptrdiff_t>(count)}).back();
}

// The usual streams, and those a register makes or nearly makes.
std::vector<PlainBits> hard_and_easy_streams(std::mt19937_64& engine, std::size_t n) {
  std::vector<PlainBits> out;
  for (auto& stream : streams(engine, n)) out.push_back(std::move(stream.bits));
  for (const std::size_t degree : {2U, 31U, 63U, 64U, 65U, 200U}) {
    auto bits = random_bits(engine, n);
    for (std::size_t i = degree; i < n; ++i) bits[i] = bits[i - degree] ^ bits[i - degree / 2];
    out.push_back(bits);
    bits[n - 1] ^= 1U;  // a jump at the end
    out.push_back(std::move(bits));
  }
  for (const std::size_t at : {n - 1, n / 2}) {  // the longest register there is, and half of it
    out.emplace_back(n);
    out.back()[at] = 1;
  }
  return out;
}

TEST(LinearComplexity, KernelAgreesWithTheTextbookForEveryLength) {
  std::mt19937_64 engine(seed());
  for (const auto& plain : hard_and_easy_streams(engine, 2053)) {
    const auto packed = pack(plain);
    const auto profile = plain_profile(plain);
    for_all_targets([&] {
      for (std::size_t n = 0; n <= plain.size(); ++n) {
        ASSERT_EQ(sp80022::linear_complexity(packed.view(), 0, n), profile[n]) << "n = " << n;
      }
    });
  }
}

TEST(LinearComplexity, KernelAgreesWithTheTextbookAtEveryPlace) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    if (plain.size() > 5000) return;
    const std::size_t first = plain.size() / 3;
    const std::size_t count = plain.size() / 2;
    const auto expected = plain_complexity(plain, first, count);
    for_all_targets([&] { EXPECT_EQ(sp80022::linear_complexity(bits, first, count), expected); });
  });
}

// Some blocks of each kind, in random order: neighbours in a group are unlike each other.
TEST(LinearComplexity, BlocksTogetherAgreeWithTheTextbook) {
  std::mt19937_64 engine(seed());
  std::vector<std::size_t> sizes{127, 128, 129, 499, 500, 501, 512, 1000, 5000};
  for (std::size_t m = 1; m <= 70; ++m) sizes.push_back(m);
  for (const std::size_t m : sizes) {
    const auto pool = hard_and_easy_streams(engine, m);
    std::vector<std::uint64_t> complexities;
    for (const auto& block : pool) complexities.push_back(plain_profile(block).back());
    for (const std::size_t blocks : {1U, 19U, 20U, 31U, 32U, 65U, 340U, 513U, 1100U}) {
      if (blocks * m > 2000000) continue;
      const std::size_t first = engine() % 130;
      PlainBits plain = random_bits(engine, first);
      std::vector<std::uint64_t> expected;
      for (std::size_t i = 0; i < blocks; ++i) {
        const std::size_t chosen = engine() % pool.size();
        plain.insert(plain.end(), pool[chosen].begin(), pool[chosen].end());
        expected.push_back(complexities[chosen]);
      }
      const auto packed = pack(plain);
      for_all_targets([&] {
        std::vector<std::uint64_t> out(blocks, 12345);
        sp80022::linear_complexities(packed.view(), first, m, out);
        EXPECT_EQ(out, expected) << "M = " << m << ", " << blocks << " blocks, seed " << seed();
      });
      if (HasFailure()) return;
    }
  }
}

// Same statistics and same p-value, to the last bit; more blocks than are looked at together.
TEST(LinearComplexity, SameResultForEveryInstructionSet) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 70003);
  for (const unsigned m : {7U, 16U, 500U, 9000U}) {
    const TestParameters parameters{.linear_complexity_block = m};
    const auto expected = run("linear-complexity", bits.view(), parameters);
    double blocks = 0;
    for (int i = 0; i < 7; ++i) blocks += statistic(expected, "nu_" + std::to_string(i));
    EXPECT_EQ(blocks, std::floor(70003.0 / m));
    for_all_targets([&] {
      const auto result = run("linear-complexity", bits.view(), parameters);
      EXPECT_EQ(result.statistics, expected.statistics);
      EXPECT_EQ(only_p(result), only_p(expected));
    });
  }
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
    const std::size_t blocks = m == 7 ? 4500 : 300;  // 4096 are looked at together
    const auto plain = random_bits(engine, blocks * m);
    std::array<double, 7> standard{};
    std::array<double, 7> program{};
    const double sign = m % 2 == 0 ? 1 : -1;
    const double tail = (m / 3.0 + 2.0 / 9) / std::pow(2.0, m);
    for (std::size_t i = 0; i < blocks; ++i) {
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
