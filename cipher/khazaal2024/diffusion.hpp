/// Diffusion: keystream of all three sources, secret boxes, chains in both directions
/// (docs/cipher.md, section 5; P10).
#pragma once

#include <array>
#include <cstdint>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

inline constexpr std::size_t widest_line = 64;

using Box = std::array<std::uint8_t, 256>;
using ChainState = std::array<std::uint8_t, widest_line>;

/// A permutation of the byte values drawn from the guide lane.
Box make_box(Lane& guide, const Parameters& parameters);
Box inverse(const Box& box);
/// 64 bytes from eight words of the guide lane.
ChainState make_chain_state(Lane& guide, const Parameters& parameters);

/// Largest power of two w with w <= 64 and 16 w <= bytes, at least 1.
std::size_t line_width(std::size_t bytes);

/// The next `out.size()` bytes of keystream; the lanes are left after ceil(size / 64) steps.
void fill_keystream(std::array<Lane, keystream_lanes>& lanes, const Parameters& parameters,
                    MutableBytes out);

/// In place. `keystream` has the size of `data`.
void forward_chain(MutableBytes data, ConstBytes keystream, const Box& box, ChainState state);
void backward_chain(MutableBytes data, const Box& box, ChainState state);
/// Inverses, given the inverse box.
void undo_forward_chain(MutableBytes data, ConstBytes keystream, const Box& inverse_box,
                        ChainState state);
void undo_backward_chain(MutableBytes data, const Box& inverse_box, ChainState state);

}  // namespace icb::khazaal2024
