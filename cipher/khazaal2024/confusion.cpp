#include "cipher/khazaal2024/confusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace icb::khazaal2024 {
namespace {

// Outputs of a line, in this order.
enum Output : std::size_t { partner, start, length, shift, direction, score, outputs_per_line };

/// A value of the circle (16 bits a turn) as an index below `count`.
std::uint32_t scaled(std::uint16_t turn, std::size_t count) {
  return static_cast<std::uint32_t>((std::uint64_t{turn} * count) >> 16);
}

std::int8_t signed_byte(std::uint64_t byte) {
  return static_cast<std::int8_t>(static_cast<int>(byte & 0xFF) - 128);
}

/// floor(a / divisor) for a <= 256 divisor, divisor < 2^19: the error of the factor, less than
/// divisor / 2^48, stays below a / 2^48 < 1 / divisor.
class Quotient {
 public:
  explicit Quotient(std::size_t divisor) : m_factor((std::uint64_t{1} << 48) / divisor + 1) {}

  std::uint64_t operator()(std::uint64_t a) const { return (a * m_factor) >> 48; }

 private:
  std::uint64_t m_factor;
};

/// What a level takes from shape and guide lane.
struct Draws {
  std::vector<NetworkInput> inputs;
  std::vector<std::array<std::uint32_t, 4>> logistic;  ///< u of the lines that are there
};

bool has_line(std::size_t k, std::size_t rows, std::size_t cols, std::size_t level) {
  const std::size_t count = k < 2 ? rows : cols;
  return 2 * level < count && (k % 2 == 0 || 2 * level + 1 != count);
}

Draws draw(std::size_t rows, std::size_t cols, const ConfusionState& state) {
  const std::size_t levels = level_count(rows, cols);
  Draws out{std::vector<NetworkInput>(levels), std::vector<std::array<std::uint32_t, 4>>(levels)};
  const Quotient by_rows(rows);
  const Quotient by_cols(cols);
  const Quotient by_border(border_length(rows, cols, 0));
  const std::uint64_t logistic_mask = state.sources.logistic ? ~std::uint64_t{0} : 0;
  Lane guide = state.guide;  // in registers
  std::int8_t border_before = signed_byte(255);
  for (std::size_t level = 0; level < levels; ++level) {
    const std::int64_t sample = step(guide, state.parameters);
    const std::int64_t g = state.sources.gauss ? sample : 0;
    const std::uint64_t x = guide.x & logistic_mask;
    const std::uint64_t u = state.sources.henon ? guide.u : 0;
    const std::size_t row = std::min(level, (rows + 1) / 2 - 1);
    const std::size_t col = std::min(level, (cols + 1) / 2 - 1);
    const std::int8_t border = signed_byte(by_border(255 * border_length(rows, cols, level)));
    out.inputs[level] = {
        signed_byte(by_rows(256 * row)),
        signed_byte(by_rows(256 * (rows - 1 - row))),
        signed_byte(by_cols(256 * col)),
        signed_byte(by_cols(256 * (cols - 1 - col))),
        border,
        border_before,
        signed_byte(x >> 56),
        signed_byte(x >> 48),
        static_cast<std::int8_t>(static_cast<std::uint8_t>(u >> 56)),
        signed_byte(u >> 48),
        static_cast<std::int8_t>(std::clamp<std::int64_t>(g >> 19, -128, 127)),
        signed_byte(static_cast<std::uint64_t>(g >> 11)),
    };
    border_before = border;
    for (std::size_t k = 0; k < 4; ++k) {
      if (!has_line(k, rows, cols, level)) continue;
      step_logistic(guide, state.parameters);
      out.logistic[level][k] = static_cast<std::uint32_t>((guide.x & logistic_mask) >> 32);
    }
  }
  state.guide = guide;
  return out;
}

/// What order and shift take from the lines of one kind.
struct Kind {
  explicit Kind(std::size_t count) : ranks(count), turns(count), down(count) {}

  std::vector<std::uint64_t> ranks;  ///< score, u and index, in 16, 32 and 16 bits
  std::vector<std::uint32_t> turns;
  std::vector<bool> down;
};

/// Sorts by the upper 48 bits, byte by byte; what is equal keeps its order.
void sort_ranks(std::vector<std::uint64_t>& ranks) {
  constexpr std::size_t digits = 6;
  const auto digit = [](std::uint64_t rank, std::size_t d) {
    return (rank >> (16 + 8 * d)) & 0xFF;
  };
  std::array<std::array<std::uint32_t, 256>, digits> ends{};
  for (const std::uint64_t rank : ranks) {
    for (std::size_t d = 0; d < digits; ++d) ++ends[d][digit(rank, d)];
  }
  std::vector<std::uint64_t> sorted(ranks.size());
  for (std::size_t d = 0; d < digits; ++d) {
    std::array<std::uint32_t, 256>& place = ends[d];
    std::exclusive_scan(place.begin(), place.end(), place.begin(), 0U);
    for (const std::uint64_t rank : ranks) sorted[place[digit(rank, d)]++] = rank;
    ranks.swap(sorted);
  }
}

void order_and_shift(Kind& kind, LineMoves& moves) {
  const auto downs = std::count(kind.down.begin(), kind.down.end(), true);
  sort_ranks(kind.ranks);
  if (downs % 2 != 0) std::reverse(kind.ranks.begin(), kind.ranks.end());
  const std::uint64_t length = moves.length();
  for (std::size_t i = 0; i < moves.lines(); ++i) {
    const std::uint64_t a = (kind.turns[i] * length) >> 32;
    const std::uint64_t first = kind.down[i] && a != 0 ? length - a : a;
    moves.place(i, static_cast<std::uint32_t>(kind.ranks[i] & 0xFFFF),
                static_cast<std::uint32_t>(first));
  }
}

}  // namespace

std::size_t border_length(std::size_t rows, std::size_t cols, std::size_t level) {
  const std::size_t h = rows > 2 * level ? rows - 2 * level : 1;
  const std::size_t w = cols > 2 * level ? cols - 2 * level : 1;
  return h * w - (h > 2 ? h - 2 : 0) * (w > 2 ? w - 2 : 0);
}

std::size_t level_count(std::size_t rows, std::size_t cols) {
  return (std::max(rows, cols) + 1) / 2;
}

ConfusionPlan plan_confusion(std::size_t rows, std::size_t cols, const FeedbackWeights* weights,
                             ConfusionState state, std::vector<NetworkOutput>* outputs) {
  if (rows < 1 || cols < 1 || rows > 65535 || cols > 65535) {
    throw std::invalid_argument(
        fmt::format("confusion: expected sides of 1 to 65535, got {} x {}", rows, cols));
  }
  const Draws draws = draw(rows, cols, state);
  const std::size_t levels = draws.inputs.size();
  std::vector<NetworkOutput> o(levels);
  if (weights != nullptr) run_network(*weights, state.offsets, draws.inputs, state.feedback, o);

  ConfusionPlan plan{LineMoves(rows, cols), {}, LineMoves(cols, rows)};
  plan.crossings.reserve(rows + cols);
  Kind row_kind(rows);
  Kind col_kind(cols);
  for (std::size_t level = 0; level < levels; ++level) {
    for (std::size_t k = 0; k < 4; ++k) {
      if (!has_line(k, rows, cols, level)) continue;
      const std::uint16_t* const out = &o[level][outputs_per_line * k];
      const bool is_row = k < 2;
      const std::size_t positions = is_row ? cols : rows;
      const std::size_t line = k % 2 == 0 ? level : (is_row ? rows : cols) - 1 - level;
      const std::uint32_t u = draws.logistic[level][k];
      Kind& kind = is_row ? row_kind : col_kind;
      kind.ranks[line] = (std::uint64_t{out[score]} << 48) | (std::uint64_t{u} << 16) | line;
      kind.turns[line] = u + (static_cast<std::uint32_t>(out[shift]) << 16);
      kind.down[line] = (out[direction] >> 15) != 0;

      const std::size_t chosen = scaled(out[partner], rows + cols);
      const bool other_is_row = chosen < rows;
      const std::size_t other = other_is_row ? chosen : chosen - rows;
      const std::size_t other_positions = other_is_row ? cols : rows;
      const std::uint32_t first = scaled(out[start], positions);
      const auto other_first =
          static_cast<std::uint32_t>(((out[direction] & 0x7FFFU) * other_positions) >> 15);
      const std::uint32_t count = 1 + scaled(out[length], std::min(positions, other_positions));
      if (is_row == other_is_row) {
        if (line == other) continue;
        (is_row ? plan.rows : plan.columns).exchange(line, first, other, other_first, count);
      } else {
        const auto small = [](std::size_t value) { return static_cast<std::uint16_t>(value); };
        const std::uint32_t some = std::min(count, longest_crossing);
        plan.crossings.push_back(
            is_row ? Crossing{small(line), small(first), small(other), small(other_first), some}
                   : Crossing{small(other), small(other_first), small(line), small(first), some});
      }
    }
  }
  order_and_shift(row_kind, plan.rows);
  order_and_shift(col_kind, plan.columns);
  if (outputs != nullptr) outputs->insert(outputs->end(), o.begin(), o.end());
  return plan;
}

PositionMap::PositionMap(std::size_t rows, std::size_t cols) : m_rows(rows), m_cols(cols) {
  if (rows > 65535 || cols > 65535) {
    throw std::invalid_argument("a side is longer than 65535");  // so that 32 bits hold a position
  }
  m_source.resize(rows * cols);
  std::iota(m_source.begin(), m_source.end(), 0U);
}

void exchange(PositionMap& map, const Exchange& e) {
  const auto entry = [&](const Line& line, std::size_t k) -> std::uint32_t& {
    return line.is_row ? map.at(line.index, k % map.cols()) : map.at(k % map.rows(), line.index);
  };
  for (std::size_t k = 0; k < e.count; ++k) {
    std::swap(entry(e.line, e.start + k), entry(e.partner, e.partner_start + k));
  }
}

}  // namespace icb::khazaal2024
