// Images of several units of work on several threads: the bytes are those of one thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/error.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;

/// One thread again at the end, also of a test that failed.
class CipherThreads : public ::testing::Test {
 protected:
  void TearDown() override { set_threads(1); }
};

struct Result {
  Bytes header;
  Bytes cipher;

  friend bool operator==(const Result&, const Result&) = default;
};

Result encrypted(const Variant& variant, const OwnedImage& plain, ConstBytes key,
                 ConstBytes nonce) {
  OwnedImage out(plain.shape());
  const Bytes header = encrypt(variant, plain.view(), key, nonce, out.view());
  return {header, copy_of(out.bytes())};
}

TEST_F(CipherThreads, SameBytesForAnyNumberOfThreads) {
  auto engine = engine_of(131);
  // Units of 2^17 bytes: 4, 5 (one row is more than a unit) and 7.
  const std::vector<Shape> shapes{{523, 751, 1, 1}, {5, 40000, 3, 1}, {331, 641, 4, 1}};
  for (std::size_t n = 0; n < variants().size(); ++n) {
    const Variant& variant = variants()[n];
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      if (n > 1 && s != n % shapes.size()) continue;  // the ablations one shape each
      const OwnedImage plain = random_image(engine, shapes[s]);
      const Bytes key = random_bytes(engine, 32);
      const Bytes nonce = random_bytes(engine, 16);
      set_threads(1);
      const Result expected = encrypted(variant, plain, key, nonce);
      for (const unsigned threads : {1U, 2U, 3U, 8U, 0U}) {
        SCOPED_TRACE(std::string(variant.id) + ", " + to_string(shapes[s]) + ", threads " +
                     std::to_string(threads));
        set_threads(threads);
        EXPECT_TRUE(encrypted(variant, plain, key, nonce) == expected);
        OwnedImage back(shapes[s]);
        decrypt(variant, ConstImage(shapes[s], expected.cipher), key, expected.header, back.view());
        EXPECT_TRUE(std::ranges::equal(back.bytes(), plain.bytes()));
        OwnedImage same(shapes[s], expected.cipher);
        decrypt(variant, std::as_const(same).view(), key, expected.header, same.view());
        EXPECT_TRUE(std::ranges::equal(same.bytes(), plain.bytes()));
      }
    }
  }
}

TEST_F(CipherThreads, AnyNumberOfRounds) {
  auto engine = engine_of(132);
  const Shape shape{400, 660, 1, 1};
  const OwnedImage plain = random_image(engine, shape);
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  for (unsigned rounds = 1; rounds <= 4; ++rounds) {
    Variant variant = full();
    variant.rounds = rounds;
    set_threads(1);
    const Result expected = encrypted(variant, plain, key, nonce);
    set_threads(3);
    EXPECT_TRUE(encrypted(variant, plain, key, nonce) == expected) << rounds;
    OwnedImage back(shape);
    decrypt(variant, ConstImage(shape, expected.cipher), key, expected.header, back.view());
    EXPECT_TRUE(std::ranges::equal(back.bytes(), plain.bytes())) << rounds;
  }
}

// What a wrong key gives is never seen, whoever decrypted it.
TEST_F(CipherThreads, WrongKeysAreNoticed) {
  auto engine = engine_of(133);
  const Shape shape{400, 660, 1, 1};
  const OwnedImage plain = random_image(engine, shape);
  Bytes key = random_bytes(engine, 32);
  const Result sent = encrypted(full(), plain, key, random_bytes(engine, 16));
  key[31] = static_cast<std::uint8_t>(key[31] ^ 0x80);
  for (const unsigned threads : {1U, 2U, 8U}) {
    set_threads(threads);
    OwnedImage out(shape, Bytes(shape.bytes(), 0xA5));
    EXPECT_THROW(decrypt(full(), ConstImage(shape, sent.cipher), key, sent.header, out.view()),
                 IntegrityError);
    EXPECT_TRUE(std::ranges::all_of(out.bytes(), [](auto b) { return b == 0; })) << threads;
  }
}

}  // namespace
}  // namespace icb::khazaal2024
