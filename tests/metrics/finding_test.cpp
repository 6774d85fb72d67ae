#include "metrics/finding.hpp"

#include <gtest/gtest.h>

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "core/statistics.hpp"

namespace icb {
namespace {

TEST(Finding, ScopesAreChannelsThenAll) {
  EXPECT_EQ(scopes({2, 2, 1}).size(), 1U);
  const Shape colour{2, 2, 3};
  std::string names;
  for (const auto scope : scopes(colour)) names += scope_name(colour, scope) + " ";
  EXPECT_EQ(names, "b g r all ");
}

TEST(Finding, ZIsDistanceInSd) {
  const Measurement m = finding("q", "gray", "1", 7, 5.0, {2.0, 1.5});
  EXPECT_EQ(m.z, 2.0);
  EXPECT_EQ(m.status, Status::ok);
  EXPECT_FALSE(finding("q", "gray", "1", 7, 5.0, {5.0, 0.0}).z.has_value());
}

TEST(Finding, NotApplicableHasNoNumbers) {
  const Measurement m = no_finding("q", "gray", "1", 0, "why");
  EXPECT_EQ(m.status, Status::not_applicable);
  EXPECT_FALSE(m.value || m.expected || m.sd || m.z || m.p_value);
  EXPECT_EQ(m.detail, "why");
}

TEST(Finding, DetailsAreSeparated) {
  Measurement m;
  add_detail(m, "a");
  add_detail(m, "b");
  EXPECT_EQ(m.detail, "a; b");
}

TEST(Finding, GammaTailsOfAnExponentialLaw) {  // mean = sd = 2: P(X > x) = exp(-x / 2)
  const Tails tails = gamma_tails(3.0, 2.0, 2.0);
  EXPECT_NEAR(tails.upper, std::exp(-1.5), 1e-15);
  EXPECT_NEAR(tails.lower, 1 - std::exp(-1.5), 1e-15);
  EXPECT_NEAR(tails.two_sided().value(), 2 * std::exp(-1.5), 1e-15);
  EXPECT_EQ(gamma_tails(0, 255, std::sqrt(510.0)).lower, 0);
  EXPECT_LT(gamma_tails(1e9, 255, std::sqrt(510.0)).upper, 1e-300);
}

TEST(Finding, SkewedTails) {
  const Tails normal = skewed_tails(7.0, {{5.0, 1.0}, 0.0});
  EXPECT_NEAR(normal.upper, 0.022750131948179, 1e-15);
  EXPECT_NEAR(normal.lower, 1 - normal.upper, 1e-15);
  const Tails nearly = skewed_tails(7.0, {{5.0, 1.0}, 2e-4});
  EXPECT_NEAR(nearly.upper / normal.upper, 1, 3e-4);
  // An exponential law of mean and sd 2, skewness 2, moved up by 10; then mirrored about 12.
  const Tails right = skewed_tails(13.0, {{12.0, 2.0}, 2.0});
  EXPECT_NEAR(right.upper, std::exp(-1.5), 1e-14);
  EXPECT_NEAR(right.lower, 1 - std::exp(-1.5), 1e-14);
  const Tails left = skewed_tails(11.0, {{12.0, 2.0}, -2.0});
  EXPECT_EQ(left.lower, right.upper);
  EXPECT_EQ(left.upper, right.lower);
  EXPECT_EQ(skewed_tails(9.0, {{12.0, 2.0}, 2.0}).lower, 0.0);  // below where it begins
  for (const double skewness : {-3.0, -1e-3, -1.1e-4, 1.1e-4, 1e-3, 0.1, 3.0}) {
    for (const double z : {-1e4, -100.0, -9.0, -4.6, 0.0, 4.6, 9.0, 100.0, 1e4, 1e9}) {
      const Tails tails = skewed_tails(z, {{0, 1.0}, skewness});
      EXPECT_NEAR(tails.lower + tails.upper, 1, 1e-12) << skewness << " " << z;
    }
  }
}

TEST(Finding, LargeGammaTailsAreBoosts) {
  for (const double shape : {2999.0, 3000.0, 3001.5, 32767.5, 1e6}) {
    for (double z = -8.5; z <= 8.5; z += 0.25) {
      const double x = shape + z * std::sqrt(shape);
      const Tails tails = gamma_tails(x, shape, std::sqrt(shape));
      EXPECT_NEAR(tails.lower / boost::math::gamma_p(shape, x), 1, 1e-10) << shape << ", " << z;
      EXPECT_NEAR(tails.upper / boost::math::gamma_q(shape, x), 1, 1e-10) << shape << ", " << z;
    }
  }
}

TEST(Finding, TwoSidedNeverExceedsOne) {
  EXPECT_EQ((Tails{0.5, 0.5}.two_sided().value()), 1.0);
  EXPECT_EQ((Tails{0.6, 0.6}.two_sided().value()), 1.0);  // lattice laws: tails overlap
}

TEST(Finding, NullModelsAreRememberedByFunctionAndSize) {
  static int calls = 0;
  const auto model = +[](std::uint64_t n, std::size_t bins) {
    ++calls;
    return NullModel{static_cast<double>(n), static_cast<double>(bins)};
  };
  const auto other = +[](std::uint64_t n, std::size_t) {
    return NullModel{-static_cast<double>(n), 1};
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(remembered(model, 5, 2).mean, 5);
    EXPECT_EQ(remembered(model, 6, 2).mean, 6);
    EXPECT_EQ(remembered(model, 5, 3).sd, 3);
    EXPECT_EQ(remembered(other, 5, 2).mean, -5);
  }
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace icb
