/// mse, psnr and mae: means over the samples, judged given the plain image.
#include "metrics/mse.hpp"

#include <cmath>
#include <opencv2/core.hpp>

#include "metrics/mae.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

Measurement last(const char* metric, const OwnedImage& plain, const OwnedImage& cipher) {
  return measure(metric, {.image = cipher.view(), .plain = plain.view()}).back();
}

TEST(SquaredError, ByHand) {
  const OwnedImage plain = row_of({0, 10, 255});
  const OwnedImage cipher = row_of({3, 10, 251});
  EXPECT_DOUBLE_EQ(*last("mse", plain, cipher).value, 25 / 3.0);
  EXPECT_DOUBLE_EQ(*last("mae", plain, cipher).value, 7 / 3.0);
  EXPECT_DOUBLE_EQ(*last("psnr", plain, cipher).value, 10 * std::log10(65025 * 3 / 25.0));
  const Measurement same = last("psnr", plain, plain);
  EXPECT_EQ(same.status, Status::not_applicable);
  EXPECT_EQ(same.detail, "identical: infinite");
}

TEST(SquaredErrorNull, ExactOverAllCipherSamples) {
  // Plain samples 0, 0, 7, 200: mean over the four, variances added.
  Histogram plain(256);
  plain[0] = 2;
  plain[7] = 1;
  plain[200] = 1;
  double mean_2 = 0;
  double variance_2 = 0;
  double mean_1 = 0;
  double variance_1 = 0;
  for (const int p : {0, 0, 7, 200}) {
    double m1 = 0;
    double m2 = 0;
    double m4 = 0;
    for (int u = 0; u < 256; ++u) {
      const double d = std::abs(p - u);
      m1 += d / 256;
      m2 += d * d / 256;
      m4 += d * d * d * d / 256;
    }
    mean_1 += m1 / 4;
    variance_1 += (m2 - m1 * m1) / 16;
    mean_2 += m2 / 4;
    variance_2 += (m4 - m2 * m2) / 16;
  }
  EXPECT_NEAR(mse_null(plain).mean / mean_2, 1, 1e-14);
  EXPECT_NEAR(mse_null(plain).sd / std::sqrt(variance_2), 1, 1e-13);
  EXPECT_NEAR(mae_null(plain).mean / mean_1, 1, 1e-14);
  EXPECT_NEAR(mae_null(plain).sd / std::sqrt(variance_1), 1, 1e-13);
  EXPECT_THROW(mse_null(Histogram(256)), std::invalid_argument);
  EXPECT_THROW(mae_null(Histogram(256)), std::invalid_argument);
}

TEST(SquaredErrorNull, UniformPlainHasTheKnownValues) {
  EXPECT_NEAR(mse_null(Histogram(256, 1)).mean, 10922.5, 1e-9);
  EXPECT_NEAR(mae_null(Histogram(256, 1)).mean, 85.33203125, 1e-11);  // (256^2 - 1) / (3 256)
  EXPECT_NEAR(psnr_null(Histogram(256, 1000)).mean, 7.7476, 1e-4);
}

TEST(SquaredError, PsnrAgreesWithOpenCv) {
  for (const Shape& shape : {Shape{31, 22}, Shape{17, 40, 3}, Shape{25, 25, 4, 2}}) {
    OwnedImage plain = random_image(shape, 1);
    OwnedImage cipher = random_image(shape, 2);
    const auto mat = [&](OwnedImage& image) {
      const int type =
          CV_MAKETYPE(shape.sample_bytes == 1 ? CV_8U : CV_16U, static_cast<int>(shape.channels));
      return cv::Mat(static_cast<int>(shape.rows), static_cast<int>(shape.cols), type,
                     image.view().bytes().data());
    };
    const double peak = shape.sample_bytes == 1 ? 255 : 65535;
    EXPECT_NEAR(*last("psnr", plain, cipher).value, cv::PSNR(mat(plain), mat(cipher), peak), 1e-12);
  }
}

TEST(SquaredError, IdentityAndSmallNoiseAreFlagged) {
  const OwnedImage plain = image_of({40, 50, 3, 2}, [](std::size_t row, std::size_t col, auto) {
    return static_cast<std::uint16_t>(900 * row + 200 * col);
  });
  OwnedImage near = plain;
  for (std::size_t i = 0; i < near.bytes().size(); i += 2) near.view().bytes()[i] ^= 1;
  for (const char* metric : {"mse", "psnr", "mae"}) {
    EXPECT_LT(*last(metric, plain, near).p_value, 1e-300) << metric;
  }
  EXPECT_LT(*last("mse", plain, plain).p_value, 1e-300);
  EXPECT_GT(*last("psnr", plain, near).z, 100);
  EXPECT_LT(*last("mse", plain, near).z, -50);
}

TEST(SquaredError, SimulationFindsMeanSdAndRejections) {
  struct Case {
    Shape shape;
    int kind;
  };

  for (const auto& [shape, kind] :
       {Case{{10, 6}, 0}, Case{{10, 6}, 1}, Case{{12, 16}, 2}, Case{{16, 8, 3}, 1},
        Case{{16, 16, 1, 2}, 2}, Case{{16, 16, 1, 2}, 0}}) {
    const OwnedImage plain =
        image_of(shape, [kind = kind, top = shape.sample_bytes == 1 ? 255 : 65535](
                            std::size_t row, std::size_t col, std::size_t k) {
          if (kind == 0) return 0;                                  // constant
          if (kind == 1) return (row * col) % 3 == 0 ? 0 : top;     // two values
          return static_cast<int>(row * 900 + col * 77 + k) % top;  // many
        });
    for (const char* metric : {"mse", "psnr", "mae"}) {
      SCOPED_TRACE(std::string(metric) + " " + to_string(shape) + " " + std::to_string(kind));
      std::mt19937_64 engine(test_seed() + 7);
      OwnedImage cipher(shape);
      Simulation simulation;
      Measurement m;
      const int images = shape.sample_bytes == 1 ? 20000 : 1000;
      for (int i = 0; i < images; ++i) {
        fill_random(cipher, engine);
        m = last(metric, plain, cipher);
        simulation.add(*m.value, *m.p_value);
      }
      simulation.expect_moments(*m.expected, *m.sd);
      simulation.expect_rejections(shape.samples() < 100 ? 0.1 : 0.02);
    }
  }
}

}  // namespace
}  // namespace icb::testing
