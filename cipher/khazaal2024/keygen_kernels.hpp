/// Vector code of the CNN key generator, one row at a time (docs/cipher.md, section 2). What it
/// computes is written plainly in keygen_network.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icb::khazaal2024::kernels {

/// Weights as the vectors want them. A vector holds at most 64 bytes.
struct Packed {
  /// Level 1: [tap][channel of the vector's first sample][sample]. `left` has two taps: at even
  /// places the left of the channel before, at odd places the left of the channel of the sample
  /// before, both with the weights of that sample.
  enum Tap { left, up, corner, cross };

  alignas(64) std::int8_t taps8[4][3][64];
  alignas(64) std::int16_t taps16[4][3][32];
  /// What the sums of 16-bit samples start from, for every second sample.
  alignas(64) std::int32_t base16[3][16];
  /// Level 2: [row][filter], four weights in a word.
  alignas(64) std::int32_t texture[4][4];
  /// Biases with the -128 of the map in them.
  std::int32_t texture_bias[4];
  int texture_shift;
  /// Levels 3 and 4: [row, column, four maps][filter][map]; the 8 filters of level 3 twice.
  alignas(64) std::int8_t parts[16][16][4];
  alignas(64) std::int8_t structure[32][16][4];
  alignas(64) std::int32_t parts_bias[16];
  alignas(64) std::int32_t structure_bias[16];
  int parts_shift;
  int structure_shift;
};

/// A row of level 1 from its second pixel on. x and north are the row and the one above it; the
/// sample before x is read, its value does not matter.
///
/// Returns false, having done nothing, if the row is too narrow for a vector.
bool residual_row(const Packed& weights, const std::uint8_t* x, const std::uint8_t* north,
                  std::size_t samples, std::size_t channels, std::size_t sample_bytes,
                  std::uint8_t* out);

/// A row of level 2 out of four rows of 8-bit samples. Up to 64 bytes behind the row are
/// overwritten.
void texture_row(const Packed& weights, const std::uint8_t* const rows[4], std::size_t cols,
                 std::size_t channels, std::uint8_t* out);

/// A row of level 3 (parts) or 4 (structure) out of `height` rows, 1 to 4, of the level before.
void parts_row(const Packed& weights, const std::uint8_t* rows, std::size_t height,
               std::size_t cols, std::size_t channels, std::uint8_t* out);
void structure_row(const Packed& weights, const std::uint8_t* rows, std::size_t height,
                   std::size_t cols, std::size_t channels, std::uint8_t* out);

}  // namespace icb::khazaal2024::kernels
