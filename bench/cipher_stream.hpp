/// Bits of encrypted images as one stream: every image of a set, encrypted in the set's order under
/// one key with a nonce of its own, and concatenated. Table 2 and `icbench nist --cipher` test the
/// same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cipher/cipher.hpp"
#include "core/bits.hpp"
#include "datasets/dataset.hpp"

namespace icb {

/// Key of a label, cut to what the cipher takes.
Bytes key_for(std::uint64_t seed, const CipherEntry& cipher, std::string_view key_label);
Bytes nonce_for(std::uint64_t seed, const CipherEntry& cipher, std::string_view key_label,
                std::string_view image_name);

/// Encrypts with the key and nonce derived from the seed, the key's label and the image's name.
OwnedImage encrypt_for(std::uint64_t seed, std::string_view cipher, ConstImage plain,
                       std::string_view key_label, std::string_view image_name);

/// Label of the key of stream number `key`.
std::string stream_key_label(std::size_t key);

/// Whole sequences in one stream.
std::uint64_t sequences_per_stream(const ImageSet& set, std::uint64_t sequence_bits);

/// The image encrypted last. Neighbouring sequences share images; the image is a pure function of
/// what names it, so no result depends on what is kept.
class KeptImage {
 public:
  const OwnedImage& encrypted(std::uint64_t seed, std::string_view cipher, std::string_view label,
                              const ImageRef& image);

 private:
  std::string m_name;
  std::unique_ptr<OwnedImage> m_image;
};

/// Sequence number `sequence`: with p sequences to a stream, its bits from (sequence % p) *
/// sequence_bits on in the stream of key sequence / p. There must be one sequence to a stream.
BitSequence cipher_sequence(std::uint64_t seed, const ImageSet& set, std::string_view cipher,
                            std::uint64_t sequence_bits, std::uint64_t sequence, KeptImage& kept);

}  // namespace icb
