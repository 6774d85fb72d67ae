#include "metrics/correlation.hpp"

#include <cmath>
#include <limits>
#include <tuple>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

/// Two passes in extended precision over pooled channels.
double slow_pearson(ConstImage image, PairOffset offset, std::vector<std::size_t> channels) {
  std::vector<std::pair<long double, long double>> pairs;
  for (const std::size_t channel : channels) {
    for (std::size_t row = 0; row + offset.rows < image.shape().rows; ++row) {
      for (std::size_t col = 0; col < image.shape().cols; ++col) {
        const std::size_t to = col + static_cast<std::size_t>(offset.cols);  // wraps below 0
        if (to >= image.shape().cols) continue;
        pairs.emplace_back(image.sample(row, col, channel),
                           image.sample(row + offset.rows, to, channel));
      }
    }
  }
  long double mx = 0;
  long double my = 0;
  const auto n = static_cast<long double>(pairs.size());
  for (const auto& [x, y] : pairs) {
    mx += x / n;
    my += y / n;
  }
  long double xx = 0;
  long double yy = 0;
  long double xy = 0;
  for (const auto& [x, y] : pairs) {
    xx += (x - mx) * (x - mx);
    yy += (y - my) * (y - my);
    xy += (x - mx) * (y - my);
  }
  return static_cast<double>(xy / std::sqrt(xx * yy));
}

TEST(Correlation, ByHand) {
  // 1 3 2: pairs (1,3), (3,2); means 2, 2.5; deviations (-1,.5), (1,-.5): r = -1.
  EXPECT_EQ(pearson(adjacent_pairs(row_of({1, 3, 2}).view(), 0, horizontal)), -1.0);
  // 0 1 1 0: pairs (0,1), (1,1), (1,0): Sx = 2, Sy = 2, Sxy = 1: (3 - 4) / sqrt((6-4)(6-4)) = -1/2.
  EXPECT_EQ(pearson(adjacent_pairs(row_of({0, 1, 1, 0}).view(), 0, horizontal)), -0.5);
  // Diagonal of {1 9 / 9 2 / 5 9}: pairs (1,2), (9,9).
  const OwnedImage image({3, 2}, {1, 9, 9, 2, 5, 9});
  const PairSums sums = adjacent_pairs(image.view(), 0, diagonal);
  EXPECT_EQ(sums, (PairSums{2, 10, 11, 82, 85, 83}));
  EXPECT_EQ(pearson(sums), 1.0);
  // Antidiagonal: (9,9), (2,5).
  EXPECT_EQ(adjacent_pairs(image.view(), 0, antidiagonal), (PairSums{2, 11, 14, 85, 106, 91}));
}

TEST(Correlation, AntidiagonalIsTheDiagonalOfTheMirrorImage) {
  for (const Shape& shape : awkward_shapes()) {
    const OwnedImage image = random_image(shape, 12);
    const OwnedImage mirror = image_of(shape, [&](std::size_t row, std::size_t col, std::size_t c) {
      return image.view().sample(row, shape.cols - 1 - col, c);
    });
    EXPECT_EQ(pair_count(shape, antidiagonal), pair_count(shape, diagonal));
    EXPECT_EQ(adjacent_pairs(image.view(), 0, antidiagonal),
              adjacent_pairs(mirror.view(), 0, diagonal));
  }
}

TEST(Correlation, AgreesWithASlowReference) {
  for (const Shape& shape : awkward_shapes()) {
    if (shape.pixels() < 100) continue;
    const OwnedImage image = random_image(shape, 2);
    for (const auto& [name, offset] : std::vector<std::pair<const char*, PairOffset>>{
             {"correlation_horizontal", horizontal},
             {"correlation_vertical", vertical},
             {"correlation_diagonal", diagonal},
             {"correlation_antidiagonal", antidiagonal}}) {
      const auto found = measure(name, {.image = image.view()});
      std::vector<std::size_t> all;
      for (std::size_t c = 0; c < shape.channels; ++c) {
        all.push_back(c);
        EXPECT_NEAR(*found.at(c).value, slow_pearson(image.view(), offset, {c}), 1e-14);
        EXPECT_EQ(found.at(c).n, pair_count(shape, offset));
        EXPECT_FALSE(found.at(c).seed.has_value());
      }
      EXPECT_NEAR(*found.back().value, slow_pearson(image.view(), offset, all), 1e-14);
      EXPECT_EQ(found.back().n, shape.channels * pair_count(shape, offset));
    }
  }
}

TEST(Correlation, PooledMeansArePooled) {
  // Each channel is noise about its own level; pooled, the two levels correlate strongly.
  OwnedImage image = random_image({40, 40, 3}, 3);
  for (std::size_t i = 0; i < image.bytes().size(); ++i) {
    auto& byte = image.view().bytes()[i];
    byte = static_cast<std::uint8_t>(byte % 8 + 100 * (i % 3));
  }
  const auto found = measure("correlation_vertical", {.image = image.view()});
  EXPECT_LT(std::abs(*found.at(0).value), 0.2);
  EXPECT_EQ(found.at(3).channel, "all");
  EXPECT_GT(*found.at(3).value, 0.99);
}

TEST(Correlation, StripesTellDirectionsApart) {
  const OwnedImage columns = image_of({32, 48}, [](std::size_t, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>(col % 2 == 0 ? 10 : 200);
  });
  EXPECT_EQ(measure("correlation_horizontal", {.image = columns.view()}).at(0).value, -1.0);
  EXPECT_EQ(measure("correlation_vertical", {.image = columns.view()}).at(0).value, 1.0);
  EXPECT_EQ(measure("correlation_diagonal", {.image = columns.view()}).at(0).value, -1.0);
  const OwnedImage slope = image_of({32, 48}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((row + col) % 4 < 2 ? 10 : 200);
  });
  EXPECT_EQ(measure("correlation_antidiagonal", {.image = slope.view()}).at(0).value, 1.0);
  EXPECT_EQ(measure("correlation_diagonal", {.image = slope.view()}).at(0).value, -1.0);
  const OwnedImage checks = image_of({32, 48}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((row + col) % 2 == 0 ? 10 : 200);
  });
  EXPECT_EQ(measure("correlation_vertical", {.image = checks.view()}).at(0).value, -1.0);
  EXPECT_EQ(measure("correlation_diagonal", {.image = checks.view()}).at(0).value, 1.0);
}

TEST(Correlation, GradientIsFlagged) {
  const OwnedImage image =
      image_of({64, 64, 1, 2}, [](std::size_t row, std::size_t col, std::size_t) {
        return static_cast<std::uint16_t>(500 * row + 300 * col);
      });
  for (const char* name : {"correlation_horizontal", "correlation_vertical", "correlation_diagonal",
                           "correlation_antidiagonal"}) {
    const Measurement m = measure(name, {.image = image.view()}).at(0);
    EXPECT_GT(*m.value, 0.99);
    EXPECT_LT(*m.p_value, 1e-300);
    EXPECT_EQ(m.status, Status::ok);
  }
}

TEST(Correlation, WithoutPairsOrVarianceNotApplicable) {
  const auto flat = measure("correlation_horizontal", {.image = OwnedImage({9, 9}).view()});
  EXPECT_EQ(flat.at(0).status, Status::not_applicable);
  EXPECT_EQ(flat.at(0).detail, "no variance in 72 pairs");
  const auto line = measure("correlation_vertical", {.image = row_of({1, 2, 3}).view()});
  EXPECT_EQ(line.at(0).status, Status::not_applicable);
  EXPECT_EQ(line.at(0).detail, "no pair in 1 x 3 x 1, 8 bit");
  // Variance only at the end that no pair starts from.
  const auto edge = measure("correlation_horizontal", {.image = row_of({5, 5, 5, 9}).view()});
  EXPECT_EQ(edge.at(0).status, Status::not_applicable);
  const auto none =
      measure("correlation_vertical", {.image = row_of({1, 2, 3}).view(), .pairs = 5, .seed = 1});
  EXPECT_EQ(none.at(0).status, Status::not_applicable);
}

TEST(Correlation, LargestSumsStayExact) {
  // 2^32 pairs, half (65535, 65535), half (0, 65535) swapped evenly: r = 0 exactly.
  const std::uint64_t quarter = PairSums::limit / 4;
  const std::uint64_t top = 65535;
  PairSums sums{4 * quarter,
                2 * quarter * top,
                2 * quarter * top,
                2 * quarter * top * top,
                2 * quarter * top * top,
                quarter * top * top};
  EXPECT_EQ(pearson(sums), 0.0);
  sums.xy = sums.xx;
  EXPECT_EQ(pearson(sums), 1.0);
  ++sums.n;
  EXPECT_THROW(pearson(sums), std::invalid_argument);
}

TEST(Correlation, OrderOfPairsDoesNotMatter) {
  const OwnedImage image = random_image({31, 22, 1, 2}, 4);
  PairSums backwards;
  for (std::size_t row = 31; row-- > 0;) {
    for (std::size_t col = 21; col-- > 0;) {
      backwards.add(image.view().sample(row, col, 0), image.view().sample(row, col + 1, 0));
    }
  }
  EXPECT_EQ(backwards, adjacent_pairs(image.view(), 0, horizontal));
}

TEST(Correlation, StandardError) {
  EXPECT_EQ(pearson_standard_error(0, 101), 0.1);
  EXPECT_EQ(pearson_standard_error(0.5, 101), 0.075);
  EXPECT_EQ(pearson_standard_error(-1, 2), 0);
  EXPECT_THROW(pearson_standard_error(0, 1), std::invalid_argument);
  EXPECT_THROW(pearson_standard_error(std::numeric_limits<double>::quiet_NaN(), 9),
               std::invalid_argument);
}

TEST(Correlation, SampledPairs) {
  const OwnedImage image = random_image({30, 50, 3}, 7);
  const MetricInput input{.image = image.view(), .pairs = 5000, .seed = 11};
  const auto found = measure("correlation_horizontal", input);
  EXPECT_EQ(found, measure("correlation_horizontal", input));
  EXPECT_EQ(found.at(0).n, 5000U);
  EXPECT_EQ(found.at(3).n, 15000U);
  EXPECT_EQ(found.at(3).seed, 11U);
  const MetricInput other{.image = image.view(), .pairs = 5000, .seed = 12};
  EXPECT_NE(found.at(0).value, measure("correlation_horizontal", other).at(0).value);
  // The places are those documented, per channel and direction.
  const PairSums sums =
      sampled_pairs(image.view(), 2, horizontal, 5000, derive_seed(11, "correlation_horizontal/2"));
  EXPECT_EQ(found.at(2).value, pearson(sums));
  // Near the value over all pairs.
  EXPECT_NEAR(*found.at(0).value, *pearson(adjacent_pairs(image.view(), 0, horizontal)), 0.05);
  EXPECT_THROW(sampled_pairs(row_of({1}).view(), 0, horizontal, 5, 1), std::invalid_argument);
}

TEST(Correlation, SampledPairsAreUniformOverAllPlaces) {
  // Sample values are the places themselves, so the sums show which pairs were drawn.
  const OwnedImage image = image_of({4, 6}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>(6 * row + col);
  });
  std::vector<std::uint64_t> counts(24);
  for (std::uint64_t seed = 0; seed < 30000; ++seed) {
    const PairSums one = sampled_pairs(image.view(), 0, diagonal, 1, seed);
    EXPECT_EQ(one.y, one.x + 7);
    ++counts.at(one.x);
    const PairSums other = sampled_pairs(image.view(), 0, antidiagonal, 1, seed);
    EXPECT_EQ(other.x, one.x + 1);  // the other corners of the same box
    EXPECT_EQ(other.y, one.y - 1);
  }
  double chi = 0;
  for (std::size_t place = 0; place < 24; ++place) {
    const bool valid = place / 6 < 3 && place % 6 < 5;
    if (!valid) {
      EXPECT_EQ(counts[place], 0U);
    }
    if (valid) chi += std::pow(static_cast<double>(counts[place]) - 2000, 2) / 2000;
  }
  EXPECT_GT(chi_square_upper_p(chi, 14).value(), 1e-5);
}

TEST(CorrelationNull, ExactWhereItIsKnown) {
  // Two columns: pairs share no sample, so 0 and 1/(n - 1), the permutation result.
  const NullModel two = adjacent_null({50, 2}, horizontal, 0, 1);
  EXPECT_EQ(two.mean, 0);
  EXPECT_DOUBLE_EQ(two.sd, 1 / 7.0);
  // Channels pool like more pairs.
  EXPECT_NEAR(adjacent_null({64, 64}, diagonal, 0, 3).sd * std::sqrt(3.0),
              adjacent_null({64, 64}, diagonal, 0, 1).sd, 1e-6);
  // Very many drawn pairs are all pairs; few from a huge image are independent pairs.
  EXPECT_NEAR(adjacent_null({64, 64}, vertical, 1'000'000'000, 1).sd,
              adjacent_null({64, 64}, vertical, 0, 1).sd, 1e-7);
  EXPECT_NEAR(adjacent_null({30000, 30000}, vertical, 1000, 1).sd, 1 / std::sqrt(999.0), 1e-7);
  EXPECT_THROW(adjacent_null({1, 2}, horizontal, 0, 1), std::invalid_argument);
}

TEST(CorrelationNull, SmallSizesSaySo) {
  const auto small = measure("correlation_horizontal", {.image = random_image({3, 4}, 5).view()});
  EXPECT_EQ(small.at(0).detail, "normal p, too large in its tails: 9 pairs");
  const auto large = measure("correlation_horizontal", {.image = random_image({5, 4}, 5).view()});
  EXPECT_EQ(large.at(0).detail, "");
}

TEST(SymmetricP, LawsThatHaveAnotherName) {
  for (const double z : {0.0, 0.3, -1.7, 4.2}) {
    EXPECT_DOUBLE_EQ(symmetric_p(z, 0).value(), two_sided_normal_p(z).value());
    EXPECT_NEAR(symmetric_p(z, 1e-7).value() / two_sided_normal_p(z).value(), 1, 1e-5);
    EXPECT_NEAR(symmetric_p(z, -1e-7).value() / two_sided_normal_p(z).value(), 1, 1e-5);
    EXPECT_DOUBLE_EQ(symmetric_p(z, -1).value(), two_sided_normal_p(z).value());
  }
  // Excess 1: t with 10 degrees of freedom, |t| > 2.228139 with probability 0.05.
  EXPECT_NEAR(symmetric_p(2.2281388519649385 * std::sqrt(0.8), 1).value(), 0.05, 1e-11);
  // Excess -1/4: (1 - x^2/22)^9.5 on [-sqrt 22, sqrt 22].
  double tail = 0;
  double all = 0;
  for (int i = 0; i < 2000000; ++i) {
    const double x = (i + 0.5) / 2e6 * std::sqrt(22.0);
    const double mass = std::pow(1 - x * x / 22, 9.5);
    all += mass;
    if (x > 2) tail += mass;
  }
  EXPECT_NEAR(symmetric_p(-2, -0.25).value(), tail / all, 1e-6);
  EXPECT_EQ(symmetric_p(4.7, -0.25).value(), 0);
}

using SimulationCase = std::tuple<Shape, PairOffset, std::uint64_t, int>;

class CorrelationSimulation : public ::testing::TestWithParam<SimulationCase> {};

TEST_P(CorrelationSimulation, FindsMeanSdAndRejections) {
  const auto& [shape, offset, pairs, images] = GetParam();
  std::mt19937_64 engine(test_seed() + 6);
  OwnedImage image(shape);
  const NullModel null = adjacent_null(shape, offset, pairs, shape.channels);
  Simulation simulation;
  for (int i = 0; i < images; ++i) {
    fill_random(image, engine);
    PairSums sums;
    for (std::size_t channel = 0; channel < shape.channels; ++channel) {
      sums += pairs == 0 ? adjacent_pairs(image.view(), channel, offset)
                         : sampled_pairs(image.view(), channel, offset, pairs, engine());
    }
    const double r = pearson(sums).value();
    simulation.add(r, adjacent_p(r, null).value());
  }
  if (shape.pixels() >= 40) simulation.expect_moments(null.mean, null.sd);  // O(n^-3) is left out
  const double pairs_like = 1 / (null.sd * null.sd);
  simulation.expect_rejections(pairs_like < 40 ? 0.25 : 0.15);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, CorrelationSimulation,
    ::testing::Values(
        SimulationCase{{8, 8}, horizontal, 0, 200000}, SimulationCase{{8, 8}, vertical, 0, 40000},
        SimulationCase{{8, 8}, diagonal, 0, 200000}, SimulationCase{{1, 40}, horizontal, 0, 20000},
        SimulationCase{{40, 1}, vertical, 0, 20000}, SimulationCase{{60, 2}, diagonal, 0, 40000},
        SimulationCase{{8, 8, 3}, horizontal, 0, 40000},
        SimulationCase{{1, 14}, horizontal, 0, 100000},
        SimulationCase{{5, 5}, antidiagonal, 0, 100000},
        SimulationCase{{9, 8}, antidiagonal, 60, 40000},
        SimulationCase{{8, 8, 1, 2}, diagonal, 0, 40000},
        SimulationCase{{33, 17}, horizontal, 0, 40000},
        SimulationCase{{33, 17}, vertical, 0, 40000}, SimulationCase{{33, 17}, diagonal, 0, 40000},
        SimulationCase{{64, 64}, horizontal, 0, 20000},
        SimulationCase{{64, 64}, vertical, 0, 20000}, SimulationCase{{64, 64}, diagonal, 0, 20000},
        SimulationCase{{8, 8}, horizontal, 50, 40000}, SimulationCase{{8, 8}, vertical, 500, 20000},
        SimulationCase{{8, 8, 3}, diagonal, 50, 20000},
        SimulationCase{{33, 17}, diagonal, 500, 20000},
        SimulationCase{{64, 64}, horizontal, 1000, 20000}));

}  // namespace
}  // namespace icb::testing
