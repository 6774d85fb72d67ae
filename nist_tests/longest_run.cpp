/// Test for the longest run of ones in a block, SP 800-22 rev. 1a, section 2.4.
///
/// Statistic:  chi-square of the longest runs of floor(n / M) blocks in K + 1 classes;
///             p = igamc(K / 2, chi-square / 2).
/// Conditions: n >= 128, else not applicable (2.4.2 has no block length for it).
///             128 <= n < 6272: M = 8; n < 750,000: M = 128; else M = 10^4.
/// Departures: all floor(n / M) blocks are used, as NIST's program does; the table of 2.4.4 names
///             the smallest N of each M (16, 49, 75), and 75 where the program takes 100 of 10^6
///             bits. Constants::exact has the exact class probabilities; NIST's program (and
///             section 3.4) rounds those of M = 10^4 and M = 128, the former by up to 1.8 per cent
///             (0.0882 for 0.08663...), which moves p by up to 30 per cent (binary expansion of pi,
///             10^6 bits: 0.024390 against 0.027295). Constants::nist has the rounded ones.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb {

std::uint64_t sp80022::longest_run_of_ones(BitView bits, std::uint64_t first, std::uint64_t count) {
  std::uint64_t longest = 0;
  std::uint64_t open = 0;  // ones at the end of what was read
  for (std::uint64_t done = 0; done < count; done += 64) {
    const auto length = static_cast<unsigned>(std::min<std::uint64_t>(64, count - done));
    const std::uint64_t word = bits_at(bits, first + done, length);
    const auto leading = static_cast<std::uint64_t>(std::countl_one(word));
    longest = std::max(longest, open + leading);
    if (leading == 64) {
      open += 64;
      continue;
    }
    std::uint64_t inside = 0;
    for (std::uint64_t rest = word; rest != 0; rest &= rest << 1) ++inside;
    longest = std::max(longest, inside);
    open = static_cast<std::uint64_t>(std::countr_one(word));
  }
  return longest;
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

Layout layout_for(std::uint64_t n) {
  if (n < 6272) return {8, 1, exact_8, exact_8};
  if (n < 750000) return {128, 4, exact_128, nist_128};
  return {10000, 10, exact_10000, nist_10000};
}

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t n) {
  if (n < 128) return {"longest-run"};
  return {fmt::format("longest-run/M={}", layout_for(n).block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  if (n < 128) {
    return {.outcome = NotApplicable{fmt::format("n = {} bits, needs 128 (2.4.2)", n)},
            .statistics = {},
            .flags = {}};
  }
  const Layout layout = layout_for(n);
  const auto probabilities = parameters.constants == Constants::exact ? layout.exact : layout.nist;
  std::vector<std::uint64_t> nu(probabilities.size());
  const std::uint64_t blocks = n / layout.block;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t longest =
        sp80022::longest_run_of_ones(bits, i * layout.block, layout.block);
    const std::uint64_t above = longest > layout.first_class ? longest - layout.first_class : 0;
    ++nu[std::min<std::uint64_t>(above, nu.size() - 1)];
  }
  const double chi_square = sp80022::chi_square(nu, probabilities);
  const PValue p = chi_square_upper_p(chi_square, static_cast<double>(nu.size() - 1));
  TestResult result{
      .outcome = std::vector{SubResult{ids(parameters, n)[0], p}},
      .statistics = {{"M", static_cast<double>(layout.block)}, {"N", static_cast<double>(blocks)}},
      .flags = {}};
  for (std::size_t i = 0; i < nu.size(); ++i) {
    result.statistics.emplace_back(fmt::format("nu_{}", i), static_cast<double>(nu[i]));
  }
  result.statistics.emplace_back("chi_square", chi_square);
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
