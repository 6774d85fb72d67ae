#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// Schoolbook elimination, one element per byte.
unsigned plain_rank(std::vector<PlainBits> rows) {
  unsigned rank = 0;
  const std::size_t columns = rows.empty() ? 0 : rows[0].size();
  for (std::size_t column = 0; column < columns && rank < rows.size(); ++column) {
    std::size_t pivot = rank;
    while (pivot < rows.size() && rows[pivot][column] == 0) ++pivot;
    if (pivot == rows.size()) continue;
    std::swap(rows[pivot], rows[rank]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == rank || rows[i][column] == 0) continue;
      for (std::size_t j = 0; j < columns; ++j) rows[i][j] ^= rows[rank][j];
    }
    ++rank;
  }
  return rank;
}

TEST(BinaryMatrixRank, KernelAgreesWithSchoolbookElimination) {
  std::mt19937_64 engine(seed());
  for (std::size_t trial = 0; trial < 2000; ++trial) {
    const std::size_t size = 1 + trial % 32;
    std::vector<PlainBits> rows(size);
    for (auto& row : rows) row = random_bits(engine, size, trial % 3 == 0 ? 20 : 128);
    if (size > 3 && trial % 2 == 0) {
      for (std::size_t j = 0; j < size; ++j) rows[size - 1][j] = rows[0][j] ^ rows[1][j];
    }
    std::vector<std::uint32_t> packed(size);
    for (std::size_t i = 0; i < size; ++i) {
      for (const auto bit : rows[i]) packed[i] = packed[i] << 1 | bit;
    }
    EXPECT_EQ(sp80022::rank_over_gf2(packed), plain_rank(rows)) << "trial " << trial;
  }
}

// Sec. 2.5.4: two 3 x 3 matrices of ranks 2 and 3, with the probabilities of large matrices.
TEST(BinaryMatrixRank, ExampleOfSection254) {
  const std::uint32_t first[] = {0b010, 0b110, 0b010};
  const std::uint32_t second[] = {0b010, 0b101, 0b011};
  EXPECT_EQ(sp80022::rank_over_gf2(first), 2U);
  EXPECT_EQ(sp80022::rank_over_gf2(second), 3U);
  const std::uint64_t counts[] = {1, 1, 0};
  const double printed[] = {0.2888, 0.5776, 0.1336};
  EXPECT_NEAR(chi_square_upper_p(sp80022::chi_square(counts, printed), 2).value(), 0.741948, 1e-6);
}

TEST(BinaryMatrixRank, ExampleOfSection258) {
  const auto e = bits_of_e(100000);
  const auto result = run("binary-matrix-rank", e.view());
  EXPECT_EQ(statistic(result, "N"), 97);
  EXPECT_EQ(statistic(result, "F_32"), 23);
  EXPECT_EQ(statistic(result, "F_31"), 60);
  EXPECT_EQ(statistic(result, "F_below"), 14);
  EXPECT_NEAR(only_p(result), 0.532069, 1e-6);
}

TEST(BinaryMatrixRank, CountsOfWholeSequences) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {1023U, 1024U, 2047U, 50000U, 99991U}) {
    for (const auto& [name, plain] : streams(engine, n)) {
      std::array<double, 3> counts{};
      for (std::size_t first = 0; first + 1024 <= n; first += 1024) {
        std::vector<PlainBits> rows(32);
        for (std::size_t i = 0; i < 32; ++i) {
          const auto from = plain.begin() + static_cast<std::ptrdiff_t>(first + 32 * i);
          rows[i].assign(from, from + 32);
        }
        counts.at(std::min(32 - plain_rank(rows), 2U)) += 1;
      }
      const auto result = run("binary-matrix-rank", pack(plain).view());
      EXPECT_EQ(statistic(result, "F_32"), counts[0]) << name << ' ' << n;
      EXPECT_EQ(statistic(result, "F_31"), counts[1]) << name << ' ' << n;
      EXPECT_EQ(statistic(result, "F_below"), counts[2]) << name << ' ' << n;
      EXPECT_EQ(applies(result), n >= 1024);
      EXPECT_EQ(result.flags.size(), n >= 1024 && n < 38912 ? 1U : 0U);
    }
  }
}

TEST(BinaryMatrixRank, RejectsARegisterOfSixteenBits) {
  PlainBits bits;
  std::uint16_t state = 1;
  for (std::size_t i = 0; i < 65536; ++i) {  // x^16 + x^14 + x^13 + x^11 + 1
    bits.push_back(state & 1U);
    const unsigned next = (state ^ (state >> 2) ^ (state >> 3) ^ (state >> 5)) & 1U;
    state = static_cast<std::uint16_t>((state >> 1) | (next << 15));
  }
  EXPECT_LT(only_p(run("binary-matrix-rank", pack(bits).view())), 1e-6);
}

}  // namespace
}  // namespace icb::test
