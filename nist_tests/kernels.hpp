/// The arithmetic of the SP 800-22 rev. 1a tests: integer statistics of packed bits, and
/// chi-square. Nothing here asks whether a test applies; that is in `run` of each test. n is the
/// number of bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>

#include "core/bits.hpp"

namespace icb::sp80022 {

/// `count` bits from bit `first` on, the first one as the most significant; the rest is zero.
/// Contract: 1 <= count <= 64 and the bits exist.
///
///   bits_at(bits, 0, 64) == bits.words()[0]
inline std::uint64_t bits_at(BitView bits, std::uint64_t first, unsigned count) {
  const auto words = bits.words();
  const std::size_t at = first / 64;
  const unsigned shift = first % 64;
  std::uint64_t out = words[at] << shift;
  if (shift != 0 && at + 1 < words.size()) out |= words[at + 1] >> (64 - shift);
  return count == 64 ? out : out & ~(~std::uint64_t{0} >> count);
}

/// Sum of (count - N p)^2 / (N p), N the sum of the counts; the classes of a table.
/// Throws std::invalid_argument if the sizes differ.
inline double chi_square(std::span<const std::uint64_t> counts,
                         std::span<const double> probabilities) {
  if (counts.size() != probabilities.size()) {
    throw std::invalid_argument("chi-square needs one probability per class");
  }
  const auto total =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = total * probabilities[i];
    const double difference = static_cast<double>(counts[i]) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

/// For static_assert beside every table of probabilities.
constexpr bool sums_to_one(std::span<const double> probabilities, double tolerance = 1e-15) {
  double sum = 0;
  for (const double p : probabilities) sum += p;
  return sum - 1 <= tolerance && 1 - sum <= tolerance;
}

/// Number of ones. Sec. 2.1.
std::uint64_t count_ones(BitView bits);

/// V_n, the number of maximal blocks of equal bits; 0 if n = 0. Sec. 2.3.
std::uint64_t count_runs(BitView bits);

/// Length of the longest run of ones among `count` bits from `first` on. Sec. 2.4.
std::uint64_t longest_run_of_ones(BitView bits, std::uint64_t first, std::uint64_t count);

/// Adds, for every whole block, 1 to counts[i], i the length of its longest run of ones, or the
/// last index if that is less. Sec. 2.4. Contract: block > 0, counts not empty.
void count_longest_runs(BitView bits, std::uint64_t block, std::span<std::uint64_t> counts);

/// How many matrices have each rank.
using RankCounts = std::array<std::uint64_t, 65>;

/// Ranks over GF(2) of the n / (rows columns) matrices the bits are, row by row; an incomplete last
/// one is left out. Sec. 2.5. Contract: 1 <= rows, columns <= 64.
RankCounts count_ranks(BitView bits, unsigned rows, unsigned columns);

/// Probabilities that a random matrix has full rank, one less, or a lower one. Sec. 3.5. Contract:
/// 1 <= rows, columns <= 64.
std::array<double, 3> rank_probabilities(unsigned rows, unsigned columns);

/// N_1, the number of k in 0 ... floor(n / 2) - 1 with |X_k|^2 < n * log_factor, X the discrete
/// Fourier transform of the bits as -1, +1. Sec. 2.6. Contract: n < 2^31.
std::uint64_t count_peaks_below(BitView bits, double log_factor);

/// Length of the shortest linear feedback shift register that makes the `count` bits from `first`
/// on (Berlekamp-Massey). Sec. 2.10.
std::uint64_t linear_complexity(BitView bits, std::uint64_t first, std::uint64_t count);

/// The same of out.size() blocks of `block` bits each, the first one at bit `first`. Contract:
/// block > 0 and the bits exist.
void linear_complexities(BitView bits, std::uint64_t first, std::uint64_t block,
                         std::span<std::uint64_t> out);

/// 2 n (ln 2 - ApEn(m)), without the cancellation of the formula. Sec. 2.12. Contract: n > 0, m
/// <= 24.
double approximate_entropy_chi_square(BitView bits, unsigned m);

}  // namespace icb::sp80022
