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

/// For k = 0 … count - 1, one after the other, the pixels at (row, first_col + k) and
/// (first_row + k, col) change places; positions wrap around.
struct Crossing {
  std::uint16_t row;
  std::uint16_t first_col;
  std::uint16_t col;
  std::uint16_t first_row;
  std::uint32_t count;

  friend bool operator==(const Crossing&, const Crossing&) = default;
};

/// Most pixels of a crossing.
inline constexpr std::uint32_t longest_crossing = 16;

/// What the two phases do. The columns come after the crossings, and the new columns, one after the
/// other, are the new raster.
struct ConfusionPlan {
  LineMoves rows;
  std::vector<Crossing> crossings;
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

/// A section of one line and its counterpart on another.
struct Exchange {
  Line line;
  std::size_t start;
  Line partner;
  std::size_t partner_start;
  std::size_t count;
};

/// Swaps the two sections position by position (P9, Fig. 6): a bijection also where they cross.
void exchange(PositionMap& map, const Exchange& sections);

}  // namespace icb::khazaal2024
