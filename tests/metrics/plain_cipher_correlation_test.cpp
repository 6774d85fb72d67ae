#include <algorithm>
#include <cmath>

#include "metrics/correlation.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

constexpr const char* name = "plain_cipher_correlation";

TEST(PlainCipherCorrelation, ByHand) {
  const OwnedImage plain = row_of({1, 2, 3});
  const OwnedImage cipher = row_of({1, 3, 2});  // (3 * 13 - 36) / (42 - 36) = 1/2
  const auto found = measure(name, {.image = cipher.view(), .plain = plain.view()});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].value, 0.5);
  EXPECT_EQ(found[0].n, 3U);
  EXPECT_EQ(found[0].expected, 0.0);
  EXPECT_DOUBLE_EQ(*found[0].sd, 1 / std::sqrt(2.0));
}

TEST(PlainCipherCorrelation, ExactVarianceOverAllOrders) {
  // The claim itself: over all 24 orders of four cipher values, E r = 0 and E r^2 = 1/3.
  const OwnedImage plain = row_of({7, 0, 0, 200});
  std::vector<std::uint8_t> values{3, 10, 90, 250};
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  do {
    const OwnedImage cipher = row_of(values);
    const double r = *measure(name, {.image = cipher.view(), .plain = plain.view()}).at(0).value;
    sum += r / 24;
    squares += r * r / 24;
    fourths += r * r * r * r / 24;
  } while (std::next_permutation(values.begin(), values.end()));
  EXPECT_NEAR(sum, 0, 1e-14);
  EXPECT_NEAR(squares, 1.0 / 3, 1e-14);
  const double excess =
      permutation_excess(histogram(plain.view()), histogram(row_of(values).view()));
  EXPECT_NEAR(fourths * 9 - 3, excess, 1e-13);
}

TEST(PlainCipherCorrelation, IdentityAndComplementAreFlagged) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}}) {
    const OwnedImage plain = random_image({20, 31, 3, bytes}, 1);
    OwnedImage complement = plain;
    for (auto& byte : complement.view().bytes()) byte = static_cast<std::uint8_t>(~byte);
    const auto same = measure(name, {.image = plain.view(), .plain = plain.view()});
    const auto turned = measure(name, {.image = complement.view(), .plain = plain.view()});
    ASSERT_EQ(same.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(same[i].value, 1.0);
      EXPECT_EQ(turned[i].value, -1.0);
      EXPECT_LT(*same[i].p_value, 1e-100);
    }
  }
}

TEST(PlainCipherCorrelation, NeedsAPlainImageOfTheSameShape) {
  const OwnedImage image({2, 3});
  const OwnedImage turned({3, 2});
  EXPECT_THROW(measure(name, {.image = image.view()}), std::invalid_argument);
  EXPECT_THROW(measure(name, {.image = image.view(), .plain = turned.view()}),
               std::invalid_argument);
}

TEST(PlainCipherCorrelation, ConstantPlainImageIsNotApplicable) {
  const OwnedImage plain({9, 9});
  const OwnedImage cipher = random_image({9, 9}, 2);
  const auto found = measure(name, {.image = cipher.view(), .plain = plain.view()});
  EXPECT_EQ(found.at(0).status, Status::not_applicable);
}

TEST(PlainCipherCorrelation, SaysWhenNormalPIsRough) {
  OwnedImage spot({64, 64});
  spot.view().set_sample(3, 4, 0, 255);
  const OwnedImage smooth = image_of({64, 64}, [](std::size_t row, std::size_t, std::size_t) {
    return static_cast<std::uint16_t>(row);
  });
  const OwnedImage cipher = random_image({64, 64}, 3);
  EXPECT_NE(measure(name, {.image = cipher.view(), .plain = spot.view()}).at(0).detail, "");
  EXPECT_EQ(measure(name, {.image = cipher.view(), .plain = smooth.view()}).at(0).detail, "");
}

TEST(PlainCipherCorrelation, SimulationFindsMeanSdAndRejections) {
  for (const Shape& shape : {Shape{32, 16}, Shape{9, 5}, Shape{4, 4}, Shape{16, 16, 3, 2}}) {
    const OwnedImage plain = image_of(shape, [](std::size_t row, std::size_t col, std::size_t k) {
      return static_cast<std::uint16_t>(3 * row + col * col % 50 + 11 * k);
    });
    std::mt19937_64 engine(test_seed() + 4);
    OwnedImage cipher(shape);
    Simulation simulation;
    const int images = shape.sample_bytes == 1 ? 20000 : 1000;
    for (int i = 0; i < images; ++i) {
      fill_random(cipher, engine);
      const auto m = measure(name, {.image = cipher.view(), .plain = plain.view()}).back();
      simulation.add(*m.value, *m.p_value);
    }
    const double n = static_cast<double>(shape.samples());
    simulation.expect_moments(0, 1 / std::sqrt(n - 1));
    simulation.expect_rejections(n < 100 ? 0.2 : 0.1);
  }
}

}  // namespace
}  // namespace icb::testing
