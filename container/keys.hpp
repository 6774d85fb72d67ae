/// Key material of a container, on OpenSSL: random bytes, keys derived from the secret key, and
/// secrets that leave no trace in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/hash.hpp"
#include "core/image.hpp"

namespace icb::container {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t salt_bytes = 32;

/// 32 bytes, wiped when gone.
class Secret {
 public:
  Secret() = default;
  /// Throws std::invalid_argument unless there are 32 bytes.
  explicit Secret(ConstBytes bytes);
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  ConstBytes bytes() const { return m_bytes; }

 private:
  std::array<std::uint8_t, key_bytes> m_bytes{};
};

/// From the operating system's generator. Throws std::runtime_error if it fails.
Bytes random_bytes(std::size_t count);

/// The secret key itself is used for nothing but this.
struct Keys {
  Secret authentication;  ///< HMAC-SHA256 of the file
  Secret metadata;        ///< ChaCha20
  Secret cipher;          ///< of the image cipher
};

/// The three keys, 96 bytes of HKDF-SHA256 (RFC 5869) with info "icbench container 1".
Keys derive_keys(const Secret& key, ConstBytes salt);

/// ChaCha20 (RFC 8439, counter and nonce zero): its own inverse. A key is used for one text.
std::string chacha20(const Secret& key, std::string_view text);

}  // namespace icb::container
