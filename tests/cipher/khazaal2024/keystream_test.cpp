#include "cipher/khazaal2024/keystream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "core/statistics.hpp"
#include "tests/cipher/support.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::khazaal2024 {
namespace {

using test::for_all_targets;
using testing::engine_of;
using testing::random_keys;
using testing::share_of_differences;

constexpr std::array<Sources, 5> all_sources{
    Sources{}, Sources{.logistic = false}, Sources{.henon = false}, Sources{.gauss = false},
    Sources{.logistic = false, .henon = false, .gauss = true}};

Bytes plain_bytes(const WorkingKeys& keys, Sources sources, unsigned round, std::uint64_t first,
                  std::size_t size) {
  Bytes out(size);
  plain::fill_keystream(keys.lanes, keys.parameters, sources, round, first, out);
  return out;
}

Bytes fast_bytes(const WorkingKeys& keys, Sources sources, unsigned round, std::uint64_t first,
                 std::size_t size) {
  Bytes out(size);
  Keystream(keys.lanes, keys.parameters, sources).fill(round, first, out);
  return out;
}

/// One byte by its definition: counters from the step number, states by going there.
std::uint8_t byte_by_step_number(const WorkingKeys& keys, unsigned round, std::uint64_t n) {
  const std::uint64_t block = n / 131072;
  const std::uint64_t in_step = n % 128;
  const std::uint64_t last = 8 + n % 131072 / 128;
  const Lane& start = keys.lanes.at(in_step % 64 / 8);
  Lane lane = start;
  Sample sample{};
  for (std::uint64_t i = 0; i <= last; ++i) {
    const std::uint64_t number = (round * 16777216 + block) * 4096 + i;
    lane.x_weyl = start.x_weyl + number * 0x9E3779B97F4A7C15;
    lane.u_weyl = start.u_weyl + number * 0xD1B54A32D192ED03;
    lane.noise = start.noise + (number + 1) * start.noise_add;
    lane.noise -= start.noise_add;  // the step adds it
    sample = step(lane, keys.parameters);
  }
  const Words words = words_of(sample);
  return static_cast<std::uint8_t>((in_step < 64 ? words.z1 : words.z2) >> (8 * (n % 8)));
}

TEST(Keystream, IsWhatStepNumbersSay) {
  auto engine = engine_of(90);
  const WorkingKeys keys = random_keys(engine);
  const Keystream keystream(keys.lanes, keys.parameters, {});
  const auto check = [&](unsigned round, std::uint64_t n) {
    const std::uint8_t expected = byte_by_step_number(keys, round, n);
    std::array<std::uint8_t, 1> got{};
    plain::fill_keystream(keys.lanes, keys.parameters, {}, round, n, got);
    ASSERT_EQ(got[0], expected) << "plain, round " << round << ", byte " << n;
    keystream.fill(round, n, got);
    ASSERT_EQ(got[0], expected) << "round " << round << ", byte " << n;
  };
  for (const unsigned round : {1U, 2U, 7U}) {
    for (const std::uint64_t n :
         {0U, 7U, 8U, 63U, 64U, 127U, 128U, 131071U, 131072U, 131200U, 1310719U}) {
      check(round, n);
    }
    check(round, (std::uint64_t{1} << 35) - 1);
    for (int i = 0; i < 100; ++i) check(round, engine() % (std::uint64_t{1} << 35));
  }
}

TEST(Keystream, AllInstructionSetsGiveThePlainBytes) {
  auto engine = engine_of(91);
  const WorkingKeys keys = random_keys(engine);
  std::vector<std::pair<std::uint64_t, std::size_t>> pieces{
      {0, 300000},          {131072 - 5, 10},  {131072 - 128, 256},
      {77, 131072 * 2 + 3}, {5 * 131072, 128}, {1U << 20, 0}};
  for (std::size_t size = 1; size <= 20; ++size) pieces.emplace_back(engine() % 1000, size);
  for (std::size_t size = 120; size <= 140; ++size) pieces.emplace_back(engine() % 3000, size);
  for (std::size_t size = 511; size <= 530; ++size) pieces.emplace_back(128 * (size % 7), size);
  std::vector<Bytes> expected;
  for (const auto& [first, size] : pieces) {
    expected.push_back(plain_bytes(keys, {}, 2, first, size));
  }
  for_all_targets([&] {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto& [first, size] = pieces[i];
      EXPECT_EQ(fast_bytes(keys, {}, 2, first, size), expected[i]) << first << ", " << size;
    }
  });
}

TEST(Keystream, AllInstructionSetsAgreeWithSourcesLeftOut) {
  auto engine = engine_of(92);
  for (const Sources sources : all_sources) {
    const WorkingKeys keys = random_keys(engine);
    const Bytes expected = plain_bytes(keys, sources, 1, 131000, 1000);
    for_all_targets([&] { EXPECT_EQ(fast_bytes(keys, sources, 1, 131000, 1000), expected); });
  }
}

TEST(Keystream, AllInstructionSetsAgreeFromTheWorstStarts) {
  for (const int fill : {0, 0x80, 0xFF}) {
    const WorkingKeys keys = working_keys(Bytes(600, static_cast<std::uint8_t>(fill)));
    const Bytes expected = plain_bytes(keys, {}, 1, 0, 5000);
    for_all_targets([&] { EXPECT_EQ(fast_bytes(keys, {}, 1, 0, 5000), expected); });
  }
}

TEST(Keystream, PiecesMakeTheWhole) {
  auto engine = engine_of(93);
  const WorkingKeys keys = random_keys(engine);
  const Keystream keystream(keys.lanes, keys.parameters, {});
  const Bytes whole = fast_bytes(keys, {}, 1, 0, 400000);
  Bytes pieces(whole.size());
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t size = std::min<std::size_t>(whole.size() - at, 1 + engine() % 40000);
    keystream.fill(1, at, MutableBytes{pieces}.subspan(at, size));
    at += size;
  }
  EXPECT_EQ(pieces, whole);
}

TEST(Keystream, EachSourceCounts) {
  auto engine = engine_of(94);
  const WorkingKeys keys = random_keys(engine);
  std::vector<Bytes> streams;
  for (const Sources sources : all_sources) {
    streams.push_back(fast_bytes(keys, sources, 1, 0, 10000));
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_GT(share_of_differences(streams[i], streams[j]), 0.98);
    }
  }
}

/// Bytes and bits are even.
void expect_uniform(ConstBytes bytes) {
  constexpr double once_in_a_million = 1e-6;
  std::array<std::uint64_t, 256> counts{};
  std::int64_t ones = 0;
  for (const std::uint8_t byte : bytes) {
    ++counts.at(byte);
    ones += std::popcount(byte);
  }
  const auto n = static_cast<double>(bytes.size());
  EXPECT_GT(two_sided_normal_p((static_cast<double>(ones) - 4 * n) / std::sqrt(2 * n)).value(),
            once_in_a_million);
  double chi_square = 0;
  for (const std::uint64_t count : counts) {
    const double d = static_cast<double>(count) - n / 256;
    chi_square += d * d / (n / 256);
  }
  const double p = chi_square_upper_p(chi_square, 255).value();
  EXPECT_GT(p, once_in_a_million);
  EXPECT_LT(p, 1 - once_in_a_million);
}

TEST(Keystream, EachByteOfEachWordIsEven) {
  auto engine = engine_of(95);
  for (const bool random : {true, false}) {
    const WorkingKeys keys = random ? random_keys(engine) : working_keys(Bytes(600));
    const Bytes stream = fast_bytes(keys, {}, 1, 0, std::size_t{1} << 23);
    if (random) expect_uniform(stream);  // with keys of zeros the lanes are all the same
    for (const std::size_t place : {0U, 3U, 7U, 8U, 64U, 68U, 127U}) {
      Bytes some;
      for (std::size_t n = place; n < stream.size(); n += 128) some.push_back(stream[n]);
      expect_uniform(some);
    }
  }
}

// Blocks start from the same states: what tells them apart are the counters.
TEST(Keystream, StartsOfBlocksAndRoundsAreUnrelated) {
  auto engine = engine_of(96);
  const WorkingKeys keys = random_keys(engine);
  const Keystream keystream(keys.lanes, keys.parameters, {});
  constexpr std::size_t blocks = 4096;
  Bytes differences;
  Bytes sums;
  std::array<std::uint8_t, 128> before{};
  for (std::size_t block = 0; block < blocks; ++block) {
    std::array<std::uint8_t, 128> bytes{};
    keystream.fill(1 + static_cast<unsigned>(block % 2), block / 2 * block_bytes, bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      differences.push_back(static_cast<std::uint8_t>(bytes.at(i) - before.at(i)));
      sums.push_back(bytes.at(i) ^ before.at(i));
    }
    before = bytes;
  }
  expect_uniform(differences);
  expect_uniform(sums);
}

}  // namespace
}  // namespace icb::khazaal2024
