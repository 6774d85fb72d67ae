/// Identity: the cipher image is the plain image. The control that every measure must catch, and
/// the row "plain image" of every table.
///
/// Source:   none, negative control.
/// Shapes:   any.  Key, nonce, header: none.  Aliasing: in and out may be the same pixels.
#include <algorithm>

#include "cipher/cipher.hpp"

namespace icb {
namespace {

void copy(ConstImage in, Image out) {
  if (in.bytes().data() == out.bytes().data()) return;
  std::copy(in.bytes().begin(), in.bytes().end(), out.bytes().begin());
}

std::string verify() {
  const OwnedImage plain({.rows = 1, .cols = 3}, {1, 2, 3});
  OwnedImage out({.rows = 1, .cols = 3});
  copy(plain.view(), out.view());
  return std::ranges::equal(plain.bytes(), out.bytes()) ? "" : "identity changed its input";
}

const RegisterCipher entry{{
    .name = "identity",
    .source = "negative control",
    .status = CipherStatus::control,
    .key_bits = BitCount{0},
    .nonce_bytes = ByteCount{0},
    .header_bytes = ByteCount{0},
    .refuses = [](const Shape&) -> std::optional<std::string> { return std::nullopt; },
    .encrypt =
        [](ConstImage plain, ConstBytes, ConstBytes, Image out) {
          copy(plain, out);
          return Bytes{};
        },
    .decrypt = [](ConstImage cipher, ConstBytes, ConstBytes, Image out) { copy(cipher, out); },
    .verify = verify,
}};

}  // namespace
}  // namespace icb
