/// The arithmetic of Maurer's universal statistical test, SP 800-22 rev. 1a, section 2.9.
#pragma once

#include <cstdint>

#include "core/bits.hpp"
#include "core/units.hpp"

namespace icb::sp80022 {

/// Mean and variance of log2 of the distance between equal blocks of L random bits.
struct UniversalConstants {
  double expected;
  double variance;
};

/// Contract: 1 <= L <= 16.
UniversalConstants universal_constants(unsigned block);

/// c of sec. 2.9.4 step 5: 0.7 - 0.8 / L + (4 + 32 / L) K^(-3 / L) / 15.
double universal_factor(unsigned block, std::uint64_t counted);

/// L of the table of sec. 2.9.7 for n bits, 6 ... 16; 0 if n is too small for each.
unsigned universal_block_for(std::uint64_t n);

/// f_n: mean of log2 of the distances of blocks Q + 1 ... Q + K to the last equal block before, or
/// to the beginning. Contract: 1 <= L <= 16, K >= 1, and the bits exist.
double universal_statistic(BitView bits, unsigned block, std::uint64_t initial,
                           std::uint64_t counted);

/// erfc(|f_n - expected(L)| / (sqrt(2) sigma)), sigma = c sqrt(variance(L) / K). Contract: c > 0.
PValue universal_p(double f_n, unsigned block, std::uint64_t counted);

}  // namespace icb::sp80022
