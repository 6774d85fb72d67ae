#include <gtest/gtest.h>

#include <algorithm>

#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::test {
namespace {

std::uint64_t plain_longest_run(const PlainBits& bits, std::size_t first, std::size_t count) {
  std::uint64_t longest = 0;
  std::uint64_t open = 0;
  for (std::size_t i = first; i < first + count; ++i) {
    open = bits[i] != 0 ? open + 1 : 0;
    longest = std::max(longest, open);
  }
  return longest;
}

std::vector<std::uint64_t> plain_counts(const PlainBits& bits, std::size_t block,
                                        std::size_t size) {
  std::vector<std::uint64_t> counts(size);
  for (std::size_t first = 0; first + block <= bits.size(); first += block) {
    ++counts[std::min<std::size_t>(plain_longest_run(bits, first, block), size - 1)];
  }
  return counts;
}

TEST(LongestRun, KernelAgreesWithAPlainCount) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    for (const std::size_t first : {std::size_t{0}, plain.size() / 3, plain.size() / 2}) {
      for (const std::size_t count : {plain.size() - first, (plain.size() - first) / 2}) {
        const auto expected = plain_longest_run(plain, first, count);
        for_all_targets(
            [&] { EXPECT_EQ(sp80022::longest_run_of_ones(bits, first, count), expected); });
      }
    }
  });
}

// Runs of every length around that of a word, at every place in it.
TEST(LongestRun, KernelOnLongRuns) {
  std::mt19937_64 engine(seed());
  for (int trial = 0; trial < 2000; ++trial) {
    PlainBits plain;
    while (plain.size() < 900) {
      plain.insert(plain.end(), engine() % 200, 1);
      plain.insert(plain.end(), 1 + engine() % 3, 0);
    }
    const auto packed = pack(plain);
    EXPECT_EQ(sp80022::longest_run_of_ones(packed.view(), 0, plain.size()),
              plain_longest_run(plain, 0, plain.size()));
  }
}

TEST(LongestRun, HistogramAgreesWithAPlainCount) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 0; n <= 2000; n += n < 300 ? 1 : 7) {
    for (const auto& [name, plain] : streams(engine, n)) {
      const auto packed = pack(plain);
      for (const std::size_t block : {8U, 63U, 128U, 600U}) {
        for (const std::size_t size : {5U, 150U}) {
          const auto expected = plain_counts(plain, block, size);
          for_all_targets([&, &name = name] {
            std::vector<std::uint64_t> counts(size);
            sp80022::count_longest_runs(packed.view(), block, counts);
            EXPECT_EQ(counts, expected) << name << ", n = " << n << ", M = " << block;
          });
        }
      }
    }
    if (HasFailure()) return;
  }
}

TEST(LongestRun, ClassesOfEveryLayout) {
  std::mt19937_64 engine(seed());

  struct Layout {
    std::size_t n, block, lowest, classes;
  };

  for (const auto& [n, block, lowest, classes] :
       {Layout{128, 8, 1, 4}, Layout{6271, 8, 1, 4}, Layout{6272, 128, 4, 6},
        Layout{749999, 128, 4, 6}, Layout{750000, 10000, 10, 7}}) {
    const auto plain = random_bits(engine, n, n == 6272 ? 150 : 128);
    std::vector<double> nu(classes);
    for (std::size_t first = 0; first + block <= n; first += block) {
      const auto longest = std::max<std::size_t>(lowest, plain_longest_run(plain, first, block));
      nu[std::min(longest - lowest, classes - 1)] += 1;
    }
    const auto result = run("longest-run", pack(plain).view());
    EXPECT_EQ(statistic(result, "M"), static_cast<double>(block));
    for (std::size_t i = 0; i < classes; ++i) {
      EXPECT_EQ(statistic(result, "nu_" + std::to_string(i)), nu[i]) << "n = " << n;
    }
    EXPECT_THROW(statistic(result, "nu_" + std::to_string(classes)), std::out_of_range);
  }
}

TEST(LongestRun, NeedsOneHundredTwentyEightBits) {
  const auto bits = BitSequence::from_text(std::string(127, '1'));
  const auto result = run("longest-run", bits.view());
  ASSERT_FALSE(applies(result));
  EXPECT_NE(std::get<NotApplicable>(result.outcome).reason.find("127"), std::string::npos);
}

TEST(LongestRun, BlockCanBeSet) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {8U, 127U, 128U, 6271U, 6272U, 10007U, 750000U}) {
    const auto plain = random_bits(engine, n);
    const auto packed = pack(plain);
    for (const unsigned block : {8U, 128U, 10000U}) {
      SCOPED_TRACE("n = " + std::to_string(n) + ", M = " + std::to_string(block));
      const auto result = run("longest-run", packed.view(), {.longest_run_block = block});
      ASSERT_EQ(applies(result), n >= block);
      if (n < block) {
        EXPECT_NE(std::get<NotApplicable>(result.outcome).reason.find(std::to_string(n)),
                  std::string::npos);
        continue;
      }
      const std::size_t lowest = block == 8 ? 1 : block == 128 ? 4 : 10;
      const std::size_t classes = block == 8 ? 4 : block == 128 ? 6 : 7;
      auto counts = plain_counts(plain, block, lowest + classes);
      for (std::size_t i = 0; i < lowest; ++i) counts[lowest] += counts[i];
      for (std::size_t i = 0; i < classes; ++i) {
        EXPECT_EQ(statistic(result, "nu_" + std::to_string(i)),
                  static_cast<double>(counts[lowest + i]));
      }
      p_of(result, "longest-run/M=" + std::to_string(block));
      const std::size_t own = n < 6272 ? 8 : n < 750000 ? 128 : 10000;
      EXPECT_EQ(result.flags.size(), n < 128 || block != own ? 1U : 0U);
      if (n >= 128 && block == own) {
        EXPECT_EQ(only_p(result), only_p(run("longest-run", packed.view())));
      }
    }
    EXPECT_THROW(run("longest-run", packed.view(), {.longest_run_block = 16}),
                 std::invalid_argument);
  }
}

TEST(LongestRun, RejectsBrokenRuns) {
  std::mt19937_64 engine(seed());
  auto bits = random_bits(engine, 10000);
  for (std::size_t i = 5; i < bits.size(); ++i) {
    if (plain_longest_run(bits, i - 5, 6) == 6) bits[i] = 0;  // never six in a row
  }
  EXPECT_LT(only_p(run("longest-run", pack(bits).view())), 1e-6);
}

}  // namespace
}  // namespace icb::test
