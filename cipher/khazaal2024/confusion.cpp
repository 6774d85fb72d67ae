#include "cipher/khazaal2024/confusion.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace icb::khazaal2024 {
namespace {

// Outputs of a line, in this order.
enum Output : std::size_t { partner, start, length, shift, direction, score, outputs_per_line };

/// A value of the circle (16 bits a turn) as an index below `count`.
std::size_t scaled(std::uint16_t turn, std::size_t count) { return (turn * count) >> 16; }

std::int8_t signed_byte(std::uint64_t byte) {
  return static_cast<std::int8_t>(static_cast<int>(byte & 0xFF) - 128);
}

std::int8_t clamp8(std::int64_t value) {
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(value, -128, 127));
}

NetworkInput network_input(std::size_t rows, std::size_t cols, std::size_t level, const Lane& guide,
                           std::int64_t noise) {
  const std::size_t row = std::min(level, (rows + 1) / 2 - 1);
  const std::size_t col = std::min(level, (cols + 1) / 2 - 1);
  const auto place = [](std::size_t index, std::size_t count) {
    return signed_byte(256 * index / count);
  };
  const auto border = [&](std::size_t l) {
    return signed_byte(255 * border_length(rows, cols, l) / border_length(rows, cols, 0));
  };
  return {place(row, rows),
          place(rows - 1 - row, rows),
          place(col, cols),
          place(cols - 1 - col, cols),
          border(level),
          border(level == 0 ? 0 : level - 1),
          signed_byte(guide.x >> 56),
          signed_byte(guide.x >> 48),
          static_cast<std::int8_t>(static_cast<std::uint8_t>(guide.u >> 56)),
          signed_byte(guide.u >> 48),
          clamp8(noise >> 19),
          signed_byte(static_cast<std::uint64_t>(noise >> 11))};
}

/// The lines of a level in their order, with the index of each in the network's outputs.
struct LevelLines {
  std::array<Line, 4> lines;
  std::array<std::size_t, 4> slot;
  std::size_t count = 0;

  LevelLines(std::size_t rows, std::size_t cols, std::size_t level) : lines{}, slot{} {
    if (level < (rows + 1) / 2) {
      add({true, level}, 0);
      if (rows - 1 - level != level) add({true, rows - 1 - level}, 1);
    }
    if (level < (cols + 1) / 2) {
      add({false, level}, 2);
      if (cols - 1 - level != level) add({false, cols - 1 - level}, 3);
    }
  }

  void add(Line line, std::size_t k) {
    lines.at(count) = line;
    slot.at(count++) = k;
  }
};

/// What a row or column takes from its line of the network.
struct LineScore {
  std::uint64_t rank;  ///< score, then the logistic sample
  bool down;
  std::uint32_t turn;  ///< cyclic shift, 2^32 being one turn
};

std::vector<std::uint32_t> sorted_order(const std::vector<LineScore>& lines) {
  std::vector<std::uint32_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return lines[a].rank < lines[b].rank; });
  const bool descending =
      std::accumulate(lines.begin(), lines.end(), false,
                      [](bool sum, const LineScore& l) { return sum != l.down; });
  if (descending) std::reverse(order.begin(), order.end());
  return order;
}

std::vector<std::uint32_t> shifts(const std::vector<LineScore>& lines, std::size_t positions) {
  std::vector<std::uint32_t> out;
  out.reserve(lines.size());
  for (const LineScore& line : lines) {
    out.push_back(static_cast<std::uint32_t>((std::uint64_t{line.turn} * positions) >> 32));
  }
  return out;
}

}  // namespace

PositionMap::PositionMap(std::size_t rows, std::size_t cols) : m_rows(rows), m_cols(cols) {
  if (rows > 65535 || cols > 65535) {
    throw std::invalid_argument("a side is longer than 65535");  // so that 32 bits hold a position
  }
  m_source.resize(rows * cols);
  std::iota(m_source.begin(), m_source.end(), 0U);
}

void PositionMap::reorder_rows(const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> out(m_source.size());
  for (std::size_t i = 0; i < m_rows; ++i) {
    std::copy_n(&m_source[order[i] * m_cols], m_cols, &out[i * m_cols]);
  }
  m_source.swap(out);
}

void PositionMap::reorder_columns(const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> row(m_cols);
  for (std::size_t i = 0; i < m_rows; ++i) {
    std::uint32_t* const place = &m_source[i * m_cols];
    for (std::size_t j = 0; j < m_cols; ++j) row[j] = place[order[j]];
    std::copy(row.begin(), row.end(), place);
  }
}

void PositionMap::shift_rows(const std::vector<std::uint32_t>& shift) {
  for (std::size_t i = 0; i < m_rows; ++i) {
    const auto first = m_source.begin() + static_cast<std::ptrdiff_t>(i * m_cols);
    std::rotate(first, first + shift[i], first + static_cast<std::ptrdiff_t>(m_cols));
  }
}

void PositionMap::shift_columns(const std::vector<std::uint32_t>& shift) {
  std::vector<std::uint32_t> out(m_source.size());
  for (std::size_t i = 0; i < m_rows; ++i) {
    for (std::size_t j = 0; j < m_cols; ++j) {
      std::size_t from = i + shift[j];
      if (from >= m_rows) from -= m_rows;
      out[i * m_cols + j] = m_source[from * m_cols + j];
    }
  }
  m_source.swap(out);
}

void exchange(PositionMap& map, const Exchange& e) {
  const auto entry = [&](const Line& line, std::size_t k) -> std::uint32_t& {
    return line.is_row ? map.at(line.index, k % map.cols()) : map.at(k % map.rows(), line.index);
  };
  for (std::size_t k = 0; k < e.count; ++k) {
    const std::size_t other = e.partner_start + (e.down ? e.count - 1 - k : k);
    std::swap(entry(e.line, e.start + k), entry(e.partner, other));
  }
}

std::size_t border_length(std::size_t rows, std::size_t cols, std::size_t level) {
  const std::size_t h = rows > 2 * level ? rows - 2 * level : 1;
  const std::size_t w = cols > 2 * level ? cols - 2 * level : 1;
  return h * w - (h > 2 ? h - 2 : 0) * (w > 2 ? w - 2 : 0);
}

std::size_t level_count(std::size_t rows, std::size_t cols) {
  return (std::max(rows, cols) + 1) / 2;
}

PositionMap confusion_map(std::size_t rows, std::size_t cols, const FeedbackWeights& weights,
                          ConfusionState state, std::vector<NetworkOutput>* outputs) {
  PositionMap map(rows, cols);
  std::vector<LineScore> row_scores(rows);
  std::vector<LineScore> col_scores(cols);
  for (std::size_t level = 0; level < level_count(rows, cols); ++level) {
    const std::int64_t noise = step(state.guide, state.parameters);
    const NetworkOutput o =
        evaluate(weights, state.offsets, network_input(rows, cols, level, state.guide, noise),
                 state.feedback);
    if (outputs != nullptr) outputs->push_back(o);
    const LevelLines level_lines(rows, cols, level);
    for (std::size_t n = 0; n < level_lines.count; ++n) {
      const Line line = level_lines.lines.at(n);
      const std::uint16_t* const out = &o.at(outputs_per_line * level_lines.slot.at(n));
      step_logistic(state.guide, state.parameters);
      const auto logistic = static_cast<std::uint32_t>(state.guide.x >> 32);
      const bool down = (out[direction] >> 15) != 0;
      const std::uint32_t turn = logistic + (static_cast<std::uint32_t>(out[shift]) << 16);
      const std::uint64_t rank = (std::uint64_t{out[score]} << 32) | logistic;
      (line.is_row ? row_scores : col_scores)[line.index] = {rank, down, turn};

      const std::size_t chosen = scaled(out[partner], rows + cols);
      const Line other = chosen < rows ? Line{true, chosen} : Line{false, chosen - rows};
      if (other == line) continue;
      const std::size_t positions = line.is_row ? cols : rows;
      const std::size_t other_positions = other.is_row ? cols : rows;
      exchange(map, {.line = line,
                     .start = scaled(out[start], positions),
                     .partner = other,
                     .partner_start = ((out[direction] & 0x7FFFU) * other_positions) >> 15,
                     .count = 1 + scaled(out[length], std::min(positions, other_positions)),
                     .down = down});
    }
  }
  map.reorder_rows(sorted_order(row_scores));
  map.reorder_columns(sorted_order(col_scores));
  map.shift_rows(shifts(row_scores, cols));
  map.shift_columns(shifts(col_scores, rows));
  return map;
}

void permute_pixels(ConstImage in, const PositionMap& map, Image out) {
  const std::size_t size = in.shape().pixel_bytes();
  for (std::size_t n = 0; n < map.source().size(); ++n) {
    std::memcpy(&out.bytes()[n * size], &in.bytes()[map.source()[n] * size], size);
  }
}

void unpermute_pixels(ConstImage in, const PositionMap& map, Image out) {
  const std::size_t size = in.shape().pixel_bytes();
  for (std::size_t n = 0; n < map.source().size(); ++n) {
    std::memcpy(&out.bytes()[map.source()[n] * size], &in.bytes()[n * size], size);
  }
}

}  // namespace icb::khazaal2024
