#include "datasets/png_chunks.hpp"

#include <zlib.h>

#include <algorithm>

namespace icb::png {
namespace {

std::uint32_t checksum(std::string_view type_and_data) {
  return static_cast<std::uint32_t>(crc32_z(
      0, reinterpret_cast<const unsigned char*>(type_and_data.data()), type_and_data.size()));
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

bool Chunk::intact() const {
  return std::all_of(type.begin(), type.end(), is_letter) &&
         checksum(whole.substr(4, 4 + data.size())) == read_number(whole, 8 + data.size());
}

std::optional<Chunk> chunk_at(std::string_view content, std::size_t at) {
  if (at > content.size() || content.size() - at < frame_bytes) return std::nullopt;
  const std::size_t length = read_number(content, at);
  if (content.size() - at - frame_bytes < length) return std::nullopt;
  return Chunk{.type = content.substr(at + 4, 4),
               .data = content.substr(at + 8, length),
               .whole = content.substr(at, frame_bytes + length)};
}

std::string make_chunk(std::string_view type, std::string_view data) {
  std::string out = number(static_cast<std::uint32_t>(data.size()));
  out.reserve(frame_bytes + data.size());
  out.append(type).append(data);
  return out += number(checksum(std::string_view(out).substr(4)));
}

std::uint32_t read_number(std::string_view content, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(content[at + i]);
  }
  return value;
}

std::string number(std::uint32_t value) {
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    out += static_cast<char>((value >> (shift - 8)) & 0xFF);
  }
  return out;
}

}  // namespace icb::png
