/// The three walks of random_walk.hpp. A word is entered only where the test can see it, and then
/// by bytes, of which a table knows sum, minimum and maximum; only bytes that come near zero are
/// walked bit by bit. The code is compiled for each SIMD level because the plain x86-64 baseline
/// has no instruction that counts bits; it is integer arithmetic, the same on all.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/random_walk.cpp"  // the file compiles itself per level
#include "nist_tests/random_walk.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>

#ifndef ICB_NIST_TESTS_RANDOM_WALK_TABLE
#define ICB_NIST_TESTS_RANDOM_WALK_TABLE

namespace icb::sp80022 {
namespace {

/// Of the eight prefix sums of a byte, most significant bit first.
struct ByteSteps {
  std::int8_t sum = 0;
  std::int8_t smallest = 8;
  std::int8_t largest = -8;
};

constexpr std::array<ByteSteps, 256> byte_steps = [] {
  std::array<ByteSteps, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    ByteSteps& steps = table[byte];
    for (unsigned mask = 128; mask != 0; mask >>= 1U) {
      steps.sum = static_cast<std::int8_t>(steps.sum + ((byte & mask) != 0 ? 1 : -1));
      steps.smallest = std::min(steps.smallest, steps.sum);
      steps.largest = std::max(steps.largest, steps.sum);
    }
  }
  return table;
}();

}  // namespace
}  // namespace icb::sp80022

#endif  // ICB_NIST_TESTS_RANDOM_WALK_TABLE

HWY_BEFORE_NAMESPACE();

namespace icb::sp80022 {
namespace {
namespace HWY_NAMESPACE {

/// Walks all bits and returns S_n. The visitor has
///   may_matter(lowest, highest)  whether a word whose sums are within these bounds is entered;
///   byte(s, byte, steps)         eight bits from S = s on;
///   bit(s, up)                   one bit, s the sum after it, for the last n % 8 bits.
template <class Visitor>
std::int64_t walk(BitView bits, Visitor& visitor) {
  std::int64_t s = 0;
  for (std::uint64_t first = 0; first < bits.size(); first += 64) {
    std::uint64_t word = bits.words()[first / 64];
    const std::uint64_t left = bits.size() - first;
    const std::int64_t count = left < 64 ? static_cast<std::int64_t>(left) : 64;
    const std::int64_t ones = std::popcount(word);
    if (!visitor.may_matter(s - (count - ones), s + ones)) {
      s += 2 * ones - count;
      continue;
    }
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8, word <<= 8) {
      const auto byte = static_cast<unsigned>(word >> 56);
      const ByteSteps& steps = byte_steps[byte];
      visitor.byte(s, byte, steps);
      s += steps.sum;
    }
    for (; i < count; ++i, word <<= 1) {
      const bool up = (word >> 63) != 0;
      s += up ? 1 : -1;
      visitor.bit(s, up);
    }
  }
  return s;
}

struct ExtremesVisitor {
  std::int64_t smallest = 0;
  std::int64_t largest = 0;

  bool may_matter(std::int64_t lowest, std::int64_t highest) const {
    return lowest < smallest || highest > largest;
  }

  void byte(std::int64_t s, unsigned /*byte*/, const ByteSteps& steps) {
    smallest = std::min(smallest, s + steps.smallest);
    largest = std::max(largest, s + steps.largest);
  }

  void bit(std::int64_t s, bool /*up*/) {
    smallest = std::min(smallest, s);
    largest = std::max(largest, s);
  }
};

WalkExtremes extremes(BitView bits) {
  ExtremesVisitor visitor;
  const std::int64_t last = walk(bits, visitor);
  return {.smallest = visitor.smallest, .largest = visitor.largest, .last = last};
}

struct VisitsVisitor {
  static constexpr std::int64_t reach = VisitCounts::reach;
  // One of the eight sums of a byte that matters is within the reach, so the others are at most 7
  // beyond: all have a place, and none needs a question.
  static constexpr std::int64_t margin = reach + 7;
  std::array<std::uint64_t, 2 * margin + 1> visits{};

  std::uint64_t& at(std::int64_t s) { return visits[static_cast<std::size_t>(s + margin)]; }

  bool may_matter(std::int64_t lowest, std::int64_t highest) const {
    return lowest <= reach && highest >= -reach;
  }

  void byte(std::int64_t s, unsigned byte, const ByteSteps& steps) {
    if (!may_matter(s + steps.smallest, s + steps.largest)) return;
    for (int i = 7; i >= 0; --i) {
      s += static_cast<std::int64_t>((byte >> i) & 1U) * 2 - 1;
      ++at(s);
    }
  }

  void bit(std::int64_t s, bool /*up*/) {
    if (may_matter(s, s)) ++at(s);
  }
};

VisitCounts visits(BitView bits) {
  VisitsVisitor visitor;
  const std::int64_t last = walk(bits, visitor);
  VisitCounts out;
  out.cycles = visitor.at(0) + (last != 0 ? 1 : 0);
  for (std::size_t i = 0; i < out.xi.size(); ++i) {
    out.xi[i] = visitor.at(state_at(i, VisitCounts::reach));
  }
  return out;
}

struct ExcursionsVisitor {
  static constexpr std::int64_t reach = ExcursionCounts::reach;
  static constexpr std::int64_t margin = reach + 7;
  ExcursionCounts counts;
  std::array<std::uint64_t, 2 * margin + 1> visits{};  // in the open cycle

  std::uint64_t& at(std::int64_t s) { return visits[static_cast<std::size_t>(s + margin)]; }

  bool may_matter(std::int64_t lowest, std::int64_t highest) const {
    return lowest <= reach && highest >= -reach;
  }

  void byte(std::int64_t s, unsigned byte, const ByteSteps& steps) {
    if (!may_matter(s + steps.smallest, s + steps.largest)) return;
    const bool meets_zero = s + steps.smallest <= 0 && s + steps.largest >= 0;
    for (int i = 7; i >= 0; --i) {
      const bool up = ((byte >> i) & 1U) != 0;
      s += up ? 1 : -1;
      if (meets_zero && s == 0) {
        close_cycle(up ? -1 : 1);
      } else {
        ++at(s);
      }
    }
  }

  void bit(std::int64_t s, bool up) {
    if (s == 0) {
      close_cycle(up ? -1 : 1);
    } else if (may_matter(s, s)) {
      ++at(s);
    }
  }

  // A cycle stays on one side of zero. Class 0 is what is missing to J in the end.
  void close_cycle(std::int64_t side) {
    ++counts.cycles;
    for (std::int64_t x = 1; x <= reach; ++x) {
      std::uint64_t& count = at(side * x);
      ++counts.nu[state_index(side * x, reach)][std::min<std::uint64_t>(count, 5)];
      count = 0;
    }
  }
};

ExcursionCounts excursions(BitView bits) {
  ExcursionsVisitor visitor;
  const std::int64_t last = walk(bits, visitor);
  if (last != 0) visitor.close_cycle(last > 0 ? 1 : -1);
  ExcursionCounts& counts = visitor.counts;
  for (auto& nu : counts.nu) nu[0] = counts.cycles - nu[1] - nu[2] - nu[3] - nu[4] - nu[5];
  return counts;
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace icb::sp80022

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace icb {
namespace sp80022 {
namespace {

HWY_EXPORT(extremes);
HWY_EXPORT(visits);
HWY_EXPORT(excursions);

}  // namespace
}  // namespace sp80022

sp80022::WalkExtremes sp80022::walk_extremes(BitView bits) {
  return HWY_DYNAMIC_DISPATCH(extremes)(bits);
}

sp80022::VisitCounts sp80022::count_visits(BitView bits) {
  return HWY_DYNAMIC_DISPATCH(visits)(bits);
}

sp80022::ExcursionCounts sp80022::count_excursions(BitView bits) {
  return HWY_DYNAMIC_DISPATCH(excursions)(bits);
}

}  // namespace icb
#endif  // HWY_ONCE
