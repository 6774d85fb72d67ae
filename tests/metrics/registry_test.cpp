/// Every registered metric, on every shape.
#include <cmath>

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(MetricRegistry, HoldsTheMetricsOfThisFolder) {
  for (const char* name :
       {"bit_change_rate", "chi_square", "correlation_diagonal", "correlation_horizontal",
        "correlation_vertical", "encryption_quality", "entropy", "irregular_deviation", "mae",
        "maximum_deviation", "mse", "npcr", "npcr_pixels", "plain_cipher_correlation",
        "plain_cipher_npcr", "psnr", "ssim", "uaci"}) {
    EXPECT_EQ(find<MetricEntry>(name).name, name);
  }
}

TEST(MetricRegistry, EntriesSayWhatTheyAre) {
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    EXPECT_EQ(name, metric.name);
    EXPECT_FALSE(metric.unit.empty()) << name;
    for (const std::string& text : {metric.source, metric.formula, metric.expected, metric.sd}) {
      EXPECT_FALSE(text.empty()) << name;
    }
    EXPECT_TRUE(metric.compute) << name;
  }
}

void expect_sound(const Measurement& m, const MetricEntry& metric) {
  EXPECT_EQ(m.unit, metric.unit);
  EXPECT_FALSE(m.quantity.empty());
  for (const auto& number : {m.value, m.expected, m.sd, m.z, m.p_value}) {
    if (number) {
      EXPECT_TRUE(std::isfinite(*number));
    }
  }
  if (m.p_value) {
    EXPECT_GE(*m.p_value, 0);
    EXPECT_LE(*m.p_value, 1);
  }
  if (m.status == Status::not_applicable) {
    EXPECT_FALSE(m.value || m.z || m.p_value);
    EXPECT_FALSE(m.detail.empty());
  } else {
    EXPECT_EQ(m.status, Status::ok);
    EXPECT_TRUE(m.value.has_value());
    EXPECT_GT(m.n, 0U);
  }
}

TEST(MetricRegistry, ComputesOnEveryShape) {
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    for (const Shape& shape : awkward_shapes()) {
      for (const std::uint64_t pairs : {0U, 1U, 2U, 3U, 100U}) {
        if (pairs > 0 && metric.needs != Needs::nothing) continue;  // they draw none
        SCOPED_TRACE(name + ", " + to_string(shape) + ", pairs " + std::to_string(pairs));
        const OwnedImage image = random_image(shape, 1);
        const OwnedImage plain = random_image(shape, 2);
        const OwnedImage second = random_image(shape, 6);
        const OwnedImage flat(shape);
        const MetricInput input{image.view(), plain.view(), pairs, 5, second.view()};
        const auto found = metric.compute(input);
        EXPECT_EQ(found, metric.compute(input));  // determinism
        for (const Measurement& m : found) expect_sound(m, metric);
        for (const Measurement& m :
             metric.compute({flat.view(), flat.view(), pairs, 5, flat.view()})) {
          expect_sound(m, metric);
        }
        if (!metric.per_channel) {
          ASSERT_EQ(found.size(), 1U);
          EXPECT_EQ(found.at(0).channel, shape.channels > 1 ? "all" : channel_name(shape, 0));
          continue;
        }
        ASSERT_EQ(found.size(), shape.channels + (shape.channels > 1 ? 1 : 0));
        for (std::size_t c = 0; c < shape.channels; ++c) {
          EXPECT_EQ(found[c].channel, channel_name(shape, c));
        }
        if (shape.channels > 1) {
          EXPECT_EQ(found.back().channel, "all");
        }
      }
    }
  }
}

TEST(MetricRegistry, ChannelsAreThoseOfTheImageAlone) {
  // A channel's finding is that of the same samples as a gray image.
  const OwnedImage image = random_image({23, 19, 3}, 3);
  const OwnedImage plain = random_image({23, 19, 3}, 4);
  const OwnedImage second = random_image({23, 19, 3}, 7);
  for (std::size_t c = 0; c < 3; ++c) {
    const auto pick = [c](const OwnedImage& from) {
      return image_of({23, 19}, [&](std::size_t row, std::size_t col, std::size_t) {
        return from.view().sample(row, col, c);
      });
    };
    const OwnedImage gray = pick(image);
    const OwnedImage gray_plain = pick(plain);
    const OwnedImage gray_second = pick(second);
    for (const auto& [name, metric] : registry<MetricEntry>()) {
      if (!metric.per_channel) continue;
      const MetricInput one{gray.view(), gray_plain.view(), 0, 0, gray_second.view()};
      const MetricInput three{image.view(), plain.view(), 0, 0, second.view()};
      Measurement alone = metric.compute(one).at(0);
      alone.channel = channel_name(image.shape(), c);
      EXPECT_EQ(alone, metric.compute(three).at(c)) << name;
    }
  }
}

TEST(MetricRegistry, MissingImageIsRefused) {
  const OwnedImage image = random_image({4, 4}, 5);
  const OwnedImage other = random_image({4, 5}, 5);
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    if (metric.needs != Needs::nothing) {
      EXPECT_THROW(metric.compute({.image = image.view()}), std::invalid_argument) << name;
      const MetricInput wrong{image.view(), other.view(), 0, 0, other.view()};
      EXPECT_THROW(metric.compute(wrong), std::invalid_argument) << name;
    } else {
      EXPECT_NO_THROW(metric.compute({.image = image.view()})) << name;
    }
  }
}

}  // namespace
}  // namespace icb::testing
