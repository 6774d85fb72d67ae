#include "container/container.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/keyed_hash.hpp"
#include "datasets/png_chunks.hpp"

namespace icb::container {
namespace {

constexpr std::size_t max_cipher_name = 64;
constexpr std::size_t checksum_bytes = 4;

[[noreturn]] void altered(const std::string& name, const std::string& what) {
  throw IntegrityError(fmt::format("{}: altered or damaged: {}", name, what));
}

std::string_view text_of(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ConstBytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string byte(std::size_t value) { return {static_cast<char>(value & 0xFF)}; }

std::string two_bytes(std::size_t value) { return byte(value >> 8) + byte(value); }

/// Takes one field after the other off the front of the chunk.
class Fields {
 public:
  Fields(std::string_view data, const std::string& name) : m_left(data), m_name(name) {}

  std::string_view take(std::size_t size) {
    if (size > m_left.size()) altered(m_name, "the icbench chunk is too short");
    const std::string_view out = m_left.substr(0, size);
    m_left.remove_prefix(size);
    return out;
  }

  std::size_t number(std::size_t size) {
    std::size_t value = 0;
    for (const char c : take(size)) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }

  void expect_end() const {
    if (!m_left.empty()) altered(m_name, "the icbench chunk is too long");
  }

 private:
  std::string_view m_left;
  const std::string& m_name;
};

bool is_cipher_name(std::string_view text) {
  return !text.empty() && text.size() <= max_cipher_name &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

/// Signature, IHDR, the chunk, pixels, IEND, and nothing else. Returns the chunk.
png::Chunk check_layout(std::string_view content, const std::string& name) {
  if (!content.starts_with(png::signature)) {
    throw InputError(fmt::format("{}: not a PNG; a cipher image of icbench is one", name));
  }
  const bool has = has_chunk(content);
  std::vector<png::Chunk> chunks;
  std::size_t at = png::signature.size();
  while (const auto chunk = png::chunk_at(content, at)) {
    // Without our chunk only its absence matters.
    if (has && !chunk->intact()) altered(name, fmt::format("wrong checksum at byte {}", at));
    at += chunk->whole.size();
    chunks.push_back(*chunk);
    if (chunk->type == "IEND") break;
  }
  if (!has) {
    const bool whole = !chunks.empty() && chunks.back().type == "IEND";
    throw IntegrityError(fmt::format(
        "{}: no icbench chunk: the file was saved again by another program or is not a cipher "
        "image{}",
        name, whole ? "" : "; besides, it is truncated or damaged"));
  }
  if (chunks.back().type != "IEND") altered(name, "truncated, or its chunks do not fit together");
  if (at != content.size()) {
    altered(name, fmt::format("{} bytes after the end", content.size() - at));
  }
  bool right = chunks.size() >= 4 && chunks[0].type == "IHDR" && chunks[0].data.size() == 13 &&
               chunks[1].type == chunk_type && chunks.back().data.empty();
  for (std::size_t i = 2; right && i + 1 < chunks.size(); ++i) right = chunks[i].type == "IDAT";
  if (!right) altered(name, "its chunks are not IHDR, icBE, IDAT, IEND in this order");
  return chunks[1];
}

std::string pack(const PngMetadata& metadata) {
  if (metadata.empty()) return {};
  return png::number(static_cast<std::uint32_t>(metadata.before.size())) + metadata.before +
         metadata.after;
}

/// Authenticated, so anything wrong here was sealed by a program of another make.
PngMetadata unpack(const std::string& packed, const std::string& name) {
  if (packed.empty()) return {};
  const std::string_view all = packed;
  const std::size_t before = all.size() < 4 ? all.size() : png::read_number(all, 0);
  if (all.size() < 4 || before > all.size() - 4) altered(name, "metadata without its length");
  PngMetadata out{std::string(all.substr(4, before)), std::string(all.substr(4 + before))};
  for (const std::string* part : {&out.before, &out.after}) {
    std::size_t at = 0;
    while (const auto chunk = png::chunk_at(*part, at)) {
      if (!chunk->intact() || !chunk->ancillary()) break;
      at += chunk->whole.size();
    }
    if (at != part->size()) altered(name, "metadata that is not a sequence of PNG chunks");
  }
  return out;
}

std::string chunk_of(const CipherEntry& cipher, ConstBytes header, const std::string& metadata,
                     ConstBytes salt) {
  std::string data(magic);
  data += byte(version) + byte(cipher.rounds.default_rounds);
  data += byte(cipher.name.size()) + cipher.name;
  data += text_of(salt);
  data += two_bytes(header.size());
  data += text_of(header);
  data += png::number(static_cast<std::uint32_t>(metadata.size())) + metadata;
  return png::make_chunk(chunk_type, data + std::string(tag_bytes, '\0'));
}

const CipherEntry& known_cipher(const Parsed& parsed, const std::string& name) {
  const auto& ciphers = registry<CipherEntry>();
  const auto found = ciphers.find(parsed.cipher);
  if (found == ciphers.end()) {
    throw InputError(
        fmt::format("{}: encrypted by cipher \"{}\", unknown here", name, parsed.cipher));
  }
  const CipherEntry& cipher = found->second;
  if (parsed.rounds != cipher.rounds.default_rounds ||
      parsed.header.size() != cipher.header_bytes.value || !why_unusable(cipher).empty()) {
    throw InputError(fmt::format(
        "{}: encrypted by another version of cipher \"{}\": {} rounds and a header of {} bytes; "
        "expected {} and {}",
        name, cipher.name, parsed.rounds, parsed.header.size(), cipher.rounds.default_rounds,
        cipher.header_bytes.value));
  }
  return cipher;
}

}  // namespace

std::string why_unusable(const CipherEntry& cipher) {
  if (cipher.key_bits.value != 8 * key_bytes) {
    return fmt::format("it takes a key of {} bits, not {}", cipher.key_bits.value, 8 * key_bytes);
  }
  if (cipher.nonce_bytes.value < least_nonce_bytes) {
    return fmt::format("it takes a nonce of {} bytes, not {} or more", cipher.nonce_bytes.value,
                       least_nonce_bytes);
  }
  if (cipher.header_bytes.value == 0 || cipher.header_bytes.value > 0xFFFF) {
    return fmt::format("it has a header of {} bytes, not 1 to 65535", cipher.header_bytes.value);
  }
  if (cipher.rounds.default_rounds > 0xFF) {
    return fmt::format("it has {} rounds, not 0 to 255", cipher.rounds.default_rounds);
  }
  return is_cipher_name(cipher.name) ? "" : "its name is not in kebab case";
}

Fresh fresh(const CipherEntry& cipher) {
  return {random_bytes(salt_bytes), random_bytes(cipher.nonce_bytes.value)};
}

std::string seal(const CipherEntry& cipher, ConstImage plain, const PngMetadata& metadata,
                 const Secret& key, const Fresh& fresh) {
  if (const std::string reason = why_unusable(cipher); !reason.empty()) {
    throw std::invalid_argument(
        fmt::format("cipher {} cannot encrypt files: {}", cipher.name, reason));
  }
  if (fresh.salt.size() != salt_bytes) {
    throw std::invalid_argument(
        fmt::format("salt must have {} bytes, got {}", salt_bytes, fresh.salt.size()));
  }
  const std::string packed = pack(metadata);
  if (packed.size() > max_metadata_bytes) {
    throw InputError(fmt::format("metadata of {} bytes; expected at most {}", packed.size(),
                                 max_metadata_bytes));
  }
  const Keys keys = derive_keys(key, fresh.salt);
  const Encrypted encrypted = encrypt(cipher, plain, keys.cipher.bytes(), fresh.nonce);
  const std::string pixels = encode_png(encrypted.image.view(), PngEffort::stored);
  std::string content;
  const std::string chunk =
      chunk_of(cipher, encrypted.header, chacha20(keys.metadata, packed), fresh.salt);
  content.reserve(pixels.size() + chunk.size());
  content.append(pixels, 0, png::start_bytes).append(chunk).append(pixels, png::start_bytes);
  const Parsed parsed = parse(content, cipher.name);
  return with_tag(std::move(content), parsed, keys.authentication);
}

Parsed parse(std::string_view content, const std::string& name) {
  const png::Chunk chunk = check_layout(content, name);
  Fields fields(chunk.data, name);
  Parsed out{};
  if (fields.take(magic.size()) != magic) altered(name, "the icbench chunk starts otherwise");
  if (const std::size_t found = fields.number(1); found != version) {
    throw InputError(fmt::format("{}: container version {}; this program reads version {}", name,
                                 found, version));
  }
  out.rounds = static_cast<unsigned>(fields.number(1));
  out.cipher = fields.take(fields.number(1));
  if (!is_cipher_name(out.cipher)) altered(name, "the name of the cipher is not one");
  out.salt = fields.take(salt_bytes);
  out.header = fields.take(fields.number(2));
  out.metadata = fields.take(fields.number(4));
  if (out.metadata.size() > max_metadata_bytes) altered(name, "too much metadata");
  const std::string_view tag = fields.take(tag_bytes);
  fields.expect_end();
  out.tag_at = static_cast<std::size_t>(tag.data() - content.data());
  return out;
}

Digest tag_of(std::string_view content, const Parsed& parsed, const Secret& authentication_key) {
  // The chunk's length and the fields' lengths are in the first part, so the parts cannot be
  // divided otherwise.
  return hmac_sha256(authentication_key.bytes(),
                     {bytes_of(content.substr(0, parsed.tag_at)),
                      bytes_of(content.substr(parsed.tag_at + tag_bytes + checksum_bytes))});
}

std::string with_tag(std::string content, const Parsed& parsed, const Secret& authentication_key) {
  const Digest tag = tag_of(content, parsed, authentication_key);
  std::copy(tag.begin(), tag.end(), content.begin() + static_cast<std::ptrdiff_t>(parsed.tag_at));
  const auto chunk = png::chunk_at(content, png::start_bytes);
  if (!chunk) throw std::logic_error("the container has lost its chunk");
  const std::string whole = png::make_chunk(chunk->type, chunk->data);
  return content.replace(png::start_bytes, whole.size(), whole);
}

Opened open(std::string_view content, const Secret& key, const std::string& name) {
  const Parsed parsed = parse(content, name);
  const Keys keys = derive_keys(key, bytes_of(parsed.salt));
  const Digest tag = tag_of(content, parsed, keys.authentication);
  if (CRYPTO_memcmp(tag.data(), content.data() + parsed.tag_at, tag.size()) != 0) {
    throw IntegrityError(fmt::format("{}: wrong key, or the file was altered", name));
  }
  const CipherEntry& cipher = known_cipher(parsed, name);
  const cv::Mat image = decode_image(content, name);
  PngMetadata metadata = unpack(chacha20(keys.metadata, parsed.metadata), name);
  try {
    return {decrypt(cipher, view_of(image), keys.cipher.bytes(), bytes_of(parsed.header)),
            std::move(metadata), cipher.name};
  } catch (const IntegrityError& error) {
    throw IntegrityError(fmt::format("{}: {}", name, error.what()));
  } catch (const std::invalid_argument& error) {
    throw InputError(fmt::format("{}: {}", name, error.what()));
  }
}

bool has_chunk(std::string_view content) {
  std::size_t at = png::signature.size();
  while (const auto chunk = png::chunk_at(content, at)) {
    if (chunk->type == chunk_type) return true;
    at += chunk->whole.size();
  }
  return false;
}

}  // namespace icb::container
