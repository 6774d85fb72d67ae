/// The rounds as passes over the image (docs/cipher.md, section 6): each reads and writes every
/// byte once, doing all that can be done while it is in the cache.
///
/// A pass is cut into units of one keystream block, 2^17 bytes. The chains join the units: each
/// needs the carry of the one before. Everything else about a unit (moving pixels, making
/// keystream) is independent of the others, so several threads share the units and hand the carry
/// on; the bytes do not depend on their number.
#pragma once

#include <array>
#include <cstdint>

#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/keystream.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// What a pass needs to know beside its buffers.
struct RoundInput {
  Shape shape;
  const ConfusionPlan& plan;
  const Keystream& keystream;
  unsigned round;          ///< counted from 1; chooses the keystream
  const ChainKeys* chain;  ///< null: no diffusion
  unsigned threads;
};

/// Odd round: `out` becomes the rows of `in` exchanged, ordered and shifted, then chained forward.
/// The buffers have shape.bytes() bytes and do not overlap.
void rows_pass(const RoundInput& round, ConstBytes in, MutableBytes out);
/// Bytes from one column of pixels to the next in the scratch buffer of columns_pass: with columns
/// longer than a kilobyte a cache line more than they have, so that neighbours do not compete for
/// the same places of the caches.
std::size_t transposed_step(const Shape& shape);

/// Even round: chains `data` backward, then treats the columns. `scratch` has transposed_step()
/// bytes for each column and is overwritten.
void columns_pass(const RoundInput& round, MutableBytes data, MutableBytes scratch);

/// Inverses. `data` is overwritten; the result is in `out`.
void undo_rows_pass(const RoundInput& round, MutableBytes data, MutableBytes out);
/// `scratch` is overwritten; `in` may be `out`, but not `scratch`.
void undo_columns_pass(const RoundInput& round, ConstBytes in, MutableBytes scratch,
                       MutableBytes out);

}  // namespace icb::khazaal2024
