#include "cipher/khazaal2024/move_pixels.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::engine_of;
using testing::random_bytes;

constexpr std::array<std::size_t, 6> pixel_sizes{1, 2, 3, 4, 6, 8};

const std::vector<std::array<std::size_t, 2>> rectangles{
    {1, 1},  {1, 40}, {40, 1},  {2, 2},   {4, 4},   {4, 8},   {5, 7},    {8, 6},     {16, 5},
    {16, 8}, {17, 9}, {31, 64}, {64, 33}, {64, 64}, {65, 66}, {80, 200}, {193, 100}, {3, 700}};

// Rows and columns change places, and not a byte beside them is touched: the bytes are counted out,
// so that a sanitizer sees what is read too.
TEST(Transpose, EveryPixelSizeAndShape) {
  auto engine = engine_of(71);
  for (const auto& [rows, cols] : rectangles) {
    for (const std::size_t size : pixel_sizes) {
      for (const std::size_t gap : {std::size_t{0}, std::size_t{7}}) {
        const std::size_t from_step = cols * size + gap;
        const std::size_t to_step = rows * size + 2 * gap;
        const Bytes in = random_bytes(engine, (rows - 1) * from_step + cols * size);
        Bytes out((cols - 1) * to_step + rows * size, 0xA5);
        Bytes expected = out;
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j) {
            for (std::size_t b = 0; b < size; ++b) {
              expected.at(j * to_step + i * size + b) = in.at(i * from_step + j * size + b);
            }
          }
        }
        transpose(rows, cols, size, in.data(), from_step, out.data(), to_step);
        ASSERT_EQ(out, expected) << rows << " x " << cols << " x " << size << ", gap " << gap;
      }
    }
  }
}

// Strips from the last to the first leave those that are there alone.
TEST(Transpose, StripsInAnyOrder) {
  auto engine = engine_of(72);
  constexpr std::size_t rows = 200;
  constexpr std::size_t cols = 37;
  for (const std::size_t size : pixel_sizes) {
    const Bytes in = random_bytes(engine, rows * cols * size);
    Bytes whole(in.size());
    Bytes strips(in.size());
    transpose(rows, cols, size, in.data(), cols * size, whole.data(), rows * size);
    for (std::size_t top = 192;; top -= 64) {
      transpose(std::min<std::size_t>(64, rows - top), cols, size, in.data() + top * cols * size,
                cols * size, strips.data() + top * size, rows * size);
      if (top == 0) break;
    }
    ASSERT_EQ(strips, whole) << size;
  }
}

TEST(LineMoves, PlacesAreOrderAndShift) {
  LineMoves moves(3, 4);
  moves.place(0, 2, 1);
  moves.place(1, 0, 0);
  moves.place(2, 1, 4);  // a whole turn
  const Bytes in{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
  Bytes out(12);
  gather_lines(moves, 1, 0, 3, in.data(), 4, out.data());
  EXPECT_EQ(out, (Bytes{21, 22, 23, 20, 0, 1, 2, 3, 10, 11, 12, 13}));
  Bytes back(12);
  scatter_lines(moves, 1, 0, 3, out.data(), back.data(), 4);
  EXPECT_EQ(back, in);
}

TEST(Crossings, SwapOneAfterTheOtherAndBack) {
  const std::vector<Exchange> list{{{0, 0}, {1, 0}, 2}, {{2, 2}, {1, 2}, 2}};
  const Bytes plain{0, 1, 2, 3, 4, 5, 6, 7, 8};
  Bytes image = plain;
  swap_crossings(list, 3, 3, 1, image.data(), {3, 1});
  // (0,0)-(0,1), (0,1)-(1,1); (2,2)-(2,1), (2,0)-(0,1)
  EXPECT_EQ(image, (Bytes{1, 6, 2, 3, 0, 5, 4, 8, 7}));
  unswap_crossings(list, 3, 3, 1, image.data(), {3, 1});
  EXPECT_EQ(image, plain);
}

TEST(MovePixels, RefusesPixelsItDoesNotKnow) {
  const LineMoves moves(1, 1);
  Bytes a(8);
  Bytes b(8);
  for (const std::size_t size : std::array<std::size_t, 4>{0, 5, 7, 9}) {
    EXPECT_THROW(transpose(1, 1, size, a.data(), 8, b.data(), 8), std::invalid_argument);
    EXPECT_THROW(gather_lines(moves, size, 0, 1, a.data(), 8, b.data()), std::invalid_argument);
    EXPECT_THROW(scatter_lines(moves, size, 0, 1, a.data(), b.data(), 8), std::invalid_argument);
    EXPECT_THROW(swap_crossings({}, 1, 1, size, a.data(), {8, 8}), std::invalid_argument);
    EXPECT_THROW(unswap_crossings({}, 1, 1, size, a.data(), {8, 8}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace icb::khazaal2024
