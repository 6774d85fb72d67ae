#include "cipher/khazaal2024/khazaal2024.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "cipher/cipher.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;

void flip(Bytes& bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
}

struct Case {
  OwnedImage plain;
  Bytes key;
  Bytes nonce;
  OwnedImage cipher;
  Bytes header;
};

Case make_case(std::uint64_t salt, const Shape& shape) {
  auto engine = engine_of(salt);
  Case out{random_image(engine, shape),
           random_bytes(engine, 32),
           random_bytes(engine, 16),
           OwnedImage(shape),
           {}};
  out.header =
      encrypt(full(), std::as_const(out.plain).view(), out.key, out.nonce, out.cipher.view());
  return out;
}

/// Decrypting must throw and leave zeros, into other pixels and in place.
void expect_refused(ConstImage cipher, ConstBytes key, ConstBytes header, const std::string& what) {
  OwnedImage out(cipher.shape());
  std::ranges::fill(out.view().bytes(), std::uint8_t{0xA5});
  EXPECT_THROW(decrypt(full(), cipher, key, header, out.view()), IntegrityError) << what;
  EXPECT_TRUE(std::ranges::all_of(out.bytes(), [](auto b) { return b == 0; })) << what;
  OwnedImage same(cipher.shape(), copy_of(cipher.bytes()));
  EXPECT_THROW(decrypt(full(), same.view(), key, header, same.view()), IntegrityError) << what;
  EXPECT_TRUE(std::ranges::all_of(same.bytes(), [](auto b) { return b == 0; })) << what;
}

TEST(Khazaal2024, EveryWrongKeyBitIsNoticedAndGivesZeros) {
  const Case c = make_case(11, {5, 6, 1, 1});
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Bytes key = c.key;
    flip(key, bit);
    expect_refused(c.cipher.view(), key, c.header, "key bit " + std::to_string(bit));
  }
}

TEST(Khazaal2024, EveryChangedBitOfTheCipherImageIsNoticed) {
  const Case c = make_case(12, {3, 4, 1, 2});
  for (std::size_t bit = 0; bit < 8 * c.cipher.bytes().size(); ++bit) {
    Bytes altered = copy_of(c.cipher.bytes());
    flip(altered, bit);
    expect_refused(ConstImage(c.cipher.shape(), altered), c.key, c.header,
                   "bit " + std::to_string(bit));
  }
}

TEST(Khazaal2024, EveryChangedBitOfTheHeaderIsNoticed) {
  const Case c = make_case(13, {3, 3, 3, 1});
  ASSERT_EQ(c.header.size(), 48U);
  for (std::size_t bit = 0; bit < 8 * c.header.size(); ++bit) {
    Bytes header = c.header;
    flip(header, bit);
    expect_refused(c.cipher.view(), c.key, header, "header bit " + std::to_string(bit));
  }
}

// A cipher image made under another parameter than the image's own decrypts to that image; only the
// comparison can notice, and it has to look at every bit.
TEST(Khazaal2024, TheParameterMustBeThatOfTheImage) {
  const Case c = make_case(23, {4, 4, 1, 1});
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Bytes header = c.header;
    flip(header, 128 + bit);
    OwnedImage cipher(c.plain.shape());
    encrypt_rounds(full(), c.plain.view(), c.key, c.nonce, ConstBytes{header}.subspan(16),
                   cipher.view());
    expect_refused(cipher.view(), c.key, header, "parameter bit " + std::to_string(bit));
  }
}

TEST(Khazaal2024, TheSameBytesInAnotherShapeAreNoticed) {
  const Case c = make_case(14, {4, 4, 1, 1});
  for (const Shape& shape : {Shape{2, 8, 1, 1}, Shape{8, 2, 1, 1}, Shape{4, 2, 2, 1},
                             Shape{4, 2, 1, 2}, Shape{2, 2, 4, 1}, Shape{1, 16, 1, 1}}) {
    expect_refused(ConstImage(shape, c.cipher.bytes()), c.key, c.header, to_string(shape));
  }
}

TEST(Khazaal2024, AChangedKeyBitChangesHalfTheBitsOfTheCipherImage) {
  const Case c = make_case(15, {16, 16, 1, 1});
  double changed = 0;
  std::set<std::string> seen{to_hex(c.cipher.bytes())};
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Bytes key = c.key;
    flip(key, bit);
    OwnedImage out(c.cipher.shape());
    encrypt(full(), c.plain.view(), key, c.nonce, out.view());
    EXPECT_TRUE(seen.insert(to_hex(out.bytes())).second) << "key bit " << bit;
    changed += testing::share_of_differences(out.bytes(), c.cipher.bytes()) / 256;
  }
  EXPECT_NEAR(changed, 255.0 / 256, 5 * std::sqrt(255.0 / 256 / 256 / 65536));
}

TEST(Khazaal2024, HeaderIsNonceThenPublicParameter) {
  const Case c = make_case(16, {7, 5, 2, 1});
  const PublicParameter q = public_parameter(c.plain.view(), c.key, c.nonce);
  EXPECT_EQ(Bytes(c.header.begin(), c.header.begin() + 16), c.nonce);
  EXPECT_EQ(Bytes(c.header.begin() + 16, c.header.end()), copy_of(q));
  OwnedImage out(c.plain.shape());
  encrypt_rounds(full(), c.plain.view(), c.key, c.nonce, q, out.view());
  EXPECT_EQ(copy_of(out.bytes()), copy_of(c.cipher.bytes()));
  EXPECT_EQ(header_bytes(full()), 48U);
  EXPECT_EQ(header_bytes(confusion_only()), 16U);
}

TEST(Khazaal2024, HeadersOfTheWrongSizeAreRefused) {
  const Case c = make_case(17, {4, 4, 1, 1});
  OwnedImage out(c.plain.shape());
  for (const std::size_t size : {0U, 16U, 47U, 49U}) {
    EXPECT_THROW(decrypt(full(), c.cipher.view(), c.key, Bytes(size), out.view()),
                 std::invalid_argument);
  }
  EXPECT_THROW(decrypt(confusion_only(), c.cipher.view(), c.key, Bytes(48), out.view()),
               std::invalid_argument);
}

TEST(Khazaal2024, ShapesBeyondTheScheduleAreRefused) {
  for (const char* name : {"khazaal2024", "khazaal2024-confusion"}) {
    const auto& refuses = find<CipherEntry>(name).refuses;
    EXPECT_FALSE(refuses({65535, 1, 4, 2}));
    EXPECT_FALSE(refuses({1, 65535, 1, 1}));
    EXPECT_FALSE(refuses({16384, 16384, 4, 2}));
    EXPECT_FALSE(refuses({65535, 65535, 1, 1}));
    EXPECT_TRUE(refuses({65536, 1, 1, 1}));
    EXPECT_TRUE(refuses({1, 65536, 1, 1}));
  }
}

TEST(Khazaal2024, VariantAndRoundsAreKeptApartInTheKeySchedule) {
  const Case c = make_case(18, {8, 8, 1, 1});
  const Bytes parameter(32, 3);
  std::set<std::string> seen;
  Variant one = full();
  one.rounds = 1;
  Variant other = full();
  other.id = "khazaal2024-other";
  for (const Variant& variant : {full(), one, other}) {
    OwnedImage out(c.plain.shape());
    encrypt_rounds(variant, c.plain.view(), c.key, c.nonce, parameter, out.view());
    EXPECT_TRUE(seen.insert(to_hex(out.bytes())).second) << variant.id;
  }
}

TEST(Khazaal2024, TheNetworkDrivesThePositions) {
  const Case c = make_case(19, {16, 16, 1, 1});
  auto engine = engine_of(20);
  const FeedbackWeights untrained = testing::random_feedback(engine);
  Variant variant = confusion_only();
  OwnedImage trained(c.plain.shape());
  encrypt(variant, c.plain.view(), c.key, c.nonce, trained.view());
  variant.network = &untrained;
  OwnedImage other(c.plain.shape());
  const Bytes header = encrypt(variant, c.plain.view(), c.key, c.nonce, other.view());
  EXPECT_NE(copy_of(trained.bytes()), copy_of(other.bytes()));
  decrypt(variant, std::as_const(other).view(), c.key, header, other.view());
  EXPECT_EQ(copy_of(other.bytes()), copy_of(c.plain.bytes()));
}

TEST(Khazaal2024Confusion, MovesPixelsAndKeepsTheirValues) {
  auto engine = engine_of(21);
  for (const Shape& shape :
       {Shape{31, 44, 1, 1}, Shape{20, 20, 3, 1}, Shape{9, 40, 4, 2}, Shape{1, 50, 1, 2}}) {
    const OwnedImage plain = random_image(engine, shape);
    const Bytes key = random_bytes(engine, 32);
    OwnedImage out(shape);
    encrypt(confusion_only(), plain.view(), key, random_bytes(engine, 16), out.view());
    const auto pixels = [&](ConstBytes bytes) {
      std::multiset<std::string> values;
      for (std::size_t at = 0; at < bytes.size(); at += shape.pixel_bytes()) {
        values.insert(to_hex(bytes.subspan(at, shape.pixel_bytes())));
      }
      return values;
    };
    EXPECT_EQ(pixels(out.bytes()), pixels(plain.bytes())) << to_string(shape);
    EXPECT_NE(copy_of(out.bytes()), copy_of(plain.bytes())) << to_string(shape);
  }
}

// The permutation depends on key, nonce and shape alone: with pixels that name their place it is
// read off one image.
TEST(Khazaal2024Confusion, ThePermutationDoesNotDependOnTheImage) {
  auto engine = engine_of(22);
  const Shape shape{12, 15, 1, 2};
  OwnedImage places(shape);
  for (std::size_t n = 0; n < shape.pixels(); ++n) {
    places.view().set_sample(n / shape.cols, n % shape.cols, 0, static_cast<std::uint16_t>(n));
  }
  const OwnedImage plain = random_image(engine, shape);
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  OwnedImage moved(shape);
  OwnedImage cipher(shape);
  encrypt(confusion_only(), places.view(), key, nonce, moved.view());
  encrypt(confusion_only(), plain.view(), key, nonce, cipher.view());
  for (std::size_t n = 0; n < shape.pixels(); ++n) {
    const std::size_t from = std::as_const(moved).view().sample(n / shape.cols, n % shape.cols, 0);
    EXPECT_EQ(std::as_const(cipher).view().sample(n / shape.cols, n % shape.cols, 0),
              plain.view().sample(from / shape.cols, from % shape.cols, 0));
  }
}

}  // namespace
}  // namespace icb::khazaal2024
