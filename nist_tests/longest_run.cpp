/// Test for the longest run of ones in a block, SP 800-22 rev. 1a, section 2.4.
///
/// Statistic:  chi-square of the longest runs of floor(n / M) blocks in K + 1 classes;
///             p = igamc(K / 2, chi-square / 2).
/// Conditions: 128 <= n < 6272: M = 8; n < 750,000: M = 128; else M = 10^4. Below, not applicable
///             (2.4.2 has no block length for it). M can be set to one of the three: another one
///             than n's own is a flag, n < M not applicable, another number
///             std::invalid_argument.
/// Departures: all floor(n / M) blocks are used, as NIST's program does; the table of 2.4.4 names
///             the smallest N of each M (16, 49, 75), and 75 where the program takes 100 of 10^6
///             bits. Constants::exact has the exact class probabilities; NIST's program (and
///             section 3.4) rounds those of M = 10^4 and M = 128, the former by up to 1.8 per cent
///             (0.0882 for 0.08663...), which moves p by up to 30 per cent (binary expansion of pi,
///             10^6 bits: 0.024390 against 0.027295). Constants::nist has the rounded ones.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/longest_run.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

// Leaves of the ones of a word those with `length` <= 63 more ones right below them. The shifts
// stay the same until the length changes, so no branch is guessed wrong.
class RunFilter {
 public:
  explicit RunFilter(std::uint64_t length) {
    std::uint64_t reached = 0;
    for (std::uint64_t& shift : m_shifts) {
      shift = std::min(reached + 1, length - reached);
      reached += shift;
    }
  }

  HWY_INLINE std::uint64_t operator()(std::uint64_t word) const {
    for (const std::uint64_t shift : m_shifts) word &= word << shift;
    return word;
  }

 private:
  std::array<std::uint64_t, 6> m_shifts{};
};

HWY_INLINE std::uint64_t longest_run(BitView bits, std::uint64_t first, std::uint64_t count) {
  std::uint64_t longest = 0;
  std::uint64_t open = 0;  // ones at the end of what was read
  RunFilter longer_than_longest(0);
  for (std::uint64_t done = 0; done < count; done += 64) {
    const auto length = static_cast<unsigned>(std::min<std::uint64_t>(64, count - done));
    const std::uint64_t word = sp80022::bits_at(bits, first + done, length);
    const auto leading = static_cast<std::uint64_t>(std::countl_one(word));
    std::uint64_t rest = longer_than_longest(word);
    if (rest != 0 || open + leading > longest) {
      for (; rest != 0 && longest < 64; rest &= rest << 1) ++longest;
      longest = std::max(longest, open + leading);
      longer_than_longest = RunFilter(std::min<std::uint64_t>(longest, 63));
    }
    open = static_cast<std::uint64_t>(std::countr_one(word)) + (leading == 64 ? open : 0);
  }
  return longest;
}

// Of every byte, the longest run.
constexpr std::array<std::uint8_t, 256> make_byte_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned rest = byte; rest != 0; rest &= rest << 1) ++table[byte];
  }
  return table;
}

constexpr auto byte_table = make_byte_table();

void histogram(BitView bits, std::uint64_t block, std::span<std::uint64_t> counts) {
  const std::uint64_t blocks = bits.size() / block;
  const std::uint64_t last = counts.size() - 1;
  if (block == 8) {
    std::array<std::array<std::uint64_t, 9>, 8> at{};  // apart by place: no two wait for each other
    for (std::uint64_t i = 0; i < blocks; i += 8) {
      const std::uint64_t word = bits.words()[i / 8];
      const std::size_t now = std::min<std::uint64_t>(8, blocks - i);
      for (std::size_t j = 0; j < now; ++j) ++at[j][byte_table[(word >> (56 - (8 * j))) & 0xFF]];
    }
    for (const auto& place : at) {
      for (std::size_t i = 0; i < 9; ++i) counts[std::min<std::uint64_t>(i, last)] += place[i];
    }
    return;
  }
  for (std::uint64_t i = 0; i < blocks; ++i) {
    ++counts[std::min(longest_run(bits, i * block, block), last)];
  }
}

std::uint64_t one_longest_run(BitView bits, std::uint64_t first, std::uint64_t count) {
  return longest_run(bits, first, count);
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(one_longest_run);
HWY_EXPORT(histogram);

std::uint64_t sp80022::longest_run_of_ones(BitView bits, std::uint64_t first, std::uint64_t count) {
  return HWY_DYNAMIC_DISPATCH(one_longest_run)(bits, first, count);
}

void sp80022::count_longest_runs(BitView bits, std::uint64_t block,
                                 std::span<std::uint64_t> counts) {
  HWY_DYNAMIC_DISPATCH(histogram)(bits, block, counts);
}

namespace {

// Made by scripts/constants/sp80022_probabilities.py.
constexpr double exact_8[] = {0.21484375, 0.3671875, 0.23046875, 0.1875};
constexpr double exact_128[] = {0.11740357883779323, 0.24295595927745486, 0.24936348317907797,
                                0.17517706034678235, 0.10270107130405369, 0.1123988470548379};
constexpr double exact_10000[] = {0.08663231107995278, 0.2082006483876034,  0.24841858194169955,
                                  0.19391278674165693, 0.12145848508900442, 0.06801108930393995,
                                  0.07336609745614298};
static_assert(sp80022::sums_to_one(exact_8));
static_assert(sp80022::sums_to_one(exact_128));
static_assert(sp80022::sums_to_one(exact_10000));

// As in NIST's program; those of M = 8 are exact there.
constexpr double nist_128[] = {0.1174035788, 0.242955959, 0.249363483,
                               0.17517706,   0.102701071, 0.112398847};
constexpr double nist_10000[] = {0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727};
static_assert(sp80022::sums_to_one(nist_128, 2e-9));
static_assert(sp80022::sums_to_one(nist_10000, 1e-12));

struct Layout {
  std::uint64_t block;        // M
  std::uint64_t first_class;  // longest runs up to this one are class 0
  std::span<const double> exact;
  std::span<const double> nist;
};

constexpr Layout layouts[] = {
    {8, 1, exact_8, exact_8}, {128, 4, exact_128, nist_128}, {10000, 10, exact_10000, nist_10000}};

const Layout& standard_layout(std::uint64_t n) {
  return layouts[n < 6272 ? 0 : n < 750000 ? 1 : 2];
}

// The one asked for, or by n. Throws std::invalid_argument if there is no such one.
const Layout& layout_for(const TestParameters& parameters, std::uint64_t n) {
  const unsigned block = parameters.longest_run_block;
  if (block == 0) return standard_layout(n);
  for (const Layout& layout : layouts) {
    if (layout.block == block) return layout;
  }
  throw std::invalid_argument(
      fmt::format("longest run needs a block of 8, 128 or 10000 bits, or 0: by n; got {}", block));
}

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t n) {
  if (n < 128 && parameters.longest_run_block == 0) return {"longest-run"};
  return {fmt::format("longest-run/M={}", layout_for(parameters, n).block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const Layout& layout = layout_for(parameters, n);
  const bool is_by_n = parameters.longest_run_block == 0;
  if (is_by_n && n < 128) {
    return {.outcome = NotApplicable{fmt::format("n = {} bits, needs 128 (2.4.2)", n)},
            .statistics = {},
            .flags = {}};
  }
  const auto probabilities = parameters.constants == Constants::exact ? layout.exact : layout.nist;
  const std::uint64_t blocks = n / layout.block;
  std::vector<std::uint64_t> counts(layout.first_class + probabilities.size());
  sp80022::count_longest_runs(bits, layout.block, counts);
  const auto above = counts.begin() + static_cast<std::ptrdiff_t>(layout.first_class);
  *above = std::accumulate(counts.begin(), above, *above);
  const auto nu = std::span(counts).last(probabilities.size());
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs {} for a block", n, layout.block)},
      .statistics = {{"M", static_cast<double>(layout.block)}, {"N", static_cast<double>(blocks)}},
      .flags = {}};
  for (std::size_t i = 0; i < nu.size(); ++i) {
    result.statistics.emplace_back(fmt::format("nu_{}", i), static_cast<double>(nu[i]));
  }
  if (blocks == 0) return result;
  if (n < 128) {
    result.flags.push_back(fmt::format("n = {} bits, 128 recommended (2.4.2)", n));
  } else if (layout.block != standard_layout(n).block) {
    result.flags.push_back(fmt::format("M = {}, {} recommended for n = {} bits (2.4.2)",
                                       layout.block, standard_layout(n).block, n));
  }
  const double chi_square = sp80022::chi_square(nu, probabilities);
  result.statistics.emplace_back("chi_square", chi_square);
  const PValue p = chi_square_upper_p(chi_square, static_cast<double>(nu.size() - 1));
  result.outcome = std::vector{SubResult{ids(parameters, n)[0], p}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "longest-run",
    .title = "Test for the Longest Run of Ones in a Block",
    .section = "2.4",
    .ids = ids,
    .run = run,
    .vectors = {{"SP 800-22 rev. 1a, sec. 2.4.8",
                 "1100110000010101011011000100110011100000000000100100110101010001"
                 "0001001111010110100000001101011111001100111001101101100010110010",
                 {},
                 {{"longest-run/M=8", 0.180609}},
                 1e-6}},
}};

}  // namespace
}  // namespace icb

#endif  // HWY_ONCE
