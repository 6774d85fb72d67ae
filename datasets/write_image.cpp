/// TIFF and PNM for writing: a header made by hand and plain samples.

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include "datasets/dataset.hpp"

namespace icb {
namespace {

std::string little_endian(std::size_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

// Samples in the order of the file: red first, 16 bit with the byte order asked for.
void append_samples(std::string& out, ConstImage image, bool most_significant_first) {
  const Shape& shape = image.shape();
  const ConstBytes bytes = image.bytes();
  const std::size_t size = shape.sample_bytes;
  const std::size_t flip = size == 2 && most_significant_first ? 1 : 0;
  out.reserve(out.size() + bytes.size());
  for (std::size_t i = 0; i < shape.samples(); ++i) {
    const std::size_t channel = i % shape.channels;
    const bool colour = shape.channels >= 3 && channel < 3;
    const std::size_t from = size * (colour ? i + 2 - 2 * channel : i);
    for (std::size_t k = 0; k < size; ++k) out += static_cast<char>(bytes[from + (k ^ flip)]);
  }
}

}  // namespace

std::string encode_tiff(ConstImage image) {
  struct Tag {
    std::size_t number;
    std::size_t type;  // 3: 16 bit, 4: 32 bit
    std::size_t count;
    std::size_t value;
  };

  constexpr std::size_t header_bytes = 8;
  const Shape& shape = image.shape();
  const bool alpha = shape.channels % 2 == 0;
  const std::size_t entries = alpha ? 11 : 10;
  const std::size_t bits_at = header_bytes + 2 + 12 * entries + 4;
  const std::size_t bits = 8 * shape.sample_bytes;
  const bool many_bits = shape.channels > 2;  // more than fit into the entry
  const std::size_t pixels_at = bits_at + (many_bits ? 2 * shape.channels : 0);
  const std::size_t bits_value = many_bits             ? bits_at
                                 : shape.channels == 2 ? bits | (bits << 16)
                                                       : bits;
  const std::array<Tag, 11> tags{{
      {256, 4, 1, shape.cols},
      {257, 4, 1, shape.rows},
      {258, 3, shape.channels, bits_value},
      {259, 3, 1, 1},                             // not compressed
      {262, 3, 1, shape.channels < 3 ? 1U : 2U},  // black is zero, or RGB
      {273, 4, 1, pixels_at},                     // the strip
      {277, 3, 1, shape.channels},
      {278, 4, 1, shape.rows},
      {279, 4, 1, shape.bytes()},
      {284, 3, 1, 1},  // interleaved
      {338, 3, 1, 2},  // unassociated alpha
  }};
  std::string out = "II" + little_endian(42, 2) + little_endian(header_bytes, 4);
  out += little_endian(entries, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    out += little_endian(tags[i].number, 2) + little_endian(tags[i].type, 2) +
           little_endian(tags[i].count, 4) + little_endian(tags[i].value, 4);
  }
  out += little_endian(0, 4);
  for (std::size_t i = 0; many_bits && i < shape.channels; ++i) out += little_endian(bits, 2);
  append_samples(out, image, false);
  return out;
}

std::string encode_pnm(ConstImage image) {
  const Shape& shape = image.shape();
  if (shape.channels != 1 && shape.channels != 3) {
    throw std::invalid_argument(
        fmt::format("PNM holds 1 or 3 channels, the image has {}", shape.channels));
  }
  std::string out = fmt::format("P{}\n{} {}\n{}\n", shape.channels == 1 ? 5 : 6, shape.cols,
                                shape.rows, shape.sample_bytes == 1 ? 255 : 65535);
  append_samples(out, image, true);
  return out;
}

}  // namespace icb
