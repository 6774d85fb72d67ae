/// Keyed hashes and key derivation, on OpenSSL. All throw std::runtime_error naming the function if
/// OpenSSL refuses.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>

#include "core/hash.hpp"
#include "core/image.hpp"

struct evp_mac_ctx_st;  // OpenSSL's

namespace icb {

/// HKDF with SHA-256, RFC 5869; `length` at most 8160 bytes.
Bytes hkdf_sha256(ConstBytes key, ConstBytes salt, ConstBytes info, std::size_t length);

/// HMAC-SHA256, RFC 2104.
Digest hmac_sha256(ConstBytes key, ConstBytes message);
/// Of a message in parts, one after the other.
Digest hmac_sha256(ConstBytes key, std::initializer_list<ConstBytes> parts);

/// Poly1305, RFC 8439 section 2.5, of a message that comes in pieces; the key has 32 bytes.
class Poly1305 {
 public:
  using Tag = std::array<std::uint8_t, 16>;

  explicit Poly1305(ConstBytes key);

  void add(ConstBytes piece);
  /// Once, at the end.
  Tag finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };

  std::unique_ptr<evp_mac_ctx_st, Free> m_context;
};

/// Of a whole message.
Poly1305::Tag poly1305(ConstBytes key, ConstBytes message);

}  // namespace icb
