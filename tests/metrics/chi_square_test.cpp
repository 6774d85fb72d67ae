#include "metrics/chi_square.hpp"

#include <cmath>

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(ChiSquare, ByHand) {
  EXPECT_EQ(chi_square({3, 1}), 1.0);  // (1 + 1) / 2
  EXPECT_EQ(chi_square({6, 3, 3, 0}), 6.0);
  EXPECT_EQ(chi_square(Histogram(256, 9)), 0.0);
  EXPECT_EQ(chi_square({4, 0, 0, 0}), 12.0);  // N (K - 1), the largest
  EXPECT_THROW(chi_square({0, 0}), std::invalid_argument);
}

TEST(ChiSquare, AgreesWithThePlainFormula) {
  const Histogram counts = histogram(random_image({70, 55, 1, 2}, 1).view());
  double sum = 0;
  const double mean = 3850.0 / 65536;
  for (const auto count : counts) sum += std::pow(static_cast<double>(count) - mean, 2) / mean;
  EXPECT_NEAR(chi_square(counts) / sum, 1, 1e-11);
}

TEST(ChiSquare, CriticalValues) {
  EXPECT_NEAR(chi_square_upper(293.2478, 256).value(), 0.05, 1e-6);
  EXPECT_NEAR(chi_square_tails(219.025, 256).lower, 0.05, 1e-5);
  EXPECT_NEAR(chi_square_tails(190.867, 256).lower, 0.001, 1e-6);
}

TEST(ChiSquareNull, ExactOverAllImages) {
  // All 3^4 sequences of four samples over three values.
  double sum = 0;
  double squares = 0;
  for (int code = 0; code < 81; ++code) {
    Histogram counts(3);
    for (int i = 0, rest = code; i < 4; ++i, rest /= 3)
      ++counts[static_cast<std::size_t>(rest % 3)];
    const double x = chi_square(counts);
    sum += x / 81;
    squares += x * x / 81;
  }
  const NullModel null = chi_square_null(4, 3);
  EXPECT_NEAR(sum, null.mean, 1e-13);
  EXPECT_NEAR(std::sqrt(squares - sum * sum), null.sd, 1e-13);
}

TEST(ChiSquare, BothTailsAreFlagged) {
  const OwnedImage flat = image_of({64, 64}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((64 * row + col) % 256);
  });
  const Measurement over = measure("chi_square", {.image = flat.view()}).at(0);
  EXPECT_EQ(over.value, 0.0);
  EXPECT_EQ(over.p_value, 0.0);
  EXPECT_EQ(over.detail, "lower tail: more uniform than chance");
  const Measurement under = measure("chi_square", {.image = OwnedImage({64, 64}).view()}).at(0);
  EXPECT_LT(*under.p_value, 1e-300);
  EXPECT_EQ(under.detail, "upper tail: less uniform than chance");
}

TEST(ChiSquare, FewSamplesSaySo) {
  const auto m = measure("chi_square", {.image = random_image({8, 8}, 2).view()}).at(0);
  EXPECT_NE(m.detail.find("p is approximate: 64 samples in 256 bins"), std::string::npos);
  const auto one = measure("chi_square", {.image = row_of({9}).view()}).at(0);
  EXPECT_EQ(one.value, 255.0);
  EXPECT_FALSE(one.z || one.p_value);
}

TEST(ChiSquare, SimulationFindsMeanSdAndRejections) {
  struct Case {
    Shape shape;
    int images;
    double slack;
  };

  for (const auto& [shape, images, slack] :
       {Case{{8, 8}, 40000, -1}, Case{{37, 36}, 40000, 0.15}, Case{{64, 64}, 20000, 0.1},
        Case{{512, 512, 1, 2}, 200, 0.1}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 3);
    OwnedImage image(shape);
    Simulation simulation;
    const std::size_t bins = shape.sample_bytes == 1 ? 256 : 65536;
    const NullModel null = chi_square_null(shape.samples(), bins);
    for (int i = 0; i < images; ++i) {
      fill_random(image, engine);
      const double value = chi_square(histogram(image.view()));
      simulation.add(value, chi_square_tails(value, bins).two_sided().value());
    }
    simulation.expect_moments(null.mean, null.sd);
    if (slack >= 0) simulation.expect_rejections(slack);
  }
}

}  // namespace
}  // namespace icb::testing
