#include <algorithm>
#include <cmath>
#include <set>

#include "core/hash.hpp"
#include "files.hpp"

namespace icb {
namespace {

// A changed value here changes every published number of the smoke set.
constexpr std::pair<const char*, const char*> pinned[] = {
    {"texture-512-rgb", "0102de903613d72037d84b025ff7998e7e77b1ed3a198a1375b22d812e8e2f9c"},
    {"texture-512-gray", "6dd105a680d2004811a258e700ea4d9bcc9839769b1185ca7933bb8ff137a109"},
    {"scene-512-rgb", "3ec83955c4b4cb7d6bca6bae8954569101263f6d97bc55b04a1ce0dfa84792f8"},
    {"scene-512-gray", "d107e0f03e535a0864c2339aabe56222634f33521b0018545ad4519dad8b62a5"},
    {"scene-256-rgb", "d1690aa251e176707e9533c408377bc432b1b31065e06068b67ad8fba4b159b7"},
    {"scene-256-gray", "93145a4b0627215165fd5055291fab8fecb1fcaf7d7e25c7bf3fb2411c4fe480"},
    {"gradient-256-rgb", "895f7e63c11cc77d76d09626366c778a8baa59face824944b175d0150883d97f"},
    {"gradient-512-gray", "000e44db87846f8645a2955d3d1e31f2447bf8f7dd69f4ab4e45978a3433f24f"},
    {"text-256-gray", "e69be95210a0999bb0f6b4675c720f3855dba7a7442af5a6783480f35c73c8cd"},
    {"medical-256-gray", "d5cdcb8f5ca06d94c94596b56e0fe3f8b6180e92bd28c5fd1d9c2accbb26faf4"},
    {"medical-256-gray16", "e2c6f3f168ad3250218d0dde3fa95136e8f305909d8806d9be1e93ab62521e2f"},
    {"texture-256-rgb16", "3b65b267598362412daeca7919546f5043e49837b95b08b11ccf8aa722ce008d"},
    {"scene-1200x110-rgb", "02071375120dc523b54964c0791c2c7b82f598c8ba4cba1b0a4f4012479628b6"},
    {"scene-127x255-rgb", "6f120427aa8c2a3b62c9d60f0bda910d86c4b8141f5a8f72eb5f0004e5977ba9"},
    {"texture-33x65-gray", "c6ccb850c871ed94127e58cfd26d5a977d54f7bd6947469618b6ffc7cd30b728"},
    {"scene-64-rgba", "3ee51ade2d05890e3885fdd624bc03dcbd8a1991088f01a01ca55061b6351cc8"},
    {"texture-64-gray-alpha", "ba78c01cd06fd30b203a9ac80bd646aa42772a2e9dde20d39cd7b321dcd5ffae"},
    {"texture-7x1-gray", "aa0c89d39f915bee31ee8c3e73d525af151863b22ff0c4f3ec95c6bb688fe9eb"},
    {"pixel-1x1-gray", "5e37305c587caf07e99a08e1efd0749fd3bbbb855752e4d568ac2dbfc2025464"},
    {"pixel-1x1-rgb", "435d28adead46d29559c3f09f0166f130ff490c89e79d647e15f865f9aae8303"},
};

TEST(Smoke, SameBytesOnEveryMachine) {
  ASSERT_EQ(smoke_set().images.size(), std::size(pinned));
  for (std::size_t i = 0; i < std::size(pinned); ++i) {
    const ImageRef& image = smoke_set().images[i];
    EXPECT_EQ(image.name, pinned[i].first);
    const cv::Mat pixels = image.load();
    EXPECT_EQ(view_of(pixels).shape(), image.shape) << image.name;
    EXPECT_EQ(to_hex(sha256(view_of(pixels).bytes())), pinned[i].second) << image.name;
    EXPECT_EQ(image.sha256, pinned[i].second) << image.name;
  }
}

TEST(Smoke, CoversTheShapesThatMatter) {
  EXPECT_TRUE(smoke_set().generated);
  EXPECT_EQ(smoke_set().name, "smoke");
  std::set<std::string> names;
  std::set<std::size_t> channels;
  std::set<std::pair<std::size_t, std::size_t>> sizes;
  bool deep = false;
  for (const auto& image : smoke_set().images) {
    EXPECT_TRUE(names.insert(image.name).second) << image.name;
    EXPECT_FALSE(image.description.empty());
    channels.insert(image.shape.channels);
    sizes.insert({image.shape.rows, image.shape.cols});
    deep = deep || image.shape.sample_bytes == 2;
  }
  EXPECT_EQ(channels, (std::set<std::size_t>{1, 2, 3, 4}));
  EXPECT_TRUE(deep);
  for (const auto& size : {std::pair<std::size_t, std::size_t>{256, 256},
                           {512, 512},
                           {110, 1200},
                           {1, 1},
                           {1, 7},
                           {65, 33},
                           {255, 127}}) {
    EXPECT_TRUE(sizes.contains(size)) << size.first << " x " << size.second;
  }
}

/// Pearson's coefficient of the samples of channel `a` with those of channel `b` at an offset.
double correlation(ConstImage image, std::size_t a, std::size_t b, std::size_t down,
                   std::size_t right) {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t row = 0; row + down < image.shape().rows; ++row) {
    for (std::size_t col = 0; col + right < image.shape().cols; ++col) {
      const double p = image.sample(row, col, a);
      const double q = image.sample(row + down, col + right, b);
      ++n;
      x += p;
      y += q;
      xx += p * p;
      yy += q * q;
      xy += p * q;
    }
  }
  return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y));
}

TEST(Smoke, LargeImagesAreCorrelatedLikePhotographs) {
  for (const char* name :
       {"texture-512-rgb", "texture-512-gray", "scene-512-rgb", "scene-512-gray"}) {
    const cv::Mat pixels = find_image(smoke_set(), name).load();
    const ConstImage image = view_of(pixels);
    for (std::size_t c = 0; c < image.shape().channels; ++c) {
      for (const auto& [down, right] : {std::pair{0U, 1U}, std::pair{1U, 0U}, std::pair{1U, 1U}}) {
        const double r = correlation(image, c, c, down, right);
        EXPECT_GT(r, 0.85) << name << " channel " << c;
        EXPECT_LT(r, 0.992) << name << " channel " << c;
      }
      if (image.shape().channels == 3) {
        EXPECT_GT(correlation(image, c, (c + 1) % 3, 0, 0), 0.45) << name << " channel " << c;
      }
    }
  }
}

TEST(Smoke, MedicalImagesAreSparse) {
  for (const char* name : {"medical-256-gray", "medical-256-gray16"}) {
    const cv::Mat pixels = find_image(smoke_set(), name).load();
    const ConstImage image = view_of(pixels);
    std::size_t black = 0;
    for (std::size_t row = 0; row < 256; ++row) {
      for (std::size_t col = 0; col < 256; ++col) black += image.sample(row, col, 0) == 0 ? 1U : 0U;
    }
    EXPECT_GT(black, 256U * 256U / 2) << name;
    EXPECT_LT(black, 256U * 256U * 3 / 4) << name;
  }
}

TEST(Smoke, EverySampleValueRangeIsUsed) {
  const cv::Mat pixels = find_image(smoke_set(), "texture-256-rgb16").load();
  std::set<unsigned> low;  // the lower byte of 16-bit samples carries something
  for (std::size_t i = 0; i < 2000; ++i) low.insert(view_of(pixels).bytes()[2 * i]);
  EXPECT_GT(low.size(), 200U);
}

TEST(Smoke, UnknownNameIsAUsageError) {
  try {
    find_image(smoke_set(), "lena");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr(
                    "unknown image \"lena\" in set \"smoke\"; expected one of: texture-512-rgb"));
  }
}

}  // namespace
}  // namespace icb
