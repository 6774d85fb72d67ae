#include "nist_tests/pattern_counts.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

using sp80022::PatternCounter;
using Counts = std::vector<std::uint64_t>;

// Window by window, bit by bit; beyond the end the ring goes on.
Counts plain_counts(const PlainBits& bits, std::size_t first, std::size_t windows,
                    unsigned length) {
  Counts counts(std::size_t{1} << length);
  for (std::size_t i = first; i < first + windows; ++i) {
    std::size_t pattern = 0;
    for (std::size_t j = 0; j < length; ++j) pattern = 2 * pattern + bits[(i + j) % bits.size()];
    ++counts[pattern];
  }
  return counts;
}

void expect_counts(const PlainBits& plain, BitView bits, std::size_t first, std::size_t windows,
                   unsigned length) {
  const Counts expected = plain_counts(plain, first, windows, length);
  for (unsigned stride = 0; stride <= (length > 17 ? 1U : 4U); ++stride) {
    auto counter = PatternCounter::with_stride(length, stride);
    Counts counts(expected.size(), 7);
    counter.add(bits, first, windows, counts);
    for (auto& count : counts) count -= 7;
    ASSERT_EQ(counts, expected) << windows << " windows of " << length << " bits from " << first
                                << ", stride " << stride;
  }
}

// Every n to 2000; the length and the place of the windows vary with n.
TEST(PatternCounts, AgreeWithWindowByWindow) {
  std::mt19937_64 engine(seed());
  SCOPED_TRACE("seed " + std::to_string(seed()));
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (n > 300 && engine() % 4 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n));
      const auto packed = pack(plain);
      const auto length = static_cast<unsigned>(1 + engine() % 10);
      if (n < length) continue;
      const std::size_t first = engine() % (n - length + 1);
      const std::size_t windows = n - length + 1 - first;
      expect_counts(plain, packed.view(), first, windows, length);
      expect_counts(plain, packed.view(), first, engine() % (windows + 1), length);
      expect_counts(plain, packed.view(), 0, n - length + 1, length);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(PatternCounts, AgreeForLongPatternsAndSequences) {
  std::mt19937_64 engine(seed());
  SCOPED_TRACE("seed " + std::to_string(seed()));
  for (const std::size_t n : {4097U, 10007U, 65537U, 200003U}) {
    for (const auto& [name, plain] : streams(engine, n)) {
      SCOPED_TRACE(name + ", n = " + std::to_string(n));
      const auto packed = pack(plain);
      for (const unsigned length : {1U, 2U, 9U, 10U, 11U, 12U, 14U, 16U, 17U, 18U}) {
        if (n != 65537 && length > 11) continue;
        expect_counts(plain, packed.view(), 3, n - 3 - length + 1, length);
      }
      if (HasFatalFailure()) return;
    }
  }
  const auto plain = random_bits(engine, 50021);
  const auto packed = pack(plain);
  for (const unsigned length : {20U, 24U, 25U}) {
    expect_counts(plain, packed.view(), 0, plain.size() - length + 1, length);
  }
}

// Every increment on one byte, and on a few: a byte of the table overflows every 256 of them.
TEST(PatternCounts, NoCountIsLostToOverflow) {
  constexpr std::uint64_t n = 40000003;
  const auto zeros = BitSequence::from_bytes(Bytes(n / 8 + 1), 0, n);
  const auto alternating = BitSequence::from_bytes(Bytes(n / 8 + 1, 0x55), 0, n);
  for (unsigned stride = 0; stride <= 4; ++stride) {
    auto counter = PatternCounter::with_stride(9, stride);
    Counts counts(512);
    counter.add(zeros.view(), 0, n - 8, counts);
    Counts expected(512);
    expected[0] = n - 8;
    EXPECT_EQ(counts, expected) << stride;
    counter.add(alternating.view(), 0, n - 8, counts);
    expected[0b010101010] += (n - 8 + 1) / 2;
    expected[0b101010101] += (n - 8) / 2;
    EXPECT_EQ(counts, expected) << stride;
  }
}

// The table has to be clean counts after each call, and the counts are added to.
TEST(PatternCounts, ACounterCanBeUsedAgain) {
  std::mt19937_64 engine(seed());
  const auto plain = random_bits(engine, 5003);
  const auto packed = pack(plain);
  for (unsigned stride = 0; stride <= 4; ++stride) {
    auto counter = PatternCounter::with_stride(5, stride);
    Counts counts(32);
    counter.add(packed.view(), 0, 1000, counts);
    counter.add(packed.view(), 1000, 3999, counts);
    EXPECT_EQ(counts, plain_counts(plain, 0, 4999, 5)) << stride;
  }
}

TEST(PatternCounts, CyclicAlsoForTheShortest) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (n > 100 && engine() % 16 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const auto packed = pack(plain);
      for (const unsigned length : {1U, 2U, 3U, 7U, 12U}) {
        ASSERT_EQ(sp80022::count_cyclic_patterns(packed.view(), length),
                  plain_counts(plain, 0, n, length))
            << length;
      }
    }
  }
  const auto plain = random_bits(engine, 3 << 18);
  const auto packed = pack(plain);
  for (const unsigned length : {15U, 16U, 18U}) {  // 16 as the serial test has it, 18: no stride
    EXPECT_EQ(sp80022::count_cyclic_patterns(packed.view(), length),
              plain_counts(plain, 0, plain.size(), length));
  }
  EXPECT_EQ(sp80022::count_cyclic_patterns(BitSequence().view(), 3), Counts(8));
}

TEST(PatternCounts, TheStrideFollowsTheSizes) {
  EXPECT_EQ(PatternCounter(9, 125000).stride(), 4U);
  EXPECT_EQ(PatternCounter(16, 1000000).stride(), 3U);
  EXPECT_EQ(PatternCounter(16, 1000).stride(), 0U);
  EXPECT_EQ(PatternCounter(20, 1000000).stride(), 0U);
  EXPECT_EQ(PatternCounter(20, 2000000).stride(), 1U);
}

TEST(PatternCounts, WindowsOfOnes) {
  std::mt19937_64 engine(seed());
  SCOPED_TRACE("seed " + std::to_string(seed()));
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (n > 300 && engine() % 4 != 0) continue;
      const auto packed = pack(plain);
      const auto length = static_cast<unsigned>(1 + engine() % (n % 2 == 0 ? 25 : 5));
      if (n < length) continue;
      const std::size_t first = engine() % (n - length + 1);
      const std::size_t windows = engine() % (n - length + 1 - first + 1);
      std::uint64_t expected = 0;
      for (std::size_t i = first; i < first + windows; ++i) {
        bool ones = true;
        for (std::size_t j = 0; j < length; ++j) ones = ones && plain[i + j] == 1;
        expected += ones ? 1 : 0;
      }
      ASSERT_EQ(sp80022::count_windows_of_ones(packed.view(), first, windows, length), expected)
          << name << ", n = " << n << ": " << windows << " windows of " << length << " from "
          << first;
    }
  }
}

// Compiled for each of them; only the best one runs otherwise.
TEST(PatternCounts, EveryInstructionSet) {
  std::mt19937_64 engine(seed());
  const auto plain = random_bits(engine, 30021, 100);
  const auto packed = pack(plain);
  const auto ring = plain_counts(plain, 0, plain.size(), 12);
  const auto ones = plain_counts(plain, 5, 30000, 3)[7];
  std::uint64_t square = 0;
  for (const auto count : ring) square += count * count;
  const auto targets = hwy::SupportedAndGeneratedTargets();
  EXPECT_FALSE(targets.empty());
  for (const auto target : targets) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    expect_counts(plain, packed.view(), 5, 30000, 9);
    const auto counts = sp80022::count_cyclic_patterns(packed.view(), 12);
    EXPECT_EQ(counts, ring);
    EXPECT_EQ(sp80022::count_windows_of_ones(packed.view(), 5, 30000, 3), ones);
    EXPECT_TRUE(sp80022::square_sums(counts).m == square);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(PatternCounts, SquareSums) {
  std::mt19937_64 engine(seed());
  // Counts of any size: the last one has a sum beyond 2^32, where a square has up to 70 bits.
  for (const unsigned bits : {1U, 10U, 19U, 35U}) {
    for (unsigned length = 2; length <= 12; ++length) {
      Counts counts(std::size_t{1} << length);
      for (auto& count : counts) count = engine() >> (64 - bits);
      const auto sums = sp80022::square_sums(counts);
      sp80022::Wide m{};
      sp80022::Wide m1{};
      sp80022::Wide m2{};
      for (std::size_t i = 0; i < counts.size(); ++i) {
        m += sp80022::Wide{counts[i]} * counts[i];
        if (i % 2 == 0)
          m1 += sp80022::Wide{counts[i] + counts[i + 1]} * (counts[i] + counts[i + 1]);
        if (i % 4 == 0) {
          const std::uint64_t four = counts[i] + counts[i + 1] + counts[i + 2] + counts[i + 3];
          m2 += sp80022::Wide{four} * four;
        }
      }
      EXPECT_TRUE(sums.m == m && sums.m1 == m1 && sums.m2 == m2) << bits << ", " << length;
    }
  }
}

TEST(PatternCounts, WrongArguments) {
  const auto bits = BitSequence::from_text("0110100");
  Counts eight(8);
  EXPECT_THROW(PatternCounter(0, 1), std::invalid_argument);
  EXPECT_THROW(PatternCounter(26, 1), std::invalid_argument);
  EXPECT_THROW(PatternCounter::with_stride(3, 5), std::invalid_argument);
  EXPECT_THROW(PatternCounter::with_stride(18, 2), std::invalid_argument);
  EXPECT_THROW(PatternCounter(3, 1).add(bits.view(), 0, 6, eight), std::invalid_argument);
  EXPECT_THROW(PatternCounter(3, 1).add(bits.view(), 5, 1, eight), std::invalid_argument);
  EXPECT_THROW(PatternCounter(3, 1).add(bits.view(), 8, 1, eight), std::invalid_argument);
  EXPECT_THROW(PatternCounter(4, 1).add(bits.view(), 0, 1, eight), std::invalid_argument);
  EXPECT_THROW(sp80022::count_windows_of_ones(bits.view(), 0, 6, 3), std::invalid_argument);
  EXPECT_THROW(sp80022::count_windows_of_ones(bits.view(), 0, 1, 0), std::invalid_argument);
  EXPECT_THROW(sp80022::count_cyclic_patterns(bits.view(), 26), std::invalid_argument);
  EXPECT_THROW(sp80022::square_sums(Counts(6)), std::invalid_argument);
  EXPECT_THROW(sp80022::square_sums(Counts(2)), std::invalid_argument);
}

}  // namespace
}  // namespace icb::test
