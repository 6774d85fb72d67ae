#include "core/hash.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "core/error.hpp"

namespace icb {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class Sha256 {
 public:
  Sha256() : m_context(EVP_MD_CTX_new()) {
    require(m_context != nullptr && EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr) == 1);
  }

  void update(const void* data, std::size_t size) {
    require(EVP_DigestUpdate(m_context.get(), data, size) == 1);
  }

  Digest finish() {
    Digest digest{};
    require(EVP_DigestFinal_ex(m_context.get(), digest.data(), nullptr) == 1);
    return digest;
  }

 private:
  static void require(bool done) {
    if (!done) throw std::runtime_error("OpenSSL: SHA-256 failed");
  }

  std::unique_ptr<EVP_MD_CTX, FreeContext> m_context;
};

Digest tagged(std::string_view tag, std::uint64_t master, std::string_view name) {
  std::string text(tag);
  text += '\0';
  text += std::to_string(master);
  text += '\0';
  text += name;
  return sha256(text);
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  throw std::invalid_argument(fmt::format("expected hexadecimal digits, got \"{}\"", c));
}

}  // namespace

Digest sha256(ConstBytes data) {
  Sha256 hash;
  hash.update(data.data(), data.size());
  return hash.finish();
}

Digest sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text.data(), text.size());
  return hash.finish();
}

std::string to_hex(ConstBytes data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * data.size());
  for (const std::uint8_t byte : data) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

Bytes from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    throw std::invalid_argument(
        fmt::format("expected an even number of hexadecimal digits, got {}", text.size()));
  }
  Bytes out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(16 * digit(text[2 * i]) + digit(text[2 * i + 1]));
  }
  return out;
}

std::string sha256_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputError(path + ": cannot be opened for its checksum");
  Sha256 hash;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw InputError(path + ": cannot be read for its checksum");
  return to_hex(hash.finish());
}

std::uint64_t derive_seed(std::uint64_t master, std::string_view name) {
  const Digest digest = tagged("icbench seed", master, name);
  std::uint64_t seed = 0;
  for (std::size_t i = 8; i-- > 0;) seed = (seed << 8) | digest.at(i);
  return seed;
}

Digest derive_key(std::uint64_t master, std::string_view label) {
  return tagged("icbench key", master, label);
}

Bytes derive_bytes(std::uint64_t master, std::string_view label, std::size_t count) {
  Bytes out;
  for (std::size_t block = 0; out.size() < count; ++block) {
    const Digest digest =
        derive_key(master, block == 0 ? std::string(label) : fmt::format("{}/{}", label, block));
    const std::size_t take = std::min(digest.size(), count - out.size());
    out.insert(out.end(), digest.begin(), digest.begin() + static_cast<std::ptrdiff_t>(take));
  }
  return out;
}

std::uint64_t uniform_below(std::mt19937_64& engine, std::uint64_t bound) {
  if (bound == 0) throw std::invalid_argument("uniform_below: bound must be at least 1, got 0");
  const std::uint64_t excess = (~std::uint64_t{0} % bound + 1) % bound;  // 2^64 mod bound
  for (;;) {
    const std::uint64_t draw = engine();
    if (draw <= ~std::uint64_t{0} - excess) return draw % bound;
  }
}

}  // namespace icb
