/// Encrypted image files (docs/container.md): a PNG whose pixels are the cipher image, with one
/// private chunk that holds what decryption needs and an authentication tag over the whole file.
///
///   const auto content = container::seal(cipher, plain, {}, key, container::fresh(cipher));
///   const auto opened = container::open(content, key, "file.png");
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cipher/cipher.hpp"
#include "container/keys.hpp"
#include "core/image.hpp"
#include "datasets/dataset.hpp"

namespace icb::container {

/// Ancillary, private, not safe to copy by a program that changes pixels.
inline constexpr std::string_view chunk_type = "icBE";
inline constexpr std::string_view magic{"icbench\0", 8};
inline constexpr unsigned version = 1;
inline constexpr std::size_t tag_bytes = 32;
inline constexpr std::size_t least_nonce_bytes = 16;  ///< random ones do not meet
/// Largest metadata carried.
inline constexpr std::size_t max_metadata_bytes = std::size_t{1} << 25;

/// Empty if the cipher can be used: a key of 256 bits, a nonce of 16 bytes or more, a header. Else
/// the reason.
std::string why_unusable(const CipherEntry& cipher);

/// What must never be used twice with a key.
struct Fresh {
  Bytes salt;   ///< salt_bytes
  Bytes nonce;  ///< as many as the cipher takes
};

/// From the operating system's generator.
Fresh fresh(const CipherEntry& cipher);

/// The file. Throws std::invalid_argument if the cipher cannot be used or refuses the shape, or if
/// salt or nonce have the wrong size; InputError if the metadata is too long.
std::string seal(const CipherEntry& cipher, ConstImage plain, const PngMetadata& metadata,
                 const Secret& key, const Fresh& fresh);

struct Opened {
  OwnedImage image;
  PngMetadata metadata;
  std::string cipher;
};

/// Checks the tag, in constant time, before anything is decompressed, allocated by what the file
/// says, or decrypted. Errors start with `name`: InputError if this is no PNG, or of a version or
/// cipher unknown here; IntegrityError if it has no icbench chunk, is not exactly what `seal`
/// writes, or the key is wrong.
Opened open(std::string_view content, const Secret& key, const std::string& name);

// --- The parts of `open` -----------------------------------------------------------------------

/// What a file says, not yet authenticated: views of its content.
struct Parsed {
  unsigned rounds;
  std::string_view cipher;
  std::string_view salt;
  std::string_view header;    ///< public header of the cipher
  std::string_view metadata;  ///< encrypted
  std::size_t tag_at;         ///< the tag, then the checksum of its chunk
};

/// The layout, checksums included, and nothing else. Errors as `open`.
Parsed parse(std::string_view content, const std::string& name);

/// The tag the file should have: over all its bytes but the tag and the checksum behind it.
Digest tag_of(std::string_view content, const Parsed& parsed, const Secret& authentication_key);

/// The content with tag and checksum made right for the key.
std::string with_tag(std::string content, const Parsed& parsed, const Secret& authentication_key);

/// True if a PNG holds the chunk, at any place and in any state.
bool has_chunk(std::string_view content);

}  // namespace icb::container
