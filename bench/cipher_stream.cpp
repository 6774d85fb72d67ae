#include "bench/cipher_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.hpp"

namespace icb {
Bytes key_for(std::uint64_t seed, const CipherEntry& cipher, std::string_view key_label) {
  return derive_bytes(seed, key_label, cipher.key_bits.value / 8);
}

Bytes nonce_for(std::uint64_t seed, const CipherEntry& cipher, std::string_view key_label,
                std::string_view image_name) {
  return derive_bytes(seed, fmt::format("nonce/{}/{}", key_label, image_name),
                      cipher.nonce_bytes.value);
}

OwnedImage encrypt_for(std::uint64_t seed, std::string_view cipher, ConstImage plain,
                       std::string_view key_label, std::string_view image_name) {
  const auto& entry = find<CipherEntry>(cipher);
  return encrypt(entry, plain, key_for(seed, entry, key_label),
                 nonce_for(seed, entry, key_label, image_name))
      .image;
}

std::string stream_key_label(std::size_t key) { return fmt::format("table2/key-{}", key); }

std::uint64_t sequences_per_stream(const ImageSet& set, std::uint64_t sequence_bits) {
  std::uint64_t bytes = 0;
  for (const ImageRef& image : set.images) bytes += image.shape.bytes();
  return 8 * bytes / sequence_bits;
}

const OwnedImage& KeptImage::encrypted(std::uint64_t seed, std::string_view cipher,
                                       std::string_view label, const ImageRef& image) {
  std::string name = fmt::format("{} {} {} {}", seed, cipher, label, image.sha256);
  if (m_image == nullptr || m_name != name) {
    m_image.reset();
    const OwnedImage plain = owned(image.load());
    m_image =
        std::make_unique<OwnedImage>(encrypt_for(seed, cipher, plain.view(), label, image.name));
    m_name = std::move(name);
  }
  return *m_image;
}

BitSequence cipher_sequence(std::uint64_t seed, const ImageSet& set, std::string_view cipher,
                            std::uint64_t sequence_bits, std::uint64_t sequence, KeptImage& kept) {
  const std::uint64_t per_stream = sequences_per_stream(set, sequence_bits);
  const std::string label = stream_key_label(static_cast<std::size_t>(sequence / per_stream));
  const std::uint64_t first_bit = sequence % per_stream * sequence_bits;
  const std::uint64_t first = first_bit / 8;
  const std::uint64_t last = (first_bit + sequence_bits + 7) / 8;
  Bytes bytes;
  bytes.reserve(static_cast<std::size_t>(last - first));
  std::uint64_t start = 0;
  for (const ImageRef& image : set.images) {
    const std::uint64_t size = image.shape.bytes();
    const std::uint64_t from = std::max(first, start);
    const std::uint64_t to = std::min(last, start + size);
    if (from < to) {
      const ConstBytes all = kept.encrypted(seed, cipher, label, image).bytes();
      const ConstBytes part = all.subspan(from - start, to - from);
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    start += size;
  }
  return BitSequence::from_bytes(bytes, first_bit % 8, sequence_bits);
}

}  // namespace icb
