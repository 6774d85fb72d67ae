#include "metrics/distance.hpp"

#include "metrics/counted_image.hpp"
#include "tests/metrics/support.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::testing {
namespace {

void expect_plain_sums(const OwnedImage& a, const OwnedImage& b) {
  SCOPED_TRACE(to_string(a.shape()));
  for (std::size_t c = 0; c < a.shape().channels; ++c) {
    EXPECT_EQ(distance_sums(a.view(), b.view(), c), plain_distance_sums(a.view(), b.view(), c));
  }
  EXPECT_EQ(distance_sums(a.view(), b.view()), plain_distance_sums(a.view(), b.view()));
}

TEST(Distance, ByHand) {
  const OwnedImage a({1, 2, 2}, {0, 10, 255, 3});
  const OwnedImage b({1, 2, 2}, {255, 10, 250, 4});
  EXPECT_EQ(distance_sums(a.view(), b.view(), 0), (DistanceSums{2, 2, 260, 65050, 10}));
  EXPECT_EQ(distance_sums(a.view(), b.view()), (DistanceSums{4, 3, 261, 65051, 13}));
}

TEST(Distance, FastAndPlainAgree) {
  test::for_all_targets([] {
    for (Shape shape : awkward_shapes()) {
      expect_plain_sums(random_image(shape, 40), random_image(shape, 41));
      shape.cols += 300;
      expect_plain_sums(random_image(shape, 42), random_image(shape, 43));
    }
    // Lanes filled to the brim.
    const OwnedImage black({1100, 1000, 2});
    const OwnedImage white = image_of(
        black.shape(), [](std::size_t, std::size_t, std::size_t) { return std::uint16_t{255}; });
    expect_plain_sums(black, white);
  });
}

TEST(Distance, ACountedImageRemembersEachOther) {
  for (const Shape& shape : awkward_shapes()) {
    const OwnedImage owned = random_image(shape, 44);
    const CountedImage image(owned.view());
    for (int round = 0; round < 2; ++round) {
      for (const std::uint64_t salt : {45U, 46U}) {  // each other image goes, the memory stays
        const OwnedImage other = random_image(shape, salt);
        const CountedImage counted(other.view());
        for (const auto scope : scopes(shape)) {
          const DistanceSums expected = plain_distance_sums(owned.view(), other.view(), scope);
          EXPECT_EQ(image.distances(counted, scope), expected);
          EXPECT_EQ(image.distances(counted, scope), expected);
        }
      }
    }
    EXPECT_EQ(image.distances(image, std::nullopt).squares, 0U);
    EXPECT_THROW(image.distances(image, shape.channels), std::invalid_argument);
  }
  const OwnedImage wide({2, 3});
  const OwnedImage high({3, 2});
  EXPECT_THROW(CountedImage(wide.view()).distances(high.view(), 0), std::invalid_argument);
}

TEST(Distance, RefusesWhatDoesNotFit) {
  const OwnedImage image({2, 3});
  EXPECT_THROW(distance_sums(image.view(), OwnedImage({3, 2}).view()), std::invalid_argument);
  EXPECT_THROW(distance_sums(image.view(), image.view(), 1), std::invalid_argument);
}

}  // namespace
}  // namespace icb::testing
