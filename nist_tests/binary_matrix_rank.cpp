/// Binary matrix rank test, SP 800-22 rev. 1a, section 2.5.
///
/// Statistic:  chi-square of the ranks of floor(n / (M Q)) matrices of M x Q bits, row by row, in
///             the classes full rank m = min(M, Q), m - 1 and below; p = igamc(1, chi-square / 2)
///             = exp(-chi-square / 2). M = Q = 32 is the standard's.
/// Conditions: 38 matrices, n = 38 M Q, are recommended (2.5.7): a flag below. With other sizes
///             than 32 x 32, a class expected fewer than five times is a flag too: wide or tall
///             matrices nearly always have full rank. No matrix: not applicable. M or Q outside
///             1 ... 64: std::invalid_argument.
/// Departures: the class probabilities are the exact ones of M x Q matrices (3.5), as NIST's
///             program computes them for 32 x 32, so both modes are the same; section 2.5.4 prints
///             0.2888, 0.5776, 0.1336. If m = 1 no rank is below m - 1: that class is left out,
///             and one degree of freedom remains, p = igamc(1/2, chi-square / 2).
///             The example of 2.5.4 (two 3 x 3 matrices, p = 0.741948) uses those of 32 x 32, not
///             the probabilities of 3 x 3 matrices (168, 294, 50 of 512, p = 0.820962).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/binary_matrix_rank.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// One matrix per lane. Each row in turn, by its lowest one, clears that column in
// all rows after it: nothing is searched or swapped, so all matrices go in lock step.
template <class T>
void add_ranks(BitView bits, std::size_t rows, unsigned columns, sp80022::RankCounts& counts) {
  const hn::CappedTag<T, 64 / sizeof(T)> tag;
  const std::size_t lanes = hn::Lanes(tag);
  HWY_ALIGN T matrices[64 * 64 / sizeof(T)];  // element i of a row is that of matrix i
  HWY_ALIGN T ranks[64 / sizeof(T)];
  const auto zero = hn::Zero(tag);
  const auto one = hn::Set(tag, 1);
  const std::uint64_t total = bits.size() / (rows * columns);
  for (std::uint64_t done = 0; done < total; done += lanes) {
    const std::uint64_t now = std::min<std::uint64_t>(lanes, total - done);
    for (std::size_t lane = 0; lane < now; ++lane) {
      std::uint64_t first = (done + lane) * rows * columns;
      for (std::size_t i = 0; i < rows; ++i, first += columns) {
        matrices[(i * lanes) + lane] =
            static_cast<T>(sp80022::bits_at(bits, first, columns) >> (64 - (8 * sizeof(T))));
      }
    }
    for (std::size_t lane = now; lane < lanes; ++lane) {
      for (std::size_t i = 0; i < rows; ++i) matrices[(i * lanes) + lane] = 0;
    }
    auto rank = zero;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto row = hn::Load(tag, matrices + (i * lanes));
      const auto lowest = hn::And(row, hn::Sub(zero, row));
      rank = hn::Add(rank, hn::IfThenZeroElse(hn::Eq(row, zero), one));
      for (std::size_t j = i + 1; j < rows; ++j) {
        const auto other = hn::Load(tag, matrices + (j * lanes));
        const auto added = hn::IfThenElseZero(hn::TestBit(other, lowest), row);
        hn::Store(hn::Xor(other, added), tag, matrices + (j * lanes));
      }
    }
    hn::Store(rank, tag, ranks);
    for (std::size_t lane = 0; lane < now; ++lane) ++counts[ranks[lane]];
  }
}

sp80022::RankCounts ranks(BitView bits, unsigned rows, unsigned columns) {
  sp80022::RankCounts counts{};
  if (columns <= 32) {
    add_ranks<std::uint32_t>(bits, rows, columns, counts);
  } else {
    add_ranks<std::uint64_t>(bits, rows, columns, counts);
  }
  return counts;
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(ranks);

sp80022::RankCounts sp80022::count_ranks(BitView bits, unsigned rows, unsigned columns) {
  return HWY_DYNAMIC_DISPATCH(ranks)(bits, rows, columns);
}

namespace {

// Full rank, one less, below. Of 32 x 32, made by scripts/constants/sp80022_probabilities.py.
constexpr std::array<double, 3> of_32_by_32 = {0.28878809515384113, 0.5775761901732048,
                                               0.13363571467295401};
static_assert(sp80022::sums_to_one(of_32_by_32));

// Sec. 3.5. r <= min(rows, columns).
double rank_probability(int r, int rows, int columns) {
  double product = std::ldexp(1.0, -(rows - r) * (columns - r));
  for (int i = 0; i < r; ++i) {
    product *= (1 - std::ldexp(1.0, i - rows)) * (1 - std::ldexp(1.0, i - columns)) /
               (1 - std::ldexp(1.0, i - r));
  }
  return product;
}

}  // namespace

std::array<double, 3> sp80022::rank_probabilities(unsigned rows, unsigned columns) {
  if (rows == 32 && columns == 32) return of_32_by_32;
  const auto m = static_cast<int>(std::min(rows, columns));
  std::array<double, 3> out{};
  for (int r = 0; r <= m; ++r) {  // the small terms first
    out.at(static_cast<std::size_t>(std::min(m - r, 2))) +=
        rank_probability(r, static_cast<int>(rows), static_cast<int>(columns));
  }
  return out;
}

namespace {

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("binary-matrix-rank/{}x{}", parameters.rank_rows, parameters.rank_columns)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const unsigned rows = parameters.rank_rows;
  const unsigned columns = parameters.rank_columns;
  if (rows < 1 || rows > 64 || columns < 1 || columns > 64) {
    throw std::invalid_argument(fmt::format(
        "binary matrix rank needs 1 to 64 rows and columns, got {} x {}", rows, columns));
  }
  const std::uint64_t n = bits.size();
  const std::uint64_t matrix_bits = std::uint64_t{rows} * columns;
  const std::uint64_t matrices = n / matrix_bits;
  const unsigned full = std::min(rows, columns);
  const auto ranks = sp80022::count_ranks(bits, rows, columns);
  std::array<std::uint64_t, 3> counts{ranks.at(full), ranks.at(full - 1), 0};
  counts[2] = matrices - counts[0] - counts[1];
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs {} for one matrix", n, matrix_bits)},
      .statistics = {{"N", static_cast<double>(matrices)},
                     {fmt::format("F_{}", full), static_cast<double>(counts[0])},
                     {fmt::format("F_{}", full - 1), static_cast<double>(counts[1])},
                     {"F_below", static_cast<double>(counts[2])}},
      .flags = {}};
  if (matrices == 0) return result;
  if (matrices < 38) {
    result.flags.push_back(fmt::format("{} matrices, 38 recommended (2.5.7)", matrices));
  }
  const auto all = sp80022::rank_probabilities(rows, columns);
  const std::size_t classes = full == 1 ? 2 : 3;
  const auto probabilities = std::span(all).first(classes);
  const double least =
      static_cast<double>(matrices) * *std::min_element(probabilities.begin(), probabilities.end());
  if (matrix_bits != 32 * 32 && least < 5) {
    result.flags.push_back(
        fmt::format("{:.3g} matrices expected in the rarest class of ranks, 5 recommended", least));
  }
  const double chi_square = sp80022::chi_square(std::span(counts).first(classes), probabilities);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{
      ids(parameters, n)[0], chi_square_upper_p(chi_square, static_cast<double>(classes - 1))}};
  return result;
}

// Three matrices: the identity, the identity without its last row, zero.
std::string one_matrix_per_class() {
  constexpr std::size_t side = 32;
  std::string bits;
  for (std::size_t i = 0; i < 3 * side * side; ++i) {
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
                {"by hand: the matrices of sec. 2.5.4 with the probabilities of 3 x 3",
                 "01011001001010101101",
                 {.rank_rows = 3, .rank_columns = 3},
                 {{"binary-matrix-rank/3x3", 0.820962}},
                 1e-6},
                {"own textbook implementation in another language, multiple precision",
                 sp80022::splitmix64_text(5, 2048),
                 {},
                 {{"binary-matrix-rank/32x32", 0.859153953243}},
                 1e-11}},
}};

}  // namespace
}  // namespace icb

#endif  // HWY_ONCE
