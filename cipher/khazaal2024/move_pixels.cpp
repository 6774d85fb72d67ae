#include "cipher/khazaal2024/move_pixels.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <stdexcept>

// For bytes picked from two vectors at once. This target also allows the compiler AVX-VNNI, which
// some of its machines lack: no products of small integers in this file.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cipher/khazaal2024/move_pixels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::khazaal2024::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// --- Lines --------------------------------------------------------------------------------------

/// Bytes in and around whole vectors; short ones by the compiler.
HWY_INLINE void copy(std::uint8_t* HWY_RESTRICT to, const std::uint8_t* HWY_RESTRICT from,
                     std::size_t n) {
  const hn::CappedTag<std::uint8_t, 32> d;
  const std::size_t lanes = hn::Lanes(d);
  if (n < lanes) {
    std::memcpy(to, from, n);
    return;
  }
  const auto last = hn::LoadU(d, from + n - lanes);
  for (std::size_t i = 0; i + lanes < n; i += lanes) {
    hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  }
  hn::StoreU(last, d, to + n - lanes);
}

/// The same past the caches: whole lines of them go to memory without being read first.
HWY_INLINE void copy_past(std::uint8_t* HWY_RESTRICT to, const std::uint8_t* HWY_RESTRICT from,
                          std::size_t n) {
  constexpr std::size_t line = 64;
  const hn::CappedTag<std::uint8_t, line> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t head = (line - reinterpret_cast<std::uintptr_t>(to) % line) % line;
  if (n < head + 4 * line) return copy(to, from, n);
  copy(to, from, head);
  const std::size_t end = head + (n - head) / line * line;
  for (std::size_t i = head; i < end; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  copy(to + end, from + end, n - end);
}

void gather(const LineMoves& moves, std::size_t size, std::size_t first, std::size_t count,
            const std::uint8_t* HWY_RESTRICT from, std::size_t step, std::uint8_t* HWY_RESTRICT to,
            Use use) {
  for (std::size_t i = first; i < first + count; ++i) {
    moves.for_each_piece(i, [&](std::size_t line, std::size_t at, std::size_t pixels) HWY_ATTR {
      const std::uint8_t* const piece = from + line * step + at * size;
      use == Use::late ? copy_past(to, piece, pixels * size) : copy(to, piece, pixels * size);
      to += pixels * size;
    });
  }
  if (use == Use::late) hwy::FlushStream();
}

void scatter(const LineMoves& moves, std::size_t size, std::size_t first, std::size_t count,
             const std::uint8_t* HWY_RESTRICT from, std::uint8_t* HWY_RESTRICT to, std::size_t step,
             Use use) {
  for (std::size_t i = first; i < first + count; ++i) {
    moves.for_each_piece(i, [&](std::size_t line, std::size_t at, std::size_t pixels) HWY_ATTR {
      std::uint8_t* const piece = to + line * step + at * size;
      use == Use::late ? copy_past(piece, from, pixels * size) : copy(piece, from, pixels * size);
      from += pixels * size;
    });
  }
  if (use == Use::late) hwy::FlushStream();
}

// --- Transposition ------------------------------------------------------------------------------

template <std::size_t size>
HWY_INLINE void transpose_plainly(std::size_t rows, std::size_t cols,
                                  const std::uint8_t* HWY_RESTRICT from, std::size_t from_step,
                                  std::uint8_t* HWY_RESTRICT to, std::size_t to_step) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      std::memcpy(to + j * to_step + i * size, from + i * from_step + j * size, size);
    }
  }
}

#if HWY_TARGET == HWY_SCALAR

template <class Lane, std::size_t size>
void transpose(std::size_t rows, std::size_t cols, const std::uint8_t* from, std::size_t from_step,
               std::uint8_t* to, std::size_t to_step) {
  transpose_plainly<size>(rows, cols, from, from_step, to, to_step);
}

#else

/// Where the bytes of pixels of `size` bytes lie when each fills a lane of `lane` bytes: the pixels
/// begin at byte `begin` of what was loaded; 0x80 gives 0.
template <std::size_t size, std::size_t lane>
constexpr std::array<std::uint8_t, 16> spread(std::size_t begin) {
  std::array<std::uint8_t, 16> out{};
  for (std::size_t k = 0; k < 16; ++k) {
    const std::size_t from = begin + k / lane * size + k % lane;
    out[k] = k % lane < size ? static_cast<std::uint8_t>(from) : 0x80;
  }
  return out;
}

template <std::size_t size, std::size_t lane>
constexpr std::array<std::uint8_t, 16> gathered() {
  std::array<std::uint8_t, 16> out{};
  for (std::size_t k = 0; k < 16; ++k) {
    out[k] = k < 16 / lane * size ? static_cast<std::uint8_t>(k / size * lane + k % size) : 0x80;
  }
  return out;
}

/// Squares of n x n pixels, n of which fill a vector of 16 bytes when each has a Lane.
template <class Lane, std::size_t size>
struct Squares {
  static constexpr std::size_t n = 16 / sizeof(Lane);
  static constexpr bool padded = size != sizeof(Lane);
  using D = hn::FixedTag<Lane, n>;
  using D8 = hn::FixedTag<std::uint8_t, 16>;

  alignas(16) static constexpr auto whole = spread<size, sizeof(Lane)>(0);
  alignas(16) static constexpr auto late = spread<size, sizeof(Lane)>(16 - n * size);
  alignas(16) static constexpr auto close = gathered<size, sizeof(Lane)>();

  /// `at_end`: no byte after the n pixels may be read; `exact`: none may be written.
  static HWY_INLINE void move(const std::uint8_t* HWY_RESTRICT from, std::size_t from_step,
                              bool at_end, std::uint8_t* HWY_RESTRICT to, std::size_t to_step,
                              bool exact) {
    const D d;
    const D8 d8;
    hn::Vec<D> v[n];
    hn::Vec<D> w[n];
    if constexpr (padded) {
      const auto table = hn::Load(d8, at_end ? late.data() : whole.data());
      from -= at_end ? 16 - n * size : 0;
      for (std::size_t i = 0; i < n; ++i) {
        v[i] = hn::BitCast(d, hn::TableLookupBytesOr0(hn::LoadU(d8, from + i * from_step), table));
      }
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        v[i] = hn::BitCast(d, hn::LoadU(d8, from + i * from_step));
      }
    }
    for (std::size_t stage = 1; stage < n; stage *= 2) {
      for (std::size_t i = 0; i < n / 2; ++i) {
        w[2 * i] = hn::InterleaveLower(d, v[i], v[i + n / 2]);
        w[2 * i + 1] = hn::InterleaveUpper(d, v[i], v[i + n / 2]);
      }
      for (std::size_t i = 0; i < n; ++i) v[i] = w[i];
    }
    for (std::size_t j = 0; j < n; ++j) {
      auto out = hn::BitCast(d8, v[j]);
      if constexpr (padded) {
        out = hn::TableLookupBytesOr0(out, hn::Load(d8, close.data()));
        if (exact) {
          const hn::FixedTag<std::uint64_t, 2> d64;
          const hn::FixedTag<std::uint32_t, 4> d32;
          const std::uint64_t first = hn::GetLane(hn::BitCast(d64, out));
          const std::uint32_t rest = hn::GetLane(hn::BitCast(d32, hn::ShiftRightBytes<8>(d8, out)));
          std::memcpy(to + j * to_step, &first, 8);
          std::memcpy(to + j * to_step + 8, &rest, 4);
          continue;
        }
      }
      hn::StoreU(out, d8, to + j * to_step);
    }
  }
};

#if HWY_TARGET <= HWY_AVX3_DL

using Table = std::array<std::uint8_t, 64>;

/// Of rows 4 b + r and 4 b + r + 1, loaded `begin` bytes early, the pixels `pair` and `pair` + 1:
/// a pixel of one, then of the other, 3 bytes each, in 16 bytes for each b.
constexpr Table interleaved(std::size_t pair, std::size_t begin) {
  Table out{};
  for (std::size_t k = 0; k < 64; ++k) {
    const std::size_t in = k % 16 < 12 ? k % 16 : 0;
    const std::size_t vector = in / 3 % 2;
    const std::size_t byte = begin + 3 * (pair + in / 6) + in % 3;
    out[k] = static_cast<std::uint8_t>(64 * vector + k / 16 * 16 + byte);
  }
  return out;
}

/// Of two such vectors, rows 0, 1 and 2, 3 of each four, all 16 pixels of a column.
constexpr Table column(std::size_t which) {
  Table out{};
  for (std::size_t k = 0; k < 48; ++k) {
    const std::size_t row = k / 3;
    out[k] = static_cast<std::uint8_t>(64 * (row / 2 % 2) + row / 4 * 16 + 6 * which +
                                       3 * (row % 2) + k % 3);
  }
  return out;
}

/// 16 rows of 4 pixels of 3 bytes at once, four rows to a vector: two steps, each of which picks
/// any bytes of two vectors.
struct Tower {
  static constexpr std::size_t rows = 16;
  using D8 = hn::FixedTag<std::uint8_t, 64>;
  alignas(64) static constexpr Table tables[2][2] = {{interleaved(0, 0), interleaved(2, 0)},
                                                     {interleaved(0, 4), interleaved(2, 4)}};
  alignas(64) static constexpr Table columns[2] = {column(0), column(1)};

  static HWY_INLINE hn::Vec<D8> pick(hn::Vec<D8> a, hn::Vec<D8> b, const Table& table) {
    return hn::Vec<D8>{_mm512_permutex2var_epi8(a.raw, hn::Load(D8(), table.data()).raw, b.raw)};
  }

  /// As in Squares; stores are exact.
  static HWY_INLINE void move(const std::uint8_t* HWY_RESTRICT from, std::size_t from_step,
                              bool at_end, std::uint8_t* HWY_RESTRICT to, std::size_t to_step) {
    const D8 d8;
    from -= at_end ? 4 : 0;
    const auto rows_of_4 = [&](const std::uint8_t* HWY_RESTRICT at) {
      const hn::Half<D8> half;
      const hn::Half<decltype(half)> quarter;
      const auto row = [&](std::size_t b) { return hn::LoadU(quarter, at + 4 * b * from_step); };
      return hn::Combine(d8, hn::Combine(half, row(3), row(2)), hn::Combine(half, row(1), row(0)));
    };
    const auto v0 = rows_of_4(from);
    const auto v1 = rows_of_4(from + from_step);
    const auto v2 = rows_of_4(from + 2 * from_step);
    const auto v3 = rows_of_4(from + 3 * from_step);
    const auto& table = tables[at_end ? 1 : 0];
    for (std::size_t pair = 0; pair < 2; ++pair) {
      const auto a = pick(v0, v1, table[pair]);
      const auto b = pick(v2, v3, table[pair]);
      for (std::size_t which = 0; which < 2; ++which) {
        hn::BlendedStore(pick(a, b, columns[which]), hn::FirstN(d8, 48), d8,
                         to + (2 * pair + which) * to_step);
      }
    }
  }
};

#endif

template <class Lane, std::size_t size>
void transpose(std::size_t rows, std::size_t cols, const std::uint8_t* HWY_RESTRICT from,
               std::size_t from_step, std::uint8_t* HWY_RESTRICT to, std::size_t to_step) {
  using S = Squares<Lane, size>;
  constexpr std::size_t n = S::n;
  constexpr std::size_t strip = 64;
  constexpr std::size_t block = 16;
  const bool far = rows * from_step + cols * to_step > (std::size_t{1} << 22);
  // Loads beyond the pixels of a square are fine but at the end of a row, where they begin before.
  const std::size_t whole_rows = rows - rows % n;
  const std::size_t whole_cols = S::padded && cols < 2 * n ? 0 : cols - cols % n;
  for (std::size_t top = 0; top < whole_rows; top += strip) {
    const std::size_t bottom = HWY_MIN(top + strip, whole_rows);
    for (std::size_t left = 0; left < whole_cols; left += block) {
      const std::size_t right = HWY_MIN(left + block, whole_cols);
      if (far) {  // the next block; neither side is a stream the machine would foresee
        for (std::size_t j = right; j < HWY_MIN(right + block, whole_cols); ++j) {
          for (std::size_t b = 0; b < strip * size; b += 64) {
            __builtin_prefetch(to + j * to_step + top * size + b, 1);
          }
        }
        for (std::size_t i = top; i < bottom; ++i) {
          __builtin_prefetch(from + i * from_step + right * size);
        }
      }
      std::size_t i = top;
#if HWY_TARGET <= HWY_AVX3_DL
      if constexpr (size == 3) {
        for (; i + Tower::rows <= bottom; i += Tower::rows) {
          for (std::size_t j = left; j < right; j += n) {
            Tower::move(from + i * from_step + j * size, from_step, cols < j + 2 * n,
                        to + j * to_step + i * size, to_step);
          }
        }
      }
#endif
      for (; i < bottom; i += n) {
        const bool exact = rows < i + 2 * n;
        for (std::size_t j = left; j < right; j += n) {
          S::move(from + i * from_step + j * size, from_step, cols < j + 2 * n,
                  to + j * to_step + i * size, to_step, exact);
        }
      }
    }
  }
  transpose_plainly<size>(whole_rows, cols - whole_cols, from + whole_cols * size, from_step,
                          to + whole_cols * to_step, to_step);
  transpose_plainly<size>(rows - whole_rows, cols, from + whole_rows * from_step, from_step,
                          to + whole_rows * size, to_step);
}

#endif

void transpose_any(std::size_t rows, std::size_t cols, std::size_t size, const std::uint8_t* from,
                   std::size_t from_step, std::uint8_t* to, std::size_t to_step) {
  if (size == 1) transpose<std::uint8_t, 1>(rows, cols, from, from_step, to, to_step);
  if (size == 2) transpose<std::uint16_t, 2>(rows, cols, from, from_step, to, to_step);
  if (size == 3) transpose<std::uint32_t, 3>(rows, cols, from, from_step, to, to_step);
  if (size == 4) transpose<std::uint32_t, 4>(rows, cols, from, from_step, to, to_step);
  if (size == 6) transpose<std::uint64_t, 6>(rows, cols, from, from_step, to, to_step);
  if (size == 8) transpose<std::uint64_t, 8>(rows, cols, from, from_step, to, to_step);
}

}  // namespace
}  // namespace icb::khazaal2024::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb::khazaal2024 {

HWY_EXPORT(gather);
HWY_EXPORT(scatter);
HWY_EXPORT(transpose_any);

namespace {

void check_pixel(std::size_t bytes) {
  if (bytes < 1 || bytes > 8 || bytes == 5 || bytes == 7) {
    throw std::invalid_argument(
        fmt::format("pixels: expected 1, 2, 3, 4, 6 or 8 bytes, got {}", bytes));
  }
}

/// One crossing, its swaps from the first to the last or the other way round.
template <std::size_t size>
class Crossings {
 public:
  Crossings(std::size_t rows, std::size_t cols, std::uint8_t* pixels, Steps steps)
      : m_rows(rows), m_cols(cols), m_pixels(pixels), m_steps(steps) {}

  void swap(const Exchange& e) const {
    for (std::uint32_t k = 0; k < e.count; ++k) swap(e, k);
  }

  void unswap(const Exchange& e) const {
    for (std::uint32_t k = e.count; k-- > 0;) swap(e, k);
  }

  void prefetch(const Exchange& e) const {
    for (std::uint32_t k = 0; k < e.count; ++k) {
      __builtin_prefetch(row_pixel(e, k), 1);
      __builtin_prefetch(col_pixel(e, k), 1);
    }
  }

 private:
  std::uint8_t* row_pixel(const Exchange& e, std::uint32_t k) const {
    const std::size_t col = e.a.first + k * spread(m_cols);
    return m_pixels + e.a.line * m_steps.down + wrapped(col, m_cols) * m_steps.right;
  }

  std::uint8_t* col_pixel(const Exchange& e, std::uint32_t k) const {
    const std::size_t row = e.b.first + k * spread(m_rows);
    return m_pixels + wrapped(row, m_rows) * m_steps.down + e.b.line * m_steps.right;
  }

  /// Positions from one pixel of a crossing to the next.
  static std::size_t spread(std::size_t positions) {
    return std::max<std::size_t>(1, positions / longest_crossing);
  }

  static std::size_t wrapped(std::size_t at, std::size_t count) {
    return at < count ? at : at - count;
  }

  void swap(const Exchange& e, std::uint32_t k) const {
    std::uint8_t* const one = row_pixel(e, k);
    std::uint8_t* const other = col_pixel(e, k);
    std::array<std::uint8_t, size> a{};
    std::array<std::uint8_t, size> b{};
    std::memcpy(a.data(), one, size);
    std::memcpy(b.data(), other, size);
    std::memcpy(one, b.data(), size);
    std::memcpy(other, a.data(), size);
  }

  std::size_t m_rows;
  std::size_t m_cols;
  std::uint8_t* m_pixels;
  Steps m_steps;
};

/// So many crossings ahead their pixels are asked for, in images beyond the caches.
constexpr std::size_t ahead = 4;
constexpr std::size_t far_away = std::size_t{1} << 16;

template <std::size_t size>
void swap_all(std::span<const Exchange> list, const Crossings<size>& crossings, bool far) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (far && i + ahead < list.size()) crossings.prefetch(list[i + ahead]);
    crossings.swap(list[i]);
  }
}

template <std::size_t size>
void unswap_all(std::span<const Exchange> list, const Crossings<size>& crossings, bool far) {
  for (std::size_t i = list.size(); i-- > 0;) {
    if (far && i >= ahead) crossings.prefetch(list[i - ahead]);
    crossings.unswap(list[i]);
  }
}

/// Calls use(std::integral_constant) with the size of a pixel.
template <class Use>
void for_size(std::size_t bytes, const Use& use) {
  check_pixel(bytes);
  if (bytes == 1) use(std::integral_constant<std::size_t, 1>());
  if (bytes == 2) use(std::integral_constant<std::size_t, 2>());
  if (bytes == 3) use(std::integral_constant<std::size_t, 3>());
  if (bytes == 4) use(std::integral_constant<std::size_t, 4>());
  if (bytes == 6) use(std::integral_constant<std::size_t, 6>());
  if (bytes == 8) use(std::integral_constant<std::size_t, 8>());
}

}  // namespace

void gather_lines(const LineMoves& moves, std::size_t pixel_bytes, std::size_t first,
                  std::size_t count, const std::uint8_t* from, std::size_t from_step,
                  std::uint8_t* to, Use use) {
  check_pixel(pixel_bytes);
  HWY_DYNAMIC_DISPATCH(gather)(moves, pixel_bytes, first, count, from, from_step, to, use);
}

void scatter_lines(const LineMoves& moves, std::size_t pixel_bytes, std::size_t first,
                   std::size_t count, const std::uint8_t* from, std::uint8_t* to,
                   std::size_t to_step, Use use) {
  check_pixel(pixel_bytes);
  HWY_DYNAMIC_DISPATCH(scatter)(moves, pixel_bytes, first, count, from, to, to_step, use);
}

void transpose(std::size_t rows, std::size_t cols, std::size_t pixel_bytes,
               const std::uint8_t* from, std::size_t from_step, std::uint8_t* to,
               std::size_t to_step) {
  check_pixel(pixel_bytes);
  HWY_DYNAMIC_DISPATCH(transpose_any)(rows, cols, pixel_bytes, from, from_step, to, to_step);
}

void swap_crossings(std::span<const Exchange> crossings, std::size_t rows, std::size_t cols,
                    std::size_t pixel_bytes, std::uint8_t* pixels, Steps steps) {
  for_size(pixel_bytes, [&](auto size) {
    swap_all(crossings, Crossings<size>(rows, cols, pixels, steps), rows * cols > far_away);
  });
}

void unswap_crossings(std::span<const Exchange> crossings, std::size_t rows, std::size_t cols,
                      std::size_t pixel_bytes, std::uint8_t* pixels, Steps steps) {
  for_size(pixel_bytes, [&](auto size) {
    unswap_all(crossings, Crossings<size>(rows, cols, pixels, steps), rows * cols > far_away);
  });
}

}  // namespace icb::khazaal2024

#endif  // HWY_ONCE
