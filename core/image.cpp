#include "core/image.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/memory.hpp"

namespace icb {
namespace {

void check(const Shape& shape, std::size_t bytes) {
  if (shape.channels < 1 || shape.channels > 4) {
    throw std::invalid_argument(
        fmt::format("image must have 1 to 4 channels, got {}", shape.channels));
  }
  if (shape.sample_bytes != 1 && shape.sample_bytes != 2) {
    throw std::invalid_argument(
        fmt::format("image must have 1 or 2 bytes a sample, got {}", shape.sample_bytes));
  }
  if (shape.rows == 0 || shape.cols == 0) {
    throw std::invalid_argument(fmt::format("image is empty: {}", to_string(shape)));
  }
  // Divided step by step: a product of hostile sides could wrap around.
  std::size_t left = bytes;
  bool fits = true;
  for (const std::size_t factor : {shape.rows, shape.cols, shape.pixel_bytes()}) {
    fits = fits && left % factor == 0;
    left /= factor;
  }
  if (!fits || left != 1) {
    throw std::invalid_argument(
        fmt::format("image of {} needs {} bytes, got {}", to_string(shape), shape.bytes(), bytes));
  }
}

}  // namespace

std::string to_string(const Shape& shape) {
  return fmt::format("{} x {} x {}, {} bit", shape.rows, shape.cols, shape.channels,
                     shape.depth_bits());
}

ConstImage::ConstImage(Shape shape, ConstBytes bytes) : m_shape(shape), m_bytes(bytes) {
  check(shape, bytes.size());
}

Image::Image(Shape shape, MutableBytes bytes) : m_shape(shape), m_bytes(bytes) {
  check(shape, bytes.size());
}

OwnedImage::OwnedImage(Shape shape) : m_shape(shape) {
  m_bytes.reserve(shape.bytes());
  prefer_huge_pages(m_bytes.data(), shape.bytes());
  m_bytes.resize(shape.bytes());
}

OwnedImage::OwnedImage(Shape shape, Bytes bytes) : m_shape(shape), m_bytes(std::move(bytes)) {
  check(m_shape, m_bytes.size());
}

std::string channel_name(const Shape& shape, std::size_t channel) {
  static constexpr const char* gray[] = {"gray", "alpha"};
  static constexpr const char* colour[] = {"b", "g", "r", "alpha"};
  return shape.channels <= 2 ? gray[channel] : colour[channel];
}

}  // namespace icb
