/// How often each pattern of m bits occurs in a sequence: the arithmetic that serial, approximate
/// entropy and template matching share (SP 800-22 rev. 1a, sections 2.7, 2.11, 2.12).
///
///   std::vector<std::uint64_t> counts(std::size_t{1} << 9);
///   PatternCounter counter(9, 125000);
///   counter.add(bits, 0, 124992, counts);  // the windows of 9 bits of the first 125000 bits
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/bits.hpp"

namespace icb::sp80022 {

__extension__ using Wide = unsigned __int128;

/// Counts windows of `length` bits, all that start at consecutive bits.
///
/// A window and its successors share bits, so one wider window stands for `stride` of them: it is
/// counted in a table of bytes, which afterwards is folded into the counts of its parts. That takes
/// a stride-th of the increments, and a table of bytes stays in the cache. A byte that overflows
/// goes to the counts at once, so every input is counted exactly.
///
/// Not to be shared by threads.
class PatternCounter {
 public:
  static constexpr unsigned longest = 25;
  static constexpr unsigned widest_stride = 4;

  /// For about `windows` windows per call; that decides on the stride, not on the result. Throws
  /// std::invalid_argument unless 1 <= length <= 25.
  PatternCounter(unsigned length, std::uint64_t windows);
  /// With that stride, 1 ... 4, or 0: no table, straight to the counts. A stride above 1 needs
  /// length <= 17. Throws std::invalid_argument otherwise.
  static PatternCounter with_stride(unsigned length, unsigned stride);

  unsigned stride() const { return m_stride; }

  /// Adds to counts[v] how many of the windows that start at first, ..., first + windows - 1 have
  /// the value v, first bit most significant. Throws std::invalid_argument if a window leaves the
  /// sequence or there are not 2^length counts.
  void add(BitView bits, std::uint64_t first, std::uint64_t windows,
           std::span<std::uint64_t> counts);

 private:
  explicit PatternCounter(unsigned length);

  unsigned m_length;
  unsigned m_stride = 0;
  std::vector<std::uint8_t> m_table;  // all zero between calls
};

/// Counts of the n windows of `length` bits of the sequence closed to a ring; n < length too (the
/// ring is walked more than once then). Throws std::invalid_argument unless 1 <= length <= 25.
std::vector<std::uint64_t> count_cyclic_patterns(BitView bits, unsigned length);

/// How many of the windows of `length` bits that start at first, ..., first + windows - 1 hold only
/// ones. Throws std::invalid_argument as PatternCounter::add.
std::uint64_t count_windows_of_ones(BitView bits, std::uint64_t first, std::uint64_t windows,
                                    unsigned length);

/// Sums of the squares of the counts of m bits and of their marginals, the counts of the first m -
/// 1 and m - 2 bits.
struct SquareSums {
  Wide m;
  Wide m1;
  Wide m2;
};

/// Throws std::invalid_argument unless the counts are a power of two, at least 4.
SquareSums square_sums(std::span<const std::uint64_t> counts);

}  // namespace icb::sp80022
