#include "metrics/uaci.hpp"

#include <cmath>
#include <tuple>

#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

Measurement uaci(const OwnedImage& a, const OwnedImage& b) {
  return measure("uaci", {.image = a.view(), .second = b.view()}).back();
}

TEST(Uaci, ByHand) {
  EXPECT_DOUBLE_EQ(*uaci(row_of({0, 10, 255}), row_of({51, 10, 0})).value, 0.4);
  EXPECT_DOUBLE_EQ(
      *uaci(OwnedImage({1, 1, 1, 2}, {255, 255}), OwnedImage({1, 1, 1, 2}, {0, 0})).value, 1.0);
}

TEST(Uaci, CriticalValuesOfWuNoonanAgaian) {
  for (const auto& [side, alpha, low, high] : {std::tuple{512, 0.05, 33.3730, 33.5541},
                                               {512, 0.01, 33.3445, 33.5826},
                                               {512, 0.001, 33.3115, 33.6156},
                                               {256, 0.05, 33.2824, 33.6447}}) {
    const NullModel null = uaci_null(static_cast<std::uint64_t>(side * side), 8);
    const double z = normal_quantile(1 - alpha / 2);
    EXPECT_NEAR(100 * (null.mean - z * null.sd), low, 6e-5);
    EXPECT_NEAR(100 * (null.mean + z * null.sd), high, 6e-5);
  }
}

TEST(UaciNull, ExactOverAllPairs) {
  double sum = 0;
  double squares = 0;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      sum += std::abs(a - b);
      squares += (a - b) * (a - b);
    }
  }
  const double mean = sum / 65536 / 255;
  EXPECT_NEAR(uaci_null(1, 8).mean, mean, 1e-15);
  EXPECT_NEAR(uaci_null(1, 8).sd, std::sqrt(squares / 65536 / 65025 - mean * mean), 1e-15);
  EXPECT_NEAR(uaci_null(100, 8).sd, uaci_null(1, 8).sd / 10, 1e-15);
}

TEST(Uaci, BrokenPairsAreFlagged) {
  const OwnedImage image = random_image({40, 30, 3}, 1);
  EXPECT_LT(*uaci(image, image).p_value, 1e-300);
  OwnedImage other = image;  // every byte off by 128: mean 128/255, as NPCR it would be 1
  for (auto& byte : other.view().bytes()) byte ^= 0x80;
  EXPECT_LT(*uaci(image, other).p_value, 1e-200);
}

TEST(Uaci, SimulationFindsMeanSdAndRejections) {
  for (const Shape& shape : {Shape{10, 5}, Shape{16, 16, 3}, Shape{20, 20, 1, 2}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 6);
    OwnedImage a(shape);
    OwnedImage b(shape);
    Simulation simulation;
    Measurement m;
    for (int i = 0; i < 40000; ++i) {
      fill_random(a, engine);
      fill_random(b, engine);
      m = uaci(a, b);
      simulation.add(*m.value, *m.p_value);
    }
    simulation.expect_moments(*m.expected, *m.sd);
    simulation.expect_rejections(shape.samples() < 100 ? 0.05 : 0);
  }
}

}  // namespace
}  // namespace icb::testing
