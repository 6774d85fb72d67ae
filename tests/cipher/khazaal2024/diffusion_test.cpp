#include "cipher/khazaal2024/diffusion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "tests/cipher/support.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::khazaal2024 {
namespace {

using test::for_all_targets;
using testing::engine_of;
using testing::random_bytes;
using testing::random_keys;
using testing::share_of_differences;

const std::vector<std::size_t> sizes = [] {
  std::vector<std::size_t> out(40);
  std::iota(out.begin(), out.end(), std::size_t{1});
  for (std::size_t n = 505; n <= 535; ++n) out.push_back(n);
  out.insert(out.end(), {1023, 1024, 1031, 1032, 1033, 1536 + 8, 4095, 10000});
  return out;
}();

constexpr std::array<Direction, 2> directions{Direction::forward, Direction::backward};

ChainKeys random_chain_keys(std::mt19937_64& engine) {
  WorkingKeys keys = random_keys(engine);
  return draw_chain_keys(keys.guide, keys.parameters, {});
}

struct ChainCase {
  Bytes data;
  Bytes keystream;
  ChainKeys keys;

  ChainCase(std::mt19937_64& engine, std::size_t size)
      : data(random_bytes(engine, size)),
        keystream(random_bytes(engine, size)),
        keys(random_chain_keys(engine)) {}
};

// Section 5 to the letter, byte by byte.
Bytes chain_by_the_letter(const ChainCase& c, Direction direction) {
  const std::size_t size = c.data.size();

  struct Line {
    std::size_t first, length;
  };

  std::vector<Line> lines;
  const std::size_t singles = std::min<std::size_t>(size, 8);
  for (std::size_t at = 0; at < size - singles; at += 512) {
    lines.push_back({at, std::min<std::size_t>(512, size - singles - at)});
  }
  for (std::size_t at = size - singles; at < size; ++at) lines.push_back({at, 1});
  if (direction == Direction::backward) std::reverse(lines.begin(), lines.end());
  const auto folded = [](std::uint64_t a) { return a ^ (a / 4294967296U); };
  Bytes out(size);
  std::uint64_t carry = c.keys.carry;
  for (const Line& line : lines) {
    std::vector<std::uint64_t> words((line.length + 7) / 8);
    for (std::size_t j = 0; j < line.length; ++j) {
      const std::uint64_t mask = folded(carry * c.keys.odd.at(j / 8)) >> (8 * (j % 8));
      const unsigned in = c.data[line.first + j];
      const unsigned k = c.keystream[line.first + j];
      const std::uint64_t y = ((in ^ k) + mask % 256) % 256;
      out[line.first + j] = static_cast<std::uint8_t>(y);
      words[j / 8] += y << (8 * (j % 8));
    }
    std::uint64_t h = 0;
    for (std::size_t j = 0; j < words.size(); ++j) {
      const std::uint64_t key = c.keys.hash.at(j);
      h += (words[j] % 4294967296U + key % 4294967296U) % 4294967296U *
           ((words[j] / 4294967296U + key / 4294967296U) % 4294967296U);
    }
    carry = folded(folded(carry + h) * 0x9FB21C651E98DF25U);
  }
  return out;
}

TEST(ChainKeys, AreSixtyFiveStepsOfTheGuide) {
  auto engine = engine_of(70);
  for (const Sources sources : {Sources{}, Sources{.henon = false}}) {
    WorkingKeys keys = random_keys(engine);
    Lane guide = keys.guide;
    const ChainKeys chain = draw_chain_keys(keys.guide, keys.parameters, sources);
    for (std::size_t j = 0; j < 64; ++j) {
      const Words words = words_of(step(guide, keys.parameters, sources));
      EXPECT_EQ(chain.odd.at(j), words.z1 % 2 == 1 ? words.z1 : words.z1 + 1);
      EXPECT_EQ(chain.hash.at(j), words.z2);
    }
    EXPECT_EQ(chain.carry, words_of(step(guide, keys.parameters, sources)).z1);
    EXPECT_EQ(keys.guide.x, guide.x);
    EXPECT_EQ(keys.guide.noise, guide.noise);
  }
}

TEST(Chains, ThePlainVersionFollowsTheLetter) {
  auto engine = engine_of(71);
  for (const std::size_t size : sizes) {
    for (const Direction direction : directions) {
      const ChainCase c(engine, size);
      Bytes data = c.data;
      plain::chain_image(direction, data, c.keystream, c.keys);
      ASSERT_EQ(data, chain_by_the_letter(c, direction)) << size;
      plain::undo_chain_image(direction, data, c.keystream, c.keys);
      ASSERT_EQ(data, c.data) << size;
    }
  }
}

void expect_all_targets_agree(const ChainCase& c) {
  for (const Direction direction : directions) {
    Bytes expected = c.data;
    plain::chain_image(direction, expected, c.keystream, c.keys);
    for_all_targets([&] {
      Bytes data = c.data;
      chain_image(direction, data, c.keystream, c.keys);
      EXPECT_EQ(data, expected) << c.data.size();
      undo_chain_image(direction, data, c.keystream, c.keys);
      EXPECT_EQ(data, c.data) << c.data.size();
    });
  }
}

TEST(Chains, AllInstructionSetsAgreeWithThePlainVersion) {
  auto engine = engine_of(72);
  for (const std::size_t size : sizes) expect_all_targets_agree(ChainCase(engine, size));
  expect_all_targets_agree(ChainCase(engine, (std::size_t{1} << 20) + 333));
  ChainCase zeros(engine, 5000);
  std::fill(zeros.data.begin(), zeros.data.end(), std::uint8_t{0});
  zeros.keystream = zeros.data;
  expect_all_targets_agree(zeros);
  std::fill(zeros.data.begin(), zeros.data.end(), std::uint8_t{255});
  expect_all_targets_agree(zeros);
}

TEST(Chains, PiecesMakeTheWhole) {
  auto engine = engine_of(73);
  const ChainCase c(engine, 512 * 20 + 100 + 8);
  const std::size_t body = bytes_in_lines(c.data.size());
  for (const Direction direction : directions) {
    Bytes expected = c.data;
    chain_image(direction, expected, c.keystream, c.keys);
    Bytes data = c.data;
    const MutableBytes view(data);
    const ConstBytes k(c.keystream);
    const auto run = [&](bool undo) {
      std::uint64_t carry = c.keys.carry;
      const auto lines = undo ? undo_lines : chain_lines;
      const auto singles = undo ? undo_singles : chain_singles;
      const auto tail = [&] {
        carry = singles(direction, view.subspan(body), k.subspan(body), c.keys, carry);
      };
      if (direction == Direction::backward) tail();
      const std::vector<std::size_t> ends{0, 512, 512 * 4, 512 * 11, body};
      for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
        const std::size_t at = direction == Direction::forward ? i : ends.size() - 2 - i;
        const std::size_t size = ends[at + 1] - ends[at];
        carry = lines(direction, view.subspan(ends[at], size), k.subspan(ends[at], size), c.keys,
                      carry);
      }
      if (direction == Direction::forward) tail();
    };
    run(false);
    EXPECT_EQ(data, expected);
    run(true);
    EXPECT_EQ(data, c.data);
  }
}

TEST(Chains, GoOneWay) {
  auto engine = engine_of(74);
  const ChainCase c(engine, 2048 + 8);
  for (const Direction direction : directions) {
    Bytes a = c.data;
    Bytes b = c.data;
    b[600] ^= 1;
    chain_image(direction, a, c.keystream, c.keys);
    chain_image(direction, b, c.keystream, c.keys);
    const auto share = [&](std::size_t from, std::size_t to) {
      return share_of_differences(ConstBytes{a}.subspan(from, to - from),
                                  ConstBytes{b}.subspan(from, to - from));
    };
    const bool forward = direction == Direction::forward;
    EXPECT_EQ(share(512, 1024), 1.0 / 512);  // in its own line at its place only
    EXPECT_EQ(forward ? share(0, 512) : share(1024, 2056), 0);
    EXPECT_GT(forward ? share(1024, 2056) : share(0, 512), 0.97);
  }
}

/// Pairs (i, j) such that no change of byte i, under some keys, changed byte j.
std::size_t untouched_pairs(std::mt19937_64& engine, std::size_t size, bool backward_too,
                            int keys) {
  std::vector<bool> touched(size * size);
  for (int key = 0; key < keys; ++key) {
    const ChainCase c(engine, size);
    const ChainKeys second = random_chain_keys(engine);
    const Bytes k2 = random_bytes(engine, size);
    const auto run = [&](Bytes data) {
      chain_image(Direction::forward, data, c.keystream, c.keys);
      if (backward_too) chain_image(Direction::backward, data, k2, second);
      return data;
    };
    const Bytes before = run(c.data);
    for (std::size_t i = 0; i < size; ++i) {
      Bytes changed = c.data;
      changed[i] ^= static_cast<std::uint8_t>(1U << (engine() % 8));
      const Bytes after = run(changed);
      for (std::size_t j = 0; j < size; ++j) {
        if (before[j] != after[j]) touched[i * size + j] = true;
      }
    }
  }
  return static_cast<std::size_t>(std::count(touched.begin(), touched.end(), false));
}

// A byte stays the same by chance once in 256; eight times in a row once in 2^64.
TEST(Diffusion, EveryByteDependsOnEveryByteAfterBothChains) {
  auto engine = engine_of(75);
  for (std::size_t size = 1; size <= 40; ++size) {
    EXPECT_EQ(untouched_pairs(engine, size, true, 8), 0U) << size;
  }
  for (const std::size_t size : {513U, 520U, 521U, 1040U}) {
    EXPECT_EQ(untouched_pairs(engine, size, true, 8), 0U) << size;
  }
}

TEST(Diffusion, OneChainIsNotEnough) {
  auto engine = engine_of(76);
  for (const std::size_t size : {2U, 9U, 40U, 513U, 520U}) {
    EXPECT_GT(untouched_pairs(engine, size, false, 8), 0U) << size;
  }
}

// A change anywhere, however small, changes 255 of 256 bytes.
TEST(Diffusion, AChangeChangesAsMuchAsChance) {
  auto engine = engine_of(77);
  constexpr std::size_t size = 2000;
  constexpr int trials = 200;
  double share = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const ChainCase c(engine, size);
    const ChainKeys second = random_chain_keys(engine);
    Bytes a = c.data;
    Bytes b = c.data;
    b[engine() % size] ^= static_cast<std::uint8_t>(1U << (engine() % 8));
    for (Bytes* data : {&a, &b}) {
      chain_image(Direction::forward, *data, c.keystream, c.keys);
      chain_image(Direction::backward, *data, c.keystream, second);
    }
    share += share_of_differences(a, b) / trials;
  }
  EXPECT_NEAR(share, 255.0 / 256, 5 * std::sqrt(255.0 / 65536 / (size * double{trials})));
}

// --- Affine or not: four queries ----------------------------------------------------------------

/// Shares of bytes at which E(A + B - D) = E(A) + E(B) - E(D), and the same over exclusive or.
struct Matches {
  double modular = 0;
  double exclusive_or = 0;
};

Matches affine_probe(std::uint64_t salt, std::size_t size, int keys,
                     const std::function<void(MutableBytes, const ChainCase&)>& encrypt) {
  auto engine = engine_of(salt);
  Matches out;
  for (int key = 0; key < keys; ++key) {
    const ChainCase c(engine, size);
    const Bytes a = random_bytes(engine, size);
    const Bytes b = random_bytes(engine, size);
    const Bytes d = random_bytes(engine, size);
    const auto encrypted = [&](Bytes data) {
      encrypt(data, c);
      return data;
    };
    const auto combined = [&](const Bytes& p, const Bytes& q, const Bytes& r, bool add) {
      Bytes bytes(size);
      for (std::size_t n = 0; n < size; ++n) {
        const int sum = p[n] + q[n] - r[n] + 256;
        bytes[n] = static_cast<std::uint8_t>((add ? sum : p[n] ^ q[n] ^ r[n]) & 0xFF);
      }
      return bytes;
    };
    const auto match = [&](bool add) {
      return 1 - share_of_differences(encrypted(combined(a, b, d, add)),
                                      combined(encrypted(a), encrypted(b), encrypted(d), add));
    };
    out.modular += match(true) / keys;
    out.exclusive_or += match(false) / keys;
  }
  return out;
}

TEST(Affine, TheChainsAreNeitherModuloNorOverExclusiveOr) {
  constexpr std::size_t size = 1200;
  constexpr int keys = 50;
  const Matches matches = affine_probe(78, size, keys, [](MutableBytes data, const ChainCase& c) {
    chain_image(Direction::forward, data, c.keystream, c.keys);
    chain_image(Direction::backward, data, c.keystream, c.keys);
  });
  const double bound = 5 * std::sqrt(255.0 / 65536 / (size * double{keys}));
  EXPECT_NEAR(matches.modular, 1.0 / 256, bound);
  EXPECT_NEAR(matches.exclusive_or, 1.0 / 256, bound);
}

TEST(Affine, AKeystreamAloneIs) {
  const Matches matches = affine_probe(79, 100, 5, [](MutableBytes data, const ChainCase& c) {
    for (std::size_t n = 0; n < data.size(); ++n) data[n] ^= c.keystream[n];
  });
  EXPECT_NEAR(matches.exclusive_or, 1, 1e-12);
  EXPECT_LT(matches.modular, 0.9);
}

}  // namespace
}  // namespace icb::khazaal2024
