#include "core/kolmogorov_smirnov.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

namespace icb {
namespace {

struct Known {
  std::uint64_t n;
  int numerator;  ///< of d, in 1024ths
  double p;       ///< P(D_n >= d)
};

// Rational arithmetic: scripts/constants/kolmogorov_smirnov.py.
constexpr Known known[] = {
    {1, 600, 0.828125},
    {1, 1000, 0.046875},
    {2, 300, 0.9852294921875},
    {2, 700, 0.200225830078125},
    {3, 1023, 1.862645149230957e-09},
    {5, 340, 0.5378952375020366},
    {10, 100, 0.9997754765829678},
    {10, 281, 0.369735378205481},
    {10, 511, 0.007954148830876237},
    {10, 520, 0.006484568759593245},
    {17, 470, 0.0008524629391037402},
    {17, 500, 0.00029338805120017757},
    {20, 60, 0.9999966520826487},
    {20, 300, 0.051395582745249815},
    {20, 450, 0.0004926764527691203},
    {40, 141, 0.3980467869758685},
    {40, 320, 0.0005718718498706135},
    {55, 150, 0.17074474979890292},
    {55, 260, 0.0012988843451784385},
    {55, 400, 4.526300733640555e-08},
    {100, 85, 0.47108235981478475},
    {100, 139, 0.04550508489642911},
    {100, 190, 0.001737438109037078},
    {100, 207, 0.00046508706273162674},
    {100, 330, 9.654091706346172e-10},
};

TEST(KolmogorovSmirnov, AgreesWithRationalArithmetic) {
  for (const auto& [n, numerator, p] : known) {
    EXPECT_NEAR(kolmogorov_smirnov_p(numerator / 1024.0, n).value(), p, 1e-10 * p)
        << n << ", " << numerator;
  }
}

// Marsaglia, Tsang & Wang 2003; the smaller n exact here, the larger one by Smirnov's sum.
TEST(KolmogorovSmirnov, PublishedValues) {
  EXPECT_NEAR(kolmogorov_smirnov_p(0.274, 10).value(), 1 - 0.62847961545650, 1e-13);
  EXPECT_NEAR(kolmogorov_smirnov_p(0.04, 2000).value(), 1 - 0.99676943191713676985, 2e-12);
  EXPECT_NEAR(kolmogorov_smirnov_p(0.016, 16000).value(), 1 - 0.99945234913828052085, 1e-12);
}

// D_n < d for c = n d in (1/2, 1]: one value in every piece of 1 / n, (2 d - 1 / n)^n n!.
TEST(KolmogorovSmirnov, SmallestStatistics) {
  for (std::uint64_t n = 1; n <= 8; ++n) {
    double factorial = 1;
    for (std::uint64_t i = 2; i <= n; ++i) factorial *= static_cast<double>(i);
    const auto size = static_cast<double>(n);
    for (const double c : {0.55, 0.7, 0.9, 0.99}) {
      const double below = factorial * std::pow((2 * c - 1) / size, size);
      EXPECT_NEAR(kolmogorov_smirnov_p(c / size, n).value(), 1 - below, 1e-14) << n << ", " << c;
    }
    EXPECT_EQ(kolmogorov_smirnov_p(0.5 / size, n).value(), 1);
    EXPECT_EQ(kolmogorov_smirnov_p(0, n).value(), 1);
    EXPECT_EQ(kolmogorov_smirnov_p(1, n).value(), 0);
  }
}

// (n - 1) / n <= d < 1: only the smallest or the largest value can be that far, 2 (1 - d)^n.
TEST(KolmogorovSmirnov, TinyTailsKeepTheirDigits) {
  for (const std::uint64_t n : {1U, 2U, 5U, 20U, 60U}) {
    const double d = 1 - 0.5 / static_cast<double>(n);
    const double p = 2 * std::pow(1 - d, static_cast<double>(n));
    EXPECT_NEAR(kolmogorov_smirnov_p(d, n).value(), p, 1e-12 * p) << n;
  }
  EXPECT_GT(kolmogorov_smirnov_p(0.5, 500).value(), 0);
  EXPECT_LT(kolmogorov_smirnov_p(0.5, 500).value(), 1e-100);
}

// The methods meet: d on either side of a limit differs by what the slope says, not by a step. The
// log of p is smooth, so second differences across the limit are those of one method.
TEST(KolmogorovSmirnov, MethodsMeet) {
  for (const std::uint64_t n : {17U, 30U, 100U, 1000U, 4000U, 4001U, 100000U}) {
    const double limit = std::sqrt(4 / static_cast<double>(n));
    const auto log_p = [&](double factor) {
      return std::log(kolmogorov_smirnov_p(limit * factor, n).value());
    };
    const double h = 1e-4;
    const double across = log_p(1 + h / 2) - log_p(1 - h / 2);
    const double within =
        (log_p(1 + 3 * h / 2) - log_p(1 + h / 2) + log_p(1 - h / 2) - log_p(1 - 3 * h / 2)) / 2;
    EXPECT_NEAR(across, within, 2e-7) << n;
  }
  for (const double z : {0.3, 0.5, 0.8, 1.0, 1.3, 1.6, 1.99}) {  // n = 4000 exact, 4001 expanded
    const auto p = [&](std::uint64_t n) {
      return kolmogorov_smirnov_p(z / std::sqrt(static_cast<double>(n)), n).value();
    };
    const double slope = p(4000) - p(3999);
    EXPECT_NEAR(p(4001) - p(4000), slope, 1e-7 * p(4000)) << z;
  }
}

TEST(KolmogorovSmirnov, FallsWithTheStatistic) {
  for (const std::uint64_t n : {1U, 2U, 3U, 7U, 50U, 333U, 5000U}) {
    double previous = 1;
    for (double d = 0; d <= 1; d += 1.0 / 512) {
      const double p = kolmogorov_smirnov_p(d, n).value();
      EXPECT_LE(p, previous) << n << ", " << d;
      previous = p;
    }
  }
}

TEST(KolmogorovSmirnov, Statistic) {
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov_statistic(std::array{0.5}), 0.5);
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov_statistic(std::array{0.2}), 0.8);
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov_statistic(std::array{1.0, 0.0}), 0.5);
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov_statistic(std::array{0.9, 0.1, 0.5, 0.6}), 0.25);
  EXPECT_DOUBLE_EQ(kolmogorov_smirnov_statistic(std::array{0.3, 0.3, 0.3}), 0.7);
}

TEST(KolmogorovSmirnov, UniformUnderTheNull) {
  std::mt19937_64 engine(20260301);
  for (const std::size_t n : {1U, 3U, 10U, 60U}) {
    std::vector<double> p_values;
    for (int i = 0; i < 4000; ++i) {
      std::vector<double> sample(n);
      for (auto& x : sample) x = static_cast<double>(engine() >> 11) * 0x1p-53;
      p_values.push_back(kolmogorov_smirnov_p(kolmogorov_smirnov_statistic(sample), n).value());
    }
    // Of itself: 4000 p-values, D below 1.95 / sqrt(4000) but once in 1000.
    EXPECT_LT(kolmogorov_smirnov_statistic(p_values), 0.0308) << n;
  }
}

TEST(KolmogorovSmirnov, Refuses) {
  EXPECT_THROW(kolmogorov_smirnov_p(0.5, 0), std::invalid_argument);
  EXPECT_THROW(kolmogorov_smirnov_p(std::numeric_limits<double>::quiet_NaN(), 3),
               std::invalid_argument);
  EXPECT_THROW(kolmogorov_smirnov_statistic({}), std::invalid_argument);
  EXPECT_THROW(kolmogorov_smirnov_statistic(std::array{0.5, 1.1}), std::invalid_argument);
  EXPECT_THROW(kolmogorov_smirnov_statistic(std::array{std::nan("")}), std::invalid_argument);
}

}  // namespace
}  // namespace icb
