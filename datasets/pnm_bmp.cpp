/// PNM and BMP: a header and plain samples.

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "datasets/codec.hpp"

namespace icb::codec {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A decimal number of the header after white space and comments; `at` moves behind it.
std::size_t next_number(std::string_view content, std::size_t& at, const std::string& name) {
  while (at < content.size() && (is_space(content[at]) || content[at] == '#')) {
    if (content[at] == '#') {
      while (at < content.size() && content[at] != '\n') ++at;
    } else {
      ++at;
    }
  }
  if (at == content.size()) {
    refuse(name, fmt::format("truncated: PNM header ends after {} bytes", content.size()));
  }
  const std::size_t first = at;
  std::size_t value = 0;
  for (; at < content.size() && content[at] >= '0' && content[at] <= '9'; ++at) {
    if (at - first >= 10) refuse(name, "damaged PNM: a number of more than 10 digits");
    value = 10 * value + static_cast<std::size_t>(content[at] - '0');
  }
  if (at == first) {
    refuse(name, fmt::format("damaged PNM: expected a number at byte {} of the header", at));
  }
  return value;
}

// Samples written as decimal numbers between white space (P2, P3), from `at` on.
void read_text_samples(std::string_view content, std::size_t at, std::size_t maximum,
                       std::size_t samples, std::size_t channels, std::uint8_t* out,
                       const std::string& name) {
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t value = next_number(content, at, name);
    if (value > maximum) {
      refuse(name, fmt::format("damaged PNM: sample {} is above the maximum {}", value, maximum));
    }
    if (at < content.size() && !is_space(content[at]) && content[at] != '#') {
      refuse(name, fmt::format("damaged PNM: expected white space at byte {}", at));
    }
    const std::size_t to = channels == 1 ? i : i + 2 - 2 * (i % 3);
    if (maximum == 255) {
      out[to] = static_cast<std::uint8_t>(value);
    } else {
      out[2 * to] = static_cast<std::uint8_t>(value & 0xFF);
      out[2 * to + 1] = static_cast<std::uint8_t>(value >> 8);
    }
  }
  while (at < content.size() && is_space(content[at])) ++at;
  if (at != content.size()) {
    refuse(name, fmt::format("PNM with {} bytes after the pixels; expected a single image",
                             content.size() - at));
  }
}

std::uint32_t little_endian(std::string_view content, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(content[at + i]);
  }
  return value;
}

void check_gray_ramp(std::string_view palette, std::size_t entries, const std::string& name) {
  bool ramp = entries == 256;
  for (std::size_t i = 0; ramp && i < entries; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      ramp = ramp && static_cast<unsigned char>(palette[4 * i + c]) == i;
    }
  }
  if (!ramp) {
    refuse(name,
           fmt::format("BMP with a palette of {} colours; expected the gray ramp 0 to 255, 24 "
                       "or 32 bit",
                       entries));
  }
}

}  // namespace

cv::Mat decode_pnm(std::string_view content, const std::string& name,
                   std::vector<std::string>* dropped) {
  const char kind = content[1];
  if (kind == '1' || kind == '4') refuse(name, "PBM of 1 bit; expected 8 or 16 bit (P5 or P6)");
  if (kind == '7') refuse(name, "PAM (P7); expected PGM (P5) or PPM (P6)");
  std::size_t at = 2;
  if (at < content.size() && !is_space(content[at]) && content[at] != '#') {
    refuse(name, "not an image: \"P\" and a digit, but no PNM header");
  }
  const std::size_t width = next_number(content, at, name);
  const std::size_t height = next_number(content, at, name);
  const std::size_t maximum = next_number(content, at, name);
  if (at == content.size()) {
    refuse(name, fmt::format("truncated: PNM header ends after {} bytes", content.size()));
  }
  if (!is_space(content[at])) refuse(name, "damaged PNM: no white space after the maximum");
  ++at;
  if (maximum != 255 && maximum != 65535) {
    refuse(name, fmt::format("PNM with a maximum of {}; expected 255 (8 bit) or 65535 (16 bit)",
                             maximum));
  }
  if (dropped != nullptr && content.substr(0, at).find('#') != std::string_view::npos) {
    dropped->emplace_back("comment");
  }
  const bool text = kind == '2' || kind == '3';
  const std::size_t channels = kind == '2' || kind == '5' ? 1 : 3;
  const std::size_t sample_bytes = maximum == 255 ? 1 : 2;
  check_dimensions(name, width, height, channels, sample_bytes);
  const std::size_t samples = width * height * channels;
  const std::size_t bytes = samples * sample_bytes;
  if (text) {
    check_enough(name, content.size() - at, samples, 1);
    cv::Mat image = allocate(name, width, height, channels, sample_bytes);
    read_text_samples(content, at, maximum, samples, channels, image.data, name);
    return image;
  }
  if (content.size() - at < bytes) {
    refuse(name,
           fmt::format("truncated: {} x {} x {}, {} bit needs {} bytes of pixels, found {}", width,
                       height, channels, 8 * sample_bytes, bytes, content.size() - at));
  }
  for (const char c : content.substr(at + bytes)) {
    if (!is_space(c)) {
      refuse(name, fmt::format("PNM with {} bytes after the pixels; expected a single image",
                               content.size() - at - bytes));
    }
  }
  cv::Mat image = allocate(name, width, height, channels, sample_bytes);
  const char* in = content.data() + at;
  std::uint8_t* out = image.data;
  for (std::size_t i = 0; i < samples; ++i) {
    // Red and blue change places.
    const std::size_t to = channels == 1 ? i : i + 2 - 2 * (i % 3);
    if (sample_bytes == 1) {
      out[to] = static_cast<std::uint8_t>(in[i]);
    } else {  // most significant byte first in the file
      out[2 * to] = static_cast<std::uint8_t>(in[2 * i + 1]);
      out[2 * to + 1] = static_cast<std::uint8_t>(in[2 * i]);
    }
  }
  return image;
}

cv::Mat decode_bmp(std::string_view content, const std::string& name,
                   std::vector<std::string>* dropped) {
  constexpr std::size_t file_header = 14;
  constexpr std::size_t info_header = 40;
  if (content.size() < file_header + info_header) {
    refuse(name, fmt::format("truncated: BMP headers need {} bytes, found {}",
                             file_header + info_header, content.size()));
  }
  const std::size_t offset = little_endian(content, 10, 4);
  const std::size_t header = little_endian(content, 14, 4);
  if (header < info_header || header > 124) {
    refuse(name, fmt::format("BMP with a header of {} bytes; expected 40 to 124", header));
  }
  const std::size_t width = little_endian(content, 18, 4);
  const auto signed_height = static_cast<std::int32_t>(little_endian(content, 22, 4));
  const bool top_down = signed_height < 0;
  const auto height = static_cast<std::size_t>(top_down ? -std::int64_t{signed_height}
                                                        : std::int64_t{signed_height});
  const std::uint32_t bits = little_endian(content, 28, 2);
  const std::uint32_t compression = little_endian(content, 30, 4);
  if (bits != 8 && bits != 24 && bits != 32) {
    refuse(name, fmt::format("BMP of {} bit a pixel; expected 8 (gray), 24 or 32", bits));
  }
  constexpr std::uint32_t bit_fields = 3;
  if (compression != 0 && !(compression == bit_fields && bits == 32)) {
    refuse(name, fmt::format("BMP with compression {}; expected none (0)", compression));
  }
  const std::size_t channels = bits / 8;
  check_dimensions(name, width, height, channels, 1);
  std::size_t least_offset = file_header + header;
  const std::size_t colours = little_endian(content, 46, 4);
  const std::size_t entries = bits != 8 ? 0 : colours == 0 ? 256 : colours;
  if (entries > 256) refuse(name, fmt::format("damaged BMP: a palette of {} colours", entries));
  if (compression == bit_fields && header == info_header) least_offset += 12;
  least_offset += 4 * entries;
  if (offset < least_offset) {
    refuse(name, fmt::format("damaged BMP: pixels at byte {}, expected {} or later", offset,
                             least_offset));
  }
  const std::size_t row_bytes = width * channels;
  const std::size_t stride = (row_bytes + 3) / 4 * 4;
  if (content.size() < offset || content.size() - offset < stride * height) {
    refuse(name, fmt::format("truncated: {} x {}, {} bit a pixel needs {} bytes, found {}", width,
                             height, bits, offset + stride * height, content.size()));
  }
  if (bits == 8) check_gray_ramp(content.substr(file_header + header), entries, name);
  if (compression == bit_fields) {
    const std::uint32_t red = little_endian(content, 54, 4);
    const std::uint32_t green = little_endian(content, 58, 4);
    const std::uint32_t blue = little_endian(content, 62, 4);
    if (red != 0xFF0000 || green != 0xFF00 || blue != 0xFF) {
      refuse(name,
             fmt::format("BMP with bit masks {:08x} {:08x} {:08x}; expected 00ff0000 0000ff00 "
                         "000000ff",
                         red, green, blue));
    }
  }
  if (dropped != nullptr) {
    const bool resolution =
        little_endian(content, 38, 4) != 0 || little_endian(content, 42, 4) != 0;
    if (resolution) dropped->emplace_back("resolution");
    if (header >= 108) dropped->emplace_back("colour space");
  }
  cv::Mat image = allocate(name, width, height, channels, 1);
  for (std::size_t row = 0; row < height; ++row) {
    const std::size_t from = top_down ? row : height - 1 - row;
    std::memcpy(image.data + row * row_bytes, content.data() + offset + from * stride, row_bytes);
  }
  return image;
}

}  // namespace icb::codec
