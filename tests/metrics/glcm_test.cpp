#include "metrics/glcm.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "core/statistics.hpp"
#include "metrics/correlation.hpp"
#include "tests/metrics/scikit_image.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

const std::array<const char*, 8> names{
    "glcm_contrast",     "glcm_homogeneity",     "glcm_energy",     "glcm_correlation",
    "glcm_contrast_256", "glcm_homogeneity_256", "glcm_energy_256", "glcm_correlation_256"};

/// Sums over the entries of the matrix, as they are written down.
struct Plain {
  double contrast = 0;
  double homogeneity = 0;
  double energy = 0;
  double correlation = 0;
};

Plain plain_properties(const std::vector<double>& share) {
  const auto levels = static_cast<std::size_t>(std::lround(std::sqrt(share.size())));
  Plain out;
  double x = 0;
  double y = 0;
  for (int pass = 0; pass < 2; ++pass) {
    double xx = 0;
    double yy = 0;
    double xy = 0;
    double sum_x = 0;
    double sum_y = 0;
    out = {};
    for (std::size_t cell = 0; cell < share.size(); ++cell) {
      const double i = static_cast<double>(cell / levels);
      const double j = static_cast<double>(cell % levels);
      const double p = share[cell];
      out.contrast += (i - j) * (i - j) * p;
      out.homogeneity += p / (1 + std::abs(i - j));
      out.energy += p * p;
      sum_x += i * p;
      sum_y += j * p;
      xx += (i - x) * (i - x) * p;
      yy += (j - y) * (j - y) * p;
      xy += (i - x) * (j - y) * p;
    }
    out.correlation = xy / std::sqrt(xx * yy);
    x = sum_x;
    y = sum_y;
  }
  return out;
}

TEST(Glcm, ByHand) {
  // Levels 0 1 1 7 (of 8): pairs 01, 11, 17.
  const OwnedImage image = row_of({3, 33, 60, 250});
  const MetricInput input{.image = image.view()};
  EXPECT_DOUBLE_EQ(*measure("glcm_contrast", input).at(0).value, (1 + 0 + 36) / 3.0);
  EXPECT_DOUBLE_EQ(*measure("glcm_homogeneity", input).at(0).value, (1 / 2.0 + 1 + 1 / 7.0) / 3);
  EXPECT_DOUBLE_EQ(*measure("glcm_energy", input).at(0).value, 1 / 3.0);
  // x 0 1 1, y 1 1 7: sums of squares 2/3 and 24, of products 2.
  EXPECT_DOUBLE_EQ(*measure("glcm_correlation", input).at(0).value, 0.5);
  EXPECT_DOUBLE_EQ(*measure("glcm_contrast_256", input).at(0).value,
                   (900 + 27 * 27 + 190 * 190) / 3.0);
  EXPECT_EQ(measure("glcm_energy_256", input).at(0).n, 3U);
}

TEST(Glcm, AgreesWithOpenCvsHistogramOfPairs) {
  const OwnedImage image = random_image({60, 47}, 1);
  const cv::Mat mat(60, 47, CV_8UC1, const_cast<std::uint8_t*>(image.bytes().data()));  // NOLINT
  const std::array<cv::Mat, 2> pair{mat.colRange(0, 46), mat.colRange(1, 47)};
  for (const int levels : {8, 256}) {
    const std::array<int, 2> channels{0, 1};
    const std::array<int, 2> size{levels, levels};
    const std::array<float, 2> range{0, 256};
    std::array<const float*, 2> ranges{range.data(), range.data()};
    cv::Mat counts;
    cv::calcHist(pair.data(), 2, channels.data(), cv::Mat(), counts, 2, size.data(), ranges.data());
    std::vector<double> share;
    for (int i = 0; i < levels; ++i) {
      for (int j = 0; j < levels; ++j) {
        share.push_back(static_cast<double>(counts.at<float>(i, j)) / (60 * 46));
      }
    }
    const Plain plain = plain_properties(share);
    const PairTexture ours =
        pair_texture(cooccurrence(image.view(), std::nullopt, static_cast<std::size_t>(levels)));
    EXPECT_NEAR(glcm_contrast(ours) / plain.contrast, 1, 1e-12);
    EXPECT_NEAR(glcm_homogeneity(ours) / plain.homogeneity, 1, 1e-12);
    EXPECT_NEAR(glcm_energy(ours) / plain.energy, 1, 1e-12);
    EXPECT_NEAR(glcm_correlation(ours).value(), plain.correlation, 1e-12);
  }
}

TEST(Glcm, FineCorrelationIsHorizontalCorrelation) {
  const OwnedImage image = random_image({30, 31, 3}, 2);
  const auto fine = measure("glcm_correlation_256", {.image = image.view()});
  const auto horizontal_r = measure("correlation_horizontal", {.image = image.view()});
  for (std::size_t i = 0; i < 4; ++i) {
    Measurement m = fine[i];
    m.quantity = "correlation_horizontal";
    EXPECT_EQ(m, horizontal_r[i]);
  }
}

TEST(Glcm, DifferencesAreCounted) {
  const Cooccurrence counts{2, {5, 7, 11, 13}, 36};
  EXPECT_EQ(pair_texture(counts).differences, (std::vector<std::uint64_t>{18, 18}));
  EXPECT_THROW(glcm_energy(pair_texture({2, {0, 0, 0, 0}, 0})), std::invalid_argument);
  EXPECT_THROW(energy_null(8, {3, 1}), std::invalid_argument);
}

TEST(GlcmNull, KnownExpectations) {
  const auto expected = [](const char* name, const OwnedImage& image) {
    return *measure(name, {.image = image.view()}).at(0).expected;
  };
  const OwnedImage image({512, 512});
  EXPECT_DOUBLE_EQ(expected("glcm_contrast", image), 10.5);
  EXPECT_DOUBLE_EQ(expected("glcm_contrast_256", image), 10922.5);
  EXPECT_NEAR(expected("glcm_homogeneity", image), 0.38940, 5e-6);
  EXPECT_NEAR(expected("glcm_homogeneity_256", image), 0.03631, 5e-6);
  EXPECT_NEAR(expected("glcm_energy", image), 0.015625, 4e-6);
  EXPECT_NEAR(expected("glcm_energy_256", image), 1.0 / 65536 + 1.0 / (511 * 512), 1e-10);
}

/// First three central moments of `value` over all fillings of rows x cols by `levels` values.
std::array<double, 3> brute_force(
    std::size_t levels, std::size_t rows, std::size_t cols,
    const std::function<double(const std::vector<std::size_t>&)>& value) {
  std::vector<double> values;
  const double size = std::pow(levels, rows * cols);
  std::vector<std::size_t> samples(rows * cols);
  for (std::size_t code = 0; static_cast<double>(code) < size; ++code) {
    std::size_t rest = code;
    for (std::size_t& sample : samples) {
      sample = rest % levels;
      rest /= levels;
    }
    values.push_back(value(samples));
  }
  std::array<double, 3> out{};
  for (const double v : values) out[0] += v / size;
  for (const double v : values) {
    out[1] += std::pow(v - out[0], 2) / size;
    out[2] += std::pow(v - out[0], 3) / size;
  }
  return out;
}

struct Tiny {
  std::size_t levels;
  std::size_t rows;
  std::size_t cols;
};

const std::vector<Tiny> tiny{{2, 1, 2}, {2, 1, 3}, {2, 1, 4}, {2, 1, 5}, {2, 1, 12}, {2, 3, 2},
                             {2, 3, 4}, {2, 2, 7}, {3, 1, 3}, {3, 1, 4}, {3, 1, 9},  {3, 2, 4},
                             {3, 3, 3}, {4, 1, 6}, {4, 2, 3}, {5, 1, 5}, {5, 2, 2},  {4, 2, 2}};

TEST(GlcmNull, DifferencesExactOverAllImages) {
  for (const auto& [levels, rows, cols] : tiny) {
    SCOPED_TRACE(::testing::Message() << levels << " levels, " << rows << " x " << cols);
    const std::vector<double> f{0.5, 2, -1, 4, 3};
    const auto moments =
        brute_force(levels, rows, cols, [&, rows = rows, cols = cols](const auto& samples) {
          double sum = 0;
          for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t col = 0; col + 1 < cols; ++col) {
              const std::size_t a = samples[row * cols + col];
              const std::size_t b = samples[row * cols + col + 1];
              sum += f[a > b ? a - b : b - a];
            }
          }
          return sum / static_cast<double>(rows * (cols - 1));
        });
    const SkewedNull null = difference_null(
        pair_moments({f.begin(), f.begin() + static_cast<std::ptrdiff_t>(levels)}), {rows, cols});
    EXPECT_NEAR(null.moments.mean, moments[0], 1e-12);
    EXPECT_NEAR(null.moments.sd, std::sqrt(moments[1]), 1e-12);
    EXPECT_NEAR(null.skewness, moments[2] / std::pow(moments[1], 1.5), 1e-11);
  }
}

TEST(GlcmNull, EnergyExactOverAllImages) {
  for (const auto& [levels, rows, cols] : tiny) {
    SCOPED_TRACE(::testing::Message() << levels << " levels, " << rows << " x " << cols);
    const auto moments = brute_force(
        levels, rows, cols, [levels = levels, rows = rows, cols = cols](const auto& samples) {
          std::vector<double> counts(levels * levels);
          for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t col = 0; col + 1 < cols; ++col) {
              ++counts[samples[row * cols + col] * levels + samples[row * cols + col + 1]];
            }
          }
          double sum = 0;
          for (const double count : counts) sum += count * count;
          return sum / std::pow(rows * (cols - 1), 2);
        });
    const SkewedNull null = energy_null(levels, {rows, cols});
    EXPECT_NEAR(null.moments.mean, moments[0], 1e-12);
    EXPECT_NEAR(null.moments.sd, std::sqrt(moments[1]), 1e-12);
    if (cols == 2 && rows > 1) {  // pairs independent
      EXPECT_NEAR(null.skewness, moments[2] / std::pow(moments[1], 1.5), 1e-11);
    }
  }
}

TEST(GlcmNull, EnergyTendsToGoodsLaw) {
  // n (L^2 energy - 1): chi-square with (L-1)^2 degrees and twice one with L - 1.
  for (const std::size_t levels : {8U, 256U}) {
    const double l = static_cast<double>(levels);
    const double n = 1e12;
    const SkewedNull null = energy_null(levels, {1, 1'000'000'000'001});
    const double variance = 2 * (l - 1) * (l - 1) + 8 * (l - 1);
    EXPECT_NEAR(n * (l * l * null.moments.mean - 1) / (l * l - 1), 1, 1e-3);
    EXPECT_NEAR(null.moments.sd * n * l * l / std::sqrt(variance), 1, 1e-6);
    EXPECT_NEAR(null.skewness * std::pow(variance, 1.5) / (8 * (l - 1) * (l + 7)), 1, 1e-6);
  }
}

TEST(Glcm, AgreesWithScikitImage) {
  const nlohmann::json json = scikit_image_values();
  std::size_t compared = 0;
  for (const auto& each : json.at("glcm")) {
    const OwnedImage image = formula_image(each.at("image"), each.at("bits"));
    for (const auto& [name, value] : each.at("values").items()) {
      const double expected = value;
      EXPECT_NEAR(*measure(name, {.image = image.view()}).at(0).value, expected,
                  1e-12 * (1 + std::abs(expected)))
          << name << " of " << each.at("image");
      ++compared;
    }
  }
  EXPECT_GE(compared, 80U);
}

TEST(Glcm, SmallAndFlatImages) {
  for (const char* name : names) {
    SCOPED_TRACE(name);
    const bool correlation = std::string(name).find("correlation") != std::string::npos;
    EXPECT_EQ(measure(name, {.image = OwnedImage({5, 1}).view()}).at(0).status,
              Status::not_applicable);
    const Measurement few = measure(name, {.image = random_image({7, 10}, 3).view()}).at(0);
    EXPECT_TRUE(few.z.has_value());
    EXPECT_EQ(few.p_value.has_value(), correlation);
    EXPECT_EQ(few.detail.find("63 pairs, below") != std::string::npos, !correlation) << few.detail;
    const Measurement flat = measure(name, {.image = OwnedImage({64, 64}).view()}).at(0);
    if (correlation) {
      EXPECT_EQ(flat.status, Status::not_applicable);
    } else {
      EXPECT_LT(*flat.p_value, 1e-100);
    }
  }
  const Measurement one = measure("glcm_energy", {.image = row_of({3, 200}).view()}).at(0);
  EXPECT_EQ(one.value, 1.0);
  EXPECT_FALSE(one.z || one.p_value);
}

TEST(Glcm, SmoothAndAlternatingImagesAreFlagged) {
  const OwnedImage random = random_image({64, 64}, 4);
  const OwnedImage smooth = image_of({64, 64}, [&](std::size_t row, std::size_t col, auto) {
    return static_cast<std::uint16_t>((col % 2 == 0 ? 0 : 3) ^
                                      random.view().sample(row, col / 2 * 2, 0));
  });
  for (const char* name : names) {
    const Measurement m = measure(name, {.image = smooth.view()}).at(0);
    EXPECT_LT(*m.p_value, 1e-20) << name;
    EXPECT_EQ(*m.z < 0, std::string(name).find("contrast") != std::string::npos) << name;
  }
  const OwnedImage even = image_of({256, 257}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((col % 2 == 0 ? row : 37 * col / 2) % 256);
  });
  EXPECT_LT(*measure("glcm_energy_256", {.image = even.view()}).at(0).p_value, 1e-20);
}

struct SimulationCase {
  Shape shape;
  int images;
  double slack;
};

class GlcmSimulation : public ::testing::TestWithParam<SimulationCase> {};

TEST_P(GlcmSimulation, FindsMeanSdAndRejections) {
  const auto& [shape, images, slack] = GetParam();
  std::mt19937_64 engine(test_seed() + 25);
  OwnedImage image(shape);
  std::array<Simulation, names.size()> simulations;
  std::array<Measurement, names.size()> last;
  for (int i = 0; i < images / (ICB_SANITIZED != 0 ? 20 : 1); ++i) {
    fill_random(image, engine);
    const MetricInput input{.image = image.view()};
    for (std::size_t k = 0; k < names.size(); ++k) {
      last[k] = measure(names[k], input).back();
      simulations[k].add(*last[k].value, *last[k].p_value);
    }
  }
  for (std::size_t k = 0; k < names.size(); ++k) {
    SCOPED_TRACE(names[k]);
    simulations[k].expect_moments(*last[k].expected, *last[k].sd);
    const std::string name = names[k];
    const double levels = name.ends_with("_256") ? 256 : 8;
    const double n = static_cast<double>(last[k].n);
    const bool few = name.starts_with("glcm_energy") && n * (n - 1) / 2 < 100 * levels * levels;
    EXPECT_EQ(last[k].detail.find("coincidences") != std::string::npos, few);
    simulations[k].expect_rejections(few ? 0.7 : slack, few);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, GlcmSimulation,
                         ::testing::Values(SimulationCase{{8, 9}, 4000, 0.5},
                                           SimulationCase{{16, 16, 1, 2}, 3000, 0.2},
                                           SimulationCase{{16, 16, 3}, 1000, 0.1},
                                           SimulationCase{{64, 64}, 3000, 0.1}));

}  // namespace
}  // namespace icb::testing
