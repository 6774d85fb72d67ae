/// Runs test, SP 800-22 rev. 1a, section 2.3.
///
/// Statistic:  V_n, the number of runs, given the proportion pi of ones;
///             p = erfc(|V_n - 2 n pi (1 - pi)| / (2 sqrt(2 n) pi (1 - pi))).
/// Conditions: n >= 100 is recommended (2.3.7): a flag below. If |pi - 1/2| >= 2 / sqrt(n) the
///             standard does not run the test and sets p = 0 (2.3.4 step 2): p = 0 and a flag. A
///             sequence of equal bits too short for that (n < 16) has variance 0: not applicable.
/// Departures: none from the standard. NIST's program compares with > instead of >=; here the
///             comparison is the standard's in both modes, in integers: S_n^2 >= 16 n.
#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/runs.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

std::uint64_t runs_of(BitView bits) {
  const auto words = bits.words();
  if (words.empty()) return 0;
  std::uint64_t runs = 1;  // and one more for every bit that differs from its successor
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::uint64_t successors = (words[i] << 1) | (words[i + 1] >> 63);
    runs += static_cast<std::uint64_t>(std::popcount(words[i] ^ successors));
  }
  const std::uint64_t pairs = (bits.size() - 1) % 64;
  const std::uint64_t changes = words.back() ^ (words.back() << 1);
  return runs + static_cast<std::uint64_t>(std::popcount(changes & ~(~std::uint64_t{0} >> pairs)));
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(runs_of);

std::uint64_t sp80022::count_runs(BitView bits) { return HWY_DYNAMIC_DISPATCH(runs_of)(bits); }

namespace {

PValue runs_p(std::uint64_t runs, std::uint64_t ones, std::uint64_t n) {
  const auto length = static_cast<double>(n);
  const double product =
      static_cast<double>(ones) * static_cast<double>(n - ones);  // n^2 pi (1 - pi)
  const double excess = static_cast<double>(runs) - 2 * product / length;
  return PValue{
      std::erfc(std::abs(excess) * length * length / (2 * std::sqrt(2 * length) * product))};
}

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t /*n*/) {
  return {"runs"};
}

TestResult run(BitView bits, const TestParameters& /*unused*/) {
  const std::uint64_t n = bits.size();
  const std::uint64_t ones = sp80022::count_ones(bits);
  const std::uint64_t runs = sp80022::count_runs(bits);
  TestResult result{
      .outcome = NotApplicable{fmt::format("all {} bits are equal, needs both values", n)},
      .statistics = {{"ones", static_cast<double>(ones)}, {"V_n", static_cast<double>(runs)}},
      .flags = {}};
  if (n < 100) result.flags.push_back(fmt::format("n = {} bits, 100 recommended (2.3.7)", n));
  const std::uint64_t s_n = ones > n - ones ? 2 * ones - n : n - 2 * ones;
  if (n > 0 && s_n >= 16 && s_n * s_n >= 16 * n) {
    result.flags.push_back(fmt::format(
        "prerequisite failed, p set to 0 (2.3.4 step 2): {} ones of {}, |pi - 1/2| >= {:.6g}", ones,
        n, 2 / std::sqrt(static_cast<double>(n))));
    result.outcome = std::vector{SubResult{"runs", PValue{0.0}}};
  } else if (ones != 0 && ones != n) {
    result.outcome = std::vector{SubResult{"runs", runs_p(runs, ones, n)}};
  }
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "runs",
    .title = "Runs Test",
    .section = "2.3",
    .ids = ids,
    .run = run,
    // P(S_n^2 >= 16 n) is 6.3e-5 for long sequences, and at most 7.9e-5 (n = 100).
    .zero_probability = 1e-4,
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.3.4", "1001101011", {}, {{"runs", 0.147232}}, 1e-6},
            {"SP 800-22 rev. 1a, sec. 2.3.8",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {},
             {{"runs", 0.500798}},
             1e-6},
        },
}};

}  // namespace
}  // namespace icb

#endif  // HWY_ONCE
