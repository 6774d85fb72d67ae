/// AES-256 in counter mode over the image's bytes: the positive control every table carries.
///
/// Source:   FIPS 197; NIST SP 800-38A sec. 6.5; vectors of its appendix F.5.5. OpenSSL does the
/// work. Shapes:   any.  Key: 32 bytes.  Nonce: 16 bytes, the first counter block; it is the
/// header. Aliasing: in and out may be the same pixels.  Errors: none; counter mode carries no
/// integrity.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "cipher/cipher.hpp"
#include "core/hash.hpp"

namespace icb {
namespace {

void apply(ConstBytes in, ConstBytes key, ConstBytes nonce, MutableBytes out) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  bool done = context != nullptr && EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr,
                                                       key.data(), nonce.data()) == 1;
  constexpr std::size_t most = std::size_t{1} << 30;  // EVP counts in int
  for (std::size_t at = 0; done && at < in.size(); at += most) {
    const std::size_t size = std::min(most, in.size() - at);
    int written = 0;
    done = EVP_EncryptUpdate(context.get(), &out[at], &written, &in[at], static_cast<int>(size)) ==
               1 &&
           static_cast<std::size_t>(written) == size;
  }
  if (!done) throw std::runtime_error("OpenSSL: AES-256-CTR failed");
}

std::string verify() {
  const Bytes key = from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes counter = from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const Bytes plain = from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const std::string expected =
      "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
      "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";
  Bytes out(plain.size());
  apply(plain, key, counter, out);
  const std::string got = to_hex(out);
  return got == expected ? "" : fmt::format("SP 800-38A F.5.5: expected {}, got {}", expected, got);
}

const RegisterCipher entry{{
    .name = "aes-256-ctr",
    .source = "FIPS 197, NIST SP 800-38A sec. 6.5; OpenSSL 3",
    .status = CipherStatus::control,
    .key_bits = BitCount{256},
    .nonce_bytes = ByteCount{16},
    .header_bytes = ByteCount{16},
    .refuses = [](const Shape&) -> std::optional<std::string> { return std::nullopt; },
    .encrypt =
        [](ConstImage plain, ConstBytes key, ConstBytes nonce, Image out) {
          apply(plain.bytes(), key, nonce, out.bytes());
          return Bytes(nonce.begin(), nonce.end());
        },
    .decrypt = [](ConstImage cipher, ConstBytes key, ConstBytes header,
                  Image out) { apply(cipher.bytes(), key, header, out.bytes()); },
    .verify = verify,
    .keystream =
        [](ConstBytes key, ConstBytes nonce, MutableBytes out) {
          std::fill(out.begin(), out.end(), std::uint8_t{0});
          apply(out, key, nonce, out);
        },
}};

}  // namespace
}  // namespace icb
