/// Vector code of the CNN key generator, one row at a time (docs/cipher.md, section 2). What it
/// computes is written plainly in keygen_network.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icb::khazaal2024::kernels {

/// Weights as the vectors want them. A vector holds at most 64 bytes.
struct Packed {
  /// Level 1: weights for each sample of a vector that starts in channel 0.
  struct Tap {
    alignas(64) std::int8_t of8[64];
    alignas(64) std::int16_t of16[32];
  };

  Tap up, corner, cross;
  /// Of the even or the odd samples alone, two weights each: that of the sample to the left in the
  /// channel before, and that of the sample to the left.
  Tap left_even, left_odd;
  /// What the sums of even and odd 16-bit samples start from.
  alignas(64) std::int32_t base_even[16];
  alignas(64) std::int32_t base_odd[16];
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

/// Rows of an image, one behind the other.
struct Strip {
  std::size_t height;  ///< at least 1
  std::size_t samples;
  std::size_t channels;
  std::size_t sample_bytes;
};

/// Rows of level 1 from their second pixels on. north is the row above the first. The samples
/// before x[0] and behind the last row are read, in x and north; the sample behind each row is
/// overwritten. What they hold does not matter.
///
/// Returns false, having done nothing, if the rows are too narrow for a vector.
bool residual_rows(const Packed& weights, const std::uint8_t* x, const std::uint8_t* north,
                   const Strip& strip, std::uint8_t* out);

/// The upper bytes of 16-bit samples.
void high_bytes(const std::uint8_t* from, std::size_t samples, std::uint8_t* to);

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
