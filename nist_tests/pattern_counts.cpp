#include "nist_tests/pattern_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <stdexcept>

// Compiled once per instruction set; what profits is the compiler's own code for these loops.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/pattern_counts.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::sp80022::HWY_NAMESPACE {
namespace {

// 64 bits from bit `at` on; zeros beyond the last word.
inline std::uint64_t load_bits(const std::uint64_t* HWY_RESTRICT words, std::size_t size,
                               std::uint64_t at) {
  const std::size_t i = at / 64;
  const unsigned shift = at % 64;
  const std::uint64_t next = i + 1 < size ? words[i + 1] : 0;
  return (words[i] << shift) | ((next >> 1) >> (63 - shift));
}

// The windows of `length` bits, one by one.
void count_directly(const std::uint64_t* HWY_RESTRICT words, std::size_t size, std::uint64_t first,
                    std::uint64_t windows, unsigned length, std::uint64_t* HWY_RESTRICT counts) {
  constexpr unsigned step = 40;  // windows per load, and the last one needs 39 + 25 bits
  const std::uint64_t mask = (std::uint64_t{1} << length) - 1;
  for (; windows >= step; first += step, windows -= step) {
    std::uint64_t rest = load_bits(words, size, first) >> (64 - (step - 1) - length);
    for (unsigned i = 0; i < step; ++i, rest >>= 1) ++counts[rest & mask];
  }
  for (; windows > 0; ++first, --windows) {
    ++counts[load_bits(words, size, first) >> (64 - length)];
  }
}

// Wide windows of length + stride - 1 bits, each for `stride` windows. Returns how many windows
// that were; fewer than a step are left.
template <unsigned stride>
std::uint64_t count_wide(const std::uint64_t* HWY_RESTRICT words, std::size_t size,
                         std::uint64_t first, std::uint64_t windows, unsigned length,
                         std::uint8_t* HWY_RESTRICT table, std::uint64_t* HWY_RESTRICT counts) {
  // Per load. The last one needs stride (groups - 1) + length + stride - 1 <= 64 bits.
  constexpr unsigned groups = (stride == 1 ? 40 : 48) / stride;
  constexpr unsigned step = groups * stride;
  const std::uint64_t mask = (std::uint64_t{1} << (length + stride - 1)) - 1;
  const std::uint64_t pattern = (std::uint64_t{1} << length) - 1;
  std::uint64_t done = 0;
  for (; windows - done >= step; done += step) {
    std::uint64_t rest = load_bits(words, size, first + done) >> (64 - (step - 1) - length);
    for (unsigned i = 0; i < groups; ++i, rest >>= stride) {
      const std::uint64_t wide = rest & mask;
      if (++table[wide] == 0) {
        for (unsigned j = 0; j < stride; ++j) counts[(wide >> j) & pattern] += 256;
      }
    }
  }
  return done;
}

// sums[i] += the sum of the i-th 2^log2 bytes, in parallel inside an integer.
template <class Integer, unsigned log2>
void add_sums(const std::uint8_t* HWY_RESTRICT bytes, std::size_t count,
              std::uint16_t* HWY_RESTRICT sums) {
  for (std::size_t i = 0; i < count; ++i) {
    Integer value{};
    std::memcpy(&value, bytes + (i << log2), sizeof value);
    std::uint64_t sum = value;
    if constexpr (log2 == 1) {
      sum = (value & 0xffU) + (value >> 8U);
    } else if constexpr (log2 == 2) {
      const std::uint32_t pairs = (value & 0x00ff00ffU) + ((value >> 8U) & 0x00ff00ffU);
      sum = (pairs + (pairs >> 16U)) & 0xffffU;
    } else if constexpr (log2 == 3) {
      constexpr std::uint64_t even = 0x00ff00ff00ff00ff;
      const std::uint64_t pairs = (value & even) + ((value >> 8U) & even);
      const std::uint64_t fours = pairs + (pairs >> 32U);
      sum = (fours + (fours >> 16U)) & 0xffffU;
    }
    sums[i] = static_cast<std::uint16_t>(sums[i] + sum);
  }
}

// A wide window is j bits, a window, and k = stride - 1 - j bits: for every j the table is summed
// over those j and k bits.
void fold(const std::uint8_t* HWY_RESTRICT table, unsigned length, unsigned stride,
          std::uint64_t* HWY_RESTRICT counts) {
  constexpr std::size_t tile = 1024;
  const std::size_t patterns = std::size_t{1} << length;
  std::uint16_t sums[tile];  // up to stride 2^(stride - 1) 255 = 8160
  for (std::size_t p = 0; p < patterns; p += tile) {
    const std::size_t count = patterns - p < tile ? patterns - p : tile;
    std::memset(sums, 0, sizeof sums);
    for (unsigned j = 0; j < stride; ++j) {
      const unsigned k = stride - 1 - j;
      for (std::size_t i = 0; i < std::size_t{1} << j; ++i) {
        const std::uint8_t* const from = table + (i << (length + k)) + (p << k);
        switch (k) {
          case 0:
            add_sums<std::uint8_t, 0>(from, count, sums);
            break;
          case 1:
            add_sums<std::uint16_t, 1>(from, count, sums);
            break;
          case 2:
            add_sums<std::uint32_t, 2>(from, count, sums);
            break;
          default:
            add_sums<std::uint64_t, 3>(from, count, sums);
            break;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) counts[p + i] += sums[i];
  }
}

void add_patterns(const std::uint64_t* words, std::size_t size, std::uint64_t first,
                  std::uint64_t windows, unsigned length, unsigned stride, std::uint8_t* table,
                  std::uint64_t* counts) {
  std::uint64_t done = 0;
  switch (stride) {
    case 1:
      done = count_wide<1>(words, size, first, windows, length, table, counts);
      break;
    case 2:
      done = count_wide<2>(words, size, first, windows, length, table, counts);
      break;
    case 3:
      done = count_wide<3>(words, size, first, windows, length, table, counts);
      break;
    case 4:
      done = count_wide<4>(words, size, first, windows, length, table, counts);
      break;
    default:
      break;
  }
  if (stride > 0) fold(table, length, stride, counts);
  count_directly(words, size, first + done, windows - done, length, counts);
}

// Each shift keeps the bits that start twice as many ones as before; one less in the end.
std::uint64_t windows_of_ones(const std::uint64_t* HWY_RESTRICT words, std::size_t size,
                              std::uint64_t first, std::uint64_t windows, unsigned length) {
  unsigned shifts[5] = {};  // for up to 32 bits
  unsigned ones = 1;
  for (unsigned& shift : shifts) {
    shift = length - ones < ones ? length - ones : ones;
    ones += shift;
  }
  const unsigned step = 64 - length + 1;  // windows per load; those beyond lose against the zeros
  std::uint64_t count = 0;
  for (;; first += step, windows -= step) {
    std::uint64_t starts = load_bits(words, size, first);
    for (const unsigned shift : shifts) starts &= starts << shift;
    if (windows < step) {
      return count +
             static_cast<std::uint64_t>(std::popcount(starts & ~(~std::uint64_t{0} >> windows)));
    }
    count += static_cast<std::uint64_t>(std::popcount(starts));
    if (windows == step) return count;
  }
}

// The sums of squares of counts below 2^32 with a sum below 2^32, so that they fit 64 bits.
void add_squares(const std::uint64_t* HWY_RESTRICT counts, std::size_t size,
                 std::uint64_t* HWY_RESTRICT sums) {
  constexpr std::uint64_t low = 0xffffffff;  // says that 32 x 32 bits are enough
  constexpr std::size_t tile = 256;
  std::uint64_t half[tile];
  std::uint64_t sum_m = 0;
  std::uint64_t sum_m1 = 0;
  std::uint64_t sum_m2 = 0;
  for (std::size_t at = 0; at < size; at += 2 * tile) {
    const std::size_t count = size - at < 2 * tile ? size - at : 2 * tile;
    for (std::size_t i = 0; i < count; ++i) {
      sum_m += (counts[at + i] & low) * (counts[at + i] & low);
    }
    for (std::size_t i = 0; i < count / 2; ++i) {
      half[i] = counts[at + 2 * i] + counts[at + 2 * i + 1];
      sum_m1 += (half[i] & low) * (half[i] & low);
    }
    for (std::size_t i = 0; i < count / 4; ++i) {
      const std::uint64_t quarter = half[2 * i] + half[2 * i + 1];
      sum_m2 += (quarter & low) * (quarter & low);
    }
  }
  sums[0] = sum_m;
  sums[1] = sum_m1;
  sums[2] = sum_m2;
}

}  // namespace
}  // namespace icb::sp80022::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace icb::sp80022 {

HWY_EXPORT(add_patterns);
HWY_EXPORT(add_squares);
HWY_EXPORT(windows_of_ones);

namespace {

// Where the table stays in the first-level cache, or at least in the second.
constexpr unsigned widest_table = 18;

unsigned best_stride(unsigned length, std::uint64_t windows) {
  for (unsigned stride = PatternCounter::widest_stride; stride > 0; --stride) {
    const unsigned width = length + stride - 1;
    // A byte costs more per increment than a count; alone it pays where the counts are too large
    // for the cache.
    const bool helps = stride == 1 ? length >= widest_table : width <= widest_table;
    // Clearing and folding the table must be worth it.
    if (helps && (std::uint64_t{1} << width) <= windows) return stride;
  }
  return 0;
}

void check_length(unsigned length) {
  if (length < 1 || length > PatternCounter::longest) {
    throw std::invalid_argument(fmt::format("patterns of 1 to {} bits can be counted, got {}",
                                            PatternCounter::longest, length));
  }
}

void check_range(BitView bits, std::uint64_t first, std::uint64_t windows, unsigned length) {
  if (first > bits.size() || windows + length - 1 > bits.size() - first) {
    throw std::invalid_argument(fmt::format("{} windows of {} bits from bit {} on leave {} bits",
                                            windows, length, first, bits.size()));
  }
}

}  // namespace

PatternCounter::PatternCounter(unsigned length) : m_length(length) { check_length(length); }

PatternCounter::PatternCounter(unsigned length, std::uint64_t windows)
    : PatternCounter(with_stride(length, best_stride(length, windows))) {}

PatternCounter PatternCounter::with_stride(unsigned length, unsigned stride) {
  PatternCounter counter(length);
  if (stride > widest_stride || (stride > 1 && length > 17)) {
    throw std::invalid_argument(fmt::format(
        "stride 0 to 4, or 0 to 1 for more than 17 bits; got {} for {} bits", stride, length));
  }
  counter.m_stride = stride;
  if (stride > 0) counter.m_table.resize(std::size_t{1} << (length + stride - 1));
  return counter;
}

void PatternCounter::add(BitView bits, std::uint64_t first, std::uint64_t windows,
                         std::span<std::uint64_t> counts) {
  if (counts.size() != std::size_t{1} << m_length) {
    throw std::invalid_argument(fmt::format("patterns of {} bits need 2^{} counts, got {}",
                                            m_length, m_length, counts.size()));
  }
  if (windows == 0) return;
  check_range(bits, first, windows, m_length);
  const auto words = bits.words();
  HWY_DYNAMIC_DISPATCH(add_patterns)
  (words.data(), words.size(), first, windows, m_length, m_stride, m_table.data(), counts.data());
  std::fill(m_table.begin(), m_table.end(), std::uint8_t{0});
}

std::vector<std::uint64_t> count_cyclic_patterns(BitView bits, unsigned length) {
  const std::uint64_t n = bits.size();
  const std::uint64_t straight = n >= length ? n - length + 1 : 0;
  PatternCounter counter(length, straight);
  std::vector<std::uint64_t> counts(std::size_t{1} << length);
  counter.add(bits, 0, straight, counts);
  for (std::uint64_t first = straight; first < n; ++first) {
    std::size_t pattern = 0;
    for (unsigned i = 0; i < length; ++i) pattern = (pattern << 1) | bits[(first + i) % n];
    ++counts[pattern];
  }
  return counts;
}

std::uint64_t count_windows_of_ones(BitView bits, std::uint64_t first, std::uint64_t windows,
                                    unsigned length) {
  check_length(length);
  if (windows == 0) return 0;
  check_range(bits, first, windows, length);
  const auto words = bits.words();
  return HWY_DYNAMIC_DISPATCH(windows_of_ones)(words.data(), words.size(), first, windows, length);
}

SquareSums square_sums(std::span<const std::uint64_t> counts) {
  if (counts.size() < 4 || !std::has_single_bit(counts.size())) {
    throw std::invalid_argument(
        fmt::format("counts of patterns are a power of two, at least 4, got {}", counts.size()));
  }
  const auto total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (total >> 32 == 0) {
    std::uint64_t sums[3];
    HWY_DYNAMIC_DISPATCH(add_squares)(counts.data(), counts.size(), sums);
    return {sums[0], sums[1], sums[2]};
  }
  SquareSums sums{};
  for (std::size_t i = 0; i < counts.size(); i += 4) {
    const Wide a = counts[i];
    const Wide b = counts[i + 1];
    const Wide c = counts[i + 2];
    const Wide d = counts[i + 3];
    sums.m += a * a + b * b + c * c + d * d;
    sums.m1 += (a + b) * (a + b) + (c + d) * (c + d);
    sums.m2 += (a + b + c + d) * (a + b + c + d);
  }
  return sums;
}

}  // namespace icb::sp80022
#endif
