#include "core/image.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace icb {
namespace {

TEST(Shape, Counts) {
  const Shape shape{.rows = 5, .cols = 7, .channels = 3, .sample_bytes = 2};
  EXPECT_EQ(shape.pixels(), 35U);
  EXPECT_EQ(shape.samples(), 105U);
  EXPECT_EQ(shape.bytes(), 210U);
  EXPECT_EQ(shape.pixel_bytes(), 6U);
  EXPECT_EQ(shape.depth_bits(), 16);
  EXPECT_EQ(to_string(shape), "5 x 7 x 3, 16 bit");
}

TEST(Image, GoodShapesAreAccepted) {
  for (std::size_t channels = 1; channels <= 4; ++channels) {
    for (std::size_t depth = 1; depth <= 2; ++depth) {
      const Shape shape{1, 1, channels, depth};
      Bytes bytes(shape.bytes());
      EXPECT_NO_THROW(ConstImage(shape, bytes));
      EXPECT_NO_THROW(Image(shape, bytes));
      EXPECT_NO_THROW(OwnedImage(shape, bytes));
    }
  }
}

struct BadShape {
  Shape shape;
  std::size_t bytes;
  std::string_view says;
};

void expect_refused(const BadShape& bad) {
  Bytes bytes(bad.bytes);
  const auto expect = [&](const char* what, auto make) {
    try {
      make();
      ADD_FAILURE() << what << " accepted " << to_string(bad.shape) << " of " << bad.bytes;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(bad.says), std::string::npos) << error.what();
    }
  };
  expect("ConstImage", [&] { ConstImage(bad.shape, ConstBytes{bytes}); });
  expect("Image", [&] { Image(bad.shape, MutableBytes{bytes}); });
  expect("OwnedImage", [&] { OwnedImage(bad.shape, bytes); });
}

TEST(Image, BadShapesAreRefused) {
  const std::vector<BadShape> all{
      {{2, 3, 0, 1}, 0, "channels"}, {{2, 3, 5, 1}, 30, "channels"}, {{2, 3, 1, 0}, 0, "1 or 2"},
      {{2, 3, 1, 3}, 18, "1 or 2"},  {{2, 3, 1, 4}, 24, "1 or 2"},   {{0, 3, 1, 1}, 0, "empty"},
      {{2, 0, 1, 1}, 0, "empty"},    {{0, 0, 1, 1}, 0, "empty"},     {{2, 3, 1, 1}, 5, "needs 6"},
      {{2, 3, 1, 1}, 7, "needs 6"},  {{2, 3, 1, 1}, 0, "needs 6"},   {{2, 3, 1, 2}, 6, "needs 12"},
      {{2, 3, 3, 1}, 6, "needs 18"},
  };
  for (const BadShape& bad : all) expect_refused(bad);
}

// The product of the sides wraps to the 0 bytes that are there.
TEST(Image, ShapesWhoseSizeOverflowsAreRefused) {
  const std::size_t half = std::size_t{1} << 32;
  expect_refused({{half, half, 1, 1}, 0, ""});
  expect_refused({{half, half / 2, 2, 1}, 0, ""});
}

TEST(Image, AFreshImageIsZero) {
  OwnedImage image({3, 4, 2, 2});
  EXPECT_EQ(image.bytes().size(), 48U);
  for (const std::uint8_t byte : image.bytes()) EXPECT_EQ(byte, 0);
}

TEST(Image, SamplesAreRowMajorInterleavedLittleEndian) {
  OwnedImage narrow({2, 3, 2, 1});
  narrow.view().set_sample(1, 2, 1, 0xAB);
  EXPECT_EQ(narrow.bytes()[11], 0xAB);
  narrow.view().set_sample(0, 1, 0, 0x12);
  EXPECT_EQ(narrow.bytes()[2], 0x12);
  OwnedImage wide({2, 3, 2, 2});
  wide.view().set_sample(0, 1, 1, 0xABCD);
  EXPECT_EQ(wide.bytes()[6], 0xCD);
  EXPECT_EQ(wide.bytes()[7], 0xAB);
  EXPECT_EQ(std::as_const(wide).view().sample(0, 1, 1), 0xABCD);
}

TEST(Image, EverySampleReadsBack) {
  for (std::size_t channels = 1; channels <= 4; ++channels) {
    for (std::size_t depth = 1; depth <= 2; ++depth) {
      OwnedImage image({3, 5, channels, depth});
      std::uint16_t next = 1;
      const auto each = [&](auto visit) {
        next = 1;
        for (std::size_t i = 0; i < 3; ++i) {
          for (std::size_t j = 0; j < 5; ++j) {
            for (std::size_t c = 0; c < channels; ++c) {
              next = static_cast<std::uint16_t>(depth == 1 ? next + 1 : next * 331 + 7);
              visit(i, j, c);
            }
          }
        }
      };
      each([&](auto i, auto j, auto c) { image.view().set_sample(i, j, c, next); });
      const ConstImage view = image.view();
      each([&](auto i, auto j, auto c) { EXPECT_EQ(view.sample(i, j, c), next); });
    }
  }
}

TEST(Image, ChannelNames) {
  const auto names = [](std::size_t channels) {
    std::string out;
    for (std::size_t c = 0; c < channels; ++c) out += channel_name({1, 1, channels, 1}, c) + " ";
    return out;
  };
  EXPECT_EQ(names(1), "gray ");
  EXPECT_EQ(names(2), "gray alpha ");
  EXPECT_EQ(names(3), "b g r ");
  EXPECT_EQ(names(4), "b g r alpha ");
}

}  // namespace
}  // namespace icb
