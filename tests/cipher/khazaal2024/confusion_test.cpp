#include "cipher/khazaal2024/confusion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::copy_of;
using testing::engine_of;
using testing::random_image;
using testing::random_keys;

bool is_bijection(const PositionMap& map) {
  std::vector<bool> seen(map.source().size());
  for (const std::uint32_t from : map.source()) {
    if (from >= seen.size() || seen[from]) return false;
    seen[from] = true;
  }
  return true;
}

std::vector<std::uint32_t> random_order(std::mt19937_64& engine, std::size_t count) {
  std::vector<std::uint32_t> out(count);
  std::iota(out.begin(), out.end(), 0U);
  for (std::size_t i = count; i > 1; --i) std::swap(out[i - 1], out[uniform_below(engine, i)]);
  return out;
}

const std::vector<std::array<std::size_t, 2>> sides{{1, 1},  {1, 2},  {2, 1},   {1, 9},   {9, 1},
                                                    {2, 2},  {2, 3},  {3, 2},   {3, 3},   {4, 4},
                                                    {5, 20}, {20, 5}, {16, 16}, {33, 65}, {40, 31}};

// --- Exchange -----------------------------------------------------------------------------------

// Figure 6 of the paper: (1,1) <-> (4,4) and (2,3) <-> (4,1); values in hundredths.
TEST(Exchange, Figure6OfThePaper) {
  const Bytes plain{23, 54, 72, 37, 53, 45, 82, 79, 54, 87, 47, 56, 47, 61, 65, 73};
  const Bytes expected{73, 54, 72, 37, 53, 45, 47, 79, 54, 87, 47, 56, 82, 61, 65, 23};
  PositionMap map(4, 4);
  const auto row = [](std::size_t i) { return Line{true, i}; };
  exchange(map, {row(0), 0, row(3), 3, 1, false});
  exchange(map, {row(1), 2, row(3), 0, 1, false});
  OwnedImage out({4, 4, 1, 1});
  permute_pixels(ConstImage({4, 4, 1, 1}, plain), map, out.view());
  EXPECT_EQ(copy_of(out.bytes()), expected);
}

TEST(Exchange, SectionsWrapAroundTheirLines) {
  PositionMap map(2, 5);
  exchange(map, {{true, 0}, 4, {true, 1}, 3, 3, false});  // 4, 0, 1 with 3, 4, 0
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{9, 5, 2, 3, 8, 1, 6, 7, 4, 0}));
}

TEST(Exchange, DownTakesThePartnersSectionFromItsEnd) {
  PositionMap map(2, 5);
  exchange(map, {{true, 0}, 0, {true, 1}, 2, 3, true});  // 0, 1, 2 with 4, 3, 2
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{9, 8, 7, 3, 4, 5, 6, 2, 1, 0}));
}

TEST(Exchange, ColumnsAreLinesToo) {
  PositionMap map(3, 4);
  exchange(map, {{false, 1}, 2, {false, 3}, 0, 2, false});  // (2,1) (0,1) with (0,3) (1,3)
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{0, 7, 2, 9, 4, 5, 6, 1, 8, 3, 10, 11}));
}

// The swaps are made one after the other; the crossing takes part in two.
TEST(Exchange, RowAndColumnThatCross) {
  PositionMap map(3, 3);
  exchange(map, {{true, 1}, 0, {false, 1}, 0, 3, false});
  // (1,0)-(0,1), (1,1)-(1,1), (1,2)-(2,1)
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{0, 3, 2, 1, 4, 7, 6, 5, 8}));
  PositionMap other(3, 3);
  exchange(other, {{true, 0}, 0, {false, 1}, 0, 2, false});
  // (0,0)-(0,1), then (0,1)-(1,1)
  EXPECT_EQ(other.source(), (std::vector<std::uint32_t>{1, 4, 2, 3, 0, 5, 6, 7, 8}));
}

TEST(Exchange, IsABijectionForAnySections) {
  auto engine = engine_of(61);
  for (const auto& [rows, cols] : sides) {
    PositionMap map(rows, cols);
    for (int i = 0; i < 300; ++i) {
      const auto line = [&, r = rows, c = cols]() -> Line {
        const std::size_t at = uniform_below(engine, r + c);
        return at < r ? Line{true, at} : Line{false, at - r};
      };
      const auto positions = [r = rows, c = cols](const Line& l) { return l.is_row ? c : r; };
      const Line first = line();
      const Line second = line();
      if (first == second) continue;
      const std::size_t most = std::min(positions(first), positions(second));
      exchange(map, {first, uniform_below(engine, positions(first)), second,
                     uniform_below(engine, positions(second)), 1 + uniform_below(engine, most),
                     (engine() & 1) != 0});
      ASSERT_TRUE(is_bijection(map)) << rows << " x " << cols;
    }
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

// --- Reordering, shifting, moving ---------------------------------------------------------------

TEST(PositionMap, RowsAndColumnsAreReordered) {
  PositionMap map(2, 3);
  map.reorder_rows({1, 0});
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{3, 4, 5, 0, 1, 2}));
  map.reorder_columns({2, 0, 1});
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{5, 3, 4, 2, 0, 1}));
}

TEST(PositionMap, RowsAndColumnsAreShifted) {
  PositionMap map(3, 3);
  map.shift_rows({0, 1, 2});
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{0, 1, 2, 4, 5, 3, 8, 6, 7}));
  map.shift_columns({2, 0, 1});
  EXPECT_EQ(map.source(), (std::vector<std::uint32_t>{8, 1, 3, 0, 5, 7, 4, 6, 2}));
}

TEST(PositionMap, StaysABijection) {
  auto engine = engine_of(62);
  for (const auto& [rows, cols] : sides) {
    PositionMap map(rows, cols);
    map.reorder_rows(random_order(engine, rows));
    map.reorder_columns(random_order(engine, cols));
    std::vector<std::uint32_t> by_row(rows);
    std::vector<std::uint32_t> by_col(cols);
    for (auto& shift : by_row) shift = static_cast<std::uint32_t>(uniform_below(engine, cols));
    for (auto& shift : by_col) shift = static_cast<std::uint32_t>(uniform_below(engine, rows));
    map.shift_rows(by_row);
    map.shift_columns(by_col);
    EXPECT_TRUE(is_bijection(map)) << rows << " x " << cols;
  }
}

TEST(Permute, IsInvertedByUnpermuteForEveryPixelSize) {
  auto engine = engine_of(63);
  for (std::size_t channels = 1; channels <= 4; ++channels) {
    for (std::size_t depth = 1; depth <= 2; ++depth) {
      const Shape shape{11, 6, channels, depth};
      const OwnedImage plain = random_image(engine, shape);
      PositionMap map(11, 6);
      map.reorder_rows(random_order(engine, 11));
      map.shift_columns({1, 2, 3, 4, 5, 6});
      OwnedImage moved(shape);
      OwnedImage back(shape);
      permute_pixels(plain.view(), map, moved.view());
      unpermute_pixels(moved.view(), map, back.view());
      EXPECT_EQ(copy_of(back.bytes()), copy_of(plain.bytes()));
      const std::size_t size = shape.pixel_bytes();
      for (std::size_t n = 0; n < shape.pixels(); ++n) {
        EXPECT_EQ(copy_of(moved.bytes().subspan(n * size, size)),
                  copy_of(plain.bytes().subspan(map.source()[n] * size, size)));
      }
    }
  }
}

// --- The whole step -----------------------------------------------------------------------------

PositionMap map_of(WorkingKeys& keys, std::size_t rows, std::size_t cols,
                   const FeedbackWeights& weights, std::vector<NetworkOutput>* outputs = nullptr) {
  return confusion_map(rows, cols, weights,
                       {keys.parameters, keys.guide, keys.feedback, keys.offsets}, outputs);
}

TEST(ConfusionMap, IsABijectionForEveryShapeKeyAndNetwork) {
  auto engine = engine_of(64);
  const FeedbackWeights untrained = testing::random_feedback(engine);
  for (const FeedbackWeights* weights : {&trained_feedback(), &untrained}) {
    for (const auto& [rows, cols] : sides) {
      for (int key = 0; key < 8; ++key) {
        WorkingKeys keys = random_keys(engine);
        std::vector<NetworkOutput> outputs;
        const PositionMap map = map_of(keys, rows, cols, *weights, &outputs);
        ASSERT_TRUE(is_bijection(map)) << rows << " x " << cols;
        ASSERT_EQ(outputs.size(), level_count(rows, cols));
      }
    }
  }
}

// Section 4 again, plainly: lists of positions, one level after the other.
struct PlainConfusion {
  std::size_t rows;
  std::size_t cols;
  std::vector<std::vector<std::uint32_t>> m;

  struct Entry {
    std::uint32_t score;
    std::uint32_t u;
    std::uint32_t index;
    bool down;
    std::uint32_t shift;
  };

  std::vector<Entry> of_row, of_col;

  std::uint32_t& cell(std::size_t line, std::size_t k) {
    return line < rows ? m[line][k % cols] : m[k % rows][line - rows];
  }

  PlainConfusion(WorkingKeys& keys, std::size_t rows_, std::size_t cols_,
                 const FeedbackWeights& weights)
      : rows(rows_), cols(cols_), m(rows_), of_row(rows_), of_col(cols_) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j)
        m[i].push_back(static_cast<std::uint32_t>(i * cols + j));
    }
    for (std::size_t l = 0; 2 * l < std::max(rows, cols); ++l) level(keys, l, weights);
    finish();
  }

  void level(WorkingKeys& keys, std::size_t l, const FeedbackWeights& weights) {
    const auto g = static_cast<int>(step(keys.guide, keys.parameters));
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
                         top(keys.guide.x, 56) - 128,
                         top(keys.guide.x, 48) - 128,
                         top(keys.guide.u, 56) - (top(keys.guide.u, 56) > 127 ? 256 : 0),
                         top(keys.guide.u, 48) - 128,
                         std::min(std::max(g >> 19, -128), 127),
                         ((g >> 11) & 255) - 128};
    NetworkInput input{};
    for (std::size_t i = 0; i < 12; ++i) input.at(i) = static_cast<std::int8_t>(raw[i]);
    const NetworkOutput o = evaluate(weights, keys.offsets, input, keys.feedback);
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
      const auto u = static_cast<std::uint32_t>(keys.guide.x >> 32);
      const std::uint64_t partner = o.at(6 * k);
      const std::uint64_t start = o.at(6 * k + 1);
      const std::uint64_t length = o.at(6 * k + 2);
      const std::uint64_t shift = o.at(6 * k + 3);
      const std::uint64_t direction = o.at(6 * k + 4);
      const bool down = direction >= 32768;
      const std::size_t n = line < rows ? cols : rows;
      const std::uint64_t y = (u + 65536 * shift) % 4294967296U;
      const Entry entry{o.at(6 * k + 5), u,
                        static_cast<std::uint32_t>(line < rows ? line : line - rows), down,
                        static_cast<std::uint32_t>(y * n / 4294967296U)};
      (line < rows ? of_row.at(line) : of_col.at(line - rows)) = entry;
      const std::size_t other = partner * (rows + cols) / 65536;
      if (other == line) continue;
      const std::size_t n2 = other < rows ? cols : rows;
      const std::size_t s = start * n / 65536;
      const std::size_t s2 = direction % 32768 * n2 / 32768;
      const std::size_t count = 1 + length * std::min(n, n2) / 65536;
      for (std::size_t i = 0; i < count; ++i) {
        std::swap(cell(line, s + i), cell(other, s2 + (down ? count - 1 - i : i)));
      }
    }
  }

  static std::vector<Entry> sorted(std::vector<Entry> list) {
    bool odd = false;
    for (const Entry& e : list) odd = odd != e.down;
    std::sort(list.begin(), list.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.score, a.u, a.index) < std::tie(b.score, b.u, b.index);
    });
    if (odd) std::reverse(list.begin(), list.end());
    return list;
  }

  void finish() {
    const auto by_row = sorted(of_row);
    const auto by_col = sorted(of_col);
    auto ordered = m;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) ordered[i][j] = m[by_row[i].index][by_col[j].index];
    }
    auto shifted = ordered;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < cols; ++k) {
        shifted[i][k] = ordered[i][(k + of_row[i].shift) % cols];
      }
    }
    for (std::size_t j = 0; j < cols; ++j) {
      for (std::size_t k = 0; k < rows; ++k) m[k][j] = shifted[(k + of_col[j].shift) % rows][j];
    }
  }
};

TEST(ConfusionMap, AgreesWithThePlainVersion) {
  auto engine = engine_of(65);
  const FeedbackWeights untrained = testing::random_feedback(engine);
  for (const FeedbackWeights* weights : {&trained_feedback(), &untrained}) {
    for (const auto& [rows, cols] : sides) {
      for (int key = 0; key < 4; ++key) {
        WorkingKeys keys = random_keys(engine);
        WorkingKeys plain_keys = keys;
        const PositionMap map = map_of(keys, rows, cols, *weights);
        const PlainConfusion plain(plain_keys, rows, cols, *weights);
        std::vector<std::uint32_t> flat;
        for (const auto& row : plain.m) flat.insert(flat.end(), row.begin(), row.end());
        ASSERT_EQ(map.source(), flat) << rows << " x " << cols;
        ASSERT_EQ(keys.guide.x, plain_keys.guide.x);
        ASSERT_EQ(keys.feedback, plain_keys.feedback);
      }
    }
  }
}

TEST(ConfusionMap, GuideAndFeedbackGoOn) {
  auto engine = engine_of(66);
  WorkingKeys keys = random_keys(engine);
  const PositionMap first = map_of(keys, 16, 16, trained_feedback());
  const PositionMap second = map_of(keys, 16, 16, trained_feedback());
  EXPECT_NE(first.source(), second.source());
}

// Of N pixels about one stays where it was: fixed points of a random permutation are Poisson(1).
TEST(ConfusionMap, HardlyAPixelStays) {
  auto engine = engine_of(67);
  double stay = 0;
  constexpr int keys_tried = 100;
  for (int key = 0; key < keys_tried; ++key) {
    WorkingKeys keys = random_keys(engine);
    const PositionMap map = map_of(keys, 32, 32, trained_feedback());
    for (std::size_t n = 0; n < 1024; ++n) stay += map.source()[n] == n ? 1.0 : 0.0;
  }
  EXPECT_LT(stay / keys_tried, 3);
}

}  // namespace
}  // namespace icb::khazaal2024
