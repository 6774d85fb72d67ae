#include "metrics/finding.hpp"

#include <gtest/gtest.h>

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

TEST(Finding, TwoSidedNeverExceedsOne) {
  EXPECT_EQ((Tails{0.5, 0.5}.two_sided().value()), 1.0);
  EXPECT_EQ((Tails{0.6, 0.6}.two_sided().value()), 1.0);  // lattice laws: tails overlap
}

TEST(Finding, NullModelsAreRememberedByFunctionAndSize) {
  static int calls = 0;
  const auto model = [](std::uint64_t n, std::size_t bins) {
    ++calls;
    return NullModel{static_cast<double>(n), static_cast<double>(bins)};
  };
  const auto other = [](std::uint64_t n, std::size_t) {
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
