/// Sequences of bits, packed most significant bit first into 64-bit words.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/image.hpp"

namespace icb {

/// View of `size` bits: bit i is bit 63 - i % 64 of word i / 64. Bits of the last word beyond
/// `size` are zero (checked at construction of BitSequence; a contract for views made by hand).
class BitView {
 public:
  BitView(std::span<const std::uint64_t> words, std::uint64_t size);

  std::uint64_t size() const { return m_size; }

  std::span<const std::uint64_t> words() const { return m_words; }

  unsigned operator[](std::uint64_t i) const {
    return static_cast<unsigned>(m_words[i / 64] >> (63 - i % 64)) & 1U;
  }

 private:
  std::span<const std::uint64_t> m_words;
  std::uint64_t m_size;
};

/// Owns the words.
///
///   const auto bits = BitSequence::from_bytes(cipher_bytes);   // byte order kept, MSB first
///   run(bits.view())
class BitSequence {
 public:
  /// All bits of the bytes, most significant bit of each byte first.
  static BitSequence from_bytes(ConstBytes bytes);
  /// `count` bits of the bytes from bit `first` on. Throws std::invalid_argument if there are
  /// fewer.
  static BitSequence from_bytes(ConstBytes bytes, std::uint64_t first, std::uint64_t count);
  /// From '0' and '1'; spaces and line breaks are skipped. Throws std::invalid_argument otherwise.
  static BitSequence from_text(std::string_view text);
  /// Takes over words as a view holds them. Throws std::invalid_argument unless there are exactly
  /// as many as `size` needs and the bits beyond it are zero.
  static BitSequence from_words(std::vector<std::uint64_t> words, std::uint64_t size);

  BitView view() const { return {m_words, m_size}; }

  std::uint64_t size() const { return m_size; }

 private:
  std::vector<std::uint64_t> m_words;
  std::uint64_t m_size = 0;
};

}  // namespace icb
