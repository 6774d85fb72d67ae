#include "metrics/cell_sums.hpp"

#include <cmath>
#include <numeric>

#include "metrics/entropy.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(CellSums, ExactOverAllSequences) {
  const std::array<double, 8> table{0.3, 1, -5, 2, 7.5, 3, 0, 1};  // no polynomial of low degree
  for (const auto& [n, bins] : std::vector<std::pair<int, int>>{
           {1, 2}, {6, 2}, {2, 3}, {5, 3}, {7, 3}, {4, 4}, {6, 4}, {3, 9}}) {
    SCOPED_TRACE(std::to_string(n) + " samples, " + std::to_string(bins) + " bins");
    std::vector<double> values;
    const auto total = static_cast<int>(std::lround(std::pow(bins, n)));
    for (int code = 0; code < total; ++code) {
      std::vector<std::size_t> counts(static_cast<std::size_t>(bins));
      for (int i = 0, rest = code; i < n; ++i, rest /= bins) {
        ++counts[static_cast<std::size_t>(rest % bins)];
      }
      double sum = 0;
      for (const std::size_t count : counts) sum += table.at(count);
      values.push_back(sum);
    }
    const double size = total;
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / size;
    double square = 0;
    for (const double v : values) square += (v - mean) * (v - mean) / size;
    const SkewedNull null =
        cell_sum_null(static_cast<std::uint64_t>(n), static_cast<std::size_t>(bins),
                      [&](double c) { return table.at(static_cast<std::size_t>(c)); });
    EXPECT_NEAR(null.moments.mean, mean, 1e-12);
    EXPECT_NEAR(null.moments.sd, std::sqrt(square), 1e-12);
  }
}

TEST(CellSums, MeanDeviationIsDeMoivres) {
  for (const auto& [n, bins] : std::vector<std::pair<std::uint64_t, std::size_t>>{
           {2, 256}, {300, 256}, {65536, 256}, {100000, 256}, {4096, 65536}, {262144, 65536}}) {
    const double samples = static_cast<double>(n);
    const double p = 1 / static_cast<double>(bins);
    const double next = std::floor(samples * p) + 1;
    const double log_mass = std::lgamma(samples + 1) - std::lgamma(next + 1) -
                            std::lgamma(samples - next + 1) + next * std::log(p) +
                            (samples - next) * std::log1p(-p);
    const double expected = 2 * next * (1 - p) * std::exp(log_mass) / p;
    const SkewedNull null =
        cell_sum_null(n, bins, [&](double c) { return std::abs(c - samples * p); });
    EXPECT_NEAR(null.moments.mean / expected, 1, 1e-9) << n << ", " << bins;  // lgamma's digits
  }
}

TEST(CellSums, ChiSquareIsKnown) {
  for (const std::uint64_t n : {2U, 100U, 5000U, 262144U}) {
    const double samples = static_cast<double>(n);
    const double m = samples / 256;
    const SkewedNull null = cell_sum_null(n, 256, [m](double c) { return (c - m) * (c - m) / m; });
    EXPECT_NEAR(null.moments.mean, 255, 1e-10);
    EXPECT_NEAR(null.moments.sd, std::sqrt(510 * (1 - 1 / samples)), 1e-10);
    // mu_3 by the coincidences of pairs of samples: 8 (K - 1)(n - 2) / n ... to O(1/K).
    const double third = 8 * 255 * (samples - 1) * (samples - 2) / (samples * samples) +
                         4 * 255.0 * 254 * (samples - 1) / (samples * samples);
    EXPECT_NEAR(null.skewness * std::pow(null.moments.sd, 3) / third, 1, 0.03) << n;
  }
}

TEST(CellSums, DegreesAboveTwoAddLittle) {
  const double m = 1936.0 / 256;
  const auto h = [m](double c) { return std::abs(c - m); };
  const double two = cell_sum_null(1936, 256, h, 2).moments.sd;
  const double all = cell_sum_null(1936, 256, h).moments.sd;
  EXPECT_NE(two, all);
  EXPECT_NEAR(two / all, 1, 1e-5);
}

TEST(CellSums, RefusesNothing) {
  const auto h = [](double c) { return c; };
  EXPECT_THROW(cell_sum_null(0, 256, h), std::invalid_argument);
  EXPECT_THROW(cell_sum_null(9, 1, h), std::invalid_argument);
}

TEST(CellSums, JudgementNamesTheTail) {
  Measurement m;
  m.n = 1280;
  judge_roughness(m, {0.004, 0.996}, 256);
  EXPECT_EQ(m.p_value, 0.008);
  EXPECT_EQ(m.detail, "lower tail: more uniform than chance");
  Measurement few;
  few.n = 1279;
  judge_roughness(few, {0.996, 0.004}, 256, "", "");
  EXPECT_EQ(few.detail, "less uniform than chance; p is approximate: 1279 samples in 256 bins");
  Measurement fine;
  fine.n = 1280;
  judge_roughness(fine, {0.4, 0.6}, 256);
  EXPECT_EQ(fine.detail, "");
}

}  // namespace
}  // namespace icb::testing
