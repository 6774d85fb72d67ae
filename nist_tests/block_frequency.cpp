/// Frequency test within a block, SP 800-22 rev. 1a, section 2.2.
///
/// Statistic:  chi-square = 4 M sum (pi_i - 1/2)^2 over the N = floor(n / M) blocks, pi_i the
///             proportion of ones in block i; p = igamc(N / 2, chi-square / 2). The bits after the
///             last whole block are not used.
/// Conditions: n >= 100, M >= 20, M > 0.01 n and N < 100 are recommended (2.2.7): flags. M = 128,
///             the default of NIST's program, misses the last two from n = 12800 on and is run all
///             the same. No whole block: not applicable. M = 0: std::invalid_argument.
/// Departures: same quantity, other arithmetic: with o_i ones in block i it is
///             sum (2 o_i - M)^2 / M, an integer and one division. Constants: none, so both modes
///             are the same.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/block_frequency.cpp"  // the file compiles itself per level
#include <fmt/format.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

HWY_BEFORE_NAMESPACE();

namespace icb {
namespace {
namespace HWY_NAMESPACE {

__extension__ using Wide = unsigned __int128;  // N M^2 may have more than 64 bits

// (2 ones - length)^2
Wide squared_excess(std::uint64_t ones, std::uint64_t length) {
  const std::uint64_t excess = 2 * ones > length ? 2 * ones - length : length - 2 * ones;
  return Wide{excess} * excess;
}

// Of blocks of whole words, with few bits in all that the sum has 64.
std::uint64_t sum_of_squares_by_words(BitView bits, std::size_t words_per_block,
                                      std::uint64_t blocks) {
  const std::uint64_t* word = bits.words().data();
  const std::uint64_t length = 64 * words_per_block;
  std::uint64_t sum = 0;
  if (words_per_block == 2) {
    for (std::uint64_t block = 0; block < blocks; ++block, word += 2) {
      const std::int64_t half = std::popcount(word[0]) + std::popcount(word[1]) - 64;
      sum += static_cast<std::uint64_t>(half * half);
    }
    return 4 * sum;
  }
  for (std::uint64_t block = 0; block < blocks; ++block) {
    std::uint64_t ones = 0;
    for (std::size_t i = 0; i < words_per_block; ++i, ++word) {
      ones += static_cast<std::uint64_t>(std::popcount(*word));
    }
    sum += static_cast<std::uint64_t>(squared_excess(ones, length));
  }
  return sum;
}

// Sum of (2 ones - M)^2 over the blocks, rounded once.
double sum_of_squares(BitView bits, std::uint64_t m, std::uint64_t blocks) {
  const auto words = bits.words();
  if (m % 64 == 0 && Wide{blocks} * m * m < (Wide{1} << 64)) {
    return static_cast<double>(sum_of_squares_by_words(bits, m / 64, blocks));
  }
  Wide sum = 0;
  std::uint64_t whole = 0;   // ones in the words before the one a block ends in
  std::uint64_t before = 0;  // ones in the blocks before
  std::size_t at = 0;
  for (std::uint64_t end = m; end <= blocks * m; end += m) {
    for (; at < end / 64; ++at) whole += static_cast<std::uint64_t>(std::popcount(words[at]));
    std::uint64_t upto = whole;
    if (end % 64 != 0) {
      upto += static_cast<std::uint64_t>(std::popcount(words[at] >> (64 - end % 64)));
    }
    sum += squared_excess(upto - before, m);
    before = upto;
  }
  return static_cast<double>(sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace icb

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace icb {
namespace {

HWY_EXPORT(sum_of_squares);

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("block-frequency/M={}", parameters.block_frequency_block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const std::uint64_t m = parameters.block_frequency_block;
  if (m < 1) throw std::invalid_argument("block frequency needs M >= 1, got 0");
  const std::uint64_t blocks = n / m;
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs one block of M = {}", n, m)},
      .statistics = {{"N", static_cast<double>(blocks)}},
      .flags = {}};
  if (blocks == 0) return result;
  if (n < 100) result.flags.push_back(fmt::format("n = {} bits, 100 recommended (2.2.7)", n));
  if (m < 20) result.flags.push_back(fmt::format("M = {}, at least 20 recommended (2.2.7)", m));
  if (m <= n / 100) {  // the same as M <= 0.01 n, in integers
    result.flags.push_back(fmt::format("M = {}, above 0.01 n = {} recommended (2.2.7)", m,
                                       0.01 * static_cast<double>(n)));
  }
  if (blocks >= 100) {
    result.flags.push_back(fmt::format("N = {} blocks, below 100 recommended (2.2.7)", blocks));
  }
  const double chi_square =
      HWY_DYNAMIC_DISPATCH(sum_of_squares)(bits, m, blocks) / static_cast<double>(m);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{
      ids(parameters, n)[0], chi_square_upper_p(chi_square, static_cast<double>(blocks))}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "block-frequency",
    .title = "Frequency Test within a Block",
    .section = "2.2",
    .ids = ids,
    .run = run,
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.2.4",
             "0110011010",
             {.block_frequency_block = 3},
             {{"block-frequency/M=3", 0.801252}},
             1e-6},
            {"SP 800-22 rev. 1a, sec. 2.2.8",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {.block_frequency_block = 10},
             {{"block-frequency/M=10", 0.706438}},
             1e-6},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"block-frequency/M=128", 0.8918864948053977}},
             1e-11},
        },
}};

}  // namespace
}  // namespace icb
#endif  // HWY_ONCE
