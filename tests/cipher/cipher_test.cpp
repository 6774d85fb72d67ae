#include "cipher/cipher.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

namespace icb {
namespace {

/// A cipher that takes one-row images only and records nothing.
CipherEntry toy() {
  return {.name = "toy",
          .source = "test",
          .status = CipherStatus::external,
          .key_bits = BitCount{24},
          .nonce_bytes = ByteCount{2},
          .header_bytes = ByteCount{1},
          .refuses = [](const Shape& shape) -> std::optional<std::string> {
            if (shape.rows != 1) return "needs one row";
            return std::nullopt;
          },
          .encrypt =
              [](ConstImage plain, ConstBytes key, ConstBytes nonce, Image out) {
                out.bytes()[0] = static_cast<std::uint8_t>(plain.bytes()[0] ^ key[0]);
                return Bytes{nonce[0]};
              },
          .decrypt =
              [](ConstImage cipher, ConstBytes key, ConstBytes, Image out) {
                out.bytes()[0] = static_cast<std::uint8_t>(cipher.bytes()[0] ^ key[0]);
              },
          .verify = [] { return std::string{}; }};
}

std::string refusal(const auto& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Cipher, ChecksThenCalls) {
  const Bytes pixel{0x0F};
  const ConstImage image({1, 1, 1, 1}, pixel);
  const Encrypted out = encrypt(toy(), image, Bytes{0xF1, 0, 0}, Bytes{9, 8});
  EXPECT_EQ(out.image.bytes()[0], 0xFE);
  EXPECT_EQ(out.header, Bytes{9});
  EXPECT_EQ(decrypt(toy(), out.image.view(), Bytes{0xF1, 0, 0}, out.header).bytes()[0], 0x0F);
}

TEST(Cipher, RefusalsNameCipherExpectedAndReceived) {
  const Bytes pixels(2);
  const ConstImage row({1, 2, 1, 1}, pixels);
  const ConstImage column({2, 1, 1, 1}, pixels);
  EXPECT_EQ(refusal([&] { encrypt(toy(), row, Bytes(4), Bytes(2)); }),
            "toy: key must have 3 bytes, got 4");
  EXPECT_EQ(refusal([&] { encrypt(toy(), row, Bytes(3), Bytes(1)); }),
            "toy: nonce must have 2 bytes, got 1");
  EXPECT_EQ(refusal([&] { encrypt(toy(), column, Bytes(3), Bytes(2)); }),
            "toy: image of 2 x 1 x 1, 8 bit refused: needs one row");
  EXPECT_EQ(refusal([&] { decrypt(toy(), row, Bytes(2), Bytes(1)); }),
            "toy: key must have 3 bytes, got 2");
  EXPECT_EQ(refusal([&] { decrypt(toy(), row, Bytes(3), Bytes(2)); }),
            "toy: header must have 1 bytes, got 2");
  EXPECT_EQ(refusal([&] { decrypt(toy(), column, Bytes(3), Bytes(1)); }),
            "toy: image of 2 x 1 x 1, 8 bit refused: needs one row");
}

TEST(Cipher, StatusNamesAreDistinct) {
  std::set<std::string_view> names;
  for (const CipherStatus status : {CipherStatus::exact, CipherStatus::proxy, CipherStatus::own,
                                    CipherStatus::control, CipherStatus::external}) {
    names.insert(to_string(status));
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"control", "exact", "external", "own", "proxy"}));
}

}  // namespace
}  // namespace icb
