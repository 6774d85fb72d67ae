/// The fast counts against the plain ones, on every instruction set.
#include "metrics/image_counts.hpp"

#include "metrics/counted_image.hpp"
#include "tests/metrics/support.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::testing {
namespace {

void expect_plain_counts(const OwnedImage& owned) {
  SCOPED_TRACE(to_string(owned.shape()));
  const ConstImage view = owned.view();
  const Shape& shape = view.shape();
  const CountedImage direct(view);
  const CountedImage prepared(view);
  prepared.count_all();
  for (const CountedImage& image : {direct, prepared}) {
    for (const auto scope : scopes(shape)) {
      EXPECT_EQ(image.histogram(scope), histogram(view, scope));
      for (const std::size_t levels : {8U, 256U}) {
        const Cooccurrence fast = image.cooccurrence(scope, levels);
        const Cooccurrence plain = cooccurrence(view, scope, levels);
        EXPECT_EQ(fast.levels, plain.levels);
        EXPECT_EQ(fast.pairs, plain.pairs);
        EXPECT_TRUE(fast.counts == plain.counts);
        const PairTexture texture = pair_texture(plain);
        EXPECT_EQ(image.texture(scope, levels).sums, texture.sums);
        EXPECT_EQ(image.texture(scope, levels).differences, texture.differences);
        EXPECT_EQ(image.texture(scope, levels).squares, texture.squares);
      }
    }
    for (const PairOffset offset : neighbours) {
      for (std::size_t c = 0; c < shape.channels; ++c) {
        EXPECT_EQ(image.adjacent(offset).at(c), adjacent_pairs(view, c, offset))
            << "offset " << offset.rows << ", " << offset.cols;
      }
    }
  }
}

TEST(ImageCounts, AgreeOnAwkwardShapes) {
  test::for_all_targets([] {
    for (const Shape& shape : awkward_shapes()) expect_plain_counts(random_image(shape, 30));
    for (std::size_t channels = 1; channels <= 4; ++channels) {
      for (const auto& [rows, cols] : {std::pair{257U, 256U}, {131U, 517U}, {3U, 40000U}}) {
        expect_plain_counts(random_image({rows, cols, channels}, 31));
      }
    }
  });
}

TEST(ImageCounts, AgreeWhereSmallCountersOverflow) {
  test::for_all_targets([] {
    for (const unsigned period : {1U, 2U, 3U, 256U}) {
      for (const std::size_t cols : {1U, 2U, 500U}) {
        expect_plain_counts(image_of({70000 / cols + 300, cols, 2},
                                     [&](std::size_t row, std::size_t col, std::size_t channel) {
                                       const std::size_t i = row * cols + col;
                                       return static_cast<std::uint16_t>(
                                           255 - (channel == 0 ? i % period : row % period));
                                     }));
      }
    }
    // Exactly 256 equal pairs: the byte is zero again. And 255, the most it holds.
    for (const std::size_t equal : {255U, 256U, 257U, 512U}) {
      std::size_t i = 0;
      expect_plain_counts(image_of({300, 300}, [&](std::size_t, std::size_t, std::size_t) {
        return static_cast<std::uint16_t>(i++ <= equal ? 7 : i * i / 7 % 251 + 8);
      }));
    }
  });
}

TEST(ImageCounts, OverflowAfterTheFirstStrip) {
  // Random rows, then constant ones: the bytes do for a while.
  OwnedImage image = random_image({1300, 1024}, 32);
  const MutableBytes bytes = image.view().bytes();
  std::fill(bytes.begin() + 1100 * 1024, bytes.end(), std::uint8_t{255});
  expect_plain_counts(image);
}

TEST(ImageCounts, LargestProductsAreExact) {
  // Every lane's sum reaches its greatest value before it is put away.
  expect_plain_counts(image_of(
      {1500, 1111}, [](std::size_t, std::size_t, std::size_t) { return std::uint16_t{255}; }));
}

TEST(ImageCounts, PlanesAreOf8Bit) {
  const OwnedImage image(
      {3, 4, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const CountedImage counted(image.view());
  EXPECT_EQ(counted.plane(1)[2], 6);
  EXPECT_THROW(counted.plane(2), std::invalid_argument);
  EXPECT_THROW(CountedImage(OwnedImage({3, 4, 1, 2}).view()).plane(0), std::invalid_argument);
}

}  // namespace
}  // namespace icb::testing
