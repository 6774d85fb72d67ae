#include "nist_tests/random_walk.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// All that is asked of the walk, from the list of its sums.
void expect_plain_walk(const PlainBits& plain) {
  const auto packed = pack(plain);
  std::vector<std::int64_t> walk{0};
  for (const auto bit : plain) walk.push_back(walk.back() + (bit != 0 ? 1 : -1));

  const auto extremes = sp80022::walk_extremes(packed.view());
  EXPECT_EQ(extremes.smallest, *std::min_element(walk.begin(), walk.end()));
  EXPECT_EQ(extremes.largest, *std::max_element(walk.begin(), walk.end()));
  EXPECT_EQ(extremes.last, walk.back());

  sp80022::VisitCounts visits;
  sp80022::ExcursionCounts excursions;
  std::array<std::uint64_t, 9> in_cycle{};  // of -4 ... 4
  if (walk.back() != 0) walk.push_back(0);
  for (std::size_t k = 1; k < walk.size(); ++k) {
    const std::int64_t s = walk[k];
    if (s != 0 && std::abs(s) <= 9) ++visits.xi.at(static_cast<std::size_t>(s < 0 ? s + 9 : s + 8));
    if (std::abs(s) <= 4) ++in_cycle.at(static_cast<std::size_t>(s + 4));
    if (s != 0) continue;
    ++visits.cycles;
    ++excursions.cycles;
    for (std::size_t i = 0; i < 8; ++i) {
      ++excursions.nu.at(i).at(std::min<std::size_t>(5, in_cycle.at(i < 4 ? i : i + 1)));
    }
    in_cycle = {};
  }
  const auto counted = sp80022::count_visits(packed.view());
  EXPECT_EQ(counted.cycles, visits.cycles);
  EXPECT_EQ(counted.xi, visits.xi);
  const auto cycles = sp80022::count_excursions(packed.view());
  EXPECT_EQ(cycles.cycles, excursions.cycles);
  EXPECT_EQ(cycles.nu, excursions.nu);
}

TEST(RandomWalk, EveryLengthAgreesWithTheListOfSums) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 0; n <= 2000; ++n) {
    for (const auto& [name, bits] : streams(engine, n)) {
      // The others repeat themselves: every length up to 300, every seventh beyond.
      if (name != "random" && n > 300 && n % 7 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      expect_plain_walk(bits);
      if (HasFailure()) return;
    }
  }
}

// Up to a height, some steps there, down through zero to the same depth, and back: with every place
// of the turns within a byte and a word.
TEST(RandomWalk, EveryHeightOnBothSides) {
  std::mt19937_64 engine(seed());
  for (std::size_t height = 0; height <= 100; ++height) {
    SCOPED_TRACE("height " + std::to_string(height) + ", seed " + std::to_string(seed()));
    PlainBits bits = random_bits(engine, height % 8);
    std::uint8_t up = height % 2;
    for (const std::size_t length : {height, 2 * height + 3, 2 * height}) {
      bits.insert(bits.end(), length, up);
      for (int i = 0; i < 40; ++i) {
        const auto bit = static_cast<std::uint8_t>(engine() >> 63);
        bits.insert(bits.end(), {bit, static_cast<std::uint8_t>(1 - bit)});
      }
      up = static_cast<std::uint8_t>(1 - up);
    }
    expect_plain_walk(bits);
  }
}

TEST(RandomWalk, LongSequences) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {10007U, 99991U, 300007U, 524287U}) {
    SCOPED_TRACE("n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
    for (const auto& [name, bits] : streams(engine, n)) expect_plain_walk(bits);
  }
}

}  // namespace
}  // namespace icb::test
