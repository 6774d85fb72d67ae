#include <gtest/gtest.h>

#include <algorithm>

#include "tests/nist_tests/streams.hpp"

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

TEST(LongestRun, KernelAgreesWithAPlainCount) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    for (const std::size_t first : {std::size_t{0}, plain.size() / 3, plain.size() / 2}) {
      for (const std::size_t count : {plain.size() - first, (plain.size() - first) / 2}) {
        EXPECT_EQ(sp80022::longest_run_of_ones(bits, first, count),
                  plain_longest_run(plain, first, count));
      }
    }
  });
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
