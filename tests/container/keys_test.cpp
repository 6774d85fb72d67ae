#include "container/keys.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/keyed_hash.hpp"

namespace icb::container {
namespace {

std::string_view text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ConstBytes bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(ContainerKeys, HmacIsThatOfRfc4231) {  // test case 2, cut anywhere
  const Bytes key = {'J', 'e', 'f', 'e'};
  const std::string_view text = "what do ya want for nothing?";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(to_hex(hmac_sha256(key, {bytes(text.substr(0, cut)), bytes(text.substr(cut))})),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  }
}

/// RFC 5869 by its definition, on HMAC alone.
Bytes hkdf_by_definition(ConstBytes key, ConstBytes salt, std::string_view info,
                         std::size_t length) {
  const auto hmac = [](ConstBytes k, const Bytes& text) { return hmac_sha256(k, text); };
  const Digest extracted = hmac(salt, Bytes(key.begin(), key.end()));
  Bytes out;
  Bytes block;
  for (std::uint8_t i = 1; out.size() < length; ++i) {
    block.insert(block.end(), info.begin(), info.end());
    block.push_back(i);
    const Digest next = hmac(extracted, block);
    block.assign(next.begin(), next.end());
    out.insert(out.end(), block.begin(), block.end());
  }
  out.resize(length);
  return out;
}

TEST(ContainerKeys, AreThoseOfHkdf) {
  // RFC 5869, test case 1, for the second implementation.
  const Bytes ikm(22, 0x0b);
  const Bytes rfc_salt = from_hex("000102030405060708090a0b0c");
  const Bytes rfc_info = from_hex("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(to_hex(hkdf_by_definition(ikm, rfc_salt, text_of(rfc_info), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  const Bytes key = derive_bytes(1, "key", key_bytes);
  const Bytes salt = derive_bytes(1, "salt", salt_bytes);
  const Keys keys = derive_keys(Secret(key), salt);
  const std::string expected = to_hex(hkdf_by_definition(key, salt, "icbench container 1", 96));
  EXPECT_EQ(to_hex(keys.authentication.bytes()) + to_hex(keys.metadata.bytes()) +
                to_hex(keys.cipher.bytes()),
            expected);
}

TEST(ContainerKeys, Chacha20IsThatOfRfc8439) {  // appendix A.1, test vector 1
  const std::string stream = chacha20(Secret(Bytes(32, 0)), std::string(64, '\0'));
  EXPECT_EQ(to_hex({reinterpret_cast<const std::uint8_t*>(stream.data()), stream.size()}),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  EXPECT_EQ(chacha20(Secret(Bytes(32, 7)), chacha20(Secret(Bytes(32, 7)), "text")), "text");
  EXPECT_EQ(chacha20(Secret(Bytes(32, 7)), ""), "");
}

TEST(ContainerKeys, RandomBytesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(to_hex(random_bytes(32))).second);
  EXPECT_THROW(Secret(Bytes(31)), std::invalid_argument);
  EXPECT_THROW(Secret(Bytes(33)), std::invalid_argument);
}

}  // namespace
}  // namespace icb::container
