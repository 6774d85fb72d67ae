// What every registered cipher must do; a new one receives these tests by registering.
#include "core/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "cipher/cipher.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, cipher] : registry<CipherEntry>()) out.push_back(name);
  return out;
}

std::vector<Shape> shapes() {
  static constexpr std::size_t sides[][2] = {{1, 1},   {1, 7},   {7, 1},     {2, 3},
                                             {16, 16}, {33, 65}, {110, 120}, {127, 255}};
  std::vector<Shape> out;
  for (const auto& side : sides) {
    for (std::size_t channels = 1; channels <= 4; ++channels) {
      for (std::size_t depth = 1; depth <= 2; ++depth) {
        out.push_back({side[0], side[1], channels, depth});
      }
    }
  }
  return out;
}

class EveryCipher : public ::testing::TestWithParam<std::string> {
 protected:
  const CipherEntry& cipher() const { return find<CipherEntry>(GetParam()); }

  Bytes key() { return random_bytes(m_engine, cipher().key_bits.value / 8); }

  Bytes nonce() { return random_bytes(m_engine, cipher().nonce_bytes.value); }

  OwnedImage image(const Shape& shape) { return random_image(m_engine, shape); }

  std::mt19937_64& engine() { return m_engine; }

 private:
  std::mt19937_64 m_engine = engine_of(2);
};

INSTANTIATE_TEST_SUITE_P(Registry, EveryCipher, ::testing::ValuesIn(names()), [](const auto& i) {
  std::string name = i.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(CipherRegistry, HoldsTheCiphersOfThisFolder) {
  const std::vector<std::string> present = names();
  for (const char* name : {"aes-256-ctr", "identity", "khazaal2024", "khazaal2024-confusion",
                           "khazaal2024-no-cnn", "khazaal2024-no-dnn", "khazaal2024-no-gauss",
                           "khazaal2024-no-henon", "khazaal2024-no-logistic"}) {
    EXPECT_TRUE(std::ranges::find(present, name) != present.end()) << name;
  }
}

TEST_P(EveryCipher, IsDescribed) {
  EXPECT_EQ(cipher().name, GetParam());
  EXPECT_EQ(cipher().name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
            std::string::npos);
  EXPECT_FALSE(cipher().source.empty());
  EXPECT_EQ(cipher().key_bits.value % 8, 0U);
}

TEST_P(EveryCipher, KnownAnswersHold) { EXPECT_EQ(cipher().verify(), ""); }

TEST_P(EveryCipher, DecryptInvertsEncryptForEveryShape) {
  for (const Shape& shape : shapes()) {
    if (cipher().refuses(shape)) continue;
    const OwnedImage plain = image(shape);
    const Bytes before = copy_of(plain.bytes());
    const Bytes k = key();
    const Bytes n = nonce();
    const Encrypted out = encrypt(cipher(), plain.view(), k, n);
    ASSERT_EQ(copy_of(plain.bytes()), before) << "input changed, " << to_string(shape);
    ASSERT_EQ(out.image.shape(), shape);
    ASSERT_EQ(out.header.size(), cipher().header_bytes.value);
    const Bytes sent = copy_of(out.image.bytes());
    const OwnedImage back = decrypt(cipher(), out.image.view(), k, out.header);
    ASSERT_EQ(copy_of(out.image.bytes()), sent) << "input changed, " << to_string(shape);
    ASSERT_EQ(copy_of(back.bytes()), before) << to_string(shape);
  }
}

TEST_P(EveryCipher, WorksInPlaceWithTheSameResult) {
  for (const Shape& shape : shapes()) {
    if (cipher().refuses(shape) || shape.pixels() > 5000) continue;
    const OwnedImage plain = image(shape);
    const Bytes k = key();
    const Bytes n = nonce();
    const Encrypted apart = encrypt(cipher(), plain.view(), k, n);
    OwnedImage work(shape, copy_of(plain.bytes()));
    const Bytes header = cipher().encrypt(work.view(), k, n, work.view());
    ASSERT_EQ(header, apart.header) << to_string(shape);
    ASSERT_EQ(copy_of(work.bytes()), copy_of(apart.image.bytes())) << to_string(shape);
    cipher().decrypt(work.view(), k, header, work.view());
    ASSERT_EQ(copy_of(work.bytes()), copy_of(plain.bytes())) << to_string(shape);
  }
}

TEST_P(EveryCipher, IsDeterministic) {
  const OwnedImage plain = image({23, 17, 3, 2});
  const Bytes k = key();
  const Bytes n = nonce();
  const Encrypted first = encrypt(cipher(), plain.view(), k, n);
  encrypt(cipher(), image({5, 5, 1, 1}).view(), key(), nonce());  // no state is left behind
  const Encrypted second = encrypt(cipher(), plain.view(), k, n);
  EXPECT_EQ(first.header, second.header);
  EXPECT_EQ(copy_of(first.image.bytes()), copy_of(second.image.bytes()));
}

TEST_P(EveryCipher, WrongSizesAreRefusedByName) {
  const OwnedImage plain = image({4, 4, 1, 1});
  const auto expect_refused = [&](const char* what, std::size_t expected, std::size_t got,
                                  const auto& action) {
    try {
      action();
      ADD_FAILURE() << "accepted a " << what << " of " << got;
    } catch (const std::invalid_argument& error) {
      for (const std::string& part : {GetParam(), std::string(what), std::to_string(expected),
                                      "got " + std::to_string(got)}) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  };
  const std::size_t key_size = cipher().key_bits.value / 8;
  const std::size_t nonce_size = cipher().nonce_bytes.value;
  const std::size_t header_size = cipher().header_bytes.value;
  const auto wrong = [](std::size_t right) {
    std::set<std::size_t> out{0, right + 1, 2 * right + 1, right > 0 ? right - 1 : 1};
    out.erase(right);
    return out;
  };
  for (const std::size_t size : wrong(key_size)) {
    expect_refused("key", key_size, size,
                   [&] { encrypt(cipher(), plain.view(), Bytes(size), nonce()); });
    expect_refused("key", key_size, size,
                   [&] { decrypt(cipher(), plain.view(), Bytes(size), Bytes(header_size)); });
  }
  for (const std::size_t size : wrong(nonce_size)) {
    expect_refused("nonce", nonce_size, size,
                   [&] { encrypt(cipher(), plain.view(), key(), Bytes(size)); });
  }
  for (const std::size_t size : wrong(header_size)) {
    expect_refused("header", header_size, size,
                   [&] { decrypt(cipher(), plain.view(), key(), Bytes(size)); });
  }
}

TEST_P(EveryCipher, EveryKeyBitChangesTheCipherImage) {
  // Distinct pixels, so that no change of positions goes unseen.
  OwnedImage plain({16, 16, 1, 1});
  for (std::size_t i = 0; i < 256; ++i) plain.view().bytes()[i] = static_cast<std::uint8_t>(i);
  const Bytes k = key();
  const Bytes n = nonce();
  std::set<std::string> seen{to_hex(encrypt(cipher(), plain.view(), k, n).image.bytes())};
  for (std::size_t bit = 0; bit < cipher().key_bits.value; ++bit) {
    Bytes changed = k;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const Encrypted out = encrypt(cipher(), plain.view(), changed, n);
    EXPECT_TRUE(seen.insert(to_hex(out.image.bytes())).second) << "key bit " << bit;
  }
}

TEST_P(EveryCipher, EveryNonceBitChangesTheCipherImage) {
  const OwnedImage plain = image({16, 16, 1, 2});
  const Bytes k = key();
  const Bytes n = nonce();
  std::set<std::string> seen{to_hex(encrypt(cipher(), plain.view(), k, n).image.bytes())};
  for (std::size_t bit = 0; bit < 8 * n.size(); ++bit) {
    Bytes changed = n;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const Encrypted out = encrypt(cipher(), plain.view(), k, changed);
    EXPECT_TRUE(seen.insert(to_hex(out.image.bytes())).second) << "nonce bit " << bit;
  }
}

}  // namespace
}  // namespace icb
