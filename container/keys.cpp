#include "container/keys.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace icb::container {
namespace {

constexpr std::string_view info = "icbench container 1";

struct Free {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }

  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }

  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }

  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("OpenSSL: {} failed", what));
}

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL's parameters take pointers it does not write through.
OSSL_PARAM octets(const char* name, ConstBytes bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

char digest_name[] = "SHA256";

}  // namespace

Secret::Secret(ConstBytes bytes) {
  if (bytes.size() != key_bytes) {
    throw std::invalid_argument(
        fmt::format("a secret key has {} bytes, got {}", key_bytes, bytes.size()));
  }
  std::copy(bytes.begin(), bytes.end(), m_bytes.begin());
}

Secret::~Secret() { OPENSSL_cleanse(m_bytes.data(), m_bytes.size()); }

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  check(RAND_bytes(out.data(), static_cast<int>(count)) == 1, "RAND_bytes");
  return out;
}

Keys derive_keys(const Secret& key, ConstBytes salt) {
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  check(kdf != nullptr, "HKDF");
  const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(kdf.get()));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
      octets(OSSL_KDF_PARAM_KEY, key.bytes()), octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, {data_of(info), info.size()}), OSSL_PARAM_construct_end()};
  std::array<std::uint8_t, 3 * key_bytes> out{};
  check(context && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1, "HKDF");
  const ConstBytes all{out};
  const Keys keys{.authentication = Secret(all.first(key_bytes)),
                  .metadata = Secret(all.subspan(key_bytes, key_bytes)),
                  .cipher = Secret(all.last(key_bytes))};
  OPENSSL_cleanse(out.data(), out.size());
  return keys;
}

Digest hmac_sha256(ConstBytes key, std::string_view first, std::string_view second) {
  const std::unique_ptr<EVP_MAC, Free> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  check(mac != nullptr, "HMAC");
  const std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_new(mac.get()));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  Digest out{};
  std::size_t written = 0;
  check(context && EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1 &&
            EVP_MAC_update(context.get(), data_of(first), first.size()) == 1 &&
            EVP_MAC_update(context.get(), data_of(second), second.size()) == 1 &&
            EVP_MAC_final(context.get(), out.data(), &written, out.size()) == 1 &&
            written == out.size(),
        "HMAC");
  return out;
}

std::string chacha20(const Secret& key, std::string_view text) {
  const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
  const std::array<std::uint8_t, 16> counter_and_nonce{};
  std::string out(text.size(), '\0');
  int written = 0;
  check(context && EVP_EncryptInit_ex(context.get(), EVP_chacha20(), nullptr, key.bytes().data(),
                                      counter_and_nonce.data()) == 1,
        "ChaCha20");
  if (text.empty()) return out;
  check(EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &written,
                          data_of(text), static_cast<int>(text.size())) == 1 &&
            static_cast<std::size_t>(written) == text.size(),
        "ChaCha20");
  return out;
}

}  // namespace icb::container
