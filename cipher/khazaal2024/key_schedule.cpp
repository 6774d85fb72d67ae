#include "cipher/khazaal2024/key_schedule.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace icb::khazaal2024 {
namespace {

constexpr std::string_view label = "icbench khazaal2024 v1 ";
constexpr std::size_t lane_words = 7;
constexpr std::size_t working_bytes =
    8 * (4 + (keystream_lanes + 1) * lane_words) + 2 * hidden_units;
static_assert(working_bytes == 600);

Bytes joined(std::initializer_list<ConstBytes> parts) {
  Bytes out;
  for (const ConstBytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

ConstBytes bytes_of(std::string_view view) {
  return {reinterpret_cast<const std::uint8_t*>(view.data()), view.size()};
}

std::uint64_t between(std::uint64_t key, std::uint64_t low, std::uint64_t high) {
  return low + mulhi(key, high - low);
}

}  // namespace

std::array<std::uint8_t, 10> shape_block(const Shape& shape) {
  std::array<std::uint8_t, 10> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out.at(i) = static_cast<std::uint8_t>(shape.rows >> (8 * i));
    out.at(4 + i) = static_cast<std::uint8_t>(shape.cols >> (8 * i));
  }
  out[8] = static_cast<std::uint8_t>(shape.channels);
  out[9] = static_cast<std::uint8_t>(shape.sample_bytes);
  return out;
}

CondensingKeys::CondensingKeys(ConstBytes key, ConstBytes nonce, const Shape& shape)
    : m_bytes(hkdf_sha256(key, nonce,
                          joined({bytes_of(label), bytes_of("condense"), shape_block(shape)}),
                          32 * (feature_levels + 1))) {}

ConstBytes CondensingKeys::poly1305_key(std::size_t level) const {
  return ConstBytes{m_bytes}.subspan(32 * (level - 1), 32);
}

ConstBytes CondensingKeys::hmac_key() const {
  return ConstBytes{m_bytes}.subspan(32 * feature_levels, 32);
}

Bytes working_key_bytes(ConstBytes key, ConstBytes nonce, ConstBytes parameter,
                        std::string_view variant, unsigned rounds, const Shape& shape) {
  const std::array<std::uint8_t, 1> count{static_cast<std::uint8_t>(rounds)};
  return hkdf_sha256(key, joined({nonce, parameter}),
                     joined({bytes_of(label), bytes_of(variant), count, shape_block(shape)}),
                     working_bytes);
}

WorkingKeys working_keys(ConstBytes ks) {
  if (ks.size() != working_bytes) {
    throw std::invalid_argument(
        fmt::format("working keys need {} bytes, got {}", working_bytes, ks.size()));
  }
  std::size_t at = 0;
  const auto word = [&] {
    std::uint64_t out = 0;
    for (std::size_t i = 8; i-- > 0;) out = (out << 8) | ks[at + i];
    at += 8;
    return out;
  };
  WorkingKeys keys{};
  keys.parameters.r = between(word(), 0xE47AE147AE147AE1, 0xFFFFFFFFFFFFFFFF);
  keys.parameters.a = between(word(), 0x4CCCCCCCCCCCCCCC, 0x5999999999999999);
  keys.parameters.b = between(word(), 0x1333333333333333, 0x1999999999999999);
  keys.parameters.sigma = static_cast<std::uint32_t>(32768 + mulhi(word(), 98304));
  const auto lane = [&] {
    // Braced initialisers are evaluated in order.
    return Lane{word(), word(), word(), word(), word(), word(), word() | 1};
  };
  for (Lane& out : keys.lanes) out = lane();
  keys.guide = lane();
  for (auto& out : keys.feedback) out = static_cast<std::int8_t>(ks[at++]);
  for (auto& out : keys.offsets) out = static_cast<std::int8_t>(ks[at++]);
  return keys;
}

}  // namespace icb::khazaal2024
