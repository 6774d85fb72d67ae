#include "metrics/ssim.hpp"

#include <cmath>

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

/// The formula window by window, two passes, extended precision.
double slow_ssim(ConstImage a, ConstImage b, std::size_t channel) {
  const Shape& shape = a.shape();
  const long double peak = shape.sample_bytes == 1 ? 255 : 65535;
  const long double c1 = 0.0001L * peak * peak;
  const long double c2 = 0.0009L * peak * peak;
  long double total = 0;
  std::size_t windows = 0;
  for (std::size_t top = 0; top + 11 <= shape.rows; ++top) {
    for (std::size_t left = 0; left + 11 <= shape.cols; ++left, ++windows) {
      const auto sum = [&](const auto& term) {
        long double out = 0;
        for (int i = 0; i < 11; ++i) {
          for (int j = 0; j < 11; ++j) {
            const std::size_t row = top + static_cast<std::size_t>(i);
            const std::size_t col = left + static_cast<std::size_t>(j);
            const int d2 = (i - 5) * (i - 5) + (j - 5) * (j - 5);
            out += std::exp(-static_cast<long double>(d2) / 4.5L) *
                   term(a.sample(row, col, channel), b.sample(row, col, channel));
          }
        }
        return out;
      };
      using Real = long double;
      const Real all = sum([](Real, Real) { return Real{1}; });
      const Real ma = sum([](Real u, Real) { return u; }) / all;
      const Real mb = sum([](Real, Real v) { return v; }) / all;
      const Real aa = sum([&](Real u, Real) { return (u - ma) * (u - ma); }) / all;
      const Real bb = sum([&](Real, Real v) { return (v - mb) * (v - mb); }) / all;
      const Real ab = sum([&](Real u, Real v) { return (u - ma) * (v - mb); }) / all;
      total += (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
    }
  }
  return static_cast<double>(total / windows);
}

TEST(Ssim, AgreesWithASlowReference) {
  for (const Shape& shape : {Shape{11, 11}, Shape{11, 30}, Shape{17, 12, 3}, Shape{20, 16, 4, 2}}) {
    const OwnedImage noise = random_image(shape, 1);
    const OwnedImage other = random_image(shape, 2);
    const OwnedImage smooth = image_of(shape, [](std::size_t row, std::size_t col, std::size_t k) {
      return static_cast<std::uint16_t>(7 * row + 5 * col + 13 * k);
    });
    for (const OwnedImage* plain : {&smooth, &other}) {
      double sum = 0;
      for (std::size_t c = 0; c < shape.channels; ++c) {
        const double slow = slow_ssim(plain->view(), noise.view(), c);
        sum += slow;
        EXPECT_NEAR(ssim(plain->view(), noise.view(), c), slow, 1e-13);
        EXPECT_NEAR(ssim(noise.view(), plain->view(), c), slow, 1e-13);  // symmetric
      }
      EXPECT_NEAR(ssim(plain->view(), noise.view()), sum / static_cast<double>(shape.channels),
                  1e-13);
    }
  }
}

TEST(Ssim, KnownValues) {
  const Shape shape{16, 20};
  const OwnedImage noise = random_image(shape, 3);
  EXPECT_EQ(ssim(noise.view(), noise.view()), 1.0);
  OwnedImage complement = noise;
  for (auto& byte : complement.view().bytes()) byte = static_cast<std::uint8_t>(~byte);
  EXPECT_LT(ssim(noise.view(), complement.view()), -0.8);
  // Black and white: variances 0, so the luminance term alone, C1 / (F^2 + C1) = 1 / 10001.
  const OwnedImage black(shape);
  const OwnedImage white = image_of(shape, [](auto...) { return std::uint16_t{255}; });
  EXPECT_NEAR(ssim(black.view(), white.view()), 1 / 10001.0, 1e-12);
}

TEST(Ssim, RefusesWhatIsNotThere) {
  const OwnedImage image({11, 11, 3});
  const OwnedImage low({10, 40, 3});
  EXPECT_THROW(ssim(image.view(), low.view()), std::invalid_argument);
  EXPECT_THROW(ssim(low.view(), low.view()), std::invalid_argument);
  EXPECT_THROW(ssim(image.view(), image.view(), 3), std::invalid_argument);
}

}  // namespace
}  // namespace icb::testing
