#include "cipher/cipher.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace icb {
namespace {

void check_size(const CipherEntry& cipher, const char* what, std::size_t expected,
                std::size_t got) {
  if (expected != got) {
    throw std::invalid_argument(
        fmt::format("{}: {} must have {} bytes, got {}", cipher.name, what, expected, got));
  }
}

void check_shape(const CipherEntry& cipher, const Shape& shape) {
  if (const auto reason = cipher.refuses(shape)) {
    throw std::invalid_argument(
        fmt::format("{}: image of {} refused: {}", cipher.name, to_string(shape), *reason));
  }
}

}  // namespace

std::string_view to_string(CipherStatus status) {
  switch (status) {
    case CipherStatus::exact:
      return "exact";
    case CipherStatus::proxy:
      return "proxy";
    case CipherStatus::own:
      return "own";
    case CipherStatus::control:
      return "control";
    case CipherStatus::external:
      return "external";
  }
  throw std::logic_error("cipher status out of range");
}

Encrypted encrypt(const CipherEntry& cipher, ConstImage plain, ConstBytes key, ConstBytes nonce) {
  check_size(cipher, "key", cipher.key_bits.value / 8, key.size());
  check_size(cipher, "nonce", cipher.nonce_bytes.value, nonce.size());
  check_shape(cipher, plain.shape());
  OwnedImage out(plain.shape());
  Bytes header = cipher.encrypt(plain, key, nonce, out.view());
  return {std::move(out), std::move(header)};
}

OwnedImage decrypt(const CipherEntry& cipher, ConstImage image, ConstBytes key, ConstBytes header) {
  check_size(cipher, "key", cipher.key_bits.value / 8, key.size());
  check_size(cipher, "header", cipher.header_bytes.value, header.size());
  check_shape(cipher, image.shape());
  OwnedImage out(image.shape());
  cipher.decrypt(image, key, header, out.view());
  return out;
}

}  // namespace icb
