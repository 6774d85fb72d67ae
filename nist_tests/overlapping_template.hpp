/// The class probabilities of the overlapping template matching test.
#pragma once

#include <array>
#include <cstdint>

namespace icb::sp80022 {

/// Of 0, 1, 2, 3, 4, and 5 or more occurrences of m ones in M random bits, counted bit by bit
/// (Hamano & Kaneko, IEICE Trans. Fundamentals E90-A (2007), derive the same by recurrences). Takes
/// 5 m M steps. Contract: 1 <= m <= 16.
std::array<double, 6> occurrences_of_ones(unsigned m, std::uint64_t block);

/// The same in the approximation of NIST's program, a compound Poisson distribution with eta =
/// lambda / 2; SP 800-22 rev. 1a, section 3.8.
std::array<double, 6> occurrences_of_ones_by_poisson(double eta);

}  // namespace icb::sp80022
