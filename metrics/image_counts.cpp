#include "metrics/image_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

// Compiled once per instruction set; the loops without vectors profit from the compiler's own code.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "metrics/image_counts.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

void split(const std::uint8_t* HWY_RESTRICT from, std::size_t pixels, std::size_t channels,
           std::uint8_t* HWY_RESTRICT to) {
  const hn::ScalableTag<std::uint8_t> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= pixels; i += lanes) {
    auto a = hn::Zero(d);
    auto b = a;
    auto c = a;
    auto e = a;
    const std::uint8_t* at = from + channels * i;
    if (channels == 2) hn::LoadInterleaved2(d, at, a, b);
    if (channels == 3) hn::LoadInterleaved3(d, at, a, b, c);
    if (channels == 4) hn::LoadInterleaved4(d, at, a, b, c, e);
    hn::StoreU(a, d, to + i);
    hn::StoreU(b, d, to + pixels + i);
    if (channels > 2) hn::StoreU(c, d, to + 2 * pixels + i);
    if (channels > 3) hn::StoreU(e, d, to + 3 * pixels + i);
  }
  for (; i < pixels; ++i) {
    for (std::size_t c = 0; c < channels; ++c) to[c * pixels + i] = from[channels * i + c];
  }
}

// The sum of all samples a[i] and, in products[k], that of a[i] a[i + shifts[k]] as far as both
// exist; shifts ascend.
void neighbour_products(const std::uint8_t* HWY_RESTRICT a, std::size_t n,
                        const std::size_t* HWY_RESTRICT shifts, std::uint64_t* HWY_RESTRICT sum,
                        std::uint64_t* HWY_RESTRICT products) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Repartition<std::int32_t, decltype(d16)> d32;
  const hn::ScalableTag<std::uint8_t> d8;
  const hn::Rebind<std::uint8_t, decltype(d16)> half;
  const std::size_t lanes = hn::Lanes(d16);
  const auto load = [&](std::size_t at) { return hn::PromoteTo(d16, hn::LoadU(half, a + at)); };
  const auto total = [&](auto v) {
    HWY_ALIGN std::int32_t each[HWY_MAX_BYTES / 4];
    hn::Store(v, d32, each);
    std::int64_t all = 0;
    for (std::size_t lane = 0; lane < hn::Lanes(d32); ++lane) all += each[lane];
    return static_cast<std::uint64_t>(all);
  };
  std::size_t i = 0;
  while (i + lanes + shifts[4] <= n) {
    // Every step adds at most 4 * 255^2 to a lane.
    const std::size_t steps = HWY_MIN((n - shifts[4] - i) / lanes, std::size_t{8192});
    auto self = hn::Zero(d32);
    auto self_odd = self;
    auto p1 = self;
    auto p1_odd = self;
    auto p2 = self;
    auto p2_odd = self;
    auto p3 = self;
    auto p3_odd = self;
    auto p4 = self;
    auto p4_odd = self;
    for (std::size_t step = 0; step < steps; ++step, i += lanes) {
      const auto x = load(i);
      self = hn::ReorderWidenMulAccumulate(d32, x, x, self, self_odd);
      p1 = hn::ReorderWidenMulAccumulate(d32, x, load(i + shifts[1]), p1, p1_odd);
      p2 = hn::ReorderWidenMulAccumulate(d32, x, load(i + shifts[2]), p2, p2_odd);
      p3 = hn::ReorderWidenMulAccumulate(d32, x, load(i + shifts[3]), p3, p3_odd);
      p4 = hn::ReorderWidenMulAccumulate(d32, x, load(i + shifts[4]), p4, p4_odd);
    }
    products[0] += total(self) + total(self_odd);
    products[1] += total(p1) + total(p1_odd);
    products[2] += total(p2) + total(p2_odd);
    products[3] += total(p3) + total(p3_odd);
    products[4] += total(p4) + total(p4_odd);
  }
  for (; i < n; ++i) {
    for (std::size_t k = 0; k < 5; ++k) {
      if (i + shifts[k] < n) products[k] += std::uint64_t{a[i]} * a[i + shifts[k]];
    }
  }
  auto sums = hn::SumsOf8(hn::Zero(d8));
  for (i = 0; i + hn::Lanes(d8) <= n; i += hn::Lanes(d8)) {
    sums = hn::Add(sums, hn::SumsOf8(hn::LoadU(d8, a + i)));
  }
  const hn::Repartition<std::uint64_t, decltype(d8)> d64;
  *sum = hn::GetLane(hn::SumOfLanes(d64, sums));
  for (; i < n; ++i) *sum += a[i];
}

// Four tables, so that equal neighbours do not wait for each other.
void count_values(const std::uint8_t* HWY_RESTRICT a, std::size_t n,
                  std::uint64_t* HWY_RESTRICT counts) {
  std::uint64_t tables[4][256] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t word{};
    std::memcpy(&word, a + i, 8);
    for (unsigned k = 0; k < 8; ++k, word >>= 8U) ++tables[k % 4][word & 0xffU];
  }
  for (; i < n; ++i) ++tables[0][a[i]];
  for (std::size_t v = 0; v < 256; ++v) {
    counts[v] += tables[0][v] + tables[1][v] + tables[2][v] + tables[3][v];
  }
}

// The counter of the pair that starts at a.
template <class Counter>
HWY_INLINE Counter& counter_of(Counter* HWY_RESTRICT counts, const std::uint8_t* HWY_RESTRICT a) {
  std::uint16_t pair{};
  std::memcpy(&pair, a, 2);
  return counts[pair];
}

// Two rows at a time: neighbours in one row often wait for each other.
template <class Counter>
HWY_INLINE void count_pairs(const std::uint8_t* HWY_RESTRICT a, std::size_t rows, std::size_t cols,
                            Counter* HWY_RESTRICT counts) {
  for (; rows >= 2; rows -= 2, a += 2 * cols) {
    for (std::size_t col = 0; col + 1 < cols; ++col) {
      ++counter_of(counts, a + col);
      ++counter_of(counts, a + cols + col);
    }
  }
  for (std::size_t col = 0; rows == 1 && col + 1 < cols; ++col) ++counter_of(counts, a + col);
}

void count_pairs_32(const std::uint8_t* a, std::size_t rows, std::size_t cols,
                    std::uint32_t* counts) {
  count_pairs(a, rows, cols, counts);
}

// In counters of one byte, zero at first, which are nearer. False if one has overflowed: their sum
// falls short.
bool count_pairs_8(const std::uint8_t* HWY_RESTRICT a, std::size_t rows, std::size_t cols,
                   std::uint8_t* HWY_RESTRICT counts) {
  count_pairs(a, rows, cols, counts);
  const hn::ScalableTag<std::uint8_t> d8;
  const hn::Repartition<std::uint64_t, decltype(d8)> d64;
  auto sums = hn::Zero(d64);
  for (std::size_t i = 0; i < 65536; i += hn::Lanes(d8)) {
    sums = hn::Add(sums, hn::SumsOf8(hn::LoadU(d8, counts + i)));
  }
  return hn::GetLane(hn::SumOfLanes(d64, sums)) == std::uint64_t{rows} * (cols - 1);
}

void add_8(const std::uint8_t* HWY_RESTRICT from, std::size_t n, std::uint32_t* HWY_RESTRICT to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

// Sums of each column, of each diagonal (511 of them), of each square of 32 x 32 (transposed), and
// of the squares.
template <class Square, class Counter>
HWY_INLINE void sum_cells(const Counter* HWY_RESTRICT counts, std::uint64_t* HWY_RESTRICT columns,
                          std::uint32_t* HWY_RESTRICT diagonals, std::uint32_t* HWY_RESTRICT coarse,
                          std::uint64_t* HWY_RESTRICT squares) {
  std::uint64_t sum_of_squares = 0;
  for (std::size_t part = 0; part < 8; ++part) {
    std::uint32_t sums[256] = {};  // of 32 cells each
    for (std::size_t i = 32 * part; i < 32 * part + 32; ++i) {
      const Counter* HWY_RESTRICT row = counts + 256 * i;
      std::uint32_t* HWY_RESTRICT diagonal = diagonals + (255 - i);
      for (std::size_t j = 0; j < 256; ++j) {
        diagonal[j] += row[j];
        sums[j] += row[j];
      }
      Square of_row = 0;
      for (std::size_t j = 0; j < 256; ++j) of_row += Square{row[j]} * row[j];
      sum_of_squares += of_row;
    }
    for (std::size_t j = 0; j < 256; ++j) {
      columns[j] += sums[j];
      coarse[j / 32 * 8 + part] += sums[j];
    }
  }
  *squares = sum_of_squares;
}

void sum_cells_8(const std::uint8_t* counts, std::uint64_t* columns, std::uint32_t* diagonals,
                 std::uint32_t* coarse, std::uint64_t* squares) {
  sum_cells<std::uint32_t>(counts, columns, diagonals, coarse, squares);
}

void sum_cells_32(const std::uint32_t* counts, std::uint64_t* columns, std::uint32_t* diagonals,
                  std::uint32_t* coarse, std::uint64_t* squares) {
  sum_cells<std::uint64_t>(counts, columns, diagonals, coarse, squares);
}

// Adds the squares of n counts.
void add_squares(const std::uint32_t* HWY_RESTRICT counts, std::size_t n,
                 std::uint64_t* HWY_RESTRICT squares) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::uint64_t{counts[i]} * counts[i];
  *squares += sum;
}

void add_32(const std::uint32_t* HWY_RESTRICT from, std::size_t n, std::uint32_t* HWY_RESTRICT to) {
  for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(split);
HWY_EXPORT(neighbour_products);
HWY_EXPORT(count_values);
HWY_EXPORT(count_pairs_32);
HWY_EXPORT(count_pairs_8);
HWY_EXPORT(add_8);
HWY_EXPORT(sum_cells_8);
HWY_EXPORT(sum_cells_32);
HWY_EXPORT(add_squares);
HWY_EXPORT(add_32);

namespace {

/// Sum and sum of squares of samples.
struct Powers {
  std::uint64_t one = 0;
  std::uint64_t two = 0;
};

Powers line(const Plane& plane, std::size_t first, std::size_t step, std::size_t count) {
  Powers sums;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t value = plane.bytes[first + i * step];
    sums.one += value;
    sums.two += value * value;
  }
  return sums;
}

/// All samples but one row and one column, if named.
Powers without(const Plane& plane, Powers sums, std::optional<std::size_t> row,
               std::optional<std::size_t> col) {
  const auto leave_out = [&sums](Powers some) {
    sums.one -= some.one;
    sums.two -= some.two;
  };
  if (row) leave_out(line(plane, *row * plane.cols, 1, plane.cols));
  if (col) leave_out(line(plane, *col, plane.cols, plane.rows));
  if (row && col) {  // left out twice
    const std::uint64_t corner = plane.bytes[*row * plane.cols + *col];
    sums.one += corner;
    sums.two += corner * corner;
  }
  return sums;
}

/// Products of the samples `shift` apart that are no pair: one at the end of a row, its partner a
/// row further on than the offset says.
std::uint64_t wrapped(const Plane& plane, PairOffset offset, std::size_t shift) {
  std::uint64_t sum = 0;
  if (offset.cols == 0) return sum;
  for (std::size_t i = offset.cols > 0 ? plane.cols - 1 : 0; i + shift < plane.bytes.size();
       i += plane.cols) {
    sum += std::uint64_t{plane.bytes[i]} * plane.bytes[i + shift];
  }
  return sum;
}

}  // namespace

Bytes split_channels(ConstImage image) {
  const Shape& shape = image.shape();
  if (shape.sample_bytes != 1 || shape.channels < 2) {
    throw std::invalid_argument(
        fmt::format("split_channels: expected 8-bit channels, got {}", to_string(shape)));
  }
  Bytes out(shape.bytes());
  HWY_DYNAMIC_DISPATCH(split)(image.bytes().data(), shape.pixels(), shape.channels, out.data());
  return out;
}

std::array<PairSums, 4> neighbour_pairs(const Plane& plane) {
  const std::size_t cols = plane.cols;
  // Of a sample to itself, its right, lower left, lower and lower right neighbours.
  const std::array<std::size_t, 5> shifts{0, 1, cols - 1, cols, cols + 1};
  Powers all;
  std::array<std::uint64_t, 5> products{};
  HWY_DYNAMIC_DISPATCH(neighbour_products)
  (plane.bytes.data(), plane.bytes.size(), shifts.data(), &all.one, products.data());
  all.two = products[0];
  std::array<PairSums, 4> out;
  constexpr std::array<std::size_t, 4> product_of{1, 3, 4, 2};
  for (std::size_t k = 0; k < neighbours.size(); ++k) {
    const PairOffset offset = neighbours.at(k);
    const std::uint64_t pairs = pair_count({plane.rows, cols}, offset);
    if (pairs == 0) continue;
    const auto edge = [](bool cut, std::size_t at) {
      return cut ? std::optional(at) : std::nullopt;
    };
    const bool down = offset.rows == 1;
    const bool sideways = offset.cols != 0;
    const std::size_t right = offset.cols > 0 ? cols - 1 : 0;  // where no pair starts
    const Powers first = without(plane, all, edge(down, plane.rows - 1), edge(sideways, right));
    const Powers second = without(plane, all, edge(down, 0), edge(sideways, cols - 1 - right));
    const std::size_t product = product_of.at(k);
    out.at(k) = {pairs,      first.one,
                 second.one, first.two,
                 second.two, products.at(product) - wrapped(plane, offset, shifts.at(product))};
  }
  return out;
}

Histogram plane_histogram(const Plane& plane) {
  Histogram counts(256);
  HWY_DYNAMIC_DISPATCH(count_values)(plane.bytes.data(), plane.bytes.size(), counts.data());
  return counts;
}

PairTable plane_pairs(const Plane& plane) {
  PairTable out{Bytes(65536), {}, std::uint64_t{plane.rows} * (plane.cols - 1)};
  // Strips small enough that random samples never overflow a byte, large enough that emptying the
  // bytes does not count.
  constexpr std::size_t strip = std::size_t{1} << 20;
  const std::size_t step = std::max(std::size_t{1}, strip / plane.cols);
  for (std::size_t row = 0; row < plane.rows; row += step) {
    const std::uint8_t* from = plane.bytes.data() + row * plane.cols;
    const std::size_t rows = std::min(step, plane.rows - row);
    const bool fits = HWY_DYNAMIC_DISPATCH(count_pairs_8)(from, rows, plane.cols, out.bytes.data());
    if (fits && rows == plane.rows) return out;
    out.counts.resize(65536);
    if (!fits) {  // the image is not random: no second try
      HWY_DYNAMIC_DISPATCH(count_pairs_32)
      (from, plane.rows - row, plane.cols, out.counts.data());
      break;
    }
    HWY_DYNAMIC_DISPATCH(add_8)(out.bytes.data(), out.bytes.size(), out.counts.data());
    std::fill(out.bytes.begin(), out.bytes.end(), std::uint8_t{0});
  }
  out.bytes.clear();
  return out;
}

Cooccurrence transposed(const PairTable& table) {
  Cooccurrence out{256, std::vector<std::uint32_t>(65536), table.pairs};
  for (std::size_t i = 0; i < 256; ++i) {
    for (std::size_t j = 0; j < 256; ++j) {
      const std::size_t cell = 256 * j + i;
      out.counts[256 * i + j] = table.counts.empty() ? table.bytes[cell] : table.counts[cell];
    }
  }
  return out;
}

CellSums sum_cells(const PairTable& table) {
  CellSums out{.left = std::vector<std::uint64_t>(256),
               .differences = std::vector<std::uint64_t>(256),
               .coarse = {8, std::vector<std::uint32_t>(64), table.pairs}};
  std::array<std::uint32_t, 511> diagonals{};
  if (table.counts.empty()) {
    HWY_DYNAMIC_DISPATCH(sum_cells_8)
    (table.bytes.data(), out.left.data(), diagonals.data(), out.coarse.counts.data(), &out.squares);
  } else {
    HWY_DYNAMIC_DISPATCH(sum_cells_32)
    (table.counts.data(), out.left.data(), diagonals.data(), out.coarse.counts.data(),
     &out.squares);
  }
  out.differences[0] = diagonals[255];
  for (std::size_t d = 1; d < 256; ++d) {
    out.differences[d] = std::uint64_t{diagonals.at(255 + d)} + diagonals.at(255 - d);
  }
  return out;
}

std::uint64_t pooled_squares(std::span<const PairTable* const> tables) {
  std::uint64_t squares = 0;
  std::array<std::uint32_t, 4096> pooled{};
  for (std::size_t i = 0; i < 65536; i += pooled.size()) {
    pooled.fill(0);
    for (const PairTable* each : tables) {
      if (each->counts.empty()) {
        HWY_DYNAMIC_DISPATCH(add_8)(&each->bytes[i], pooled.size(), pooled.data());
      } else {
        HWY_DYNAMIC_DISPATCH(add_32)(&each->counts[i], pooled.size(), pooled.data());
      }
    }
    HWY_DYNAMIC_DISPATCH(add_squares)(pooled.data(), pooled.size(), &squares);
  }
  return squares;
}

Histogram histogram_from(const CellSums& sums, const Plane& plane) {
  Histogram out = sums.left;
  for (std::size_t row = 1; row <= plane.rows; ++row) ++out[plane.bytes[row * plane.cols - 1]];
  return out;
}

void add_counts(std::span<const std::uint32_t> from, std::span<std::uint32_t> to) {
  HWY_DYNAMIC_DISPATCH(add_32)(from.data(), from.size(), to.data());
}

}  // namespace icb

#endif  // HWY_ONCE
