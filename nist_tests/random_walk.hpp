/// The walk of sections 2.13, 2.14 and 2.15 of SP 800-22 rev. 1a: S_k = sum of the first k bits as
/// -1, +1. One way of walking, by bytes and words, serves the three tests; each walks for itself. A
/// cycle is a piece between zeros of S; the last one ends with the sequence (the standard appends a
/// zero). No condition on the number of cycles is made here.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/bits.hpp"
#include "core/units.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb::sp80022 {

/// Position of state x among -reach ... -1, 1 ... reach.
constexpr std::size_t state_index(std::int64_t x, std::int64_t reach) {
  return static_cast<std::size_t>(x < 0 ? x + reach : x + reach - 1);
}

/// State at a position, the inverse.
constexpr std::int64_t state_at(std::size_t index, std::int64_t reach) {
  const auto x = static_cast<std::int64_t>(index) - reach;
  return x < 0 ? x : x + 1;
}

/// Sec. 2.13: smallest and largest of S_0 = 0, S_1, ..., S_n, and S_n.
struct WalkExtremes {
  std::int64_t smallest = 0;
  std::int64_t largest = 0;
  std::int64_t last = 0;
};

WalkExtremes walk_extremes(BitView bits);

/// Sec. 2.13.4 step 4, see cumulative_sums.cpp. Contract: 1 <= z <= n.
PValue cumulative_sums_p(std::uint64_t z, std::uint64_t n);

/// Sec. 2.14: how many of the J cycles visit x = -4 ... -1, 1 ... 4 exactly 0, 1, 2, 3, 4, or 5 and
/// more times.
struct ExcursionCounts {
  static constexpr std::int64_t reach = 4;
  std::uint64_t cycles = 0;  ///< J
  std::array<std::array<std::uint64_t, 6>, 8> nu{};
};

ExcursionCounts count_excursions(BitView bits);

/// pi_0(x) ... pi_5(x). Contract: 1 <= |x| <= 4.
std::array<double, 6> excursion_probabilities(std::int64_t x, Constants constants);

/// Sec. 2.15: total visits xi of x = -9 ... -1, 1 ... 9 over all J cycles.
struct VisitCounts {
  static constexpr std::int64_t reach = 9;
  std::uint64_t cycles = 0;  ///< J
  std::array<std::uint64_t, 18> xi{};
};

VisitCounts count_visits(BitView bits);

/// erfc(|xi - J| / sqrt(2 J (4 |x| - 2))). Contract: J > 0, x != 0.
PValue visits_p(std::uint64_t xi, std::uint64_t cycles, std::int64_t x);

/// Why neither of the two tests applies: J < max(500, 0.005 sqrt(n)), secs. 2.14 and 3.14 and the
/// condition of NIST's program for both; empty if they do.
std::string too_few_cycles(std::uint64_t cycles, std::uint64_t n);

}  // namespace icb::sp80022
