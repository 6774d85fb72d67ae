/// Key schedule (docs/cipher.md, section 1).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "cipher/khazaal2024/sources.hpp"
#include "core/image.hpp"
#include "core/keyed_hash.hpp"

namespace icb::khazaal2024 {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t nonce_bytes = 16;
inline constexpr std::size_t public_parameter_bytes = 32;
inline constexpr std::size_t keystream_lanes = 8;
inline constexpr std::size_t hidden_units = 32;
inline constexpr std::size_t feature_levels = 4;

using PublicParameter = std::array<std::uint8_t, public_parameter_bytes>;
using Tag = Poly1305::Tag;

/// Rows, columns, channels and sample size as the schedule's 10 bytes ("SH").
std::array<std::uint8_t, 10> shape_block(const Shape& shape);

/// Keys of the public parameter, apart from all others.
class CondensingKeys {
 public:
  CondensingKeys(ConstBytes key, ConstBytes nonce, const Shape& shape);

  /// `level` 1 to 4.
  ConstBytes poly1305_key(std::size_t level) const;
  ConstBytes hmac_key() const;

  ConstBytes bytes() const { return m_bytes; }

 private:
  Bytes m_bytes;
};

/// Everything the rounds start from.
struct WorkingKeys {
  Parameters parameters;
  std::array<Lane, keystream_lanes> lanes;         ///< keystream
  Lane guide;                                      ///< network, order, shifts, chain keys
  std::array<std::int8_t, hidden_units> feedback;  ///< first feedback state of the network
  std::array<std::int8_t, hidden_units> offsets;   ///< key-dependent offsets of the network
};

/// The 600 bytes KS. `parameter` is empty for the confusion-only variant.
Bytes working_key_bytes(ConstBytes key, ConstBytes nonce, ConstBytes parameter,
                        std::string_view variant, unsigned rounds, const Shape& shape);
WorkingKeys working_keys(ConstBytes ks);

}  // namespace icb::khazaal2024
