/// npcr, npcr_pixels, bit_change_rate and plain_cipher_npcr: shares with a binomial law.
#include "metrics/changed_share.hpp"

#include <cmath>

#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

Measurement last(const char* metric, const OwnedImage& a, const OwnedImage& b) {
  return measure(metric, {a.view(), b.view(), 0, 0, b.view()}).back();
}

TEST(ChangedShare, ByHand) {
  const OwnedImage a({1, 2, 2}, {0, 1, 2, 3});
  const OwnedImage b({1, 2, 2}, {0, 2, 2, 3});
  EXPECT_EQ(last("npcr", a, b).value, 0.25);
  EXPECT_EQ(last("plain_cipher_npcr", a, b).value, 0.25);
  EXPECT_EQ(last("npcr_pixels", a, b).value, 0.5);
  EXPECT_EQ(last("npcr_pixels", a, b).n, 2U);
  EXPECT_EQ(last("bit_change_rate", a, b).value, 2.0 / 32);  // 01 and 10
  EXPECT_EQ(last("bit_change_rate", a, b).n, 32U);
  EXPECT_EQ(measure("npcr", {.image = a.view(), .second = b.view()}).at(1).value, 0.5);
}

TEST(ChangedShare, ExactTails) {
  // 3 things, each unchanged with probability 1/4: P(X = 0..3) = 27, 27, 9, 1 of 64.
  EXPECT_DOUBLE_EQ(*changed_share("q", "all", 3, 0, 0.25).p_value, 2 / 64.0);
  EXPECT_DOUBLE_EQ(*changed_share("q", "all", 3, 1, 0.25).p_value, 20 / 64.0);
  EXPECT_EQ(changed_share("q", "all", 3, 2, 0.25).p_value, 1.0);  // 2 min(54, 37) / 64
  EXPECT_DOUBLE_EQ(*changed_share("q", "all", 3, 3, 0.25).p_value, 54 / 64.0);
}

TEST(ChangedShare, CriticalValuesOfWuNoonanAgaian) {
  // One-sided, as in the literature: 99.5893, 99.5810, 99.5717 % for 512 x 512.
  const NullModel large = changed_share_null(512 * 512, 1 / 256.0);
  const NullModel small = changed_share_null(256 * 256, 1 / 256.0);
  for (const auto& [alpha, percent_512, percent_256] :
       {std::tuple{0.05, 99.5893, 99.5693}, {0.01, 99.5810, 99.5527}, {0.001, 99.5717, 99.5341}}) {
    const double z = normal_quantile(1 - alpha);
    EXPECT_NEAR(100 * (large.mean - z * large.sd), percent_512, 5e-5);
    EXPECT_NEAR(100 * (small.mean - z * small.sd), percent_256, 5e-5);
  }
}

TEST(ChangedShare, MeansAndSdsAreThoseOfTheLiterature) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}}) {
    const Shape shape{20, 30, 3, bytes};
    const OwnedImage a = random_image(shape, 1);
    const OwnedImage b = random_image(shape, 2);
    const double f = bytes == 1 ? 255 : 65535;
    const double n = 1800;
    for (const char* metric : {"npcr", "plain_cipher_npcr"}) {
      EXPECT_DOUBLE_EQ(*last(metric, a, b).expected, f / (f + 1));
      EXPECT_DOUBLE_EQ(*last(metric, a, b).sd, std::sqrt(f / ((f + 1) * (f + 1) * n)));
    }
    EXPECT_DOUBLE_EQ(*last("npcr_pixels", a, b).expected, 1 - std::pow(f + 1, -3));
    EXPECT_DOUBLE_EQ(*last("bit_change_rate", a, b).sd,
                     0.5 / std::sqrt(n * 8 * static_cast<double>(bytes)));
  }
}

TEST(ChangedShare, BothSidesAreFlagged) {
  for (const Shape& shape : {Shape{64, 64, 3}, Shape{64, 64, 4, 2}}) {
    const OwnedImage image = random_image(shape, 3);
    for (const char* metric : {"npcr", "npcr_pixels", "bit_change_rate", "plain_cipher_npcr"}) {
      const Measurement same = last(metric, image, image);
      EXPECT_EQ(same.value, 0.0);
      EXPECT_LT(*same.p_value, 1e-300);
      EXPECT_EQ(same.detail, "lower side: fewer changed than by chance");
    }
  }
  const OwnedImage image = random_image({64, 64, 3}, 4);
  OwnedImage changed = image;
  for (auto& byte : changed.view().bytes()) byte = static_cast<std::uint8_t>(~byte);
  for (const char* metric : {"npcr", "bit_change_rate", "plain_cipher_npcr"}) {
    const Measurement all = last(metric, image, changed);
    EXPECT_EQ(all.value, 1.0);
    EXPECT_LT(*all.p_value, 1e-18) << metric;  // 2 (255/256)^12288 = 2.6e-21
    EXPECT_EQ(all.detail, "upper side: more changed than by chance");
  }
  // With few samples none unchanged is no surprise.
  EXPECT_EQ(last("npcr_pixels", image, changed).detail, "");
}

TEST(ChangedShare, PixelsOfGrayImagesAreSamples) {
  const OwnedImage image = random_image({4, 4}, 5);
  const Measurement m = last("npcr_pixels", image, image);
  EXPECT_EQ(m.status, Status::not_applicable);
  EXPECT_EQ(m.detail, "one channel: the same as npcr");
}

TEST(ChangedShare, SimulationFindsMeanSdAndRejections) {
  struct Case {
    const char* metric;
    Shape shape;
    int images;
  };

  for (const auto& [metric, shape, images] :
       {Case{"npcr", {40, 40}, 20000}, Case{"npcr", {13, 9, 3}, 20000},
        Case{"plain_cipher_npcr", {24, 40}, 20000}, Case{"npcr_pixels", {128, 256, 2}, 200},
        Case{"bit_change_rate", {16, 16}, 40000}, Case{"bit_change_rate", {8, 8, 1, 2}, 40000}}) {
    SCOPED_TRACE(std::string(metric) + " " + to_string(shape));
    std::mt19937_64 engine(test_seed() + 5);
    const OwnedImage plain = image_of(shape, [](std::size_t row, std::size_t col, std::size_t k) {
      return static_cast<std::uint16_t>(3 * row + col + k);
    });
    OwnedImage a = plain;
    OwnedImage b(shape);
    Simulation simulation;
    Measurement m;
    for (int i = 0; i < images; ++i) {
      if (find<MetricEntry>(metric).needs == Needs::second) fill_random(a, engine);
      fill_random(b, engine);
      m = last(metric, b, a);
      simulation.add(*m.value, *m.p_value);
    }
    simulation.expect_moments(*m.expected, *m.sd);
    simulation.expect_rejections(0, true);  // a discrete law: fewer is right
  }
}

}  // namespace
}  // namespace icb::testing
