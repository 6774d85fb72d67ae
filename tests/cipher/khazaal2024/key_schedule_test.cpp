#include "cipher/khazaal2024/key_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// first, first + 1, ..., last
Bytes range(unsigned first, unsigned last) {
  Bytes out;
  for (unsigned i = first; i <= last; ++i) out.push_back(static_cast<std::uint8_t>(i));
  return out;
}

// --- Primitives ---------------------------------------------------------------------------------

TEST(Hkdf, Rfc5869Cases1To3) {
  EXPECT_EQ(to_hex(hkdf_sha256(Bytes(22, 0x0B), range(0, 0x0C), range(0xF0, 0xF9), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(to_hex(hkdf_sha256(range(0, 0x4F), range(0x60, 0xAF), range(0xB0, 0xFF), 82)),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41"
            "c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(to_hex(hkdf_sha256(Bytes(22, 0x0B), {}, {}, 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, LongestOutput) {
  EXPECT_EQ(hkdf_sha256(Bytes(32), {}, {}, 8160).size(), 8160U);
  EXPECT_THROW(hkdf_sha256(Bytes(32), {}, {}, 8161), std::runtime_error);
}

// RFC 4231, cases 1 to 4, 6 and 7.
TEST(Hmac, Rfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0B), bytes_of("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0xAA), Bytes(50, 0xDD))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(to_hex(hmac_sha256(range(1, 25), Bytes(50, 0xCD))),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xAA),
                               bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(
      to_hex(hmac_sha256(
          Bytes(131, 0xAA),
          bytes_of("This is a test using a larger than block-size key and a larger than block-size "
                   "data. The key needs to be hashed before being used by the HMAC algorithm."))),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(Poly1305, Rfc8439Section252) {
  EXPECT_EQ(
      to_hex(poly1305(from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
                      bytes_of("Cryptographic Forum Research Group"))),
      "a8061dc1305136c6c22b8baf0c0127a9");
  // r = 0: the tag is s, whatever the message.
  EXPECT_EQ(to_hex(poly1305(from_hex(std::string(32, '0') + "36e5f6b5c5e06070f0efca96227a863e"),
                            Bytes(375, 'x'))),
            "36e5f6b5c5e06070f0efca96227a863e");
}

// --- Schedule -----------------------------------------------------------------------------------

TEST(KeySchedule, ShapeBlock) {
  EXPECT_EQ(to_hex(shape_block({0x01020304, 0x0A0B0C0D, 3, 2})), "040302010d0c0b0a0302");
  EXPECT_EQ(to_hex(shape_block({1, 65535, 1, 1})), "01000000ffff00000101");
}

TEST(KeySchedule, CondensingKeysAreSlicesOfTheirHkdf) {
  const Bytes key = range(1, 32);
  const Bytes nonce = range(100, 115);
  const Shape shape{4, 6, 3, 1};
  const CondensingKeys keys(key, nonce, shape);
  Bytes info = bytes_of("icbench khazaal2024 v1 condense");
  const auto block = shape_block(shape);
  info.insert(info.end(), block.begin(), block.end());
  EXPECT_EQ(copy_of(keys.bytes()), hkdf_sha256(key, nonce, info, 160));
  for (std::size_t level = 1; level <= 4; ++level) {
    EXPECT_EQ(to_hex(keys.poly1305_key(level)), to_hex(keys.bytes().subspan(32 * (level - 1), 32)));
  }
  EXPECT_EQ(to_hex(keys.hmac_key()), to_hex(keys.bytes().subspan(128)));
}

TEST(KeySchedule, WorkingKeyBytesAreTheirHkdf) {
  const Bytes key = range(1, 32);
  const Bytes nonce = range(100, 115);
  const Bytes parameter = range(200, 231);
  const Shape shape{4, 6, 3, 1};
  Bytes info = bytes_of("icbench khazaal2024 v1 some-id");
  info.push_back(5);
  const auto block = shape_block(shape);
  info.insert(info.end(), block.begin(), block.end());
  Bytes salt = nonce;
  salt.insert(salt.end(), parameter.begin(), parameter.end());
  EXPECT_EQ(working_key_bytes(key, nonce, parameter, "some-id", 5, shape),
            hkdf_sha256(key, salt, info, 600));
  EXPECT_EQ(working_key_bytes(key, nonce, {}, "some-id", 5, shape),
            hkdf_sha256(key, nonce, info, 600));
}

TEST(KeySchedule, EverythingThatGoesInMatters) {
  const Bytes key = range(1, 32);
  // Not zero: HMAC pads its key, here the salt, with zeros.
  const Bytes nonce(16, 7);
  const Bytes parameter(32, 9);
  const Shape shape{4, 4, 1, 1};
  std::set<std::string> seen;
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 2, shape)));
  seen.insert(to_hex(working_key_bytes(range(2, 33), nonce, parameter, "a", 2, shape)));
  seen.insert(to_hex(working_key_bytes(key, Bytes(16, 1), parameter, "a", 2, shape)));
  seen.insert(to_hex(working_key_bytes(key, nonce, Bytes(32, 1), "a", 2, shape)));
  seen.insert(to_hex(working_key_bytes(key, nonce, {}, "a", 2, shape)));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "b", 2, shape)));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 1, shape)));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 2, {2, 8, 1, 1})));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 2, {8, 2, 1, 1})));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 2, {4, 2, 2, 1})));
  seen.insert(to_hex(working_key_bytes(key, nonce, parameter, "a", 2, {4, 2, 1, 2})));
  EXPECT_EQ(seen.size(), 11U);
}

TEST(KeySchedule, WordsAreReadInTheirOrder) {
  Bytes ks(600);
  // Word i is i, twice, so that an odd increment shows; then the signed bytes.
  for (std::size_t i = 0; i < 67; ++i) ks[8 * i] = static_cast<std::uint8_t>(2 * i);
  for (std::size_t i = 536; i < 600; ++i) ks[i] = static_cast<std::uint8_t>(i - 536 + 100);
  const WorkingKeys keys = working_keys(ks);
  for (std::size_t n = 0; n <= keystream_lanes; ++n) {
    const Lane& lane = n < keystream_lanes ? keys.lanes.at(n) : keys.guide;
    const std::uint64_t first = 2 * (4 + 7 * n);
    EXPECT_EQ(lane.x, first);
    EXPECT_EQ(lane.x_weyl, first + 2);
    EXPECT_EQ(lane.u, first + 4);
    EXPECT_EQ(lane.v, first + 6);
    EXPECT_EQ(lane.u_weyl, first + 8);
    EXPECT_EQ(lane.noise, first + 10);
    EXPECT_EQ(lane.noise_add, first + 13);
  }
  for (int i = 0; i < 32; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(keys.feedback.at(at), static_cast<std::int8_t>(100 + i));
    EXPECT_EQ(keys.offsets.at(at), static_cast<std::int8_t>(132 + i));
  }
  EXPECT_THROW(working_keys(Bytes(599)), std::invalid_argument);
  EXPECT_THROW(working_keys(Bytes(601)), std::invalid_argument);
}

void expect_in_range(const Parameters& p) {
  EXPECT_GE(p.r, 0xE47AE147AE147AE1U);
  EXPECT_LT(p.r, 0xFFFFFFFFFFFFFFFFU);
  EXPECT_GE(p.a, 0x4CCCCCCCCCCCCCCCU);
  EXPECT_LT(p.a, 0x5999999999999999U);
  EXPECT_GE(p.b, 0x1333333333333333U);
  EXPECT_LT(p.b, 0x1999999999999999U);
  EXPECT_GE(p.sigma, 32768U);
  EXPECT_LT(p.sigma, 131072U);
}

TEST(KeySchedule, ParametersReachBothEndsOfTheirRanges) {
  const Parameters low = working_keys(Bytes(600)).parameters;
  EXPECT_EQ(low.r, 0xE47AE147AE147AE1U);
  EXPECT_EQ(low.a, 0x4CCCCCCCCCCCCCCCU);
  EXPECT_EQ(low.b, 0x1333333333333333U);
  EXPECT_EQ(low.sigma, 32768U);
  const Parameters high = working_keys(Bytes(600, 0xFF)).parameters;
  EXPECT_EQ(high.r, 0xFFFFFFFFFFFFFFFEU);
  EXPECT_EQ(high.a, 0x5999999999999998U);
  EXPECT_EQ(high.b, 0x1999999999999998U);
  EXPECT_EQ(high.sigma, 131071U);
  // In units of the maps: r in [3.57, 4), a in [1.2, 1.4), b in [0.3, 0.4).
  constexpr double scale = 4611686018427387904.0;
  EXPECT_NEAR(static_cast<double>(low.r) / scale, 3.57, 1e-15);
  EXPECT_NEAR(static_cast<double>(low.a) / scale, 1.2, 1e-15);
  EXPECT_NEAR(static_cast<double>(low.b) / scale, 0.3, 1e-15);
  EXPECT_NEAR(static_cast<double>(high.a) / scale, 1.4, 1e-15);
  EXPECT_NEAR(static_cast<double>(high.b) / scale, 0.4, 1e-15);
}

TEST(KeySchedule, ParametersOfManyKeysStayInRangeAndFillIt) {
  auto engine = engine_of(31);
  double r = 0;
  double a = 0;
  double b = 0;
  double sigma = 0;
  constexpr int keys = 20000;
  for (int i = 0; i < keys; ++i) {
    const WorkingKeys w = testing::random_keys(engine);
    expect_in_range(w.parameters);
    for (const Lane& lane : w.lanes) ASSERT_EQ(lane.noise_add & 1, 1U);
    ASSERT_EQ(w.guide.noise_add & 1, 1U);
    r += static_cast<double>(w.parameters.r - 0xE47AE147AE147AE1) / 0x1B851EB851EB851Ep0;
    a += static_cast<double>(w.parameters.a - 0x4CCCCCCCCCCCCCCC) / 0xCCCCCCCCCCCCCCDp0;
    b += static_cast<double>(w.parameters.b - 0x1333333333333333) / 0x666666666666666p0;
    sigma += static_cast<double>(w.parameters.sigma - 32768) / 98304.0;
  }
  const double bound = 5 / std::sqrt(12.0 * keys);
  for (const double sum : {r, a, b, sigma}) EXPECT_NEAR(sum / keys, 0.5, bound);
}

}  // namespace
}  // namespace icb::khazaal2024
