#include "metrics/local_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "metrics/entropy.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

Measurement local(const OwnedImage& image, std::uint64_t seed = 0) {
  return measure("local_entropy", {.image = image.view(), .seed = seed}).at(0);
}

TEST(LocalEntropy, CornersAreDisjointInsideAndSeeded) {
  for (const auto& [rows, cols, blocks] : std::vector<std::array<std::size_t, 3>>{{44, 44, 1},
                                                                                  {45, 90, 2},
                                                                                  {256, 256, 25},
                                                                                  {264, 220, 30},
                                                                                  {264, 264, 30},
                                                                                  {512, 700, 30},
                                                                                  {43, 5000, 0},
                                                                                  {5000, 43, 0}}) {
    const Shape shape{rows, cols, 3};
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto corners = local_entropy_corners(shape, seed);
      ASSERT_EQ(corners.size(), blocks);
      EXPECT_EQ(corners, local_entropy_corners(shape, seed));
      std::set<std::size_t> pixels;
      for (const Corner corner : corners) {
        for (std::size_t i = 0; i < local_block_samples; ++i) {
          const std::size_t row = corner.row + i / 44;
          const std::size_t col = corner.col + i % 44;
          ASSERT_TRUE(row < rows && col < cols);
          EXPECT_TRUE(pixels.insert(row * cols + col).second);
        }
      }
    }
  }
  EXPECT_NE(local_entropy_corners({512, 512}, 1), local_entropy_corners({512, 512}, 2));
}

TEST(LocalEntropy, EveryCellAndEveryShiftIsReached) {
  std::set<Corner> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    for (const Corner corner : local_entropy_corners({266, 309}, seed)) seen.insert(corner);
  }
  EXPECT_EQ(seen.size(), 3U * 6 * 2 * 7);  // 3 x 2 shifts of 6 x 7 cells
}

TEST(LocalEntropy, IsTheMeanOfTheBlocksEntropies) {
  const OwnedImage image = random_image({200, 300, 3}, 1);
  const auto found = measure("local_entropy", {.image = image.view(), .seed = 7});
  double pooled = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (const Corner corner : local_entropy_corners(image.shape(), 7)) {
      const OwnedImage block = image_of({44, 44}, [&](std::size_t row, std::size_t col, auto) {
        return image.view().sample(corner.row + row, corner.col + col, c);
      });
      sum += *measure("entropy", {.image = block.view()}).at(0).value;
    }
    EXPECT_NEAR(*found[c].value, sum / 24, 1e-13);
    EXPECT_EQ(found[c].n, 24U * 1936);
    EXPECT_EQ(found[c].seed, 7U);
    EXPECT_EQ(found[c].detail.find("24 blocks; "), 0U);
    pooled += sum;
  }
  EXPECT_NEAR(*found[3].value, pooled / 72, 1e-13);
  EXPECT_NEAR(*found[3].sd * std::sqrt(3.0), *found[0].sd, 1e-15);
  EXPECT_EQ(found[3].n, 72U * 1936);
}

TEST(LocalEntropy, PublishedIntervalHasThePublishedDigits) {
  // Wu et al. 2013 for k = 30, T = 1936; to what their own sd carries.
  for (const auto& [alpha, low, high] :
       std::vector<std::array<double, 3>>{{0.05, 7.901901305, 7.903037329},
                                          {0.01, 7.901722822, 7.903215812},
                                          {0.001, 7.901515698, 7.903422936}}) {
    const auto [ours_low, ours_high] = local_entropy_published_interval(30, 256, alpha);
    EXPECT_NEAR(ours_low, low, 2e-9);
    EXPECT_NEAR(ours_high, high, 2e-9);
  }
}

TEST(LocalEntropy, ExactNullForThirtyBlocks) {
  const NullModel null = local_entropy_null(30, 256);
  EXPECT_NEAR(null.mean, 7.902469317, 5e-10);
  EXPECT_NEAR(null.sd, 0.00158734, 5e-9);
}

TEST(LocalEntropy, BrokenImagesAreFlagged) {
  // A permuted ramp in rows: the histogram of the whole is that of an ideal image, no block's is.
  const OwnedImage random = random_image({512, 512}, 2);
  const OwnedImage local_fault = image_of({512, 512}, [&](std::size_t row, std::size_t col, auto) {
    const auto high = static_cast<std::uint16_t>((row + col) / 64 % 8 * 32);
    return static_cast<std::uint16_t>(high + random.view().sample(row, col, 0) % 32);
  });
  EXPECT_LT(*local(local_fault).p_value, 1e-100);
  EXPECT_GT(*measure("chi_square", {.image = local_fault.view()}).at(0).p_value, 1e-4);
  const OwnedImage even = image_of({512, 512}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((row * 44 + col) % 256);
  });
  EXPECT_LT(*local(even).p_value, 1e-100);
  EXPECT_GT(*local(even).z, 10);
  EXPECT_EQ(local(OwnedImage({43, 900})).status, Status::not_applicable);
  EXPECT_EQ(local(OwnedImage({256, 256})).value, 0.0);
}

TEST(LocalEntropy, SimulationAcceptsNinetyFiveAndThePublishedIntervalTwentyEight) {
  // Blocks are independent whatever their places, so an image of 30 blocks side by side.
  for (const auto& [shape, images] :
       {std::pair<Shape, int>{{44, 44 * 30}, 20000}, {{44, 44 * 5}, 4000}, {{44, 88, 1, 2}, 400}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 24);
    OwnedImage image(shape);
    Simulation simulation;
    Measurement m;
    double inside = 0;
    const int size = images / (ICB_SANITIZED != 0 ? 50 : 1);
    for (int i = 0; i < size; ++i) {
      fill_random(image, engine);
      m = local(image);
      simulation.add(*m.value, *m.p_value);
      inside += m.detail.find("inside") != std::string::npos ? 1.0 / size : 0;
    }
    simulation.expect_moments(*m.expected, *m.sd);
    simulation.expect_rejections();
    const double share =
        std::erf(1.959963985 / std::sqrt(static_cast<double>(shape.pixels()) / 968));
    EXPECT_NEAR(inside, share, 4.5 * std::sqrt(share / size));
    if (shape.cols == 44 * 30) {
      EXPECT_NEAR(share, 0.28, 0.001);
      EXPECT_NE(m.detail.find("holds 28 % of ideal images"), std::string::npos) << m.detail;
    }
  }
}

}  // namespace
}  // namespace icb::testing
