#include "bench/dynamics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace icb::dynamics {
namespace {

void expect_orbit(const std::vector<Point>& found, const std::vector<Point>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t n = 0; n < found.size(); ++n) {
    EXPECT_EQ(found[n].x, expected[n].x) << n;
    EXPECT_EQ(found[n].y, expected[n].y) << n;
  }
}

TEST(LogisticOrbit, HandComputedSteps) {  // all binary fractions: exact
  EXPECT_EQ(logistic_orbit(2, 0.25, 4), (std::vector<double>{0.25, 0.375, 0.46875, 0.498046875}));
  EXPECT_EQ(logistic_orbit(4, 0.5, 5), (std::vector<double>{0.5, 1, 0, 0, 0}));
  EXPECT_EQ(logistic_orbit(3, 0.75, 1), (std::vector<double>{0.75}));
  EXPECT_TRUE(logistic_orbit(4, 0.3, 0).empty());
  // Fig. 3: r = 3.99, x1 = 0.5; 3.99 / 4 and 3.99 * 0.9975 * 0.0025 by hand.
  const auto figure3 = logistic_orbit(3.99, 0.5, 3);
  EXPECT_NEAR(figure3[1], 0.9975, 1e-15);
  EXPECT_NEAR(figure3[2], 0.0099500625, 1e-15);
}

TEST(LogisticLyapunov, AnalyticValues) {
  EXPECT_NEAR(logistic_lyapunov(4, 0.3, 1000, 1'000'000), std::numbers::ln2,
              0.01 * std::numbers::ln2);
  // Fixed point 1 - 1/r: multiplier 2 - r.
  EXPECT_NEAR(logistic_lyapunov(2.5, 0.3, 1000, 10000), std::log(0.5), 1e-9);
  // Cycle of two: multiplier 4 + 2 r - r^2.
  EXPECT_NEAR(logistic_lyapunov(3.2, 0.3, 1000, 10000), std::log(0.16) / 2, 1e-9);
  EXPECT_LT(logistic_lyapunov(3.2, 0.3, 1000, 10000), 0);
  EXPECT_GT(logistic_lyapunov(3.99, 0.3, 1000, 100'000), 0);
  // Superstable: ln 0 is cut.
  EXPECT_EQ(logistic_lyapunov(2, 0.5, 10, 100), -20);
}

TEST(HenonOrbit, HandComputedSteps) {
  expect_orbit(henon_orbit(1.5, 0.25, {0, 0}, 5, 1e6),
               {{0, 0}, {1, 0}, {-0.5, 0.25}, {0.875, -0.125}, {-0.2734375, 0.21875}});
  const auto classic = henon_orbit(1.4, 0.3, {0, 0}, 4, 1e6);
  ASSERT_EQ(classic.size(), 4U);
  EXPECT_NEAR(classic[2].x, -0.4, 1e-15);
  EXPECT_NEAR(classic[2].y, 0.3, 1e-15);
  EXPECT_NEAR(classic[3].x, 1.076, 1e-15);
  EXPECT_NEAR(classic[3].y, -0.12, 1e-15);
  EXPECT_TRUE(henon_orbit(1.4, 0.3, {0, 0}, 0, 1e6).empty());
}

TEST(HenonOrbit, EndsAtTheFirstPointBeyondTheLimit) {
  // 0, 1, -0.5, 0.875: the limit 0.9 is first passed by the second point.
  expect_orbit(henon_orbit(1.5, 0.25, {0, 0}, 100, 0.9), {{0, 0}, {1, 0}});
  expect_orbit(henon_orbit(1.5, 0.25, {2, 0}, 100, 1), {{2, 0}});
}

TEST(HenonOrbit, PaperParametersEscape) {  // E1
  for (const Point start : {Point{0, 0}, {0.1, 0.1}, {-0.1, 0.15}, {0.19, -0.2}}) {
    const auto orbit = henon_orbit(1.3, 0.4, start, 10000, 1e6);
    ASSERT_LT(orbit.size(), 200U);
    EXPECT_GT(orbit.size(), 5U);
    EXPECT_GT(std::abs(orbit.back().x), 1e6);
    EXPECT_LE(std::abs(orbit[orbit.size() - 2].x), 1e6);
  }
  EXPECT_EQ(henon_orbit(1.4, 0.3, {0.1, 0.1}, 10000, 1.5).size(), 10000U);
}

TEST(HenonLyapunov, KnownValues) {
  // Literature: 0.419 (Sprott; Wolf et al. 1985 give 0.603 bit = 0.418).
  EXPECT_NEAR(henon_lyapunov(1.4, 0.3, {0.1, 0.1}, 10000, 1'000'000).value(), 0.419, 0.01);
  EXPECT_NEAR(henon_lyapunov(1.2, 0.4, {0.1, 0.1}, 10000, 1'000'000).value(), 0.336, 0.01);
  EXPECT_NEAR(henon_lyapunov(1.3, 0.3, {0.1, 0.1}, 100'000, 1'000'000).value(), -0.24, 0.02);
  EXPECT_FALSE(henon_lyapunov(1.3, 0.4, {0.1, 0.1}, 1000, 10000).has_value());
  EXPECT_FALSE(henon_lyapunov(1.3, 0.4, {0.1, 0.1}, 0, 10000).has_value());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(henon_lyapunov(1.4, 0.3, {nan, 0}, 10, 10).has_value());
}

TEST(HenonLyapunov, LinearMapHasHalfTheLogarithmOfB) {  // a = 0: eigenvalues +- sqrt(b)
  for (const double b : {0.25, 0.5, 0.9}) {
    EXPECT_NEAR(henon_lyapunov(0, b, {0.1, 0.1}, 100, 100'000).value(), std::log(b) / 2, 1e-3) << b;
  }
}

TEST(HenonLyapunov, DoesNotDependOnHowManyStepsLieBetweenNormalisations) {
  // Lengths that are no multiple of any interval: the last, incomplete one counts as well.
  for (const std::size_t steps : {20001U, 20003U, 20007U}) {
    const double longer = henon_lyapunov(0, 0.25, {0.1, 0.1}, 10, steps).value();
    EXPECT_NEAR(longer, std::log(0.25) / 2, 1e-4) << steps;
  }
}

}  // namespace
}  // namespace icb::dynamics
