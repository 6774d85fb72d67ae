/// Confusion: which position each pixel comes from (docs/cipher.md, section 4).
#pragma once

#include <cstdint>
#include <vector>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "cipher/khazaal2024/networks.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// Entry i * cols + j is the position, in the plain image, of the pixel that lands on (i, j).
class PositionMap {
 public:
  PositionMap(std::size_t rows, std::size_t cols);

  std::size_t rows() const { return m_rows; }

  std::size_t cols() const { return m_cols; }

  std::uint32_t& at(std::size_t row, std::size_t col) { return m_source[row * m_cols + col]; }

  const std::vector<std::uint32_t>& source() const { return m_source; }

  /// Row i of the result is row order[i] of this.
  void reorder_rows(const std::vector<std::uint32_t>& order);
  void reorder_columns(const std::vector<std::uint32_t>& order);
  /// Position k of row i of the result is position (k + shift[i]) mod cols of this.
  void shift_rows(const std::vector<std::uint32_t>& shift);
  void shift_columns(const std::vector<std::uint32_t>& shift);

 private:
  std::size_t m_rows;
  std::size_t m_cols;
  std::vector<std::uint32_t> m_source;
};

/// A row (index below rows) or a column (index - rows) of an image.
struct Line {
  bool is_row;
  std::size_t index;

  friend bool operator==(const Line&, const Line&) = default;
};

/// A section of one line and its counterpart on another.
struct Exchange {
  Line line;
  std::size_t start;
  Line partner;
  std::size_t partner_start;
  std::size_t count;
  bool down;  ///< the partner's section is taken from its end
};

/// Swaps the two sections position by position (P9, Fig. 6): a bijection also where they cross.
void exchange(PositionMap& map, const Exchange& sections);

/// Pixels of border l of a rows x cols image (P7).
std::size_t border_length(std::size_t rows, std::size_t cols, std::size_t level);
/// Number of levels: half of the longer side.
std::size_t level_count(std::size_t rows, std::size_t cols);

/// What drives the confusion of a round; guide and feedback go on into the next round.
struct ConfusionState {
  const Parameters& parameters;
  Lane& guide;
  HiddenState& feedback;
  const HiddenState& offsets;
};

/// The whole step. `outputs`, if given, receives the network's outputs of every level.
PositionMap confusion_map(std::size_t rows, std::size_t cols, const FeedbackWeights& weights,
                          ConfusionState state, std::vector<NetworkOutput>* outputs = nullptr);

/// Moves whole pixels: pixel n of `out` is pixel map[n] of `in`. The buffers must not overlap.
void permute_pixels(ConstImage in, const PositionMap& map, Image out);
/// Inverse: pixel map[n] of `out` is pixel n of `in`.
void unpermute_pixels(ConstImage in, const PositionMap& map, Image out);

}  // namespace icb::khazaal2024
