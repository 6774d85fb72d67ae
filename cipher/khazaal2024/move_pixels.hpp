/// Carries out a plan of confusion (docs/cipher.md, section 4): moves whole pixels.
///
/// Images are given by the address of their first pixel and the bytes from one line to the next
/// (`step`); pixels have 1, 2, 3, 4, 6 or 8 bytes. Nothing outside the lines named is read or
/// written. Two buffers of one call must not overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cipher/khazaal2024/line_moves.hpp"

namespace icb::khazaal2024 {

/// When what is written will be read again.
enum class Use {
  soon,  ///< it stays in the caches
  late,  ///< it goes past them to memory, unread: for results too large to stay
};

/// New lines [first, first + count) of the lines at `from`, one right after the other, to `to`.
void gather_lines(const LineMoves& moves, std::size_t pixel_bytes, std::size_t first,
                  std::size_t count, const std::uint8_t* from, std::size_t from_step,
                  std::uint8_t* to, Use use = Use::soon);

/// Inverse: puts the new lines at `from`, one right after the other, to where they come from.
void scatter_lines(const LineMoves& moves, std::size_t pixel_bytes, std::size_t first,
                   std::size_t count, const std::uint8_t* from, std::uint8_t* to,
                   std::size_t to_step, Use use = Use::soon);

/// Pixel (i, j) of rows x cols pixels at `from` becomes pixel (j, i) at `to`. Fastest in strips of
/// a multiple of 64 rows, with steps that are no multiple of 4096.
void transpose(std::size_t rows, std::size_t cols, std::size_t pixel_bytes,
               const std::uint8_t* from, std::size_t from_step, std::uint8_t* to,
               std::size_t to_step);

/// Bytes from a position to the next one below and to the next one on the right; the pixel at
/// (i, j) of a row-major image has steps of a row and of a pixel, of a transposed one the reverse.
struct Steps {
  std::size_t down;
  std::size_t right;
};

/// Every crossing (a row, b column) in order, in a rows x cols image; its pixels are spread along
/// both lines, max(1, positions / 16) from one to the next.
void swap_crossings(std::span<const Exchange> crossings, std::size_t rows, std::size_t cols,
                    std::size_t pixel_bytes, std::uint8_t* pixels, Steps steps);
/// Inverse: from the last swap to the first.
void unswap_crossings(std::span<const Exchange> crossings, std::size_t rows, std::size_t cols,
                      std::size_t pixel_bytes, std::uint8_t* pixels, Steps steps);

}  // namespace icb::khazaal2024
