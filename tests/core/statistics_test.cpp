#include "core/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

namespace icb {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void expect_relative(double got, double expected, double relative) {
  EXPECT_NEAR(got, expected, relative * std::abs(expected));
}

// --- Normal -------------------------------------------------------------------------------------

TEST(Normal, PublishedQuantiles) {
  expect_relative(normal_quantile(0.975), 1.9599639845400542, 1e-14);
  expect_relative(normal_quantile(0.995), 2.5758293035489008, 1e-14);
  expect_relative(normal_quantile(0.9), 1.2815515655446005, 1e-14);
  expect_relative(normal_quantile(1e-10), -6.3613409024040562, 1e-14);
  EXPECT_EQ(normal_quantile(0.5), 0);
}

TEST(Normal, TwoSidedTailInvertsTheQuantile) {
  for (const double p : {0.5, 0.1, 0.05, 0.01, 1e-4, 1e-10, 1e-100, 1e-300}) {
    const double z = normal_quantile(p / 2);
    expect_relative(two_sided_normal_p(z).value(), p, 1e-12);
    EXPECT_EQ(two_sided_normal_p(-z), two_sided_normal_p(z));
  }
  EXPECT_EQ(two_sided_normal_p(0).value(), 1);
}

// 40-digit arithmetic.
TEST(Normal, TinyTailsKeepTheirDigits) {
  expect_relative(two_sided_normal_p(10).value(), 1.5239706048321052e-23, 1e-12);
  expect_relative(two_sided_normal_p(20).value(), 5.5072482372124674e-89, 1e-12);
  expect_relative(two_sided_normal_p(-37).value(), 1.1451142445049154e-299, 1e-12);
  EXPECT_EQ(two_sided_normal_p(1e6).value(), 0);
  EXPECT_EQ(two_sided_normal_p(std::numeric_limits<double>::infinity()).value(), 0);
  EXPECT_THROW(two_sided_normal_p(nan), std::invalid_argument);
}

// --- Chi-square and incomplete gamma ------------------------------------------------------------

struct Critical {
  double x;
  double degrees;
  double p;
};

TEST(ChiSquare, PublishedCriticalValues) {
  for (const auto& [x, degrees, p] : {Critical{3.841458820694124, 1, 0.05},
                                      {6.634896601021214, 1, 0.01},
                                      {16.918977604620448, 9, 0.05},
                                      {27.877164871256568, 9, 0.001},
                                      {18.307038053275146, 10, 0.05},
                                      {23.209251158954356, 10, 0.01},
                                      {124.34211340400407, 100, 0.05}}) {
    expect_relative(chi_square_upper_p(x, degrees).value(), p, 1e-13);
  }
}

TEST(ChiSquare, TinyTailsKeepTheirDigits) {
  expect_relative(chi_square_upper_p(500, 1).value(), 9.5053977665540917e-111, 1e-12);
  expect_relative(chi_square_upper_p(1000, 255).value(), 9.3784773436583981e-89, 1e-12);
  expect_relative(chi_square_upper_p(1400, 2).value(), 9.8596765437597709e-305, 1e-12);
  expect_relative(chi_square_upper_p(300, 9).value(), 2.6102773472070237e-59, 1e-12);
  expect_relative(upper_gamma_q(1000, 1500), 2.2046986113889961e-43, 1e-12);
}

TEST(ChiSquare, EndsOfTheRange) {
  for (const double degrees : {1.0, 2.0, 9.0, 1e6}) {
    EXPECT_EQ(chi_square_upper_p(0, degrees).value(), 1);
    EXPECT_EQ(chi_square_upper_p(1e9, degrees).value(), 0);
  }
}

TEST(ChiSquare, TwoDegreesAreTheExponential) {
  for (double x = 0.1; x < 700; x *= 1.7) {
    expect_relative(chi_square_upper_p(x, 2).value(), std::exp(-x / 2), 1e-13);
  }
}

// SP 800-22 Rev. 1a: 2.2.8, 2.4.8, 2.5.8, 2.7.8, 2.11.8 (two), 2.14.8.
TEST(UpperGamma, ExamplesOfSp80022) {
  EXPECT_NEAR(upper_gamma_q(5, 3.6), 0.706438, 5e-7);
  EXPECT_NEAR(upper_gamma_q(1.5, 0.5), 0.801252, 5e-7);
  EXPECT_NEAR(upper_gamma_q(1.5, 4.882457 / 2), 0.180609, 5e-7);
  EXPECT_NEAR(upper_gamma_q(1, 0.596953 / 2), 0.741948, 5e-7);
  EXPECT_NEAR(upper_gamma_q(1, 2.133333 / 2), 0.344154, 5e-7);
  EXPECT_NEAR(upper_gamma_q(2, 0.8), 0.808792, 5e-7);
  EXPECT_NEAR(upper_gamma_q(1, 0.4), 0.670320, 5e-7);
  EXPECT_NEAR(upper_gamma_q(2.5, 4.333033 / 2), 0.502529, 5e-7);
}

// --- Binomial -----------------------------------------------------------------------------------

// scipy.stats.beta.ppf, version 1.10.
TEST(Binomial, ClopperPearsonInterval) {
  struct Case {
    std::uint64_t k;
    std::uint64_t n;
    double confidence;
    double low;
    double high;
  };

  for (const auto& [k, n, confidence, low, high] :
       {Case{0, 10, 0.95, 0, 0.3084971078187608},
        Case{3, 100, 0.95, 0.006229971538306397, 0.08517605297428002},
        Case{10, 10, 0.99, 0.5887040186524747, 1},
        Case{17, 1000, 0.99, 0.008282828320920428, 0.03057839363289554}}) {
    const BinomialInterval found = binomial_interval(k, n, confidence);
    expect_relative(found.low, low, 1e-12);
    expect_relative(found.high, high, 1e-12);
  }
  EXPECT_THROW(binomial_interval(0, 0, 0.95), std::invalid_argument);
  EXPECT_THROW(binomial_interval(3, 2, 0.95), std::invalid_argument);
  EXPECT_THROW(binomial_interval(1, 2, 1), std::invalid_argument);
  EXPECT_THROW(binomial_interval(1, 2, nan), std::invalid_argument);
}

TEST(Binomial, AgreesWithDirectSums) {
  for (const double probability : {0.01, 0.3, 0.5, 0.9, 0.99}) {
    for (const std::uint64_t n : {1U, 2U, 7U, 30U, 60U}) {
      long double term =
          std::pow(1.0L - static_cast<long double>(probability), static_cast<long double>(n));
      long double sum = 0;
      for (std::uint64_t k = 0; k <= n; ++k) {
        sum += term;
        const auto expected = static_cast<double>(std::min(1.0L, sum));
        expect_relative(binomial_lower_p(k, n, probability).value(), expected, 1e-12);
        term *= static_cast<long double>(n - k) / static_cast<long double>(k + 1) *
                static_cast<long double>(probability) /
                (1.0L - static_cast<long double>(probability));
      }
    }
  }
}

// 40-digit arithmetic.
TEST(Binomial, TinyTailsKeepTheirDigits) {
  expect_relative(binomial_lower_p(980, 1000, 0.99).value(), 0.0032883597877274982, 1e-10);
  expect_relative(binomial_lower_p(900, 1000, 0.99).value(), 8.2747768789145707e-65, 1e-10);
}

TEST(Binomial, NothingAboveN) {
  EXPECT_EQ(binomial_lower_p(10, 10, 0.3).value(), 1);
  EXPECT_EQ(binomial_lower_p(11, 10, 0.3).value(), 1);
  EXPECT_EQ(binomial_lower_p(0, 0, 0.3).value(), 1);
}

// --- Second level -------------------------------------------------------------------------------

// SP 800-22 sec. 4.2.1: 0.99 +- 0.0094392 for 1000 sequences at 0.01.
TEST(Proportion, ExampleOfSp80022) {
  EXPECT_NEAR(proportion_half_width(Alpha{0.01}, 1000), 0.0094392, 1e-7);
  EXPECT_DOUBLE_EQ(proportion_half_width(Alpha{0.5}, 9), 0.5);
  EXPECT_EQ(proportion_half_width(Alpha{0}, 10), 0);
}

TEST(Uniformity, ExactGridsAreUniform) {
  for (const std::size_t n : {std::size_t{10}, std::size_t{100}, std::size_t{1000}}) {
    std::vector<double> p(n);
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    }
    EXPECT_EQ(uniformity_p(p).value(), 1);
  }
}

TEST(Uniformity, BinsIncludeTheirLowerEndAndOneIsInTheLast) {
  const std::array<double, 10> ends{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1};
  EXPECT_EQ(uniformity_p(ends).value(), 1);
  const std::array<double, 10> last{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  EXPECT_EQ(uniformity_p(last).value(), 1);
}

// Expected count 1/2 in each bin: chi-square is (5 - 1/2)^2 / (1/2) + 9 / 2 = 45.
TEST(Uniformity, TheExpectedCountIsARealNumber) {
  const std::vector<double> crowded(5, 0.05);
  expect_relative(uniformity_p(crowded).value(), 9.22662871055e-7, 1e-9);
}

TEST(Uniformity, OneFullBinIsRejectedWithoutUnderflowing) {
  const std::vector<double> crowded(100, 0.95);
  expect_relative(uniformity_p(crowded).value(), chi_square_upper_p(900, 9).value(), 1e-12);
  EXPECT_GT(uniformity_p(crowded).value(), 0);
  EXPECT_LT(uniformity_p(crowded).value(), 1e-180);
}

TEST(Uniformity, NothingIsRefused) { EXPECT_THROW(uniformity_p({}), std::invalid_argument); }

// --- Combinations

std::vector<PValue> p_values(std::initializer_list<double> values) {
  std::vector<PValue> out;
  for (const double value : values) out.emplace_back(value);
  return out;
}

TEST(Simes, ByHand) {
  EXPECT_DOUBLE_EQ(simes(p_values({0.03})).value(), 0.03);
  EXPECT_DOUBLE_EQ(simes(p_values({0.9, 0.01})).value(), 0.02);
  EXPECT_DOUBLE_EQ(simes(p_values({0.04, 0.03})).value(), 0.04);  // 2 * 0.03 is more
  EXPECT_DOUBLE_EQ(simes(p_values({0.02, 0.5, 0.021, 0.9})).value(), 0.042);
  EXPECT_DOUBLE_EQ(simes(p_values({1, 1, 1})).value(), 1);
  EXPECT_EQ(simes(p_values({0, 1})).value(), 0);
  EXPECT_THROW(simes({}), std::invalid_argument);
}

TEST(Holm, ByHand) {
  const auto adjusted = holm(p_values({0.01, 0.04, 0.03, 0.005}));
  const double expected[] = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(adjusted[i].value(), expected[i]);
  EXPECT_TRUE(holm({}).empty());
  for (const auto p : holm(p_values({0.6, 0.7, 0.6}))) EXPECT_EQ(p.value(), 1);
}

// By its definition: reject the smallest while p_(i) < alpha / (m - i + 1).
TEST(Holm, IsTheStepDownProcedure) {
  std::mt19937_64 engine(20260101);
  for (int round = 0; round < 200; ++round) {
    std::vector<PValue> p;
    for (std::uint64_t i = 0; i < 1 + engine() % 12; ++i)
      p.emplace_back(static_cast<double>(engine() >> 11) * 0x1p-56);
    const auto adjusted = holm(p);
    for (const double alpha : {0.01, 0.05, 0.3}) {
      auto sorted = p;
      std::ranges::sort(sorted);
      std::size_t rejected = 0;
      while (rejected < p.size() &&
             sorted[rejected].value() * static_cast<double>(p.size() - rejected) < alpha) {
        ++rejected;
      }
      EXPECT_EQ(std::ranges::count_if(adjusted, [&](PValue a) { return a.value() < alpha; }),
                static_cast<std::ptrdiff_t>(rejected));
    }
  }
}

TEST(HolmOfGroups, ByHand) {
  const std::vector<std::string> groups{"b", "a", "b", "c", "b"};
  // b: Simes of 0.01, 0.01, 0.01 is 0.01, thrice by Holm; a: 0.02, twice; c: 0.5.
  const auto p = holm_of_groups(groups, p_values({0.01, 0.02, 0.01, 0.5, 0.01}));
  const double expected[] = {0.03, 0.04, 0.03, 0.5, 0.03};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_DOUBLE_EQ(p[i].value(), expected[i]);
  EXPECT_TRUE(holm_of_groups({}, {}).empty());
  EXPECT_THROW(holm_of_groups(groups, p_values({0.1})), std::invalid_argument);
}

}  // namespace
}  // namespace icb
