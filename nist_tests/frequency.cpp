/// Frequency (monobit) test, SP 800-22 rev. 1a, section 2.1.
///
/// Statistic:  S_n, ones minus zeros; p = erfc(|S_n| / sqrt(2 n)).
/// Conditions: n >= 100 is recommended (2.1.7): a flag below. No bits: not applicable.
/// Departures: none. Constants: none, so both modes are the same.
#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/frequency.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

std::uint64_t ones_of(BitView bits) {
  std::uint64_t ones = 0;
  for (const std::uint64_t word : bits.words())
    ones += static_cast<std::uint64_t>(std::popcount(word));
  return ones;
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(ones_of);

std::uint64_t sp80022::count_ones(BitView bits) { return HWY_DYNAMIC_DISPATCH(ones_of)(bits); }

namespace {

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t /*n*/) {
  return {"frequency"};
}

TestResult run(BitView bits, const TestParameters& /*unused*/) {
  const std::uint64_t n = bits.size();
  const std::uint64_t ones = sp80022::count_ones(bits);
  const double s_n = 2 * static_cast<double>(ones) - static_cast<double>(n);
  TestResult result{.outcome = NotApplicable{"n = 0 bits, needs 1"},
                    .statistics = {{"ones", static_cast<double>(ones)}, {"S_n", s_n}},
                    .flags = {}};
  if (n == 0) return result;
  if (n < 100) result.flags.push_back(fmt::format("n = {} bits, 100 recommended (2.1.7)", n));
  const PValue p = two_sided_normal_p(s_n / std::sqrt(static_cast<double>(n)));
  result.outcome = std::vector{SubResult{"frequency", p}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "frequency",
    .title = "Frequency (Monobit) Test",
    .section = "2.1",
    .ids = ids,
    .run = run,
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.1.4", "1011010101", {}, {{"frequency", 0.527089}}, 1e-6},
            {"SP 800-22 rev. 1a, sec. 2.1.8",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {},
             {{"frequency", 0.109599}},
             1e-6},
        },
}};

}  // namespace
}  // namespace icb

#endif  // HWY_ONCE
