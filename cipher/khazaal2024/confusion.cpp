#include "cipher/khazaal2024/confusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <span>
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
    const auto [x, u, v, g] = step(guide, state.parameters, state.sources);
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
  explicit Kind(std::size_t count) : ranks(count), turns(count) {}

  std::vector<std::uint64_t> ranks;  ///< score, u and index, in 16, 32 and 16 bits
  std::vector<std::int64_t> turns;   ///< the turn, or its complement for down
  unsigned downs = 0;
};

/// Sorts by the upper 24 bits, byte by byte, then what these leave undecided, which is little.
void sort_ranks(std::vector<std::uint64_t>& ranks) {
  constexpr std::size_t digits = 3;
  const auto digit = [](std::uint64_t rank, std::size_t d) {
    return (rank >> (40 + 8 * d)) & 0xFF;
  };
  std::array<std::array<std::uint32_t, 256>, digits> places{};
  for (const std::uint64_t rank : ranks) {
    for (std::size_t d = 0; d < digits; ++d) ++places[d][digit(rank, d)];
  }
  std::vector<std::uint64_t> sorted(ranks.size());
  for (std::size_t d = 0; d < digits; ++d) {
    std::array<std::uint32_t, 256>& place = places[d];
    std::uint32_t sum = 0;
    for (std::uint32_t& each : place) sum += std::exchange(each, sum);
    for (const std::uint64_t rank : ranks) sorted[place[digit(rank, d)]++] = rank;
    ranks.swap(sorted);
  }
  for (std::size_t i = 1; i < ranks.size(); ++i) {
    const std::uint64_t rank = ranks[i];
    std::size_t at = i;
    for (; at > 0 && ranks[at - 1] > rank; --at) ranks[at] = ranks[at - 1];
    ranks[at] = rank;
  }
}

Section section(std::size_t line, std::size_t first) {
  return {static_cast<std::uint16_t>(line), static_cast<std::uint16_t>(first)};
}

void order_and_shift(Kind& kind, LineMoves& moves) {
  sort_ranks(kind.ranks);
  if (kind.downs % 2 != 0) std::reverse(kind.ranks.begin(), kind.ranks.end());
  const auto length = static_cast<std::int64_t>(moves.length());
  for (std::size_t i = 0; i < moves.lines(); ++i) {
    // Without a branch on a coin; ~t is t if down. The length is as good as 0.
    const std::int64_t down = kind.turns[i] >> 63;
    const std::int64_t a = ((kind.turns[i] ^ down) * length) >> 32;
    moves.place(i, static_cast<std::uint32_t>(kind.ranks[i] & 0xFFFF),
                static_cast<std::uint32_t>((a ^ down) - down + (length & down)));
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

  Kind row_kind(rows);
  Kind col_kind(cols);
  // Exchanges of rows, of columns, and crossings, with the row first.
  const std::size_t lines = rows + cols;
  const std::array<std::size_t, 2> positions_of{cols, rows};
  constexpr std::array<std::uint32_t, 3> most{65535, 65535, longest_crossing};
  const auto sections = std::make_unique_for_overwrite<Exchange[]>(2 * lines);
  std::array<Exchange*, 3> ends{&sections[0], &sections[rows], &sections[lines]};
  for (std::size_t level = 0; level < levels; ++level) {
    for (std::size_t k = 0; k < 4; ++k) {
      if (!has_line(k, rows, cols, level)) continue;
      const std::uint16_t* const out = &o[level][outputs_per_line * k];
      const bool is_row = k < 2;
      const std::size_t positions = positions_of[k / 2];
      const std::size_t line = k % 2 == 0 ? level : (is_row ? rows : cols) - 1 - level;
      const std::uint32_t u = draws.logistic[level][k];
      const bool down = (out[direction] >> 15) != 0;
      const std::uint32_t turn = u + (static_cast<std::uint32_t>(out[shift]) << 16);
      Kind& kind = is_row ? row_kind : col_kind;
      kind.ranks[line] = (std::uint64_t{out[score]} << 48) | (std::uint64_t{u} << 16) | line;
      kind.turns[line] = down ? ~std::int64_t{turn} : std::int64_t{turn};
      kind.downs += down ? 1 : 0;

      // Without branches: nobody can foresee where a line's partner lies.
      const std::size_t chosen = scaled(out[partner], lines);
      const std::size_t to_col = chosen >= rows ? 1 : 0;
      const std::size_t other = chosen - (rows & (0 - to_col));
      const std::size_t other_positions = positions_of[to_col];
      const std::uint32_t first = scaled(out[start], positions);
      const auto other_first =
          static_cast<std::uint32_t>(((out[direction] & 0x7FFFU) * other_positions) >> 15);
      const std::uint32_t count = 1 + scaled(out[length], std::min(positions, other_positions));
      const std::size_t list = to_col == k / 2 ? k / 2 : 2;
      const std::array<Section, 2> both{section(line, first), section(other, other_first)};
      const std::size_t row_at = list == 2 ? k / 2 : 0;
      *ends[list] = {both[row_at], both[1 - row_at], std::min(count, most[list])};
      ends[list] += list != 2 && line == other ? 0 : 1;
    }
  }
  ConfusionPlan plan{LineMoves(rows, cols), {&sections[lines], ends[2]}, LineMoves(cols, rows)};
  for (const Exchange& each : std::span(&sections[0], ends[0])) plan.rows.exchange(each);
  for (const Exchange& each : std::span(&sections[rows], ends[1])) plan.columns.exchange(each);
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

void exchange(PositionMap& map, Line line, std::size_t start, Line partner,
              std::size_t partner_start, std::size_t count) {
  const auto entry = [&](const Line& at, std::size_t k) -> std::uint32_t& {
    return at.is_row ? map.at(at.index, k % map.cols()) : map.at(k % map.rows(), at.index);
  };
  for (std::size_t k = 0; k < count; ++k) {
    std::swap(entry(line, start + k), entry(partner, partner_start + k));
  }
}

}  // namespace icb::khazaal2024
