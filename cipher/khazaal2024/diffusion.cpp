#include "cipher/khazaal2024/diffusion.hpp"

#include <algorithm>
#include <cstring>

// Compiled once per instruction set. Arrays of vectors are used, which scalable vectors cannot be
// in.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cipher/khazaal2024/diffusion.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef ICB_DIFFUSION_ONCE
#define ICB_DIFFUSION_ONCE

namespace icb::khazaal2024 {
namespace {

std::uint64_t next_carry(std::uint64_t carry, std::uint64_t hash) {
  return fold(fold(carry + hash) * 0x9FB21C651E98DF25);
}

/// What a word of the output adds to the hash of its line.
std::uint64_t hash_of(std::uint64_t word, std::uint64_t key) {
  const auto low = static_cast<std::uint32_t>(word) + static_cast<std::uint32_t>(key);
  const auto high = static_cast<std::uint32_t>(word >> 32) + static_cast<std::uint32_t>(key >> 32);
  return std::uint64_t{low} * high;
}

/// Byte by byte, mod 256.
std::uint64_t add_bytes(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t top = 0x8080808080808080;
  return ((a & ~top) + (b & ~top)) ^ ((a ^ b) & top);
}

std::uint64_t subtract_bytes(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t top = 0x8080808080808080;
  return ((a | top) - (b & ~top)) ^ ((a ^ ~b) & top);
}

/// One line of 1 to 512 bytes. Returns the next carry.
template <bool kUndo>
std::uint64_t plain_line(std::uint8_t* data, const std::uint8_t* keystream, std::size_t count,
                         const ChainKeys& keys, std::uint64_t carry) {
  std::uint64_t hash = 0;
  for (std::size_t j = 0; 8 * j < count; ++j) {
    const std::size_t present = std::min<std::size_t>(8, count - 8 * j);
    const std::uint64_t mask = fold(carry * keys.odd[j]);
    std::uint64_t in = 0;
    std::uint64_t k = 0;
    std::memcpy(&in, data + 8 * j, present);
    std::memcpy(&k, keystream + 8 * j, present);
    std::uint64_t out = kUndo ? subtract_bytes(in, mask) ^ k : add_bytes(in ^ k, mask);
    std::memcpy(data + 8 * j, &out, present);
    std::uint64_t cipher = 0;  // without the bytes that are not there
    std::memcpy(&cipher, kUndo ? &in : &out, present);
    hash += hash_of(cipher, keys.hash[j]);
  }
  return next_carry(carry, hash);
}

/// Calls line(first byte, size, carry) -> next carry in order, lines of `width` bytes.
template <class Line>
std::uint64_t over_lines(Direction direction, std::size_t bytes, std::size_t width,
                         std::uint64_t carry, Line line) {
  const std::size_t lines = (bytes + width - 1) / width;
  for (std::size_t n = 0; n < lines; ++n) {
    const std::size_t first = width * (direction == Direction::forward ? n : lines - 1 - n);
    carry = line(first, std::min(width, bytes - first), carry);
  }
  return carry;
}

}  // namespace
}  // namespace icb::khazaal2024

#endif  // ICB_DIFFUSION_ONCE

HWY_BEFORE_NAMESPACE();

namespace icb::khazaal2024::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <bool kUndo>
std::uint64_t full_lines(std::uint8_t* data, const std::uint8_t* keystream, std::size_t lines,
                         std::ptrdiff_t stride, const ChainKeys& keys, std::uint64_t carry) {
  for (; lines > 0; --lines, data += stride, keystream += stride) {
    carry = plain_line<kUndo>(data, keystream, line_bytes, keys, carry);
  }
  return carry;
}

#else

using Tag = hn::ScalableTag<std::uint64_t>;
using Halves = hn::Repartition<std::uint32_t, Tag>;
using Octets = hn::Repartition<std::uint8_t, Tag>;
using Vec = hn::Vec<Tag>;

HWY_INLINE Vec fold(Vec a) { return hn::Xor(a, hn::ShiftRight<32>(a)); }

/// The sum of all lanes, in each of them.
HWY_INLINE Vec sum_of_lanes(Vec a) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL  // sooner there than by way of one lane
  a = hn::Add(a, hn::ReverseBlocks(Tag(), a));
  a = hn::Add(a, hn::SwapAdjacentBlocks(a));
  return hn::Add(a, hn::Shuffle01(a));
#else
  return hn::SumOfLanes(Tag(), a);
#endif
}

/// Lines of 512 bytes, the first at `data`, each `stride` after the one before. The carry is in all
/// lanes of a vector throughout.
template <bool kUndo>
std::uint64_t full_lines(std::uint8_t* HWY_RESTRICT data,
                         const std::uint8_t* HWY_RESTRICT keystream, std::size_t lines,
                         std::ptrdiff_t stride, const ChainKeys& keys, std::uint64_t first_carry) {
  const Tag d;
  const Halves halves;
  const Octets octets;
  constexpr std::size_t lanes = hn::MaxLanes(d);
  constexpr std::size_t vectors = line_bytes / 8 / lanes;
  Vec odd[vectors];
  Vec hash[vectors];
  for (std::size_t j = 0; j < vectors; ++j) {
    odd[j] = hn::LoadU(d, keys.odd.data() + lanes * j);
    hash[j] = hn::LoadU(d, keys.hash.data() + lanes * j);
  }
  const Vec multiplier = hn::Set(d, 0x9FB21C651E98DF25);
  Vec carry = hn::Set(d, first_carry);
  for (; lines > 0; --lines, data += stride, keystream += stride) {
    Vec sums[2] = {hn::Zero(d), hn::Zero(d)};
    HWY_UNROLL(8)
    for (std::size_t j = 0; j < vectors; ++j) {
      const auto in = hn::LoadU(octets, data + 8 * lanes * j);
      const auto k = hn::LoadU(octets, keystream + 8 * lanes * j);
      const auto mask = hn::BitCast(octets, fold(hn::Mul(carry, odd[j])));
      const auto out = kUndo ? hn::Xor(hn::Sub(in, mask), k) : hn::Add(hn::Xor(in, k), mask);
      hn::StoreU(out, octets, data + 8 * lanes * j);
      const auto keyed =
          hn::Add(hn::BitCast(halves, kUndo ? in : out), hn::BitCast(halves, hash[j]));
      const auto upper = hn::BitCast(halves, hn::ShiftRight<32>(hn::BitCast(d, keyed)));
      sums[j % 2] = hn::Add(sums[j % 2], hn::MulEven(keyed, upper));
    }
    const Vec sum = sum_of_lanes(hn::Add(sums[0], sums[1]));
    carry = fold(hn::Mul(fold(hn::Add(carry, sum)), multiplier));
  }
  return hn::GetLane(carry);
}

#endif

std::uint64_t chain_full(std::uint8_t* data, const std::uint8_t* keystream, std::size_t lines,
                         std::ptrdiff_t stride, const ChainKeys& keys, std::uint64_t carry) {
  return full_lines<false>(data, keystream, lines, stride, keys, carry);
}

std::uint64_t undo_full(std::uint8_t* data, const std::uint8_t* keystream, std::size_t lines,
                        std::ptrdiff_t stride, const ChainKeys& keys, std::uint64_t carry) {
  return full_lines<true>(data, keystream, lines, stride, keys, carry);
}

}  // namespace
}  // namespace icb::khazaal2024::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb::khazaal2024 {

HWY_EXPORT(chain_full);
HWY_EXPORT(undo_full);

namespace {

template <bool kUndo>
std::uint64_t lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                    const ChainKeys& keys, std::uint64_t carry) {
  const std::size_t full = piece.size() / line_bytes;
  const std::size_t whole = full * line_bytes;
  const auto short_line = [&] {
    if (whole == piece.size()) return;
    carry = plain_line<kUndo>(piece.data() + whole, keystream.data() + whole, piece.size() - whole,
                              keys, carry);
  };
  const bool forward = direction == Direction::forward;
  if (!forward) short_line();
  if (full > 0) {
    const std::size_t first = forward ? 0 : whole - line_bytes;
    const auto width = static_cast<std::ptrdiff_t>(line_bytes);
    const std::ptrdiff_t stride = forward ? width : -width;
    std::uint8_t* const data = piece.data() + first;
    const std::uint8_t* const k = keystream.data() + first;
    carry = kUndo ? HWY_DYNAMIC_DISPATCH(undo_full)(data, k, full, stride, keys, carry)
                  : HWY_DYNAMIC_DISPATCH(chain_full)(data, k, full, stride, keys, carry);
  }
  if (forward) short_line();
  return carry;
}

template <bool kUndo>
std::uint64_t plain_lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                          const ChainKeys& keys, std::uint64_t carry, std::size_t width) {
  return over_lines(direction, piece.size(), width, carry,
                    [&](std::size_t first, std::size_t count, std::uint64_t c) {
                      return plain_line<kUndo>(piece.data() + first, keystream.data() + first,
                                               count, keys, c);
                    });
}

/// Lines and singles in the order of the direction.
template <class Lines, class Singles>
void whole_image(Direction direction, MutableBytes data, ConstBytes keystream,
                 const ChainKeys& keys, Lines lines, Singles singles) {
  const std::size_t body = bytes_in_lines(data.size());
  if (direction == Direction::forward) {
    const std::uint64_t carry =
        lines(direction, data.first(body), keystream.first(body), keys, keys.carry);
    singles(direction, data.subspan(body), keystream.subspan(body), keys, carry);
  } else {
    const std::uint64_t carry =
        singles(direction, data.subspan(body), keystream.subspan(body), keys, keys.carry);
    lines(direction, data.first(body), keystream.first(body), keys, carry);
  }
}

}  // namespace

ChainKeys draw_chain_keys(Lane& guide, const Parameters& parameters, Sources sources) {
  ChainKeys keys{};
  for (std::size_t j = 0; j < keys.odd.size(); ++j) {
    const Words words = words_of(step(guide, parameters, sources));
    keys.odd[j] = words.z1 | 1;
    keys.hash[j] = words.z2;
  }
  keys.carry = words_of(step(guide, parameters, sources)).z1;
  return keys;
}

std::uint64_t chain_lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                          const ChainKeys& keys, std::uint64_t carry) {
  return lines<false>(direction, piece, keystream, keys, carry);
}

std::uint64_t undo_lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                         const ChainKeys& keys, std::uint64_t carry) {
  return lines<true>(direction, piece, keystream, keys, carry);
}

std::uint64_t chain_singles(Direction direction, MutableBytes piece, ConstBytes keystream,
                            const ChainKeys& keys, std::uint64_t carry) {
  return plain_lines<false>(direction, piece, keystream, keys, carry, 1);
}

std::uint64_t undo_singles(Direction direction, MutableBytes piece, ConstBytes keystream,
                           const ChainKeys& keys, std::uint64_t carry) {
  return plain_lines<true>(direction, piece, keystream, keys, carry, 1);
}

void chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                 const ChainKeys& keys) {
  whole_image(direction, data, keystream, keys, chain_lines, chain_singles);
}

void undo_chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                      const ChainKeys& keys) {
  whole_image(direction, data, keystream, keys, undo_lines, undo_singles);
}

namespace plain {

void chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                 const ChainKeys& keys) {
  const auto long_lines = [](auto... arguments) {
    return plain_lines<false>(arguments..., line_bytes);
  };
  whole_image(direction, data, keystream, keys, long_lines, chain_singles);
}

void undo_chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                      const ChainKeys& keys) {
  const auto long_lines = [](auto... arguments) {
    return plain_lines<true>(arguments..., line_bytes);
  };
  whole_image(direction, data, keystream, keys, long_lines, undo_singles);
}

}  // namespace plain

}  // namespace icb::khazaal2024

#endif  // HWY_ONCE
