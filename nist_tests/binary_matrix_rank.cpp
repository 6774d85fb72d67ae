/// Binary matrix rank test, SP 800-22 rev. 1a, section 2.5.
///
/// Statistic:  chi-square of the ranks of floor(n / 1024) matrices of 32 x 32 bits, row by row, in
///             the classes 32, 31 and below; p = exp(-chi-square / 2).
/// Conditions: 38 matrices, n = 38,912, are recommended (2.5.7): a flag below. No matrix: not
///             applicable.
/// Departures: the class probabilities are the exact ones of 32 x 32 matrices, as NIST's program
///             computes them, so both modes are the same; section 2.5.4 prints
///             0.2888, 0.5776, 0.1336.
///             The example of 2.5.4 (two 3 x 3 matrices, p = 0.741948) uses those, not the
///             probabilities of 3 x 3 matrices (168, 294, 50 of 512, p = 0.820962).
#include <fmt/format.h>

#include <array>
#include <bit>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

unsigned sp80022::rank_over_gf2(std::span<const std::uint32_t> rows) {
  std::array<std::uint32_t, 32> pivot{};  // by number of leading zeros
  unsigned rank = 0;
  for (std::uint32_t row : rows) {
    while (row != 0) {
      auto& at = pivot[static_cast<std::size_t>(std::countl_zero(row))];
      if (at == 0) {
        at = row;
        ++rank;
        break;
      }
      row ^= at;
    }
  }
  return rank;
}

namespace {

constexpr std::uint64_t side = 32;
constexpr std::uint64_t matrix_bits = side * side;

// Rank 32, 31, below. Made by scripts/constants/sp80022_probabilities.py.
constexpr double probabilities[] = {0.28878809515384113, 0.5775761901732048, 0.13363571467295401};
static_assert(sp80022::sums_to_one(probabilities));

std::array<std::uint64_t, 3> count_ranks(BitView bits) {
  std::array<std::uint64_t, 3> counts{};
  for (std::uint64_t first = 0; first + matrix_bits <= bits.size(); first += matrix_bits) {
    std::array<std::uint32_t, side> rows{};
    for (std::size_t i = 0; i < side; i += 2) {
      const std::uint64_t word = bits.words()[(first / 64) + (i / 2)];
      rows[i] = static_cast<std::uint32_t>(word >> 32);
      rows[i + 1] = static_cast<std::uint32_t>(word);
    }
    const unsigned rank = sp80022::rank_over_gf2(rows);
    ++counts[rank == 32 ? 0 : rank == 31 ? 1 : 2];
  }
  return counts;
}

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("binary-matrix-rank/{}x{}", parameters.rank_rows, parameters.rank_columns)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const std::uint64_t matrices = n / matrix_bits;
  const auto counts = count_ranks(bits);
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs {} for one matrix", n, matrix_bits)},
      .statistics = {{"N", static_cast<double>(matrices)},
                     {"F_32", static_cast<double>(counts[0])},
                     {"F_31", static_cast<double>(counts[1])},
                     {"F_below", static_cast<double>(counts[2])}},
      .flags = {}};
  if (matrices == 0) return result;
  if (matrices < 38) {
    result.flags.push_back(fmt::format("{} matrices, 38 recommended (2.5.7)", matrices));
  }
  const double chi_square = sp80022::chi_square(counts, probabilities);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{ids(parameters, n)[0], chi_square_upper_p(chi_square, 2)}};
  return result;
}

// Three matrices: the identity, the identity without its last row, zero.
std::string one_matrix_per_class() {
  std::string bits;
  for (std::size_t i = 0; i < 3 * matrix_bits; ++i) {
    const std::size_t row = i / side;
    const bool one =
        row % side == i % side && (row < side || (row < 2 * side && row % side != side - 1));
    bits += one ? '1' : '0';
  }
  return bits;
}

const RegisterRandomnessTest entry{{
    .name = "binary-matrix-rank",
    .title = "Binary Matrix Rank Test",
    .section = "2.5",
    .ids = ids,
    .run = run,
    // Chi-square = (1 / 0.28878809515384113 + 1 / 0.5775761901732048 + 1 / 0.13363571467295401) / 3
    // - 3. The example of 2.5.8 needs 10^5 bits of e; it is in the tests.
    .vectors = {{"by hand: ranks 32, 31 and 0",
                 one_matrix_per_class(),
                 {},
                 {{"binary-matrix-rank/32x32", 0.541800057009}},
                 1e-11},
                {"own textbook implementation in another language, multiple precision",
                 sp80022::splitmix64_text(5, 2048),
                 {},
                 {{"binary-matrix-rank/32x32", 0.859153953243}},
                 1e-11}},
}};

}  // namespace
}  // namespace icb
