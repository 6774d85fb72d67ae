#include "cipher/khazaal2024/khazaal2024.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cipher/cipher.hpp"
#include "cipher/khazaal2024/key_schedule.hpp"
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

Case make_case(std::uint64_t salt, const Shape& shape, const Variant& variant = full()) {
  auto engine = engine_of(salt);
  Case out{random_image(engine, shape),
           random_bytes(engine, 32),
           random_bytes(engine, 16),
           OwnedImage(shape),
           {}};
  out.header =
      encrypt(variant, std::as_const(out.plain).view(), out.key, out.nonce, out.cipher.view());
  return out;
}

/// Decrypting must throw and leave zeros, into other pixels and in place.
void expect_refused(ConstImage cipher, ConstBytes key, ConstBytes header, const std::string& what,
                    const Variant& variant = full()) {
  OwnedImage out(cipher.shape());
  std::ranges::fill(out.view().bytes(), std::uint8_t{0xA5});
  EXPECT_THROW(decrypt(variant, cipher, key, header, out.view()), IntegrityError) << what;
  EXPECT_TRUE(std::ranges::all_of(out.bytes(), [](auto b) { return b == 0; })) << what;
  OwnedImage same(cipher.shape(), copy_of(cipher.bytes()));
  EXPECT_THROW(decrypt(variant, same.view(), key, header, same.view()), IntegrityError) << what;
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

TEST(Khazaal2024, AblationsNoticeToo) {
  for (const Variant& variant : variants()) {
    if (variant.condensed == Condensed::nothing) continue;
    const Case c = make_case(24, {5, 7, 1, 1}, variant);
    Bytes key = c.key;
    flip(key, 100);
    expect_refused(c.cipher.view(), key, c.header, std::string(variant.id) + ", key", variant);
    Bytes altered = copy_of(c.cipher.bytes());
    flip(altered, 100);
    expect_refused(ConstImage(c.cipher.shape(), altered), c.key, c.header,
                   std::string(variant.id) + ", cipher image", variant);
    Bytes header = c.header;
    flip(header, 300);
    expect_refused(c.cipher.view(), c.key, header, std::string(variant.id) + ", header", variant);
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
  const PublicParameter q = public_parameter(full(), c.plain.view(), c.key, c.nonce);
  EXPECT_EQ(Bytes(c.header.begin(), c.header.begin() + 16), c.nonce);
  EXPECT_EQ(Bytes(c.header.begin() + 16, c.header.end()), copy_of(q));
  OwnedImage out(c.plain.shape());
  encrypt_rounds(full(), c.plain.view(), c.key, c.nonce, q, out.view());
  EXPECT_EQ(copy_of(out.bytes()), copy_of(c.cipher.bytes()));
  for (const Variant& variant : variants()) {
    EXPECT_EQ(header_bytes(variant), variant.id == "khazaal2024-confusion" ? 16U : 48U);
  }
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
  for (const Variant& variant : variants()) {
    const auto& refuses = find<CipherEntry>(std::string(variant.id)).refuses;
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

// --- Rounds -------------------------------------------------------------------------------------

TEST(Rounds, OneToFiveComeBack) {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{6, 7, 3, 1}, Shape{31, 44, 1, 2}}) {
    for (Variant variant : variants()) {
      std::set<std::string> seen;
      for (variant.rounds = 1; variant.rounds <= 5; ++variant.rounds) {
        const Case c = make_case(25, shape, variant);
        const std::string what =
            std::string(variant.id) + ", rounds " + std::to_string(variant.rounds);
        OwnedImage back(shape);
        decrypt(variant, std::as_const(c.cipher).view(), c.key, c.header, back.view());
        EXPECT_EQ(copy_of(back.bytes()), copy_of(c.plain.bytes())) << what;
        OwnedImage same(shape, copy_of(c.plain.bytes()));
        EXPECT_EQ(encrypt(variant, same.view(), c.key, c.nonce, same.view()), c.header) << what;
        EXPECT_EQ(copy_of(same.bytes()), copy_of(c.cipher.bytes())) << what;
        decrypt(variant, same.view(), c.key, c.header, same.view());
        EXPECT_EQ(copy_of(same.bytes()), copy_of(c.plain.bytes())) << what;
        OwnedImage given(shape);
        encrypt_rounds(variant, c.plain.view(), c.key, c.nonce, ConstBytes{c.header}.subspan(16),
                       given.view());
        EXPECT_EQ(copy_of(given.bytes()), copy_of(c.cipher.bytes())) << what;
        EXPECT_TRUE(seen.insert(to_hex(c.cipher.bytes())).second || shape.pixels() == 1) << what;
      }
    }
  }
}

TEST(Rounds, TheRegisteredHookIsTheSame) {
  const Case c = make_case(26, {9, 8, 1, 1});
  for (const Variant& registered : variants()) {
    const CipherEntry& entry = find<CipherEntry>(std::string(registered.id));
    EXPECT_EQ(static_cast<bool>(entry.rounds.encrypt), registered.diffusion);
    if (!registered.diffusion) continue;
    EXPECT_EQ(entry.rounds.default_rounds, 2U);
    for (unsigned rounds = 1; rounds <= 3; ++rounds) {
      Variant variant = registered;
      variant.rounds = rounds;
      OwnedImage expected(c.plain.shape());
      OwnedImage got(c.plain.shape());
      const Bytes parameter(32, 9);
      encrypt_rounds(variant, c.plain.view(), c.key, c.nonce, parameter, expected.view());
      entry.rounds.encrypt(rounds, c.plain.view(), c.key, c.nonce, parameter, got.view());
      EXPECT_EQ(copy_of(got.bytes()), copy_of(expected.bytes())) << registered.id << rounds;
    }
  }
}

// --- Variants -----------------------------------------------------------------------------------

TEST(Variants, AreThoseOfTheTable) {
  std::set<std::string> ids;
  for (const Variant& variant : variants()) {
    ids.insert(std::string(variant.id));
    EXPECT_EQ(variant.rounds, 2U);
  }
  EXPECT_EQ(ids,
            (std::set<std::string>{"khazaal2024", "khazaal2024-confusion", "khazaal2024-no-cnn",
                                   "khazaal2024-no-dnn", "khazaal2024-no-gauss",
                                   "khazaal2024-no-henon", "khazaal2024-no-logistic"}));
  EXPECT_EQ(variants().size(), ids.size());
  EXPECT_EQ(variants().front().id, full().id);
}

// Not only by their names, which the working keys hold: with the same name, and so the same keys,
// what is left out still changes the bytes.
TEST(Variants, EveryAblationChangesTheBytes) {
  const Case c = make_case(27, {16, 16, 1, 1});
  const Bytes parameter(32, 5);
  for (const bool same_name : {false, true}) {
    std::set<std::string> seen;
    for (Variant variant : variants()) {
      if (same_name) variant.id = full().id;
      OwnedImage out(c.plain.shape());
      encrypt(variant, c.plain.view(), c.key, c.nonce, out.view());
      EXPECT_TRUE(seen.insert(to_hex(out.bytes())).second) << variant.id;
      // What the rounds do by themselves does not know where the parameter comes from.
      OwnedImage given(c.plain.shape());
      encrypt_rounds(variant, c.plain.view(), c.key, c.nonce, parameter, given.view());
      const bool full_again = same_name && variant.condensed == Condensed::digest;
      EXPECT_EQ(seen.insert(to_hex(given.bytes())).second, !full_again) << variant.id;
    }
  }
}

// Each source and the network's outputs count for positions and for bytes.
TEST(Variants, WhatIsLeftOutCountsInBothStages) {
  const Case c = make_case(28, {16, 16, 1, 1});
  for (const Variant& ablation : variants()) {
    if (!ablation.diffusion || ablation.condensed == Condensed::digest) continue;
    if (ablation.id == full().id) continue;
    Variant confusion = confusion_only();
    confusion.network_outputs = ablation.network_outputs;
    confusion.sources = ablation.sources;
    OwnedImage with(c.plain.shape());
    OwnedImage without(c.plain.shape());
    encrypt(confusion_only(), c.plain.view(), c.key, c.nonce, with.view());
    encrypt(confusion, c.plain.view(), c.key, c.nonce, without.view());
    EXPECT_NE(copy_of(with.bytes()), copy_of(without.bytes())) << ablation.id;
    Variant named = ablation;
    named.id = full().id;
    Bytes stream(64);
    Bytes other(64);
    raw_keystream(full(), c.key, c.nonce, stream);
    raw_keystream(named, c.key, c.nonce, other);
    EXPECT_EQ(stream != other, ablation.network_outputs) << ablation.id;
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

// --- Public parameter ---------------------------------------------------------------------------

/// One variant for each way to condense an image.
std::vector<Variant> parametrised() {
  Variant digest = full();
  digest.condensed = Condensed::digest;
  return {full(), digest};
}

TEST(PublicParameter, EveryLeastSignificantBitChangesIt) {
  auto engine = engine_of(95);
  for (const Shape& shape : {Shape{32, 32, 1, 1}, Shape{12, 9, 3, 2}}) {
    OwnedImage image = random_image(engine, shape);
    const Bytes key = random_bytes(engine, 32);
    const Bytes nonce = random_bytes(engine, 16);
    for (const Variant& variant : parametrised()) {
      std::set<PublicParameter> seen{public_parameter(variant, image.view(), key, nonce)};
      for (std::size_t n = 0; n < shape.bytes(); n += shape.sample_bytes) {
        image.view().bytes()[n] ^= 1;
        EXPECT_TRUE(seen.insert(public_parameter(variant, image.view(), key, nonce)).second) << n;
        image.view().bytes()[n] ^= 1;
      }
      EXPECT_EQ(seen.size(), 1 + shape.samples());
    }
  }
}

TEST(PublicParameter, DependsOnKeyNonceAndShape) {
  auto engine = engine_of(96);
  const Bytes bytes = random_bytes(engine, 16);
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  for (const Variant& variant : parametrised()) {
    std::set<PublicParameter> seen;
    std::size_t made = 0;
    const auto add = [&](const Shape& shape, ConstBytes data, ConstBytes k, ConstBytes n) {
      seen.insert(public_parameter(variant, ConstImage(shape, data), k, n));
      ++made;
    };
    const Bytes blank(16);
    for (const ConstBytes data : {ConstBytes{bytes}, ConstBytes{blank}}) {
      for (const Shape& shape : {Shape{2, 8, 1, 1}, Shape{8, 2, 1, 1}, Shape{4, 4, 1, 1},
                                 Shape{1, 16, 1, 1}, Shape{16, 1, 1, 1}, Shape{4, 2, 2, 1},
                                 Shape{4, 2, 1, 2}, Shape{2, 2, 4, 1}, Shape{2, 2, 2, 2}}) {
        add(shape, data, key, nonce);
      }
    }
    for (std::size_t bit = 0; bit < 256; ++bit) {
      Bytes changed = key;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
      add({4, 4, 1, 1}, bytes, changed, nonce);
    }
    for (std::size_t bit = 0; bit < 128; ++bit) {
      Bytes changed = nonce;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
      add({4, 4, 1, 1}, bytes, key, changed);
    }
    EXPECT_EQ(seen.size(), made);
  }
}

// Section 1: Q of the tags, or of SHA-256 of the image.
TEST(PublicParameter, IsTheHmacOfWhatIsCondensed) {
  auto engine = engine_of(97);
  const OwnedImage image = random_image(engine, {9, 11, 3, 1});
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  const CondensingKeys keys(key, nonce, image.shape());
  const ConstBytes hmac_key = keys.bytes().subspan(128, 32);
  Bytes tags;
  for (const Bytes& level : features(trained_keygen(), image.view())) {
    const Tag tag = poly1305(keys.bytes().subspan(2 * tags.size(), 32), level);
    tags.insert(tags.end(), tag.begin(), tag.end());
  }
  ASSERT_EQ(tags.size(), 64U);
  for (const Variant& variant : variants()) {
    if (variant.condensed == Condensed::nothing) continue;
    const PublicParameter expected = variant.id == "khazaal2024-no-cnn"
                                         ? hmac_sha256(hmac_key, sha256(image.bytes()))
                                         : hmac_sha256(hmac_key, tags);
    EXPECT_EQ(public_parameter(variant, image.view(), key, nonce), expected) << variant.id;
  }
}

}  // namespace
}  // namespace icb::khazaal2024
