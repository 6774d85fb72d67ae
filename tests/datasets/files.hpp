/// Helpers of the data set tests: a temporary directory, files made by hand, expected refusals.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // mkdtemp

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/image.hpp"
#include "datasets/dataset.hpp"
#include "tests/temporary_directory.hpp"

namespace icb::testing {

/// Every sample different where possible, both bytes of a 16-bit sample in use.
inline OwnedImage counted(std::size_t rows, std::size_t cols, std::size_t channels,
                          std::size_t sample_bytes) {
  OwnedImage image(
      Shape{.rows = rows, .cols = cols, .channels = channels, .sample_bytes = sample_bytes});
  auto bytes = image.view().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(37 * i + 11);
  return image;
}

inline Bytes bytes_of(const cv::Mat& image) {
  const auto bytes = view_of(image).bytes();
  return {bytes.begin(), bytes.end()};
}

inline Bytes bytes_of(const OwnedImage& image) {
  return {image.bytes().begin(), image.bytes().end()};
}

/// The message of the InputError that decoding ends with; "" if it does not.
inline std::string refusal(std::string_view content) {
  try {
    decode_image(content, "file");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Cut at every length, a file must be refused, or (where the cut takes no pixel) read in full.
inline void expect_cuts_are_refused(const std::string& content, const Bytes& pixels,
                                    std::size_t harmless) {
  for (std::size_t length = 0; length < content.size(); ++length) {
    try {
      const cv::Mat image = decode_image(std::string_view(content).substr(0, length), "file");
      EXPECT_EQ(bytes_of(image), pixels) << "cut at " << length << " of " << content.size();
      EXPECT_GE(length + harmless, content.size()) << "cut at " << length << " was read";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("file: ")) << "cut at " << length;
    }
  }
}

/// A number as bytes, least (Intel) or most (Motorola) significant first.
inline std::string number(std::uint64_t value, std::size_t bytes, bool motorola = false) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t shift = 8 * (motorola ? bytes - 1 - i : i);
    out += static_cast<char>((value >> shift) & 0xFF);
  }
  return out;
}

}  // namespace icb::testing
