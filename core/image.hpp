/// Views of images: a shape and the bytes, nothing owned. Kernels see these and never a file.
///
/// Layout: row-major, channels interleaved, no padding between rows; a 16-bit sample is two bytes,
/// least significant first. Channel order is the order held (B, G, R, A for colour read by OpenCV).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace icb {

static_assert(std::endian::native == std::endian::little,
              "16-bit samples are viewed as little-endian bytes");

using ConstBytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

/// Rows, columns, channels (1 to 4) and bytes per sample (1 or 2).
struct Shape {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t channels = 1;
  std::size_t sample_bytes = 1;

  std::size_t pixels() const { return rows * cols; }

  std::size_t samples() const { return pixels() * channels; }

  std::size_t bytes() const { return samples() * sample_bytes; }

  std::size_t pixel_bytes() const { return channels * sample_bytes; }

  int depth_bits() const { return static_cast<int>(8 * sample_bytes); }

  friend bool operator==(const Shape&, const Shape&) = default;
};

/// "512 x 512 x 3, 8 bit"
std::string to_string(const Shape& shape);

/// Read-only view. Throws std::invalid_argument if the shape is not 1 to 4 channels of 1 or 2
/// bytes, is empty, or does not match the number of bytes.
class ConstImage {
 public:
  ConstImage(Shape shape, ConstBytes bytes);

  const Shape& shape() const { return m_shape; }

  ConstBytes bytes() const { return m_bytes; }

  /// Sample value, 0 to 255 or 0 to 65535.
  std::uint16_t sample(std::size_t row, std::size_t col, std::size_t channel) const {
    const std::size_t n = (row * m_shape.cols + col) * m_shape.channels + channel;
    if (m_shape.sample_bytes == 1) return m_bytes[n];
    return static_cast<std::uint16_t>(m_bytes[2 * n] | (m_bytes[2 * n + 1] << 8));
  }

 private:
  Shape m_shape;
  ConstBytes m_bytes;
};

/// Writable view, same rules.
class Image {
 public:
  Image(Shape shape, MutableBytes bytes);

  const Shape& shape() const { return m_shape; }

  MutableBytes bytes() const { return m_bytes; }

  operator ConstImage() const { return {m_shape, m_bytes}; }  // NOLINT: a view of a view

  void set_sample(std::size_t row, std::size_t col, std::size_t channel, std::uint16_t value) {
    const std::size_t n = (row * m_shape.cols + col) * m_shape.channels + channel;
    if (m_shape.sample_bytes == 1) {
      m_bytes[n] = static_cast<std::uint8_t>(value);
    } else {
      m_bytes[2 * n] = static_cast<std::uint8_t>(value & 0xFF);
      m_bytes[2 * n + 1] = static_cast<std::uint8_t>(value >> 8);
    }
  }

 private:
  Shape m_shape;
  MutableBytes m_bytes;
};

/// An image that owns its bytes, all zero at first.
class OwnedImage {
 public:
  explicit OwnedImage(Shape shape);

  OwnedImage(Shape shape, Bytes bytes);

  const Shape& shape() const { return m_shape; }

  Image view() { return {m_shape, m_bytes}; }

  ConstImage view() const { return {m_shape, m_bytes}; }

  ConstBytes bytes() const { return m_bytes; }

 private:
  Shape m_shape;
  Bytes m_bytes;
};

/// Name of a channel in measurements: "gray"; "gray", "alpha"; "b", "g", "r"; "b", "g", "r",
/// "alpha".
std::string channel_name(const Shape& shape, std::size_t channel);

}  // namespace icb
