/// Diffusion: chains of lines in either direction, masked by a carry (docs/cipher.md, section 5;
/// P10).
#pragma once

#include <array>
#include <cstdint>

#include "cipher/khazaal2024/sources.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// The bytes of an image are lines of this length, the last possibly shorter, and ...
inline constexpr std::size_t line_bytes = 512;
/// ... this many lines of one byte at the end (of a smaller image all bytes).
inline constexpr std::size_t single_bytes = 8;

/// Secrets of one chain.
struct ChainKeys {
  std::array<std::uint64_t, line_bytes / 8> odd;   ///< multipliers of the carry, odd
  std::array<std::uint64_t, line_bytes / 8> hash;  ///< added to the words of the output
  std::uint64_t carry;                             ///< the first
};

/// The next 65 steps of the guide lane.
ChainKeys draw_chain_keys(Lane& guide, const Parameters& parameters, Sources sources);

enum class Direction { forward, backward };

/// How many of an image's bytes are in lines, and not single.
constexpr std::size_t bytes_in_lines(std::size_t bytes) {
  return bytes < single_bytes ? 0 : bytes - single_bytes;
}

/// Chains the lines of a piece of the image, in place. The piece starts at a line and ends at the
/// end of one; `keystream` is that of its bytes. Returns the carry for the line that comes next.
std::uint64_t chain_lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                          const ChainKeys& keys, std::uint64_t carry);
std::uint64_t undo_lines(Direction direction, MutableBytes piece, ConstBytes keystream,
                         const ChainKeys& keys, std::uint64_t carry);

/// The same for lines of one byte.
std::uint64_t chain_singles(Direction direction, MutableBytes piece, ConstBytes keystream,
                            const ChainKeys& keys, std::uint64_t carry);
std::uint64_t undo_singles(Direction direction, MutableBytes piece, ConstBytes keystream,
                           const ChainKeys& keys, std::uint64_t carry);

/// A whole image, in place; `keystream` has its size.
void chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                 const ChainKeys& keys);
void undo_chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                      const ChainKeys& keys);

namespace plain {

/// The same without vectors.
void chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                 const ChainKeys& keys);
void undo_chain_image(Direction direction, MutableBytes data, ConstBytes keystream,
                      const ChainKeys& keys);

}  // namespace plain

}  // namespace icb::khazaal2024
