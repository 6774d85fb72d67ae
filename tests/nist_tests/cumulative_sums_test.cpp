#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "nist_tests/random_walk.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// p of 2.13.4 step 4 as printed, the integer k between the limits as real numbers.
double formula_p(std::uint64_t z, std::uint64_t n) {
  const auto phi = [&](std::int64_t multiple) {
    const long double x = static_cast<long double>(multiple) * static_cast<long double>(z) /
                          std::sqrt(static_cast<long double>(n));
    return std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2;
  };
  const long double ratio = static_cast<long double>(n) / static_cast<long double>(z);
  const auto last = static_cast<std::int64_t>(std::floor((ratio - 1) / 4));
  long double p = 1;
  for (auto k = static_cast<std::int64_t>(std::ceil((-ratio + 1) / 4)); k <= last; ++k) {
    p -= phi(4 * k + 1) - phi(4 * k - 1);
  }
  for (auto k = static_cast<std::int64_t>(std::ceil((-ratio - 3) / 4)); k <= last; ++k) {
    p += phi(4 * k + 3) - phi(4 * k + 1);
  }
  return static_cast<double>(p);
}

TEST(CumulativeSums, AgreesWithTheFormulaForEveryLength) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (name != "random" && n > 300 && n % 19 != 0) continue;
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const auto result = run("cumulative-sums", pack(plain).view());
      for (const bool forward : {true, false}) {
        std::int64_t s = 0;
        std::int64_t z = 0;
        for (std::size_t k = 0; k < n; ++k) {
          s += plain[forward ? k : n - 1 - k] != 0 ? 1 : -1;
          z = std::max(z, std::abs(s));
        }
        EXPECT_EQ(statistic(result, forward ? "z_forward" : "z_backward"), static_cast<double>(z));
        const double p =
            p_of(result, forward ? "cumulative-sums/forward" : "cumulative-sums/backward");
        EXPECT_NEAR(p, std::min(1.0, formula_p(static_cast<std::uint64_t>(z), n)), 1e-14);
      }
      if (HasFailure()) return;
    }
  }
}

// Around the change from tails to their dual (n = 1000, z = sqrt(n)), every z.
TEST(CumulativeSums, BothSeriesAgreeWithTheFormula) {
  for (const std::uint64_t n : {100U, 999U, 1000U, 1001U, 1024U}) {
    for (std::uint64_t z = 1; z <= n; ++z) {
      EXPECT_NEAR(sp80022::cumulative_sums_p(z, n).value(), std::min(1.0, formula_p(z, n)), 2e-14)
          << "z = " << z << ", n = " << n;
    }
  }
}

// The formula as printed, summed with 900 digits in another language.
TEST(CumulativeSums, EveryMagnitudeKeepsItsDigits) {
  const struct {
    std::uint64_t z, n;
    double p;
  } known[] = {
      {1, 1, 0.63192121966256802},
      {1, 2, 0.92510539084921765},
      {2, 2, 0.31457632360357168},
      {2, 10, 0.94174062908004154},
      {3, 10, 0.68113689643790295},
      {4, 10, 0.41165861915380216},
      {5, 10, 0.22769049457736009},
      {7, 10, 0.053713390983846754},
      {10, 10, 0.0031308045160050994},
      {31, 999, 0.64687419919940559},
      {32, 999, 0.61788679703754781},
      {31, 1000, 0.64732719770471494},
      {32, 1000, 0.6183468040337061},
      {37, 1001, 0.48353648716397713},
      {200, 1000000, 0.99999999999994869},
      {500, 1000000, 0.99084300971023924},
      {999, 1000000, 0.63013754500869793},
      {1000, 1000000, 0.62922257020047609},
      {370, 1400, 9.323977207291916e-23},
      {10241, 1000000, 2.5977369776733648e-24},
      {333, 1000, 1.2515653921493584e-25},
      {30000, 1000000, 1.9626855708592748e-197},
      {1000, 1000, 3.5916655696014524e-219},
      {37000, 1000000, 2.2902284890098307e-299},
      {3700, 10007, 3.6980874742529154e-299},
      {1380, 1380, 9.3223169113478258e-302},
      {37500, 1000000, 1.8421412038327819e-307},
  };

  for (const auto& [z, n, p] : known) {
    // erfc(x) takes 2 x^2 times the error of its argument, 2 x^2 < 1500 here.
    const double tolerance = p > 1e-30 ? 1e-13 : 5e-13;
    EXPECT_NEAR(sp80022::cumulative_sums_p(z, n).value() / p, 1, tolerance)
        << "z = " << z << ", n = " << n;
  }
  EXPECT_EQ(sp80022::cumulative_sums_p(100000, 1000000).value(), 0.0);  // 10^-2173
}

TEST(CumulativeSums, LargerSumsAreLessProbable) {
  for (const std::uint64_t n : {1U, 10U, 100U, 1000U, 5000U}) {
    double before = 1;
    for (std::uint64_t z = 1; z <= n; ++z) {
      const double p = sp80022::cumulative_sums_p(z, n).value();
      EXPECT_LE(p, before) << "z = " << z << ", n = " << n;
      before = p;
    }
  }
}

// 2.13.4: S = 1, 0, 1, 2, 1, 2, 1, 2, 3, 4; backward 1, 2, 3, 2, 3, 2, 3, 4, 3, 4.
TEST(CumulativeSums, ExampleOfSection2134) {
  const auto result = run("cumulative-sums", BitSequence::from_text("1011010111").view());
  EXPECT_EQ(statistic(result, "z_forward"), 4);
  EXPECT_EQ(statistic(result, "z_backward"), 4);
  EXPECT_NEAR(p_of(result, "cumulative-sums/forward"), 0.4116588, 1e-6);
  EXPECT_EQ(p_of(result, "cumulative-sums/backward"), p_of(result, "cumulative-sums/forward"));
}

// 2.13.8 prints z = 16 forward and 19 backward.
TEST(CumulativeSums, ExampleOfSection2138) {
  const auto result =
      run("cumulative-sums",
          BitSequence::from_text("11001001000011111101101010100010001000010110100011"
                                 "00001000110100110001001100011001100010100010111000")
              .view());
  EXPECT_EQ(statistic(result, "z_forward"), 16);
  EXPECT_EQ(statistic(result, "z_backward"), 19);
}

TEST(CumulativeSums, AlternatingBitsHaveAtMostOne) {
  for (const int pairs : {1, 5, 50, 500, 500000}) {
    std::string text;
    for (int i = 0; i < pairs; ++i) text += "01";
    const auto result = run("cumulative-sums", BitSequence::from_text(text).view());
    EXPECT_EQ(statistic(result, "z_forward"), 1);
    EXPECT_EQ(statistic(result, "z_backward"), 1);
    // n = 10 would have 1.0004 by the formula, 10^6 1 + 4e-15 by NIST's program.
    EXPECT_NEAR(p_of(result, "cumulative-sums/forward"), pairs == 1 ? 0.92510539 : 1.0, 1e-8);
  }
}

TEST(CumulativeSums, Conditions) {
  EXPECT_FALSE(applies(run("cumulative-sums", BitSequence().view())));
  EXPECT_EQ(run("cumulative-sums", BitSequence::from_text(std::string(99, '1')).view()).flags,
            std::vector<std::string>{"n = 99 bits, 100 recommended (2.13.7)"});
  EXPECT_TRUE(
      run("cumulative-sums", BitSequence::from_text(std::string(100, '1')).view()).flags.empty());
}

// Ones at the beginning, zeros at the end: the frequency is right, the walk goes far.
TEST(CumulativeSums, RejectsADrift) {
  std::mt19937_64 engine(seed());
  PlainBits bits = random_bits(engine, 5000, 148);
  const auto down = random_bits(engine, 5000, 108);
  bits.insert(bits.end(), down.begin(), down.end());
  const auto result = run("cumulative-sums", pack(bits).view());
  EXPECT_LT(p_of(result, "cumulative-sums/forward"), 1e-6);
  EXPECT_LT(p_of(result, "cumulative-sums/backward"), 1e-6);
}

}  // namespace
}  // namespace icb::test
