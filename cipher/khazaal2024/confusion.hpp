/// Confusion: where each pixel goes (docs/cipher.md, section 4). A plan is made first, from key and
/// shape alone; move_pixels.hpp carries it out.
#pragma once

#include <cstdint>
#include <vector>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "cipher/khazaal2024/line_moves.hpp"
#include "cipher/khazaal2024/networks.hpp"

namespace icb::khazaal2024 {

/// Pixels of border l of a rows x cols image (P7).
std::size_t border_length(std::size_t rows, std::size_t cols, std::size_t level);
/// Number of levels: half of the longer side.
std::size_t level_count(std::size_t rows, std::size_t cols);

/// What the two phases do. The crossings, of a row a and a column b each, come before the columns;
/// the new columns, one after the other, are the new raster.
struct ConfusionPlan {
  LineMoves rows;
  std::vector<Exchange> crossings;
  LineMoves columns;
};

/// What drives the confusion; guide and feedback go on.
struct ConfusionState {
  const Parameters& parameters;
  Lane& guide;
  HiddenState& feedback;
  const HiddenState& offsets;
  Sources sources = {};
};

/// Runs the network over all levels and draws up both phases. Without weights its outputs are all
/// 0. `outputs`, if given, receives the outputs of every level. Sides 1 to 65535, else
/// std::invalid_argument.
ConfusionPlan plan_confusion(std::size_t rows, std::size_t cols, const FeedbackWeights* weights,
                             ConfusionState state, std::vector<NetworkOutput>* outputs = nullptr);

/// Position by position: entry i * cols + j is where the pixel at (i, j) comes from. For pictures
/// and tests; the cipher makes plans.
class PositionMap {
 public:
  PositionMap(std::size_t rows, std::size_t cols);

  std::size_t rows() const { return m_rows; }

  std::size_t cols() const { return m_cols; }

  std::uint32_t& at(std::size_t row, std::size_t col) { return m_source[row * m_cols + col]; }

  const std::vector<std::uint32_t>& source() const { return m_source; }

 private:
  std::size_t m_rows;
  std::size_t m_cols;
  std::vector<std::uint32_t> m_source;
};

/// A row (index below rows) or a column.
struct Line {
  bool is_row;
  std::size_t index;

  friend bool operator==(const Line&, const Line&) = default;
};

/// For k = 0 … count - 1, one after the other, the entries at position start + k of one line and
/// partner_start + k of the other change places, both mod the length of their line (P9, Fig. 6): a
/// bijection also where they cross.
void exchange(PositionMap& map, Line line, std::size_t start, Line partner,
              std::size_t partner_start, std::size_t count);

}  // namespace icb::khazaal2024
