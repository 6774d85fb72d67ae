#include "metrics/histogram.hpp"

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(Histogram, CountsByHand) {
  const OwnedImage image({1, 2, 3}, {1, 2, 3, 1, 2, 255});  // two pixels B, G, R
  EXPECT_EQ(histogram(image.view(), 0)[1], 2U);
  EXPECT_EQ(histogram(image.view(), 2)[3], 1U);
  EXPECT_EQ(histogram(image.view(), 2)[255], 1U);
  EXPECT_EQ(total(histogram(image.view(), 1)), 2U);
  EXPECT_EQ(total(histogram(image.view())), 6U);
}

TEST(Histogram, SixteenBitIsLittleEndian) {
  const OwnedImage image({1, 1, 1, 2}, {0x34, 0x12});
  const Histogram counts = histogram(image.view());
  EXPECT_EQ(counts.size(), 65536U);
  EXPECT_EQ(counts[0x1234], 1U);
}

TEST(Histogram, AgreesWithAPlainLoop) {
  for (const Shape& shape : awkward_shapes()) {
    const OwnedImage image = random_image(shape, 1);
    Histogram pooled(histogram(image.view()).size());
    for (std::size_t channel = 0; channel < shape.channels; ++channel) {
      Histogram reference(pooled.size());
      for (std::size_t row = 0; row < shape.rows; ++row) {
        for (std::size_t col = 0; col < shape.cols; ++col) {
          ++reference[image.view().sample(row, col, channel)];
          ++pooled[image.view().sample(row, col, channel)];
        }
      }
      EXPECT_EQ(histogram(image.view(), channel), reference) << to_string(shape);
    }
    EXPECT_EQ(histogram(image.view()), pooled) << to_string(shape);
  }
}

TEST(Histogram, RefusesAMissingChannel) {
  EXPECT_THROW(histogram(row_of({1, 2}).view(), 1), std::invalid_argument);
}

}  // namespace
}  // namespace icb::testing
