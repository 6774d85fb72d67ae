#include <gtest/gtest.h>

#include "cipher/cipher.hpp"
#include "tests/cipher/support.hpp"

namespace icb {
namespace {

TEST(Identity, GivesThePlainImage) {
  auto engine = testing::engine_of(1);
  const OwnedImage plain = testing::random_image(engine, {9, 5, 3, 2});
  const Encrypted out = encrypt(find<CipherEntry>("identity"), plain.view(), {}, {});
  EXPECT_EQ(testing::copy_of(out.image.bytes()), testing::copy_of(plain.bytes()));
  EXPECT_TRUE(out.header.empty());
}

}  // namespace
}  // namespace icb
