#include <cmath>

#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

Measurement balance(const OwnedImage& image) {
  return measure("bit_plane_balance", {.image = image.view()}).at(0);
}

TEST(BitPlaneBalance, ByHand) {
  // Planes 0 and 1 hold 2 ones of 4, plane 2 one, plane 3 three, all others none but 7, which is
  // full: 4 to 6 and 7 tie, the most significant is named.
  const Measurement m = balance(row_of({0x88, 0x89, 0x8B, 0x86}));
  EXPECT_EQ(m.value, 1.0);
  EXPECT_EQ(m.expected, 0.5);
  EXPECT_EQ(m.detail, "plane 7 of 0 to 7, z = 2.00 by itself");
  EXPECT_DOUBLE_EQ(*m.p_value, 1 - std::pow(1 - 2.0 / 16, 8));
  EXPECT_EQ(balance(OwnedImage({2, 2})).value, 0.0);
}

TEST(BitPlaneBalance, TheWorstPlaneIsFound) {
  for (std::size_t bytes = 1; bytes <= 2; ++bytes) {
    for (std::size_t plane = 0; plane < 8 * bytes; ++plane) {
      const OwnedImage random = random_image({64, 64, 1, bytes}, plane);
      std::size_t place = 0;
      const OwnedImage biased =
          image_of(random.shape(), [&](std::size_t row, std::size_t col, std::size_t channel) {
            const auto bit = static_cast<std::uint16_t>(++place % 8 == 0 ? 1U << plane : 0U);
            return static_cast<std::uint16_t>(random.view().sample(row, col, channel) | bit);
          });
      const Measurement m = balance(biased);
      EXPECT_LT(*m.p_value, 1e-6);
      EXPECT_NEAR(*m.value, 9.0 / 16, 0.04);
      EXPECT_EQ(m.detail.find("plane " + std::to_string(plane) + " of"), 0U) << m.detail;
    }
  }
}

TEST(BitPlaneBalance, ExactOverAllImagesOfOneAndTwoPixels) {
  const Measurement one = balance(row_of({93}));
  EXPECT_EQ(one.sd, 0.5);
  EXPECT_EQ(one.p_value, 1.0);
  double sum = 0;
  double square = 0;
  int rejected = 0;
  Measurement m;
  for (unsigned both = 0; both < 65536; ++both) {
    m = balance(
        row_of({static_cast<std::uint8_t>(both & 255), static_cast<std::uint8_t>(both >> 8)}));
    sum += *m.value / 65536;
    square += std::pow(*m.value - 0.5, 2) / 65536;
    rejected += *m.p_value < 0.999 ? 1 : 0;
  }
  EXPECT_NEAR(sum, 0.5, 1e-12);
  EXPECT_NEAR(*m.sd, std::sqrt(square), 1e-12);
  EXPECT_NEAR(rejected / 65536.0, 1 - std::pow(0.5, 8), 1e-12);  // p = 1 - 2^-8 if any plane agrees
}

TEST(BitPlaneBalance, SimulationFindsMeanSdAndRejections) {
  struct Case {
    Shape shape;
    int images;
    double slack;
  };

  for (const auto& [shape, images, slack] :
       {Case{{5, 5}, 40000, -1}, Case{{9, 7}, 40000, -1}, Case{{64, 64}, 20000, 0.08},
        Case{{24, 24, 1, 2}, 2000, -1}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 23);
    OwnedImage image(shape);
    Simulation simulation;
    Measurement m;
    for (int i = 0; i < images / (ICB_SANITIZED != 0 ? 20 : 1); ++i) {
      fill_random(image, engine);
      m = balance(image);
      simulation.add(*m.value, *m.p_value);
    }
    simulation.expect_moments(*m.expected, *m.sd);
    simulation.expect_rejections(slack < 0 ? 0 : slack, slack < 0);  // coarse shares: fewer
  }
}

}  // namespace
}  // namespace icb::testing
