#include <gtest/gtest.h>

#include "cipher/cipher.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb {
namespace {

// SP 800-38A, F.5.5: all four blocks, as an image of one row, and of 4 x 4 with four channels.
TEST(Aes256Ctr, Sp80038aF55) {
  const Bytes plain = from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const Bytes key = from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes counter = from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  for (const Shape& shape : {Shape{1, 64, 1, 1}, Shape{4, 4, 4, 1}, Shape{8, 4, 1, 2}}) {
    const Encrypted out =
        encrypt(find<CipherEntry>("aes-256-ctr"), ConstImage(shape, plain), key, counter);
    EXPECT_EQ(to_hex(out.image.bytes()),
              "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
              "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
    EXPECT_EQ(out.header, counter);
  }
}

// The counter is one 128-bit number: it carries from its last byte into its first.
TEST(Aes256Ctr, TheCounterWrapsAround) {
  const CipherEntry& aes = find<CipherEntry>("aes-256-ctr");
  const Bytes key(32, 7);
  const Bytes zeros(32);
  const Encrypted over = encrypt(aes, ConstImage({1, 32, 1, 1}, zeros), key, Bytes(16, 0xFF));
  const Encrypted start = encrypt(aes, ConstImage({1, 32, 1, 1}, zeros), key, Bytes(16));
  EXPECT_EQ(to_hex(over.image.bytes().subspan(16)), to_hex(start.image.bytes().first(16)));
}

}  // namespace
}  // namespace icb
