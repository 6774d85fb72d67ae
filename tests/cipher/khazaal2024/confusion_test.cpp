#include "cipher/khazaal2024/confusion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/move_pixels.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::engine_of;
using testing::random_bytes;
using testing::random_keys;

using Grid = std::vector<std::vector<std::uint32_t>>;

Grid positions(std::size_t rows, std::size_t cols) {
  Grid out(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      out[i].push_back(static_cast<std::uint32_t>(i * cols + j));
    }
  }
  return out;
}

std::vector<std::uint32_t> flat(const Grid& grid) {
  std::vector<std::uint32_t> out;
  for (const auto& row : grid) out.insert(out.end(), row.begin(), row.end());
  return out;
}

bool is_bijection(const std::vector<std::uint32_t>& source) {
  std::vector<bool> seen(source.size());
  for (const std::uint32_t from : source) {
    if (from >= seen.size() || seen[from]) return false;
    seen[from] = true;
  }
  return true;
}

constexpr std::array<std::size_t, 6> pixel_sizes{1, 2, 3, 4, 6, 8};

const std::vector<std::array<std::size_t, 2>> sides{
    {1, 1}, {1, 2},  {2, 1},  {1, 9},   {9, 1},   {2, 2},   {2, 3},     {3, 2},    {3, 3},
    {4, 4}, {5, 20}, {20, 5}, {16, 16}, {33, 65}, {40, 31}, {1200, 11}, {110, 121}};

// --- Exchange -----------------------------------------------------------------------------------

// Figure 6 of the paper: (1,1) <-> (4,4) and (2,3) <-> (4,1); values in hundredths.
const Bytes figure6_plain{23, 54, 72, 37, 53, 45, 82, 79, 54, 87, 47, 56, 47, 61, 65, 73};
const Bytes figure6_exchanged{73, 54, 72, 37, 53, 45, 47, 79, 54, 87, 47, 56, 82, 61, 65, 23};

TEST(Exchange, Figure6OfThePaper) {
  PositionMap map(4, 4);
  exchange(map, {true, 0}, 0, {true, 3}, 3, 1);
  exchange(map, {true, 1}, 2, {true, 3}, 0, 1);
  Bytes out;
  for (const std::uint32_t from : map.source()) out.push_back(figure6_plain[from]);
  EXPECT_EQ(out, figure6_exchanged);
}

TEST(Exchange, Figure6OfThePaperByLineMoves) {
  LineMoves moves(4, 4);
  moves.exchange({{0, 0}, {3, 3}, 1});
  moves.exchange({{1, 2}, {3, 0}, 1});
  Bytes out(16);
  gather_lines(moves, 1, 0, 4, figure6_plain.data(), 4, out.data());
  EXPECT_EQ(out, figure6_exchanged);
}

TEST(Exchange, SectionsWrapAroundTheirLines) {
  PositionMap map(2, 5);
  exchange(map, {true, 0}, 4, {true, 1}, 3, 3);  // 4, 0, 1 with 3, 4, 0
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{9, 5, 2, 3, 8, 1, 6, 7, 4, 0}));
}

TEST(Exchange, ColumnsAreLinesToo) {
  PositionMap map(3, 4);
  exchange(map, {false, 1}, 2, {false, 3}, 0, 2);  // (2,1) (0,1) with (0,3) (1,3)
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{0, 7, 2, 9, 4, 5, 6, 1, 8, 3, 10, 11}));
}

// The swaps are made one after the other; the crossing takes part in two.
TEST(Exchange, RowAndColumnThatCross) {
  PositionMap map(3, 3);
  exchange(map, {true, 1}, 0, {false, 1}, 0, 3);
  // (1,0)-(0,1), (1,1)-(1,1), (1,2)-(2,1)
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{0, 3, 2, 1, 4, 7, 6, 5, 8}));
  PositionMap other(3, 3);
  exchange(other, {true, 0}, 0, {false, 1}, 0, 2);
  // (0,0)-(0,1), then (0,1)-(1,1)
  EXPECT_EQ(other.source(), (std::vector<std::uint32_t>{1, 4, 2, 3, 0, 5, 6, 7, 8}));
}

// Any sequence of exchanges of rows: rings of pieces against positions one by one.
TEST(LineMoves, AreTheExchangesPositionByPosition) {
  auto engine = engine_of(61);
  for (const auto& [rows, cols] : sides) {
    if (rows < 2) continue;
    PositionMap map(rows, cols);
    LineMoves moves(rows, cols);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t a = uniform_below(engine, rows);
      const std::size_t b = (a + 1 + uniform_below(engine, rows - 1)) % rows;
      const std::size_t s = uniform_below(engine, cols);
      const std::size_t t = uniform_below(engine, cols);
      const std::size_t count = i % 5 == 0 ? cols : 1 + uniform_below(engine, cols);
      exchange(map, {true, a}, s, {true, b}, t, count);
      moves.exchange({{static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(s)},
                      {static_cast<std::uint16_t>(b), static_cast<std::uint16_t>(t)},
                      static_cast<std::uint32_t>(count)});
    }
    const auto plain = flat(positions(rows, cols));
    std::vector<std::uint32_t> out(rows * cols);
    gather_lines(moves, 4, 0, rows, reinterpret_cast<const std::uint8_t*>(plain.data()), 4 * cols,
                 reinterpret_cast<std::uint8_t*>(out.data()));
    ASSERT_EQ(out, map.source()) << rows << " x " << cols;
    EXPECT_TRUE(is_bijection(out));
  }
}

// --- Hierarchy ----------------------------------------------------------------------------------

TEST(Hierarchy, BorderLengthsAreThoseCountedOnAGrid) {
  for (std::size_t rows = 1; rows <= 12; ++rows) {
    for (std::size_t cols = 1; cols <= 12; ++cols) {
      std::vector<std::size_t> counted((std::min(rows, cols) + 1) / 2);
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < cols; ++j) {
          ++counted.at(std::min({i, rows - 1 - i, j, cols - 1 - j}));
        }
      }
      for (std::size_t level = 0; level < counted.size(); ++level) {
        EXPECT_EQ(border_length(rows, cols, level), counted[level])
            << rows << " x " << cols << ", " << level;
      }
      // Beyond the shorter side a border is what is left of the longer one.
      for (std::size_t level = counted.size(); level < level_count(rows, cols); ++level) {
        EXPECT_EQ(border_length(rows, cols, level), std::max(rows, cols) - 2 * level);
      }
    }
  }
}

TEST(Hierarchy, TheBordersOfASquareAreAllItsPixels) {
  for (std::size_t side = 1; side <= 65; ++side) {
    std::size_t sum = 0;
    for (std::size_t level = 0; level < level_count(side, side); ++level) {
      sum += border_length(side, side, level);
    }
    EXPECT_EQ(sum, side * side);
  }
}

TEST(Hierarchy, LevelsGoToTheMiddleOfTheLongerSide) {
  EXPECT_EQ(level_count(1, 1), 1U);
  EXPECT_EQ(level_count(2, 2), 1U);
  EXPECT_EQ(level_count(3, 2), 2U);
  EXPECT_EQ(level_count(2, 3), 2U);
  EXPECT_EQ(level_count(1200, 110), 600U);
  EXPECT_EQ(level_count(110, 121), 61U);
}

// --- Section 4 again, plainly -------------------------------------------------------------------

// Lists of positions, one level, one line, one position after the other.
struct PlainConfusion {
  struct Control {
    std::size_t line;  // rows, then columns
    std::size_t partner, s, s2, count;
    bool down;
    std::uint32_t score, u, turn;
  };

  std::size_t rows;
  std::size_t cols;
  std::vector<Control> controls;  // in the order of levels and lines
  std::vector<NetworkOutput> outputs;

  PlainConfusion(WorkingKeys& keys, std::size_t rows_, std::size_t cols_,
                 const FeedbackWeights* weights, Sources sources = {})
      : rows(rows_), cols(cols_) {
    for (std::size_t l = 0; 2 * l < std::max(rows, cols); ++l) level(keys, l, weights, sources);
  }

  void level(WorkingKeys& keys, std::size_t l, const FeedbackWeights* weights, Sources sources) {
    const auto g = static_cast<int>(step(keys.guide, keys.parameters, sources).g);
    const std::uint64_t x = sources.logistic ? keys.guide.x : 0;
    const std::uint64_t henon = sources.henon ? keys.guide.u : 0;
    const std::size_t lr = std::min(l, (rows - 1) / 2);
    const std::size_t lc = std::min(l, (cols - 1) / 2);
    const auto share = [&](std::size_t b) {
      return static_cast<int>(255 * border_length(rows, cols, b) / border_length(rows, cols, 0));
    };
    const auto top = [](std::uint64_t word, int at) {
      return static_cast<int>((word >> at) & 255);
    };
    const int raw[12] = {static_cast<int>(256 * lr / rows) - 128,
                         static_cast<int>(256 * (rows - 1 - lr) / rows) - 128,
                         static_cast<int>(256 * lc / cols) - 128,
                         static_cast<int>(256 * (cols - 1 - lc) / cols) - 128,
                         share(l) - 128,
                         share(l > 0 ? l - 1 : 0) - 128,
                         top(x, 56) - 128,
                         top(x, 48) - 128,
                         top(henon, 56) - (top(henon, 56) > 127 ? 256 : 0),
                         top(henon, 48) - 128,
                         std::min(std::max(g >> 19, -128), 127),
                         ((g >> 11) & 255) - 128};
    NetworkInput input{};
    for (std::size_t i = 0; i < 12; ++i) input.at(i) = static_cast<std::int8_t>(raw[i]);
    NetworkOutput o{};
    if (weights != nullptr) o = evaluate(*weights, keys.offsets, input, keys.feedback);
    outputs.push_back(o);
    std::vector<std::pair<std::size_t, std::size_t>> lines;  // line, k
    if (2 * l < rows) {
      lines.emplace_back(l, 0);
      if (rows - 1 - l != l) lines.emplace_back(rows - 1 - l, 1);
    }
    if (2 * l < cols) {
      lines.emplace_back(rows + l, 2);
      if (cols - 1 - l != l) lines.emplace_back(rows + cols - 1 - l, 3);
    }
    for (const auto& [line, k] : lines) {
      step_logistic(keys.guide, keys.parameters);
      const auto u = static_cast<std::uint32_t>((sources.logistic ? keys.guide.x : 0) >> 32);
      const std::uint64_t partner = std::uint64_t{o.at(6 * k)} * (rows + cols) / 65536;
      const std::size_t n = length_of(line);
      const std::size_t n2 = length_of(partner);
      const std::uint64_t direction = o.at(6 * k + 4);
      controls.push_back(
          {line, partner, o.at(6 * k + 1) * n / 65536, direction % 32768 * n2 / 32768,
           1 + o.at(6 * k + 2) * std::min(n, n2) / 65536, direction >= 32768, o.at(6 * k + 5), u,
           static_cast<std::uint32_t>(u + 65536ULL * o.at(6 * k + 3))});
    }
  }

  bool is_row(std::size_t line) const { return line < rows; }

  std::size_t length_of(std::size_t line) const { return is_row(line) ? cols : rows; }

  std::uint32_t& cell(Grid& m, std::size_t line, std::size_t k) const {
    return is_row(line) ? m[line][k % cols] : m[k % rows][line - rows];
  }

  void exchange_if(Grid& m, bool line_is_row, bool partner_is_row, std::size_t most) const {
    for (const Control& c : controls) {
      if (is_row(c.line) != line_is_row || is_row(c.partner) != partner_is_row) continue;
      if (c.partner == c.line) continue;
      for (std::size_t k = 0; k < std::min(c.count, most); ++k) {
        std::swap(cell(m, c.line, c.s + k), cell(m, c.partner, c.s2 + k));
      }
    }
  }

  // Rows of `m` (all of whose controls are given, by index) in their new order, then shifted.
  static void order_and_shift(Grid& m, std::vector<Control> of) {
    auto list = of;
    std::sort(list.begin(), list.end(), [](const Control& a, const Control& b) {
      return std::tie(a.score, a.u, a.line) < std::tie(b.score, b.u, b.line);
    });
    bool odd = false;
    for (const Control& c : of) odd = odd != c.down;
    if (odd) std::reverse(list.begin(), list.end());
    std::sort(of.begin(), of.end(),
              [](const Control& a, const Control& b) { return a.line < b.line; });
    const Grid old = m;
    const std::size_t n = m.front().size();
    for (std::size_t i = 0; i < m.size(); ++i) {
      const auto& from = old[list[i].line - of.front().line];
      const std::uint64_t a = std::uint64_t{of[i].turn} * n / 4294967296U;
      for (std::size_t k = 0; k < n; ++k) {
        m[i][k] = from[(of[i].down ? k + n - a : k + a) % n];
      }
    }
  }

  std::vector<Control> of_kind(bool row) const {
    std::vector<Control> out;
    for (const Control& c : controls) {
      if (is_row(c.line) == row) out.push_back(c);
    }
    return out;
  }

  void move_rows(Grid& m) const {
    exchange_if(m, true, true, 65535);
    order_and_shift(m, of_kind(true));
  }

  void move_columns(Grid& m) const {
    // In one list: a crossing may belong to a row or to a column.
    for (const Control& c : controls) {
      if (is_row(c.line) == is_row(c.partner)) continue;
      const std::size_t n = is_row(c.line) ? cols : rows;
      const std::size_t n2 = is_row(c.partner) ? cols : rows;
      for (std::size_t k = 0; k < std::min<std::size_t>(c.count, 16); ++k) {
        std::swap(cell(m, c.line, c.s + k * std::max<std::size_t>(1, n / 16)),
                  cell(m, c.partner, c.s2 + k * std::max<std::size_t>(1, n2 / 16)));
      }
    }
    exchange_if(m, false, false, 65535);
    Grid columns(cols);
    for (std::size_t j = 0; j < cols; ++j) {
      for (std::size_t i = 0; i < rows; ++i) columns[j].push_back(m[i][j]);
    }
    order_and_shift(columns, of_kind(false));
    const auto raster = flat(columns);
    for (std::size_t n = 0; n < raster.size(); ++n) m[n / cols][n % cols] = raster[n];
  }
};

// --- Plan and kernels ---------------------------------------------------------------------------

ConfusionPlan plan_of(WorkingKeys& keys, std::size_t rows, std::size_t cols,
                      const FeedbackWeights* weights, Sources sources = {},
                      std::vector<NetworkOutput>* outputs = nullptr) {
  return plan_confusion(rows, cols, weights,
                        {keys.parameters, keys.guide, keys.feedback, keys.offsets, sources},
                        outputs);
}

Bytes move_rows(const ConfusionPlan& plan, const Bytes& in, std::size_t rows, std::size_t cols,
                std::size_t size) {
  Bytes out(in.size());
  // In two calls: lines can be had in portions.
  const std::size_t some = rows / 3;
  gather_lines(plan.rows, size, 0, some, in.data(), cols * size, out.data());
  gather_lines(plan.rows, size, some, rows - some, in.data(), cols * size,
               out.data() + some * cols * size);
  return out;
}

Bytes unmove_rows(const ConfusionPlan& plan, const Bytes& in, std::size_t rows, std::size_t cols,
                  std::size_t size) {
  Bytes out(in.size());
  const std::size_t some = rows / 3;
  scatter_lines(plan.rows, size, 0, some, in.data(), out.data(), cols * size);
  scatter_lines(plan.rows, size, some, rows - some, in.data() + some * cols * size, out.data(),
                cols * size);
  return out;
}

// Crossings on the row-major image or on its transposed one.
Bytes move_columns(const ConfusionPlan& plan, Bytes in, std::size_t rows, std::size_t cols,
                   std::size_t size, bool cross_first) {
  const std::size_t step = rows * size + 5;
  if (cross_first) swap_crossings(plan.crossings, rows, cols, size, in.data(), {cols * size, size});
  Bytes across(cols * step);
  for (std::size_t i = 0; i < rows; i += 64) {
    transpose(std::min<std::size_t>(64, rows - i), cols, size, in.data() + i * cols * size,
              cols * size, across.data() + i * size, step);
  }
  if (!cross_first) swap_crossings(plan.crossings, rows, cols, size, across.data(), {size, step});
  Bytes out(in.size());
  gather_lines(plan.columns, size, 0, cols, across.data(), step, out.data());
  return out;
}

Bytes unmove_columns(const ConfusionPlan& plan, const Bytes& in, std::size_t rows, std::size_t cols,
                     std::size_t size, bool cross_last) {
  const std::size_t step = rows * size + 5;
  Bytes across(cols * step);
  scatter_lines(plan.columns, size, 0, cols, in.data(), across.data(), step);
  if (!cross_last) unswap_crossings(plan.crossings, rows, cols, size, across.data(), {size, step});
  Bytes out(in.size());
  for (std::size_t i = 0; i < rows; i += 64) {
    transpose(cols, std::min<std::size_t>(64, rows - i), size, across.data() + i * size, step,
              out.data() + i * cols * size, cols * size);
  }
  if (cross_last) {
    unswap_crossings(plan.crossings, rows, cols, size, out.data(), {cols * size, size});
  }
  return out;
}

std::vector<std::uint32_t> words(const Bytes& bytes) {
  std::vector<std::uint32_t> out(bytes.size() / 4);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

Bytes position_bytes(std::size_t rows, std::size_t cols) {
  const auto list = flat(positions(rows, cols));
  Bytes out(4 * list.size());
  std::memcpy(out.data(), list.data(), out.size());
  return out;
}

class Plans : public ::testing::Test {
 protected:
  std::mt19937_64 engine = engine_of(64);
  const FeedbackWeights untrained = testing::random_feedback(engine);
  const std::vector<const FeedbackWeights*> networks{&trained_feedback(), &untrained, nullptr};
};

TEST_F(Plans, AgreeWithThePlainVersion) {
  for (const FeedbackWeights* weights : networks) {
    for (const auto& [rows, cols] : sides) {
      for (int key = 0; key < 4; ++key) {
        const Sources sources{key != 1, key != 2, key != 3};
        WorkingKeys keys = random_keys(engine);
        WorkingKeys plain_keys = keys;
        std::vector<NetworkOutput> outputs;
        const ConfusionPlan plan = plan_of(keys, rows, cols, weights, sources, &outputs);
        const PlainConfusion plain(plain_keys, rows, cols, weights, sources);
        ASSERT_EQ(outputs, plain.outputs);
        ASSERT_EQ(outputs.size(), level_count(rows, cols));
        ASSERT_EQ(keys.guide.x, plain_keys.guide.x);
        ASSERT_EQ(keys.guide.x_weyl, plain_keys.guide.x_weyl);
        ASSERT_EQ(keys.guide.noise, plain_keys.guide.noise);
        if (weights != nullptr) {
          ASSERT_EQ(keys.feedback, plain_keys.feedback);
        }
        const Bytes indices = position_bytes(rows, cols);
        Grid grid = positions(rows, cols);
        plain.move_rows(grid);
        ASSERT_EQ(words(move_rows(plan, indices, rows, cols, 4)), flat(grid))
            << rows << " x " << cols;
        ASSERT_TRUE(is_bijection(flat(grid)));
        grid = positions(rows, cols);
        plain.move_columns(grid);
        ASSERT_EQ(words(move_columns(plan, indices, rows, cols, 4, true)), flat(grid))
            << rows << " x " << cols;
        ASSERT_EQ(words(move_columns(plan, indices, rows, cols, 4, false)), flat(grid));
        ASSERT_TRUE(is_bijection(flat(grid)));
      }
    }
  }
}

TEST_F(Plans, MovePixelsOfEverySizeAndBack) {
  for (const auto& [rows, cols] : sides) {
    WorkingKeys keys = random_keys(engine);
    const ConfusionPlan plan = plan_of(keys, rows, cols, &untrained);
    const Bytes indices = position_bytes(rows, cols);
    const auto by_rows = words(move_rows(plan, indices, rows, cols, 4));
    const auto by_columns = words(move_columns(plan, indices, rows, cols, 4, true));
    for (const std::size_t size : pixel_sizes) {
      const Bytes plain = random_bytes(engine, rows * cols * size);
      const auto moved = [&, bytes = size](const std::vector<std::uint32_t>& source) {
        Bytes out;
        for (const std::uint32_t from : source) {
          const auto* at = &plain[from * bytes];
          out.insert(out.end(), at, at + bytes);
        }
        return out;
      };
      const Bytes a = move_rows(plan, plain, rows, cols, size);
      ASSERT_EQ(a, moved(by_rows)) << rows << " x " << cols << " x " << size;
      ASSERT_EQ(unmove_rows(plan, a, rows, cols, size), plain);
      for (const bool first : {true, false}) {
        const Bytes b = move_columns(plan, plain, rows, cols, size, first);
        ASSERT_EQ(b, moved(by_columns)) << rows << " x " << cols << " x " << size;
        ASSERT_EQ(unmove_columns(plan, b, rows, cols, size, first), plain);
      }
    }
  }
}

// Without the order of the swaps the crossings do not come back: the test above can fail.
TEST_F(Plans, CrossingsInTheWrongOrderDoNotComeBack) {
  WorkingKeys keys = random_keys(engine);
  const ConfusionPlan plan = plan_of(keys, 16, 16, &untrained);
  ASSERT_GT(plan.crossings.size(), 1U);
  const Bytes plain = position_bytes(16, 16);
  Bytes image = plain;
  swap_crossings(plan.crossings, 16, 16, 4, image.data(), {64, 4});
  EXPECT_NE(image, plain);
  swap_crossings(plan.crossings, 16, 16, 4, image.data(), {64, 4});
  EXPECT_NE(image, plain);
}

TEST_F(Plans, GuideAndFeedbackGoOn) {
  WorkingKeys keys = random_keys(engine);
  const Bytes plain = position_bytes(16, 16);
  const ConfusionPlan first = plan_of(keys, 16, 16, &trained_feedback());
  const ConfusionPlan second = plan_of(keys, 16, 16, &trained_feedback());
  EXPECT_NE(move_rows(first, plain, 16, 16, 4), move_rows(second, plain, 16, 16, 4));
}

// Of N pixels about one stays where it was: fixed points of a random permutation are Poisson(1).
TEST_F(Plans, HardlyAPixelStays) {
  double stay = 0;
  constexpr int keys_tried = 100;
  const Bytes plain = position_bytes(32, 32);
  for (int key = 0; key < keys_tried; ++key) {
    WorkingKeys keys = random_keys(engine);
    const ConfusionPlan plan = plan_of(keys, 32, 32, &trained_feedback());
    const auto source =
        words(move_columns(plan, move_rows(plan, plain, 32, 32, 4), 32, 32, 4, true));
    ASSERT_TRUE(is_bijection(source));
    for (std::size_t n = 0; n < 1024; ++n) stay += source[n] == n ? 1.0 : 0.0;
  }
  EXPECT_LT(stay / keys_tried, 3);
}

TEST_F(Plans, SidesOutOfRangeAreRefused) {
  WorkingKeys keys = random_keys(engine);
  EXPECT_THROW(plan_of(keys, 0, 3, nullptr), std::invalid_argument);
  EXPECT_THROW(plan_of(keys, 3, 65536, nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace icb::khazaal2024
