#include "nist_tests/kernels.hpp"

#include <gtest/gtest.h>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

TEST(Kernels, BitsAtEveryPlace) {
  std::mt19937_64 engine(seed());
  const auto plain = random_bits(engine, 201);
  const auto packed = pack(plain);
  for (std::size_t first = 0; first < plain.size(); ++first) {
    for (unsigned count = 1; count <= 64 && first + count <= plain.size(); ++count) {
      std::uint64_t expected = 0;
      for (unsigned i = 0; i < count; ++i) {
        expected |= static_cast<std::uint64_t>(plain[first + i]) << (63 - i);
      }
      EXPECT_EQ(sp80022::bits_at(packed.view(), first, count), expected);
    }
  }
}

TEST(Kernels, ChiSquare) {
  const std::uint64_t counts[] = {10, 20, 30};
  const double probabilities[] = {0.25, 0.25, 0.5};
  EXPECT_DOUBLE_EQ(sp80022::chi_square(counts, probabilities), 25.0 / 15 + 25.0 / 15);
  const double two[] = {0.5, 0.5};
  EXPECT_THROW(sp80022::chi_square(counts, two), std::invalid_argument);
}

// The binary expansion of e that the long examples use, against its known
// beginning 2.b7e151628aed2a6a...
TEST(Kernels, BitsOfE) {
  const auto e = bits_of_e(258);
  EXPECT_EQ(sp80022::bits_at(e.view(), 0, 2), std::uint64_t{2} << 62);
  EXPECT_EQ(sp80022::bits_at(e.view(), 2, 64), 0xb7e151628aed2a6aU);
  EXPECT_EQ(sp80022::bits_at(e.view(), 66, 64), 0xbf7158809cf4f3c7U);
  EXPECT_EQ(sp80022::bits_at(e.view(), 130, 64), 0x62e7160f38b4da56U);
  EXPECT_EQ(sp80022::bits_at(e.view(), 194, 64), 0xa784d9045190cfefU);
}

}  // namespace
}  // namespace icb::test
