#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// chi-square and p of 2.2.4, as printed.
void expect_formula(const PlainBits& plain, BitView bits, unsigned m) {
  SCOPED_TRACE("M = " + std::to_string(m));
  const std::size_t blocks = plain.size() / m;
  const auto result = run("block-frequency", bits, {.block_frequency_block = m});
  EXPECT_EQ(statistic(result, "N"), static_cast<double>(blocks));
  EXPECT_EQ(applies(result), blocks > 0);
  if (blocks == 0) return;
  long double sum = 0;
  std::uint64_t integer = 0;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::int64_t ones = 0;
    for (std::size_t j = 0; j < m; ++j) ones += plain[i * m + j];
    const long double pi = static_cast<long double>(ones) / m;
    sum += (pi - 0.5L) * (pi - 0.5L);
    const std::int64_t excess = 2 * ones - static_cast<std::int64_t>(m);
    integer += static_cast<std::uint64_t>(excess * excess);
  }
  const auto expected = static_cast<double>(4 * static_cast<long double>(m) * sum);
  const double chi_square = statistic(result, "chi_square");
  EXPECT_NEAR(chi_square, expected, 1e-13 * (1 + expected));
  EXPECT_EQ(chi_square, static_cast<double>(integer) / m);  // exact but for the division
  const double p = upper_gamma_q(static_cast<double>(blocks) / 2, expected / 2);
  EXPECT_NEAR(only_p(result), p, 1e-10 * p + 1e-300);
}

TEST(BlockFrequency, AgreesWithTheFormulaForEveryLength) {
  std::mt19937_64 engine(seed());
  const std::vector<unsigned> lengths{1,  2,   3,   8,   20,  31,  63,  64,
                                      65, 100, 127, 128, 129, 192, 256, 1000};
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (name != "random" && n > 300 && n % 11 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const auto packed = pack(plain);
      for (std::size_t i = n % 4; i < lengths.size(); i += 4) {
        expect_formula(plain, packed.view(), lengths[i]);
      }
      expect_formula(plain, packed.view(), 128);
      if (HasFailure()) return;
    }
  }
}

TEST(BlockFrequency, LongSequences) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {99991U, 300007U}) {
    for (const auto& [name, plain] : streams(engine, n)) {
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const auto packed = pack(plain);
      for (const unsigned m : {1U, 7U, 64U, 127U, 128U, 320U, 1021U, 16384U, 99991U}) {
        expect_formula(plain, packed.view(), m);
      }
    }
  }
}

// Every block half ones: chi-square is 0 and p 1, not an error.
TEST(BlockFrequency, BalancedBlocks) {
  std::string text;
  for (int i = 0; i < 3200; ++i) text += "01";
  const auto result = run("block-frequency", BitSequence::from_text(text).view());
  EXPECT_EQ(statistic(result, "chi_square"), 0.0);
  EXPECT_EQ(only_p(result), 1.0);
}

TEST(BlockFrequency, Conditions) {
  const auto flags = [](std::size_t n, unsigned m) {
    const auto bits = BitSequence::from_text(std::string(n, '1'));
    return run("block-frequency", bits.view(), {.block_frequency_block = m}).flags;
  };
  EXPECT_EQ(flags(100, 20), std::vector<std::string>{});
  EXPECT_EQ(flags(99, 20), std::vector<std::string>{"n = 99 bits, 100 recommended (2.2.7)"});
  EXPECT_EQ(flags(100, 19), std::vector<std::string>{"M = 19, at least 20 recommended (2.2.7)"});
  EXPECT_EQ(flags(12799, 128), std::vector<std::string>{});  // 0.01 n = 127.99, N = 99
  EXPECT_EQ(flags(12800, 128),
            (std::vector<std::string>{"M = 128, above 0.01 n = 128 recommended (2.2.7)",
                                      "N = 100 blocks, below 100 recommended (2.2.7)"}));
  EXPECT_EQ(flags(1000000, 128).size(), 2U);  // and yet run

  const auto bits = BitSequence::from_text(std::string(127, '1'));
  const auto short_one = run("block-frequency", bits.view());
  ASSERT_FALSE(applies(short_one));
  EXPECT_EQ(std::get<NotApplicable>(short_one.outcome).reason,
            "n = 127 bits, needs one block of M = 128");
  EXPECT_FALSE(
      applies(run("block-frequency", bits.view(), {.block_frequency_block = 4294967295U})));
  EXPECT_THROW(run("block-frequency", bits.view(), {.block_frequency_block = 0}),
               std::invalid_argument);
}

TEST(BlockFrequency, IdNamesTheBlock) {
  EXPECT_EQ(find<RandomnessEntry>("block-frequency").ids({.block_frequency_block = 20}, 100),
            std::vector<std::string>{"block-frequency/M=20"});
}

// Half of the blocks lean to ones, half to zeros: balanced in all.
TEST(BlockFrequency, RejectsLocalBias) {
  std::mt19937_64 engine(seed());
  PlainBits bits;
  for (int i = 0; i < 100; ++i) {
    const auto block = random_bits(engine, 128, i % 2 == 0 ? 148 : 108);
    bits.insert(bits.end(), block.begin(), block.end());
  }
  EXPECT_LT(only_p(run("block-frequency", pack(bits).view())), 1e-6);
}

}  // namespace
}  // namespace icb::test
