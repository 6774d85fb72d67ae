#include <cmath>
#include <numbers>

#include "metrics/chi_square.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

Measurement deviation(const OwnedImage& image) {
  return measure("deviation_from_uniform", {.image = image.view()}).at(0);
}

TEST(DeviationFromUniform, ByHand) {
  // Counts 3 and 1, 254 empty cells, N/K = 1/64: 3 - 1/64 + 1 - 1/64 + 254/64 over 4.
  EXPECT_DOUBLE_EQ(*deviation(row_of({7, 7, 9, 7})).value, (4 + 252.0 / 64) / 4);
  EXPECT_DOUBLE_EQ(*deviation(OwnedImage({64, 64})).value, 2 * 255.0 / 256);
}

TEST(DeviationFromUniform, TendsToTheAsymptoticForm) {
  const Measurement m = deviation(OwnedImage({1024, 1024}));
  EXPECT_NEAR(*m.expected / std::sqrt(512 * 255.0 / 256 / (std::numbers::pi * 1048576)), 1, 1e-4);
  EXPECT_NEAR(*m.sd * std::sqrt(1048576 / (1 - 2 / std::numbers::pi)), 1, 0.01);
}

TEST(DeviationFromUniform, ExactOverAllImagesOfTwoPixels) {
  double sum = 0;
  double square = 0;
  Measurement m;
  for (std::uint8_t a = 0; a < 2; ++a) {  // 1/256 of them agree
    m = deviation(row_of({0, a}));
    const double weight = a == 0 ? 1.0 / 256 : 255.0 / 256;
    sum += weight * *m.value;
    square += weight * *m.value * *m.value;
  }
  EXPECT_NEAR(*m.expected, sum, 1e-13);
  EXPECT_NEAR(*m.sd, std::sqrt(square - sum * sum), 1e-12);
}

TEST(DeviationFromUniform, BrokenImagesAreFlagged) {
  const OwnedImage flat = image_of({64, 64}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((64 * row + col) % 256);
  });
  EXPECT_EQ(deviation(flat).value, 0.0);
  EXPECT_LT(*deviation(flat).p_value, 1e-20);
  EXPECT_EQ(deviation(flat).detail, "lower tail: more uniform than chance");
  EXPECT_LT(*deviation(OwnedImage({64, 64})).p_value, 1e-100);
  EXPECT_FALSE(deviation(row_of({9})).p_value);
}

TEST(DeviationFromUniform, SimulationFindsMeanSdAndRejections) {
  struct Case {
    Shape shape;
    int images;
    double slack;
  };

  for (const auto& [shape, images, slack] :
       {Case{{16, 16}, 40000, 0.2}, Case{{37, 36}, 40000, 0.1}, Case{{64, 64}, 40000, 0.1},
        Case{{16, 16, 1, 2}, 1000, -1}, Case{{512, 512, 1, 2}, 150, 0.1}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 22);
    OwnedImage image(shape);
    Simulation simulation;
    Measurement m;
    for (int i = 0; i < images / (ICB_SANITIZED != 0 ? 20 : 1); ++i) {
      fill_random(image, engine);
      m = deviation(image);
      simulation.add(*m.value, *m.p_value);
    }
    simulation.expect_moments(*m.expected, *m.sd);
    if (slack >= 0) simulation.expect_rejections(slack);
  }
}

}  // namespace
}  // namespace icb::testing
