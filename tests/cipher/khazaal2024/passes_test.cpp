// Passes against sections 4 to 6 put together plainly: pixel by pixel, a stage after the other.
#include "cipher/khazaal2024/passes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::engine_of;
using testing::random_bytes;
using testing::random_keys;

// --- The plain version --------------------------------------------------------------------------

using Pixel = std::array<std::uint8_t, 8>;  ///< the rest 0
using Pixels = std::vector<Pixel>;

Pixels pixels_of(const Bytes& bytes, std::size_t size) {
  Pixels out(bytes.size() / size);
  for (std::size_t n = 0; n < bytes.size(); ++n) out.at(n / size).at(n % size) = bytes[n];
  return out;
}

Bytes bytes_of(const Pixels& pixels, std::size_t size) {
  Bytes out(pixels.size() * size);
  for (std::size_t n = 0; n < out.size(); ++n) out[n] = pixels.at(n / size).at(n % size);
  return out;
}

/// New lines, pixel by pixel; old line i is [i * length, (i + 1) * length) of `in`.
Pixels lines_moved(const LineMoves& moves, const Pixels& in) {
  Pixels out;
  for (std::size_t i = 0; i < moves.lines(); ++i) {
    moves.for_each_piece(i, [&](std::size_t line, std::size_t first, std::size_t count) {
      for (std::size_t k = first; k < first + count; ++k) {
        out.push_back(in.at(line * moves.length() + k));
      }
    });
  }
  return out;
}

Bytes plain_rows(const RoundInput& round, const Bytes& in) {
  const std::size_t size = round.shape.pixel_bytes();
  Bytes out = bytes_of(lines_moved(round.plan.rows, pixels_of(in, size)), size);
  if (round.chain != nullptr) {
    Bytes keystream(out.size());
    round.keystream.fill(round.round, 0, keystream);
    plain::chain_image(Direction::forward, out, keystream, *round.chain);
  }
  return out;
}

Bytes plain_columns(const RoundInput& round, Bytes image) {
  const std::size_t rows = round.shape.rows;
  const std::size_t cols = round.shape.cols;
  if (round.chain != nullptr) {
    Bytes keystream(image.size());
    round.keystream.fill(round.round, 0, keystream);
    plain::chain_image(Direction::backward, image, keystream, *round.chain);
  }
  Pixels pixels = pixels_of(image, round.shape.pixel_bytes());
  for (const Exchange& e : round.plan.crossings) {
    for (std::size_t k = 0; k < e.count; ++k) {
      const std::size_t col = (e.a.first + k * std::max<std::size_t>(1, cols / 16)) % cols;
      const std::size_t row = (e.b.first + k * std::max<std::size_t>(1, rows / 16)) % rows;
      std::swap(pixels.at(e.a.line * cols + col), pixels.at(row * cols + e.b.line));
    }
  }
  Pixels across;
  for (std::size_t j = 0; j < cols; ++j) {
    for (std::size_t i = 0; i < rows; ++i) across.push_back(pixels.at(i * cols + j));
  }
  return bytes_of(lines_moved(round.plan.columns, across), round.shape.pixel_bytes());
}

// --- Comparison ---------------------------------------------------------------------------------

/// Plan, keystream and chain keys of one image, without training to hide anything.
class Subject {
 public:
  Subject(std::mt19937_64& engine, const Shape& shape)
      : m_shape(shape),
        m_keys(random_keys(engine)),
        m_keystream(m_keys.lanes, m_keys.parameters, {}),
        m_network(testing::random_feedback(engine)),
        m_plan(plan_confusion(shape.rows, shape.cols, &m_network,
                              {m_keys.parameters, m_keys.guide, m_keys.feedback, m_keys.offsets})),
        m_chain(draw_chain_keys(m_keys.guide, m_keys.parameters, {})) {}

  RoundInput round(unsigned number, bool chained, unsigned threads = 1) const {
    return {m_shape, m_plan, m_keystream, number, chained ? &m_chain : nullptr, threads};
  }

 private:
  Shape m_shape;
  WorkingKeys m_keys;
  Keystream m_keystream;
  FeedbackWeights m_network;
  ConfusionPlan m_plan;
  ChainKeys m_chain;
};

Bytes rows_passed(const RoundInput& round, const Bytes& in) {
  Bytes out(in.size(), 0xAA);
  rows_pass(round, in, out);
  return out;
}

Bytes columns_passed(const RoundInput& round, Bytes in) {
  Bytes scratch(round.shape.cols * transposed_step(round.shape), 0xAA);
  columns_pass(round, in, scratch);
  return in;
}

Bytes rows_undone(const RoundInput& round, Bytes in) {
  Bytes out(in.size(), 0xAA);
  undo_rows_pass(round, in, out);
  return out;
}

Bytes columns_undone(const RoundInput& round, Bytes in, bool in_place) {
  Bytes scratch(in.size(), 0xAA);
  if (in_place) {
    undo_columns_pass(round, in, scratch, in);
    return in;
  }
  Bytes out(in.size(), 0xAA);
  undo_columns_pass(round, in, scratch, out);
  return out;
}

void expect_plain(std::mt19937_64& engine, const Shape& shape) {
  SCOPED_TRACE(to_string(shape));
  const Subject subject(engine, shape);
  const Bytes image = random_bytes(engine, shape.bytes());
  for (const bool chained : {true, false}) {
    SCOPED_TRACE(chained ? "chained" : "not chained");
    const RoundInput odd = subject.round(3, chained);
    const Bytes by_rows = rows_passed(odd, image);
    ASSERT_TRUE(by_rows == plain_rows(odd, image));
    ASSERT_TRUE(rows_undone(odd, by_rows) == image);
    const RoundInput even = subject.round(2, chained);
    const Bytes by_columns = columns_passed(even, image);
    ASSERT_TRUE(by_columns == plain_columns(even, image));
    ASSERT_TRUE(columns_undone(even, by_columns, false) == image);
    ASSERT_TRUE(columns_undone(even, by_columns, true) == image);
  }
}

TEST(Passes, AreThePlainStagesForEveryPixelSize) {
  auto engine = engine_of(121);
  for (const auto& [rows, cols] : std::vector<std::array<std::size_t, 2>>{{1, 1},
                                                                          {1, 2},
                                                                          {2, 1},
                                                                          {1, 8},
                                                                          {8, 1},
                                                                          {1, 9},
                                                                          {3, 3},
                                                                          {2, 7},
                                                                          {7, 5},
                                                                          {33, 65},
                                                                          {64, 3},
                                                                          {65, 31},
                                                                          {128, 2},
                                                                          {1, 300},
                                                                          {300, 1}}) {
    for (std::size_t channels = 1; channels <= 4; ++channels) {
      for (const std::size_t depth : {1U, 2U}) {
        expect_plain(engine, {rows, cols, channels, depth});
      }
    }
  }
}

// Around the lines of one byte and the first lines of 512.
TEST(Passes, AreThePlainStagesForEverySmallSize) {
  auto engine = engine_of(122);
  for (std::size_t n = 1; n <= 40; ++n) expect_plain(engine, {1, n, 1, 1});
  for (const std::size_t n : {511U, 512U, 513U, 519U, 520U, 521U, 1031U, 1032U, 1033U}) {
    expect_plain(engine, {1, n, 1, 1});
    expect_plain(engine, {n, 1, 1, 1});
  }
  expect_plain(engine, {20, 26, 1, 1});  // 520
  expect_plain(engine, {8, 65, 1, 1});
}

// A unit has 2^17 bytes, and the last includes the lines of one byte. Rows longer than a unit,
// strips of 64 rows longer and shorter than one.
TEST(Passes, AreThePlainStagesOverSeveralUnits) {
  auto engine = engine_of(123);
  for (const Shape& shape :
       {Shape{131, 1001, 1, 1}, Shape{1, 65535, 1, 2}, Shape{1, 65535, 4, 2}, Shape{65535, 1, 4, 1},
        Shape{3, 50000, 3, 1}, Shape{517, 389, 1, 2}, Shape{210, 211, 3, 1}, Shape{150, 300, 3, 2},
        Shape{7, 37450, 1, 1}, Shape{1200, 110, 4, 1}}) {
    expect_plain(engine, shape);
  }
  // From one byte over a unit to one line over it, singles included; two units.
  for (const auto& [rows, cols] : std::vector<std::array<std::size_t, 2>>{{4, 32768},
                                                                          {3, 43691},
                                                                          {13, 10083},
                                                                          {8, 16385},
                                                                          {16385, 8},
                                                                          {19, 6899},
                                                                          {6, 21932},
                                                                          {77, 1709},
                                                                          {11, 23832}}) {
    expect_plain(engine, {rows, cols, 1, 1});
  }
}

// What the passes do depends on all they are told: the comparison above can fail.
TEST(Passes, DependOnRoundPlanAndChain) {
  auto engine = engine_of(124);
  const Shape shape{20, 30, 1, 1};
  const Subject one(engine, shape);
  const Subject other(engine, shape);
  const Bytes image = random_bytes(engine, shape.bytes());
  const Bytes expected = plain_rows(one.round(1, true), image);
  EXPECT_NE(rows_passed(one.round(3, true), image), expected);
  EXPECT_NE(rows_passed(other.round(1, true), image), expected);
  EXPECT_NE(rows_passed(one.round(1, false), image), expected);
  EXPECT_NE(columns_undone(one.round(4, true), columns_passed(one.round(2, true), image), false),
            image);
  EXPECT_NE(columns_undone(other.round(2, false), columns_passed(one.round(2, false), image), true),
            image);
}

}  // namespace
}  // namespace icb::khazaal2024
