#include "cipher/khazaal2024/diffusion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/khazaal2024.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;
using testing::random_keys;
using testing::share_of_differences;

const std::vector<std::size_t> sizes = [] {
  std::vector<std::size_t> out(140);
  std::iota(out.begin(), out.end(), std::size_t{1});
  out.insert(out.end(), {255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 1087, 1600, 4095});
  return out;
}();

// --- Geometry, boxes, keystream -----------------------------------------------------------------

TEST(LineWidth, Table) {
  for (const auto& [bytes, width] :
       std::vector<std::pair<std::size_t, std::size_t>>{{1, 1},
                                                        {15, 1},
                                                        {16, 1},
                                                        {31, 1},
                                                        {32, 2},
                                                        {63, 2},
                                                        {64, 4},
                                                        {127, 4},
                                                        {128, 8},
                                                        {255, 8},
                                                        {256, 16},
                                                        {511, 16},
                                                        {512, 32},
                                                        {1023, 32},
                                                        {1024, 64},
                                                        {2048, 64},
                                                        {1 << 30, 64}}) {
    EXPECT_EQ(line_width(bytes), width) << bytes;
  }
}

TEST(LineWidth, IsTheLargestPowerOfTwoThatFits) {
  for (std::size_t bytes = 1; bytes < 3000; ++bytes) {
    std::size_t width = 1;
    while (2 * width <= 64 && 16 * (2 * width) <= bytes) width *= 2;
    ASSERT_EQ(line_width(bytes), width) << bytes;
  }
}

TEST(Box, IsAPermutationAndItsInverseInverts) {
  auto engine = engine_of(71);
  for (int i = 0; i < 50; ++i) {
    WorkingKeys keys = random_keys(engine);
    const Box box = make_box(keys.guide, keys.parameters);
    const Box back = inverse(box);
    Box sorted = box;
    std::ranges::sort(sorted);
    for (std::size_t value = 0; value < 256; ++value) {
      ASSERT_EQ(sorted.at(value), value);
      ASSERT_EQ(back.at(box.at(value)), value);
      ASSERT_EQ(box.at(back.at(value)), value);
    }
  }
}

// Fisher and Yates: every value at every place equally often (a walk that never stays in place,
// for one, has no fixed points).
TEST(Box, IsUniform) {
  auto engine = engine_of(72);
  WorkingKeys keys = random_keys(engine);
  constexpr int boxes = 4000;
  double fixed = 0;
  double first = 0;
  double parity = 0;
  for (int i = 0; i < boxes; ++i) {
    const Box box = make_box(keys.guide, keys.parameters);
    for (std::size_t n = 0; n < 256; ++n) fixed += box.at(n) == n ? 1.0 : 0.0;
    first += box[0];
    std::vector<bool> seen(256);
    bool even = true;
    for (std::size_t n = 0; n < 256; ++n) {
      for (std::size_t at = n; !seen.at(at); at = box.at(at)) {
        seen.at(at) = true;
        if (box.at(at) != n) even = !even;
      }
    }
    parity += even ? 1.0 : 0.0;
  }
  const double root = std::sqrt(static_cast<double>(boxes));
  EXPECT_NEAR(fixed / boxes, 1, 5 / root);
  EXPECT_NEAR(first / boxes, 127.5, 5 * 73.9 / root);
  EXPECT_NEAR(parity / boxes, 0.5, 2.5 / root);
}

TEST(Box, FollowsItsDefinition) {
  auto engine = engine_of(73);
  WorkingKeys keys = random_keys(engine);
  Lane guide = keys.guide;
  std::vector<std::uint8_t> s(256);
  std::iota(s.begin(), s.end(), std::uint8_t{0});
  for (std::uint64_t i = 255; i >= 1; --i) {
    std::swap(s[i], s[mulhi(next_word(guide, keys.parameters), i + 1)]);
  }
  const Box box = make_box(keys.guide, keys.parameters);
  EXPECT_EQ(copy_of(box), s);
  EXPECT_EQ(keys.guide.x_weyl, guide.x_weyl);
}

TEST(ChainState, IsEightWordsLittleEndian) {
  auto engine = engine_of(74);
  WorkingKeys keys = random_keys(engine);
  Lane guide = keys.guide;
  const ChainState state = make_chain_state(keys.guide, keys.parameters);
  for (std::size_t word = 0; word < 8; ++word) {
    std::uint64_t z = next_word(guide, keys.parameters);
    for (std::size_t i = 0; i < 8; ++i, z /= 256) EXPECT_EQ(state.at(8 * word + i), z % 256);
  }
  EXPECT_EQ(keys.guide.x_weyl, guide.x_weyl);
}

TEST(Keystream, StepsAllLanesTogetherAndDropsTheRestOfTheLastStep) {
  auto engine = engine_of(75);
  for (const std::size_t size : {1U, 7U, 8U, 63U, 64U, 65U, 200U}) {
    WorkingKeys keys = random_keys(engine);
    auto lanes = keys.lanes;
    Bytes expected;
    while (expected.size() < size) {
      for (Lane& lane : lanes) {
        std::uint64_t z = next_word(lane, keys.parameters);
        for (int i = 0; i < 8; ++i, z /= 256)
          expected.push_back(static_cast<std::uint8_t>(z % 256));
      }
    }
    expected.resize(size);
    Bytes got(size);
    fill_keystream(keys.lanes, keys.parameters, got);
    EXPECT_EQ(got, expected) << size;
    for (std::size_t n = 0; n < lanes.size(); ++n) {
      EXPECT_EQ(keys.lanes.at(n).x, lanes.at(n).x) << size;
      EXPECT_EQ(keys.lanes.at(n).noise, lanes.at(n).noise) << size;
    }
  }
}

// --- Chains -------------------------------------------------------------------------------------

struct ChainCase {
  Bytes data;
  Bytes keystream;
  Box box;
  ChainState state;

  ChainCase(std::mt19937_64& engine, std::size_t size)
      : data(random_bytes(engine, size)), keystream(random_bytes(engine, size)), box{}, state{} {
    WorkingKeys keys = random_keys(engine);
    box = make_box(keys.guide, keys.parameters);
    state = make_chain_state(keys.guide, keys.parameters);
  }
};

// Section 5 to the letter.
Bytes plain_chain(const ChainCase& c, bool backward) {
  const std::size_t w = line_width(c.data.size());
  const std::size_t lines = (c.data.size() + w - 1) / w;
  std::size_t log = 0;
  while ((std::size_t{1} << log) < w) ++log;
  std::vector<unsigned> s(c.state.begin(), c.state.begin() + static_cast<std::ptrdiff_t>(w));
  Bytes out(c.data.size());
  for (std::size_t n = 0; n < lines; ++n) {
    const std::size_t i = backward ? lines - 1 - n : n;
    std::vector<unsigned> y = s;
    for (std::size_t j = 0; j < w && i * w + j < c.data.size(); ++j) {
      const std::size_t other = w == 1 ? j : j ^ (std::size_t{1} << (i % log));
      const std::size_t at = i * w + j;
      const unsigned k = backward ? 0 : c.keystream[at];
      y[j] = (c.box.at(c.data[at] ^ k ^ s[j]) + s[other]) % 256;
      out[at] = static_cast<std::uint8_t>(y[j]);
    }
    s = y;
  }
  return out;
}

TEST(Chains, AgreeWithThePlainVersion) {
  auto engine = engine_of(76);
  for (const std::size_t size : sizes) {
    const ChainCase c(engine, size);
    Bytes forward = c.data;
    forward_chain(forward, c.keystream, c.box, c.state);
    ASSERT_EQ(forward, plain_chain(c, false)) << size;
    Bytes backward = c.data;
    backward_chain(backward, c.box, c.state);
    ASSERT_EQ(backward, plain_chain(c, true)) << size;
  }
}

TEST(Chains, AreInverted) {
  auto engine = engine_of(77);
  for (const std::size_t size : sizes) {
    const ChainCase c(engine, size);
    Bytes work = c.data;
    forward_chain(work, c.keystream, c.box, c.state);
    undo_forward_chain(work, c.keystream, inverse(c.box), c.state);
    ASSERT_EQ(work, c.data) << size;
    backward_chain(work, c.box, c.state);
    undo_backward_chain(work, inverse(c.box), c.state);
    ASSERT_EQ(work, c.data) << size;
  }
}

TEST(Chains, GoOneWay) {
  auto engine = engine_of(78);
  const ChainCase c(engine, 640);  // lines of 32
  Bytes changed = c.data;
  changed[320] ^= 1;
  const auto run = [&](Bytes data, bool backward) {
    if (backward) {
      backward_chain(data, c.box, c.state);
    } else {
      forward_chain(data, c.keystream, c.box, c.state);
    }
    return data;
  };
  const Bytes f1 = run(c.data, false);
  const Bytes f2 = run(changed, false);
  EXPECT_TRUE(std::equal(f1.begin(), f1.begin() + 320, f2.begin()));
  EXPECT_GT(share_of_differences(ConstBytes{f1}.last(32), ConstBytes{f2}.last(32)), 0.8);
  const Bytes b1 = run(c.data, true);
  const Bytes b2 = run(changed, true);
  EXPECT_TRUE(std::equal(b1.begin() + 352, b1.end(), b2.begin() + 352));
  EXPECT_GT(share_of_differences(ConstBytes{b1}.first(32), ConstBytes{b2}.first(32)), 0.8);
}

// --- What the rounds do together, with the public parameter held fixed --------------------------

class Rounds {
 public:
  Rounds(Variant variant, std::mt19937_64& engine)
      : m_variant(variant),
        m_key(random_bytes(engine, 32)),
        m_nonce(random_bytes(engine, 16)),
        m_parameter(random_bytes(engine, variant.public_parameter ? 32 : 0)) {}

  OwnedImage operator()(const OwnedImage& plain) const {
    OwnedImage out(plain.shape());
    encrypt_rounds(m_variant, plain.view(), m_key, m_nonce, m_parameter, out.view());
    return out;
  }

 private:
  Variant m_variant;
  Bytes m_key;
  Bytes m_nonce;
  Bytes m_parameter;
};

Variant rounds_of(unsigned rounds) {
  Variant variant = full();
  variant.rounds = rounds;
  return variant;
}

OwnedImage with_flip(const OwnedImage& plain, std::size_t at) {
  OwnedImage out(plain.shape(), copy_of(plain.bytes()));
  out.view().bytes()[at] ^= 1;
  return out;
}

TEST(Diffusion, EveryByteDependsOnEveryByteAfterTwoRounds) {
  auto engine = engine_of(79);
  const Shape shape{40, 40, 1, 1};
  constexpr int keys = 20;
  for (const std::size_t at : {std::size_t{0}, std::size_t{820}, std::size_t{1599}}) {
    std::vector<bool> reached(shape.bytes());
    double share = 0;
    for (int key = 0; key < keys; ++key) {
      const Rounds rounds(full(), engine);
      const OwnedImage plain = random_image(engine, shape);
      const OwnedImage a = rounds(plain);
      const OwnedImage b = rounds(with_flip(plain, at));
      for (std::size_t n = 0; n < reached.size(); ++n) {
        if (a.bytes()[n] != b.bytes()[n]) reached[n] = true;
      }
      share += share_of_differences(a.bytes(), b.bytes()) / keys;
    }
    EXPECT_TRUE(std::ranges::all_of(reached, std::identity{})) << at;
    EXPECT_NEAR(share, 255.0 / 256, 5 * std::sqrt(255.0 / 65536 / (1600.0 * keys))) << at;
  }
}

/// The smallest share of changed bytes over the flips of every byte of an image.
double weakest_flip(unsigned rounds_count, std::uint64_t salt) {
  auto engine = engine_of(salt);
  const Rounds rounds(rounds_of(rounds_count), engine);
  const OwnedImage plain = random_image(engine, {40, 40, 1, 1});
  const OwnedImage cipher = rounds(plain);
  double least = 1;
  for (std::size_t at = 0; at < plain.bytes().size(); ++at) {
    const OwnedImage changed = rounds(with_flip(plain, at));
    least = std::min(least, share_of_differences(cipher.bytes(), changed.bytes()));
  }
  return least;
}

// Seven standard errors below 255/256 is 0.985.
TEST(Diffusion, NoPositionIsWeakAfterTwoRounds) { EXPECT_GT(weakest_flip(2, 80), 0.985); }

TEST(Diffusion, SomePositionIsWeakAfterOneRound) { EXPECT_LT(weakest_flip(1, 80), 0.96); }

// --- Affine or not: four queries ----------------------------------------------------------------

struct Matches {
  double modular = 0;
  double exclusive_or = 0;
};

/// Shares of bytes at which E(A + B - D) = E(A) + E(B) - E(D), and the same over exclusive or.
Matches affine_probe(const Variant& variant, std::uint64_t salt, int keys, const Shape& shape) {
  auto engine = engine_of(salt);
  Matches out;
  for (int key = 0; key < keys; ++key) {
    const Rounds rounds(variant, engine);
    const OwnedImage a = random_image(engine, shape);
    const OwnedImage b = random_image(engine, shape);
    const OwnedImage d = random_image(engine, shape);
    const auto combined = [&](const OwnedImage& p, const OwnedImage& q, const OwnedImage& r,
                              bool add) {
      Bytes bytes(shape.bytes());
      for (std::size_t n = 0; n < bytes.size(); ++n) {
        const int x = p.bytes()[n];
        const int y = q.bytes()[n];
        const int z = r.bytes()[n];
        bytes[n] = static_cast<std::uint8_t>(add ? (x + y - z + 256) % 256 : x ^ y ^ z);
      }
      return OwnedImage(shape, bytes);
    };
    const OwnedImage ea = rounds(a);
    const OwnedImage eb = rounds(b);
    const OwnedImage ed = rounds(d);
    const auto match = [&](bool add) {
      return 1 - share_of_differences(rounds(combined(a, b, d, add)).bytes(),
                                      combined(ea, eb, ed, add).bytes());
    };
    out.modular += match(true) / keys;
    out.exclusive_or += match(false) / keys;
  }
  return out;
}

TEST(Affine, TheCipherIsNeitherModuloNorOverExclusiveOr) {
  constexpr int keys = 20;
  const Matches matches = affine_probe(full(), 81, keys, {32, 32, 1, 1});
  const double bound = 5 * std::sqrt(255.0 / 65536 / (1024.0 * keys));
  EXPECT_NEAR(matches.modular, 1.0 / 256, bound);
  EXPECT_NEAR(matches.exclusive_or, 1.0 / 256, bound);
}

TEST(Affine, NorInTheSmallestImages) {
  constexpr int keys = 2000;
  const Matches matches = affine_probe(full(), 82, keys, {1, 2, 1, 1});
  const double bound = 5 * std::sqrt(255.0 / 65536 / (2.0 * keys)) + 1.0 / 256;
  EXPECT_NEAR(matches.modular, 1.0 / 256, bound);
  EXPECT_NEAR(matches.exclusive_or, 1.0 / 256, bound);
}

TEST(Affine, ConfusionAloneIsBoth) {
  const Matches matches = affine_probe(confusion_only(), 83, 5, {32, 32, 1, 1});
  EXPECT_NEAR(matches.modular, 1, 1e-12);
  EXPECT_NEAR(matches.exclusive_or, 1, 1e-12);
}

}  // namespace
}  // namespace icb::khazaal2024
