/// maximum_deviation, encryption_quality and irregular_deviation: sums of distances of counts.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/statistics.hpp"
#include "metrics/binomial_law.hpp"
#include "metrics/histogram_distance.hpp"
#include "metrics/irregular_deviation.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

Measurement last(const char* metric, const OwnedImage& plain, const OwnedImage& cipher) {
  return measure(metric, {.image = cipher.view(), .plain = plain.view()}).back();
}

TEST(BinomialExcess, IsTheSumOverTheLaw) {
  // Binomial(6, 0.3), every threshold on and between the integers.
  const std::array<double, 7> mass{0.117649, 0.302526, 0.324135, 0.185220,
                                   0.059535, 0.010206, 0.000729};
  const BinomialExcess excess(6, 0.3);
  for (double t = -3; t < 5.5; t += 0.1) {
    for (const int side : {1, -1}) {
      Excess sum;
      for (int c = 0; c <= 6; ++c) {
        const double d = c - 1.8;
        const double r = std::max(0.0, side * (d - t)) * mass.at(static_cast<std::size_t>(c));
        sum.r += r;
        sum.rr += r * std::max(0.0, side * (d - t));
        sum.rd += r * d;
        sum.rdd += r * d * d;
      }
      const Excess e = excess.beyond(t, side);
      EXPECT_NEAR(e.r, sum.r, 1e-14);
      EXPECT_NEAR(e.rr, sum.rr, 1e-13);
      EXPECT_NEAR(e.rd, sum.rd, 1e-14);
      EXPECT_NEAR(e.rdd, sum.rdd, 1e-13);
    }
  }
  EXPECT_DOUBLE_EQ(BinomialExcess(4, 0.5).beyond(1, 1).r, 1 / 16.0);
}

TEST(Deviation, ByHand) {
  const OwnedImage plain = row_of({0, 0, 5, 255});
  const OwnedImage cipher = row_of({5, 0, 9, 9});
  // Histograms: 0: 2 and 1; 5: 1 and 1; 9: 0 and 2; 255: 1 and 0.
  EXPECT_EQ(last("maximum_deviation", plain, cipher).value, 0.5 + 2 + 0.5);
  EXPECT_EQ(last("encryption_quality", plain, cipher).value, 4 / 256.0);
  // Distances 5, 0, 4, 246: 4 bins of 1, 252 of 0, mean 1/64.
  EXPECT_EQ(last("irregular_deviation", plain, cipher).value, (4 * 63 + 252) / 64.0);
}

/// Mean and sd of a statistic over all K^n cipher sequences.
template <class Statistic>
NullModel over_all(std::size_t k, const std::vector<std::size_t>& plain,
                   const Statistic& statistic) {
  std::size_t sequences = 1;
  for (std::size_t i = 0; i < plain.size(); ++i) sequences *= k;
  double sum = 0;
  double squares = 0;
  for (std::size_t code = 0; code < sequences; ++code) {
    std::vector<std::size_t> cipher;
    for (std::size_t i = 0, rest = code; i < plain.size(); ++i, rest /= k) {
      cipher.push_back(rest % k);
    }
    const double value = statistic(cipher);
    sum += value;
    squares += value * value;
  }
  const double n = static_cast<double>(sequences);
  return {sum / n, std::sqrt(squares / n - sum / n * (sum / n))};
}

TEST(DeviationNull, OverAllImages) {
  for (const auto& plain : {std::vector<std::size_t>{0, 0, 3, 1, 1, 1},
                            {2, 2, 2, 2, 2, 2},
                            {0, 1, 2, 3, 0, 1},
                            {4, 4, 1, 0, 0, 0}}) {
    const std::size_t k = 5;
    Histogram h(k);
    for (const std::size_t p : plain) ++h[p];
    for (const double ends : {0.5, 1.0}) {
      const NullModel exact = over_all(k, plain, [&](const std::vector<std::size_t>& cipher) {
        Histogram c(k);
        for (const std::size_t v : cipher) ++c[v];
        return histogram_distance(h, c, ends);
      });
      const NullModel null = histogram_distance_null(h, ends);
      EXPECT_NEAR(null.mean, exact.mean, 1e-12);
      // Degrees 3 and up are left out: K/(K-1)^3 of their share, 8 % of a small part for K = 5.
      EXPECT_NEAR(null.sd / exact.sd, 1, 0.01);
    }
    const NullModel exact = over_all(k, plain, [&](const std::vector<std::size_t>& cipher) {
      Histogram d(k);
      for (std::size_t i = 0; i < plain.size(); ++i) {
        ++d[plain[i] > cipher[i] ? plain[i] - cipher[i] : cipher[i] - plain[i]];
      }
      return irregular_deviation(d);
    });
    const IrregularNull null = irregular_deviation_null(h);
    EXPECT_NEAR(null.null.mean, exact.mean, 1e-12);
    // Covariances of second order are left out, up to 2/K of the variance.
    EXPECT_NEAR(null.null.sd / exact.sd, 1, 0.2);
  }
}

TEST(DeviationNull, ExactWhereItIsBinomial) {
  // Constant plain image: sum |c - h| = 2 (N - c_v), and all terms are linear in the counts.
  Histogram constant(256);
  constant[9] = 4096;
  const NullModel null = histogram_distance_null(constant, 1);
  EXPECT_NEAR(null.mean, 2 * (4096 - 16.0), 1e-9);
  EXPECT_NEAR(null.sd, 2 * std::sqrt(4096 * 255.0) / 256, 1e-9);
  // Distances from 0 are the cipher samples, as is the distance to an even histogram.
  Histogram black(256);
  black[0] = 4096;
  const NullModel even = histogram_distance_null(Histogram(256, 16), 1);
  const NullModel own = irregular_deviation_null(black).null;
  EXPECT_NEAR(own.mean, even.mean, 1e-9);
  EXPECT_NEAR(own.sd / even.sd, 1, 4e-3);  // what is left out
}

TEST(Deviation, BrokenCiphersAreFlagged) {
  const OwnedImage plain = image_of({128, 128}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>(60 + row / 2 + col / 4);
  });
  OwnedImage permuted = plain;  // keeps the histogram
  std::ranges::reverse(permuted.view().bytes());
  OwnedImage shifted = plain;  // keeps the distances nearly constant
  for (auto& byte : shifted.view().bytes()) byte = static_cast<std::uint8_t>(byte ^ 0x40);
  for (const char* metric : {"maximum_deviation", "encryption_quality"}) {
    EXPECT_EQ(last(metric, plain, permuted).value, 0.0);
    EXPECT_LT(*last(metric, plain, permuted).p_value, 1e-300);
    EXPECT_LT(*last(metric, plain, permuted).z, 0);
  }
  for (const OwnedImage* cipher : {&plain, &std::as_const(permuted), &std::as_const(shifted)}) {
    EXPECT_LT(*last("irregular_deviation", plain, *cipher).p_value, 1e-300);
  }
}

TEST(Deviation, SaysWhenFewBinsDecide) {
  const OwnedImage gray = image_of({128, 128}, [](auto...) { return std::uint16_t{128}; });
  const OwnedImage cipher = random_image({128, 128}, 1);
  const Measurement few = last("irregular_deviation", gray, cipher);
  EXPECT_TRUE(few.z && !few.p_value);
  EXPECT_EQ(few.detail, "no p: a few bins decide for this plain image, and z is skewed");
  EXPECT_EQ(last("maximum_deviation", gray, cipher).detail, "");
  const OwnedImage small = random_image({16, 16}, 2);
  EXPECT_EQ(last("encryption_quality", small, small).detail,
            "normal p is approximate: 256 samples in 256 bins");
}

TEST(Deviation, SimulationFindsMeanSdAndRejections) {
  struct Case {
    const char* kind;
    Shape shape;
    int images;
    double slack;  // negative: p not looked at
  };

  for (const auto& [kind, shape, images, slack] :
       {Case{"natural", {64, 64}, 20000, 0.3}, Case{"natural", {16, 16, 3}, 20000, -1},
        Case{"natural", {120, 110}, 20000, 0.15}, Case{"two", {64, 64}, 20000, 0.3},
        Case{"black", {64, 64}, 20000, 0.5}, Case{"gray", {32, 32}, 20000, -1},
        Case{"natural", {64, 64, 1, 2}, 100, -1}}) {
    const double top = shape.sample_bytes == 1 ? 255 : 65535;
    const OwnedImage plain = image_of(shape, [&, kind = std::string(kind), shape = shape](
                                                 std::size_t row, std::size_t col, std::size_t k) {
      const double u = static_cast<double>(row) / static_cast<double>(shape.rows);
      const double v = static_cast<double>(col) / static_cast<double>(shape.cols);
      double share = 0;  // black
      if (kind == "gray") share = 0.5;
      if (kind == "two") share = (row + col) % 3 == 0 ? 0.1 : 0.9;
      if (kind == "natural") {
        share =
            0.45 + 0.3 * std::sin(5 * u + static_cast<double>(k)) * std::cos(3 * v) + 0.2 * u * v;
      }
      return static_cast<std::uint16_t>(share * top);
    });
    const Histogram h = histogram(plain.view());
    const IrregularNull irregular = irregular_deviation_null(h);
    const std::array<NullModel, 3> nulls{histogram_distance_null(h, 0.5),
                                         histogram_distance_null(h, 1), irregular.null};
    const std::array<const char*, 3> names{"maximum_deviation", "encryption_quality",
                                           "irregular_deviation"};
    std::array<Simulation, 3> simulations;
    std::mt19937_64 engine(test_seed() + 8);
    OwnedImage cipher(shape);
    for (int i = 0; i < (ICB_SANITIZED ? images / 10 : images); ++i) {
      fill_random(cipher, engine);
      const Histogram c = histogram(cipher.view());
      const std::array<double, 3> values{
          histogram_distance(h, c, 0.5), histogram_distance(h, c, 1),
          irregular_deviation(absolute_distances(plain.view(), cipher.view(), std::nullopt))};
      for (std::size_t which = 0; which < 3; ++which) {
        const double z = (values.at(which) - nulls.at(which).mean) / nulls.at(which).sd;
        simulations.at(which).add(values.at(which), two_sided_normal_p(z).value());
      }
    }
    for (std::size_t which = 0; which < 3; ++which) {
      SCOPED_TRACE(std::string(names.at(which)) + " " + kind + ", " + to_string(shape));
      const double factor = which == 1 ? 1 / (top + 1) : 1;
      const Measurement m = last(names.at(which), plain, cipher);
      EXPECT_DOUBLE_EQ(*m.expected, nulls.at(which).mean * factor);
      EXPECT_DOUBLE_EQ(*m.sd, nulls.at(which).sd * factor);
      EXPECT_EQ(m.p_value, two_sided_normal_p(*m.z).value());
      simulations.at(which).expect_moments(nulls.at(which).mean, nulls.at(which).sd);
      if (slack >= 0) simulations.at(which).expect_rejections(slack);
    }
  }
}

}  // namespace
}  // namespace icb::testing
