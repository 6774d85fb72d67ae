#include "container/keys.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "core/keyed_hash.hpp"

namespace icb::container {
namespace {

constexpr std::string_view info = "icbench container 1";

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("OpenSSL: {} failed", what));
}

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

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
  Bytes out = hkdf_sha256(key.bytes(), salt, {data_of(info), info.size()}, 3 * key_bytes);
  const ConstBytes all{out};
  const Keys keys{.authentication = Secret(all.first(key_bytes)),
                  .metadata = Secret(all.subspan(key_bytes, key_bytes)),
                  .cipher = Secret(all.last(key_bytes))};
  OPENSSL_cleanse(out.data(), out.size());
  return keys;
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
