#include <cmath>

#include "metrics/chi_square.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(HistogramVariance, ByHand) {
  // Three 7s and a 9: counts 3 and 1, 254 empty cells; N/K = 1/64.
  const Measurement m = measure("histogram_variance", {.image = row_of({7, 7, 9, 7}).view()}).at(0);
  EXPECT_DOUBLE_EQ(*m.value, 10.0 / 256 - 1.0 / (64 * 64));
  EXPECT_EQ(m.n, 4U);
}

TEST(HistogramVariance, IsChiSquareScaled) {
  const OwnedImage image = random_image({70, 55, 3}, 1);
  const auto variances = measure("histogram_variance", {.image = image.view()});
  const auto chi_squares = measure("chi_square", {.image = image.view()});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(*variances[i].z, *chi_squares[i].z, 1e-12);
    EXPECT_EQ(variances[i].p_value, chi_squares[i].p_value);
    const double mean = static_cast<double>(variances[i].n) / 256;
    EXPECT_NEAR(*variances[i].value, *chi_squares[i].value * mean / 256, 1e-12);
    EXPECT_NEAR(*variances[i].expected, mean * 255 / 256, 1e-12);
  }
}

TEST(HistogramVariance, KnownExpectations) {
  for (const auto& [side, expected] : {std::pair{256U, 255.0}, {512U, 1020.0}}) {
    const OwnedImage image({side, side});
    EXPECT_DOUBLE_EQ(*measure("histogram_variance", {.image = image.view()}).at(0).expected,
                     expected);
  }
}

TEST(HistogramVariance, BrokenImagesAreFlagged) {
  const OwnedImage flat = image_of({64, 64}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((64 * row + col) % 256);
  });
  const Measurement over = measure("histogram_variance", {.image = flat.view()}).at(0);
  EXPECT_EQ(over.value, 0.0);
  EXPECT_EQ(over.p_value, 0.0);
  EXPECT_EQ(over.detail, "lower tail: more uniform than chance");
  const Measurement under =
      measure("histogram_variance", {.image = OwnedImage({64, 64}).view()}).at(0);
  EXPECT_LT(*under.p_value, 1e-300);
  const Measurement one = measure("histogram_variance", {.image = row_of({9}).view()}).at(0);
  EXPECT_FALSE(one.z || one.p_value);
}

TEST(HistogramVariance, SimulationFindsMeanSdAndRejections) {
  std::mt19937_64 engine(test_seed() + 21);
  OwnedImage image({40, 41});
  Simulation simulation;
  Measurement m;
  for (int i = 0; i < 20000; ++i) {
    fill_random(image, engine);
    m = measure("histogram_variance", {.image = image.view()}).at(0);
    simulation.add(*m.value, *m.p_value);
  }
  simulation.expect_moments(*m.expected, *m.sd);
  simulation.expect_rejections(0.15);
}

}  // namespace
}  // namespace icb::testing
