#include "core/bits.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace icb {
namespace {

/// Bit i of the bytes, one at a time.
unsigned plain_bit(const Bytes& bytes, std::uint64_t i) {
  return (static_cast<unsigned>(bytes[i / 8]) >> (7 - i % 8)) & 1U;
}

/// All bits equal, and those of the last word beyond the size zero.
bool equals(const BitSequence& bits, const Bytes& bytes, std::uint64_t first, std::uint64_t count) {
  const BitView view = bits.view();
  if (bits.size() != count || view.size() != count) return false;
  if (view.words().size() != (count + 63) / 64) return false;
  for (std::uint64_t i = 0; i < 64 * view.words().size(); ++i) {
    const auto word = view.words()[i / 64];
    const auto bit = static_cast<unsigned>(word >> (63 - i % 64)) & 1U;
    const unsigned expected = i < count ? plain_bit(bytes, first + i) : 0;
    if (bit != expected || (i < count && view[i] != expected)) return false;
  }
  return true;
}

Bytes some_bytes(std::size_t count) {
  std::mt19937_64 engine(1);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine() & 0xFF);
  return bytes;
}

TEST(Bits, EveryOffsetAndLengthAgreesWithBitByBit) {
  for (const Bytes& bytes : {some_bytes(34), Bytes(34, 0xFF)}) {
    for (std::uint64_t first = 0; first <= 8 * bytes.size(); ++first) {
      for (std::uint64_t count = 0; first + count <= 8 * bytes.size(); ++count) {
        ASSERT_TRUE(equals(BitSequence::from_bytes(bytes, first, count), bytes, first, count))
            << "first " << first << ", count " << count;
      }
    }
  }
}

TEST(Bits, WholeByteStringsOfEveryLength) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const Bytes bytes = some_bytes(size);
    EXPECT_TRUE(equals(BitSequence::from_bytes(bytes), bytes, 0, 8 * size)) << size;
  }
}

TEST(Bits, MostSignificantBitOfTheFirstByteComesFirst) {
  const Bytes bytes{0x80, 0, 0, 0, 0, 0, 0, 0x01, 0xC0};
  const auto bits = BitSequence::from_bytes(bytes);
  ASSERT_EQ(bits.view().words().size(), 2U);
  EXPECT_EQ(bits.view().words()[0], 0x8000000000000001U);
  EXPECT_EQ(bits.view().words()[1], 0xC000000000000000U);
}

TEST(Bits, MoreBitsThanThereAreIsRefused) {
  const Bytes bytes(4);
  EXPECT_NO_THROW(BitSequence::from_bytes(bytes, 32, 0));
  EXPECT_THROW(BitSequence::from_bytes(bytes, 0, 33), std::invalid_argument);
  EXPECT_THROW(BitSequence::from_bytes(bytes, 31, 2), std::invalid_argument);
  EXPECT_THROW(BitSequence::from_bytes(bytes, 33, 0), std::invalid_argument);
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROW(BitSequence::from_bytes(bytes, 2, most), std::invalid_argument);
  EXPECT_THROW(BitSequence::from_bytes(bytes, most, 1), std::invalid_argument);
}

TEST(Bits, TextRoundTrip) {
  std::mt19937_64 engine(2);
  for (std::size_t size = 0; size <= 200; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += (engine() & 1) != 0 ? '1' : '0';
    const auto bits = BitSequence::from_text(text);
    ASSERT_EQ(bits.size(), size);
    std::string back;
    for (std::uint64_t i = 0; i < size; ++i) back += bits.view()[i] != 0 ? '1' : '0';
    ASSERT_EQ(back, text);
    if (size % 64 != 0) {
      ASSERT_EQ(bits.view().words().back() << (size % 64), 0U);
    }
  }
}

TEST(Bits, TextSkipsWhiteSpaceAndRefusesTheRest) {
  const auto bits = BitSequence::from_text(" 10\n1\t1\r\n0 ");
  ASSERT_EQ(bits.size(), 5U);
  EXPECT_EQ(bits.view().words()[0], 0xB000000000000000U);
  for (const char* text : {"012", "1.0", "x", "1,0", "-1"}) {
    EXPECT_THROW(BitSequence::from_text(text), std::invalid_argument) << text;
  }
}

TEST(Bits, WordsAreTakenOverAsTheyAre) {
  const Bytes bytes = some_bytes(24);
  for (std::uint64_t size = 0; size <= 192; ++size) {
    const BitSequence bits = BitSequence::from_bytes(bytes, 0, size);
    const auto words = bits.view().words();
    const std::vector<std::uint64_t> copy(words.begin(), words.end());
    EXPECT_TRUE(equals(BitSequence::from_words(copy, size), bytes, 0, size)) << size;
    auto longer = copy;
    longer.push_back(0);
    EXPECT_THROW(BitSequence::from_words(longer, size), std::invalid_argument) << size;
    if (size % 64 == 0) continue;
    auto dirty = copy;  // the first bit beyond the end
    dirty.back() |= std::uint64_t{1} << (63 - size % 64);
    EXPECT_THROW(BitSequence::from_words(dirty, size), std::invalid_argument) << size;
  }
}

TEST(Bits, ViewsNeedTheRightNumberOfWords) {
  const std::array<std::uint64_t, 2> words{1, 2};
  for (std::uint64_t size = 65; size <= 128; ++size) EXPECT_NO_THROW(BitView(words, size));
  EXPECT_THROW(BitView(words, 64), std::invalid_argument);
  EXPECT_THROW(BitView(words, 129), std::invalid_argument);
  EXPECT_THROW(BitView(words, 0), std::invalid_argument);
  EXPECT_NO_THROW(BitView({}, 0));
}

}  // namespace
}  // namespace icb
