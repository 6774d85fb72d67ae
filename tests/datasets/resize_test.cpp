#include <algorithm>
#include <limits>
#include <random>

#include "core/hash.hpp"
#include "files.hpp"

namespace icb {
namespace {

using testing::bytes_of;
using testing::counted;

TEST(Resize, SameSizeChangesNothing) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    const OwnedImage image = counted(7, 13, 3, sample_bytes);
    EXPECT_EQ(bytes_of(resize_bilinear(to_mat(image.view()), 7, 13)), bytes_of(image));
  }
}

TEST(Resize, WorkedByHand) {
  const cv::Mat two = to_mat(OwnedImage({.rows = 1, .cols = 2, .channels = 1}, {0, 100}).view());
  // Centres of 4 over 2: -0.25 (held at 0), 0.25, 0.75, 1.25 (held at 1).
  EXPECT_EQ(bytes_of(resize_bilinear(two, 1, 4)), (Bytes{0, 25, 75, 100}));
  EXPECT_EQ(bytes_of(resize_bilinear(two, 1, 1)), (Bytes{50}));
  EXPECT_EQ(bytes_of(resize_bilinear(two, 3, 1)), (Bytes{50, 50, 50}));
  const cv::Mat square =
      to_mat(OwnedImage({.rows = 2, .cols = 2, .channels = 1}, {0, 100, 200, 255}).view());
  EXPECT_EQ(bytes_of(resize_bilinear(square, 1, 1)), (Bytes{139}));  // 138.75
  const cv::Mat odd = to_mat(OwnedImage({.rows = 1, .cols = 2, .channels = 1}, {0, 1}).view());
  EXPECT_EQ(bytes_of(resize_bilinear(odd, 1, 1)), (Bytes{1}));  // 0.5 is rounded up
}

TEST(Resize, ConstantStaysConstantAndExtremesAreKept) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    const Shape shape{.rows = 5, .cols = 3, .channels = 4, .sample_bytes = sample_bytes};
    const OwnedImage white(shape, Bytes(shape.bytes(), 0xFF));
    const cv::Mat large = resize_bilinear(to_mat(white.view()), 31, 17);
    EXPECT_EQ(bytes_of(large), Bytes(std::size_t{31} * 17 * 4 * sample_bytes, 0xFF));
  }
}

TEST(Resize, WithinOneOfTheExactValue) {
  std::mt19937_64 engine(7);
  for (int round = 0; round < 30; ++round) {
    const auto any = [&] { return 1 + uniform_below(engine, 20); };
    const std::size_t rows = any();
    const std::size_t cols = any();
    const std::size_t to_rows = any();
    const std::size_t to_cols = any();
    const OwnedImage image = counted(rows, cols, 2, 1);
    const cv::Mat out = resize_bilinear(to_mat(image.view()), to_rows, to_cols);
    const auto at = [](std::size_t i, std::size_t from, std::size_t to) {
      const double x =
          (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) -
          0.5;
      return std::clamp(x, 0.0, static_cast<double>(from - 1));
    };
    for (std::size_t y = 0; y < to_rows; ++y) {
      for (std::size_t x = 0; x < to_cols; ++x) {
        const double v = at(y, rows, to_rows);
        const double u = at(x, cols, to_cols);
        const auto y0 = static_cast<std::size_t>(v);
        const auto x0 = static_cast<std::size_t>(u);
        const auto y1 = std::min(y0 + 1, rows - 1);
        const auto x1 = std::min(x0 + 1, cols - 1);
        const double fv = v - static_cast<double>(y0);
        const double fu = u - static_cast<double>(x0);
        for (std::size_t c = 0; c < 2; ++c) {
          const double exact = (1 - fv) * ((1 - fu) * image.view().sample(y0, x0, c) +
                                           fu * image.view().sample(y0, x1, c)) +
                               fv * ((1 - fu) * image.view().sample(y1, x0, c) +
                                     fu * image.view().sample(y1, x1, c));
          EXPECT_NEAR(view_of(out).sample(y, x, c), exact, 0.51);
        }
      }
    }
  }
}

TEST(Resize, SameBytesEverywhere) {
  const cv::Mat scene = find_image(smoke_set(), "scene-127x255-rgb").load();
  EXPECT_EQ(to_hex(sha256(view_of(resize_bilinear(scene, 110, 1200)).bytes())),
            "b440475223d4dc9c0a705a5290ffdb0f7d88888f3df43bf526c4717a9e19c09b");
  const cv::Mat deep = find_image(smoke_set(), "medical-256-gray16").load();
  EXPECT_EQ(to_hex(sha256(view_of(resize_bilinear(deep, 100, 99)).bytes())),
            "06b836c5aa148a6c6511a20e0d742a06a50234287a8a54f2aa4658cb289c033e");
}

TEST(Resize, RefusesNoSizeAndTooMuch) {
  const cv::Mat image = to_mat(counted(2, 2, 1, 1).view());
  EXPECT_THROW(resize_bilinear(image, 0, 2), std::invalid_argument);
  EXPECT_THROW(resize_bilinear(image, 2, 0), std::invalid_argument);
  EXPECT_THROW(resize_bilinear(image, 1'000'000, 1'000'000), std::invalid_argument);
  EXPECT_THROW(resize_bilinear(image, std::numeric_limits<std::size_t>::max(), 1),
               std::invalid_argument);
  EXPECT_THROW(resize_bilinear(cv::Mat(2, 2, CV_32F), 2, 2), std::invalid_argument);
}

}  // namespace
}  // namespace icb
