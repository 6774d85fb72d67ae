#include "core/keyed_hash.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <stdexcept>

namespace icb {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("OpenSSL: {} failed", what));
}

// OpenSSL takes pointers to non-const in parameter lists and does not write through them.
OSSL_PARAM octets(const char* name, ConstBytes bytes) {
  static const std::uint8_t none = 0;
  const void* data = bytes.empty() ? &none : bytes.data();
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data),  // NOLINT
                                           bytes.size());
}

OSSL_PARAM text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);  // NOLINT
}

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};

using Mac = std::unique_ptr<EVP_MAC, FreeMac>;

EVP_MAC_CTX* new_context(const Mac& mac) { return mac ? EVP_MAC_CTX_new(mac.get()) : nullptr; }

template <class Tag>
Tag finished(EVP_MAC_CTX* context, const char* what) {
  Tag tag{};
  std::size_t size = 0;
  require(EVP_MAC_final(context, tag.data(), &size, tag.size()) == 1 && size == tag.size(), what);
  return tag;
}

}  // namespace

// Algorithms are looked up once: by name it costs as much as hashing some kilobytes.

Bytes hkdf_sha256(ConstBytes key, ConstBytes salt, ConstBytes info, std::size_t length) {
  static const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf{
      EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free};
  require(kdf != nullptr, "HKDF");
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context{
      EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free};
  const OSSL_PARAM params[] = {text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
                               octets(OSSL_KDF_PARAM_KEY, key), octets(OSSL_KDF_PARAM_SALT, salt),
                               octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  Bytes out(length);
  require(context != nullptr && EVP_KDF_derive(context.get(), out.data(), out.size(), params) == 1,
          "HKDF");
  return out;
}

Digest hmac_sha256(ConstBytes key, std::initializer_list<ConstBytes> parts) {
  static const Mac mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context{new_context(mac),
                                                                          EVP_MAC_CTX_free};
  const OSSL_PARAM params[] = {text(OSSL_MAC_PARAM_DIGEST, "SHA256"), OSSL_PARAM_construct_end()};
  require(context && EVP_MAC_init(context.get(), key.data(), key.size(), params) == 1, "HMAC");
  for (const ConstBytes part : parts) {
    require(EVP_MAC_update(context.get(), part.data(), part.size()) == 1, "HMAC");
  }
  return finished<Digest>(context.get(), "HMAC");
}

Digest hmac_sha256(ConstBytes key, ConstBytes message) {
  return hmac_sha256(key, std::initializer_list<ConstBytes>{message});
}

void Poly1305::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

Poly1305::Poly1305(ConstBytes key) {
  static const Mac mac{EVP_MAC_fetch(nullptr, "POLY1305", nullptr)};
  m_context.reset(new_context(mac));
  require(m_context && EVP_MAC_init(m_context.get(), key.data(), key.size(), nullptr) == 1,
          "Poly1305");
}

void Poly1305::add(ConstBytes piece) {
  require(EVP_MAC_update(m_context.get(), piece.data(), piece.size()) == 1, "Poly1305");
}

Poly1305::Tag Poly1305::finish() { return finished<Tag>(m_context.get(), "Poly1305"); }

Poly1305::Tag poly1305(ConstBytes key, ConstBytes message) {
  Poly1305 hash(key);
  hash.add(message);
  return hash.finish();
}

}  // namespace icb
