#include "core/bits.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace icb {

BitView::BitView(std::span<const std::uint64_t> words, std::uint64_t size)
    : m_words(words), m_size(size) {
  if (words.size() != (size + 63) / 64) {
    throw std::invalid_argument(
        fmt::format("{} bits need {} words, got {}", size, (size + 63) / 64, words.size()));
  }
}

BitSequence BitSequence::from_bytes(ConstBytes bytes) {
  return from_bytes(bytes, 0, std::uint64_t{8} * bytes.size());
}

BitSequence BitSequence::from_bytes(ConstBytes bytes, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t available = std::uint64_t{8} * bytes.size();
  if (first > available || count > available - first) {
    throw std::invalid_argument(
        fmt::format("bits {} to {} asked of a sequence of {}", first, first + count, available));
  }
  BitSequence out;
  out.m_size = count;
  out.m_words.assign((count + 63) / 64, 0);
  // 8 bits at a time: two neighbouring bytes hold them wherever `first` starts.
  const std::uint64_t shift = first % 8;
  for (std::uint64_t i = 0; i < (count + 7) / 8; ++i) {
    const std::uint64_t at = first / 8 + i;
    unsigned pair = static_cast<unsigned>(bytes[at]) << 8;
    if (at + 1 < bytes.size()) pair |= bytes[at + 1];
    std::uint64_t byte = (pair >> (8 - shift)) & 0xFF;
    const std::uint64_t left = count - 8 * i;
    if (left < 8) byte &= 0xFF00U >> left & 0xFF;
    out.m_words[i / 8] |= byte << (56 - 8 * (i % 8));
  }
  return out;
}

BitSequence BitSequence::from_text(std::string_view text) {
  BitSequence out;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c != '0' && c != '1') {
      throw std::invalid_argument(fmt::format("expected 0 or 1, got \"{}\"", c));
    }
    if (out.m_size % 64 == 0) out.m_words.push_back(0);
    if (c == '1') out.m_words.back() |= std::uint64_t{1} << (63 - out.m_size % 64);
    ++out.m_size;
  }
  return out;
}

BitSequence BitSequence::from_words(std::vector<std::uint64_t> words, std::uint64_t size) {
  if (words.size() != size / 64 + (size % 64 == 0 ? 0 : 1)) {
    throw std::invalid_argument(
        fmt::format("{} bits do not fill {} words exactly", size, words.size()));
  }
  if (size % 64 != 0 && words.back() << size % 64 != 0) {
    throw std::invalid_argument(fmt::format("bits beyond the {} of the sequence are not 0", size));
  }
  BitSequence out;
  out.m_words = std::move(words);
  out.m_size = size;
  return out;
}

}  // namespace icb
