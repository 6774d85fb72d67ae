#include "metrics/ssim.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/statistics.hpp"
#include "tests/metrics/scikit_image.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

/// The formula window by window, two passes, extended precision.
double slow_ssim(ConstImage a, ConstImage b, std::size_t channel) {
  const Shape& shape = a.shape();
  const long double peak = shape.sample_bytes == 1 ? 255 : 65535;
  const long double c1 = 0.0001L * peak * peak;
  const long double c2 = 0.0009L * peak * peak;
  long double total = 0;
  std::size_t windows = 0;
  for (std::size_t top = 0; top + 11 <= shape.rows; ++top) {
    for (std::size_t left = 0; left + 11 <= shape.cols; ++left, ++windows) {
      const auto sum = [&](const auto& term) {
        long double out = 0;
        for (int i = 0; i < 11; ++i) {
          for (int j = 0; j < 11; ++j) {
            const std::size_t row = top + static_cast<std::size_t>(i);
            const std::size_t col = left + static_cast<std::size_t>(j);
            const int d2 = (i - 5) * (i - 5) + (j - 5) * (j - 5);
            out += std::exp(-static_cast<long double>(d2) / 4.5L) *
                   term(a.sample(row, col, channel), b.sample(row, col, channel));
          }
        }
        return out;
      };
      using Real = long double;
      const Real all = sum([](Real, Real) { return Real{1}; });
      const Real ma = sum([](Real u, Real) { return u; }) / all;
      const Real mb = sum([](Real, Real v) { return v; }) / all;
      const Real aa = sum([&](Real u, Real) { return (u - ma) * (u - ma); }) / all;
      const Real bb = sum([&](Real, Real v) { return (v - mb) * (v - mb); }) / all;
      const Real ab = sum([&](Real u, Real v) { return (u - ma) * (v - mb); }) / all;
      total += (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
    }
  }
  return static_cast<double>(total / windows);
}

TEST(Ssim, AgreesWithASlowReference) {
  for (const Shape& shape : {Shape{11, 11}, Shape{11, 30}, Shape{17, 12, 3}, Shape{20, 16, 4, 2}}) {
    const OwnedImage noise = random_image(shape, 1);
    const OwnedImage other = random_image(shape, 2);
    const OwnedImage smooth = image_of(shape, [](std::size_t row, std::size_t col, std::size_t k) {
      return static_cast<std::uint16_t>(7 * row + 5 * col + 13 * k);
    });
    for (const OwnedImage* plain : {&smooth, &other}) {
      double sum = 0;
      for (std::size_t c = 0; c < shape.channels; ++c) {
        const double slow = slow_ssim(plain->view(), noise.view(), c);
        sum += slow;
        EXPECT_NEAR(ssim(plain->view(), noise.view(), c), slow, 1e-13);
        EXPECT_NEAR(ssim(noise.view(), plain->view(), c), slow, 1e-13);  // symmetric
      }
      EXPECT_NEAR(ssim(plain->view(), noise.view()), sum / static_cast<double>(shape.channels),
                  1e-13);
    }
  }
}

TEST(Ssim, AgreesWithScikitImage) {
  const auto json = scikit_image_values();
  ASSERT_EQ(json.at("ssim").size(), 16U);
  for (const auto& each : json.at("ssim")) {
    const OwnedImage a = formula_image(each.at("a"), each.at("bits"));
    const OwnedImage b = formula_image(each.at("b"), each.at("bits"));
    EXPECT_NEAR(ssim(a.view(), b.view()), each.at("value"), 1e-12) << each.dump();
  }
}

TEST(Ssim, KnownValues) {
  const Shape shape{16, 20};
  const OwnedImage noise = random_image(shape, 3);
  EXPECT_EQ(ssim(noise.view(), noise.view()), 1.0);
  OwnedImage complement = noise;
  for (auto& byte : complement.view().bytes()) byte = static_cast<std::uint8_t>(~byte);
  EXPECT_LT(ssim(noise.view(), complement.view()), -0.8);
  // Black and white: variances 0, so the luminance term alone, C1 / (F^2 + C1) = 1 / 10001.
  const OwnedImage black(shape);
  const OwnedImage white = image_of(shape, [](auto...) { return std::uint16_t{255}; });
  EXPECT_NEAR(ssim(black.view(), white.view()), 1 / 10001.0, 1e-12);
}

TEST(Ssim, RefusesWhatIsNotThere) {
  const OwnedImage image({11, 11, 3});
  const OwnedImage low({10, 40, 3});
  EXPECT_THROW(ssim(image.view(), low.view()), std::invalid_argument);
  EXPECT_THROW(ssim(low.view(), low.view()), std::invalid_argument);
  EXPECT_THROW(ssim(image.view(), image.view(), 3), std::invalid_argument);
}

TEST(SsimNull, ScalesAndPools) {
  const OwnedImage plain = random_image({24, 30, 3}, 4);
  double mean = 0;
  double variance = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const NullModel one = ssim_null(plain.view(), c);
    mean += one.mean / 3;
    variance += one.sd * one.sd / 9;
  }
  EXPECT_NEAR(ssim_null(plain.view()).mean, mean, 1e-15);
  EXPECT_NEAR(ssim_null(plain.view()).sd, std::sqrt(variance), 1e-15);
  // 16 bit, the same picture: only the finer steps of the noise differ.
  const OwnedImage fine =
      image_of({24, 30, 3, 2}, [&](std::size_t r, std::size_t c, std::size_t k) {
        return static_cast<std::uint16_t>(plain.view().sample(r, c, k) * 257);
      });
  EXPECT_NEAR(ssim_null(fine.view()).mean / mean, 1, 0.01);
  EXPECT_NEAR(ssim_null(fine.view()).sd / std::sqrt(variance), 1, 0.01);
  EXPECT_THROW(ssim_null(OwnedImage({10, 11}).view()), std::invalid_argument);
}

TEST(SsimNull, RowsAndColumnsAreAlike) {
  // They go through different code.
  const auto smooth = [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>(120 + 100 * std::sin(0.2 * static_cast<double>(row)) +
                                      static_cast<double>(col) / 2);
  };
  const auto flat = [](std::size_t, std::size_t, std::size_t) { return std::uint16_t{90}; };
  for (const bool constant : {false, true}) {
    const auto value = [&](std::size_t row, std::size_t col, std::size_t c) {
      return constant ? flat(row, col, c) : smooth(row, col, c);
    };
    const NullModel one = ssim_null(image_of({40, 25}, value).view());
    const NullModel other = ssim_null(
        image_of({25, 40}, [&](auto row, auto col, auto c) { return value(col, row, c); }).view());
    EXPECT_NEAR(one.mean / other.mean, 1, 1e-11);
    EXPECT_NEAR(one.sd / other.sd, 1, 1e-11);
  }
}

TEST(Ssim, IdentityAndFaintTracesAreFlagged) {
  const OwnedImage plain = image_of({64, 64, 3}, [](std::size_t row, std::size_t col, auto) {
    return static_cast<std::uint16_t>((row / 8 + col / 8) % 2 == 0 ? 60 : 180);
  });
  OwnedImage traces = random_image({64, 64, 3}, 5);  // a tenth of the samples are the plain ones
  for (std::size_t i = 0; i < plain.bytes().size(); i += 10) {
    traces.view().bytes()[i] = plain.bytes()[i];
  }
  for (const OwnedImage* cipher : {&plain, &std::as_const(traces)}) {
    const auto found = measure("ssim", {.image = cipher->view(), .plain = plain.view()});
    ASSERT_EQ(found.size(), 4U);
    EXPECT_GT(*found.back().z, 4);
    EXPECT_EQ(found.back().n, 3 * 54 * 54U);
    EXPECT_NEAR(*found.back().value, ssim(plain.view(), cipher->view()), 1e-15);
  }
}

TEST(Ssim, SaysWhenPIsApproximate) {
  const OwnedImage noise = random_image({80, 80}, 7);
  const OwnedImage black({80, 80});
  EXPECT_EQ(measure("ssim", {.image = noise.view(), .plain = noise.view()}).at(0).detail, "");
  EXPECT_EQ(measure("ssim", {.image = noise.view(), .plain = black.view()}).at(0).detail,
            "no p: the plain image is nearly black, and the sd some per cent too small");
  const OwnedImage small = random_image({20, 20}, 8);
  EXPECT_EQ(measure("ssim", {.image = small.view(), .plain = small.view()}).at(0).detail,
            "normal p is approximate: 100 windows");
}

TEST(Ssim, SmallImagesAreNotApplicable) {
  const OwnedImage image({10, 64});
  const Measurement m = measure("ssim", {.image = image.view(), .plain = image.view()}).at(0);
  EXPECT_EQ(m.status, Status::not_applicable);
  EXPECT_EQ(m.detail, "no window of 11 x 11 pixels in 10 x 64 x 1, 8 bit");
}

TEST(Ssim, SimulationFindsMeanSdAndRejections) {
  struct Case {
    const char* kind;
    Shape shape;
    double bias;   // of the sd
    double slack;  // of alpha
  };

  for (const auto& [kind, shape, bias, slack] :
       {Case{"constant", {32, 32}, 0.01, 0.4}, Case{"black", {32, 32}, 0.05, 1.2},
        Case{"ramp", {32, 32}, 0.01, 0.2}, Case{"waves", {32, 32}, 0.01, 0.2},
        Case{"blocks", {40, 24}, 0.01, 0.2}, Case{"noise", {32, 32}, 0.01, 0.2},
        Case{"waves", {24, 24, 2, 2}, 0.01, 0.2}, Case{"noise", {11, 11}, 0.05, 0.5}}) {
    const std::string name = kind;
    SCOPED_TRACE(name + ", " + to_string(shape));
    const double top = shape.sample_bytes == 1 ? 255 : 65535;
    const OwnedImage noise = random_image(shape, 6);
    const OwnedImage plain = image_of(shape, [&](std::size_t row, std::size_t col, std::size_t k) {
      const double u = static_cast<double>(row);
      const double v = static_cast<double>(col);
      double share = 0;  // black
      if (name == "constant") share = 0.4;
      if (name == "ramp") share = 0.05 + 0.009 * u + 0.02 * v;
      if (name == "waves") share = 0.45 + 0.2 * std::sin(u / 4 + v / 7) + 0.15 * std::cos(v / 3);
      if (name == "blocks") share = (row / 8 + col / 8) % 2 == 0 ? 0.05 : 0.95;
      if (name == "noise") return noise.view().sample(row, col, k);
      return static_cast<std::uint16_t>(share * top);
    });
    const NullModel null = ssim_null(plain.view());
    // Ramps and waves tell the parts of the variance apart: products of samples are 9 % there.
    const bool telling = name == "ramp" || name == "waves";
    const int images = ICB_SANITIZED ? 200 : telling ? 20000 : 6000;
    std::mt19937_64 engine(test_seed() + 9);
    OwnedImage cipher(shape);
    double sum = 0;
    double squares = 0;
    double fourth = 0;
    Simulation simulation;
    for (int i = 0; i < images; ++i) {
      fill_random(cipher, engine);
      const double value = ssim(plain.view(), cipher.view());
      const double z = (value - null.mean) / null.sd;
      sum += z / images;
      squares += z * z / images;
      fourth += z * z * z * z / images;
      simulation.add(value, two_sided_normal_p(z).value());
    }
    EXPECT_NEAR(sum, 0, bias + 4.5 / std::sqrt(images));
    const double error = std::sqrt((fourth / (squares * squares) - 1) / images) / 2;
    EXPECT_NEAR(std::sqrt(squares), 1, 4.5 * error + (bias > 0.01 ? 0.05 : 0.004));
    simulation.expect_rejections(std::min(slack, 0.99), slack >= 1);
  }
}

}  // namespace
}  // namespace icb::testing
