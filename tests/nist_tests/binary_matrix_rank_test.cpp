#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

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

std::vector<PlainBits> matrix_at(const PlainBits& bits, std::size_t first, std::size_t rows,
                                 std::size_t columns) {
  std::vector<PlainBits> out(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto from = bits.begin() + static_cast<std::ptrdiff_t>(first + columns * i);
    out[i].assign(from, from + static_cast<std::ptrdiff_t>(columns));
  }
  return out;
}

sp80022::RankCounts plain_counts(const PlainBits& bits, std::size_t rows, std::size_t columns) {
  sp80022::RankCounts counts{};
  for (std::size_t first = 0; first + rows * columns <= bits.size(); first += rows * columns) {
    ++counts.at(plain_rank(matrix_at(bits, first, rows, columns)));
  }
  return counts;
}

TEST(BinaryMatrixRank, KernelAgreesWithSchoolbookElimination) {
  std::mt19937_64 engine(seed());
  std::vector<std::pair<unsigned, unsigned>> shapes{
      {1, 64}, {64, 1}, {64, 64}, {31, 33}, {33, 31}, {64, 32}, {32, 64}, {63, 2}, {5, 32}};
  for (unsigned size = 1; size <= 64; ++size) shapes.emplace_back(size, size);
  for (int i = 0; i < 40; ++i) shapes.emplace_back(1 + engine() % 64, 1 + engine() % 64);
  for (const auto& [rows, columns] : shapes) {
    // Dense, sparse and of low rank, and a matrix that is not complete.
    PlainBits plain;
    for (std::size_t matrix = 0; matrix < 37; ++matrix) {
      PlainBits bits = random_bits(engine, std::size_t{rows} * columns, matrix % 3 == 0 ? 20 : 128);
      const std::size_t copies = matrix % 2 == 0 ? 0 : engine() % rows;
      for (std::size_t i = 0; i < copies; ++i) {  // a sum of two earlier rows
        const std::size_t row = rows - 1 - i;
        for (std::size_t j = 0; row > 1 && j < columns; ++j) {
          bits[row * columns + j] = bits[j] ^ bits[(row / 2) * columns + j];
        }
      }
      plain.insert(plain.end(), bits.begin(), bits.end());
    }
    plain.insert(plain.end(), rows * columns - 1, 1);
    const auto packed = pack(plain);
    const auto expected = plain_counts(plain, rows, columns);
    for_all_targets([&, rows = rows, columns = columns] {
      EXPECT_EQ(sp80022::count_ranks(packed.view(), rows, columns), expected)
          << rows << " x " << columns << ", seed " << seed();
    });
  }
}

TEST(BinaryMatrixRank, KernelAgreesForEveryLength) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 0; n <= 2000; n += n < 300 ? 1 : 7) {
    for (const auto& [name, plain] : streams(engine, n)) {
      const auto packed = pack(plain);
      for (const unsigned side : {2U, 3U, 32U}) {
        const auto expected = plain_counts(plain, side, side);
        for_all_targets([&, &name = name] {
          EXPECT_EQ(sp80022::count_ranks(packed.view(), side, side), expected) << name << ' ' << n;
        });
      }
    }
    if (HasFailure()) return;
  }
}

// Every matrix of some small shapes, counted.
TEST(BinaryMatrixRank, ProbabilitiesAreThoseOfAllMatrices) {
  for (const auto& [rows, columns] : {std::pair{1U, 1U},
                                      {1U, 5U},
                                      {5U, 1U},
                                      {2U, 2U},
                                      {3U, 3U},
                                      {2U, 6U},
                                      {6U, 2U},
                                      {3U, 4U},
                                      {4U, 3U},
                                      {4U, 4U}}) {
    std::array<double, 3> counts{};
    const std::size_t cells = std::size_t{rows} * columns;
    for (std::size_t code = 0; code < std::size_t{1} << cells; ++code) {
      PlainBits bits(cells);
      for (std::size_t i = 0; i < cells; ++i) bits[i] = (code >> i) & 1U;
      const unsigned rank = plain_rank(matrix_at(bits, 0, rows, columns));
      counts.at(std::min(std::min(rows, columns) - rank, 2U)) += 1;
    }
    const auto probabilities = sp80022::rank_probabilities(rows, columns);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(probabilities.at(i), counts.at(i) / std::pow(2.0, cells), 1e-15)
          << rows << " x " << columns;
    }
  }
}

// The formula next to the constants of 32 x 32: the probabilities change by 1e-9 with the size.
TEST(BinaryMatrixRank, ProbabilitiesOfLargeMatrices) {
  const auto constants = sp80022::rank_probabilities(32, 32);
  const auto larger = sp80022::rank_probabilities(33, 33);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(larger.at(i), constants.at(i), 1e-9);
  for (unsigned rows = 1; rows <= 64; ++rows) {
    for (unsigned columns = 1; columns <= 64; ++columns) {
      const auto p = sp80022::rank_probabilities(rows, columns);
      EXPECT_TRUE(sp80022::sums_to_one(p, 1e-14)) << rows << " x " << columns;
      EXPECT_EQ(p, sp80022::rank_probabilities(columns, rows));
    }
  }
}

// Sec. 2.5.4: two 3 x 3 matrices of ranks 2 and 3, with the probabilities of large matrices.
TEST(BinaryMatrixRank, ExampleOfSection254) {
  const auto bits = BitSequence::from_text("01011001001010101101");
  const auto ranks = sp80022::count_ranks(bits.view(), 3, 3);
  EXPECT_EQ(ranks[2], 1U);
  EXPECT_EQ(ranks[3], 1U);
  const std::uint64_t counts[] = {1, 1, 0};
  const double printed[] = {0.2888, 0.5776, 0.1336};
  EXPECT_NEAR(chi_square_upper_p(sp80022::chi_square(counts, printed), 2).value(), 0.741948, 1e-6);
}

TEST(BinaryMatrixRank, OtherSizes) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 38 * 6 * 8 - 1);
  const TestParameters parameters{.rank_rows = 6, .rank_columns = 8};
  const auto result = run("binary-matrix-rank", bits.view(), parameters);
  const auto ranks = sp80022::count_ranks(bits.view(), 6, 8);
  EXPECT_EQ(statistic(result, "N"), 37);
  EXPECT_EQ(statistic(result, "F_6"), static_cast<double>(ranks[6]));
  EXPECT_EQ(statistic(result, "F_5"), static_cast<double>(ranks[5]));
  EXPECT_EQ(statistic(result, "F_below"), static_cast<double>(37 - ranks[6] - ranks[5]));
  EXPECT_GT(p_of(result, "binary-matrix-rank/6x8"), 0.0);
  ASSERT_EQ(result.flags.size(), 2U);  // n < 38 M Q; and ranks below 5 are rare
  EXPECT_NE(result.flags[0].find("37"), std::string::npos);
  const auto more = random_sequence(engine, 4000 * 6 * 8);
  EXPECT_TRUE(run("binary-matrix-rank", more.view(), parameters).flags.empty());
}

// 1 x 1: the ones are counted. Rank 1 or 0, so there are two classes: the frequency test's
// chi-square.
TEST(BinaryMatrixRank, OneRowHasTwoClasses) {
  const auto bits = BitSequence::from_text("1011010101");
  const auto result = run("binary-matrix-rank", bits.view(), {.rank_rows = 1, .rank_columns = 1});
  EXPECT_EQ(statistic(result, "F_1"), 6);
  EXPECT_EQ(statistic(result, "F_0"), 4);
  EXPECT_EQ(statistic(result, "F_below"), 0);
  EXPECT_NEAR(only_p(result), p_of(run("frequency", bits.view()), "frequency"), 1e-14);
}

TEST(BinaryMatrixRank, SizesOutsideOneToSixtyFour) {
  const auto bits = BitSequence::from_text("1011010101");
  for (const auto& [rows, columns] : {std::pair{0U, 32U}, {32U, 0U}, {65U, 32U}, {32U, 65U}}) {
    EXPECT_THROW(
        run("binary-matrix-rank", bits.view(), {.rank_rows = rows, .rank_columns = columns}),
        std::invalid_argument);
  }
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
        counts.at(std::min(32 - plain_rank(matrix_at(plain, first, 32, 32)), 2U)) += 1;
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
