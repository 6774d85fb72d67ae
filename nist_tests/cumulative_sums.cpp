/// Cumulative sums (cusum) test, SP 800-22 rev. 1a, section 2.13.
///
/// Statistic:  z, the largest |S_k| of the walk of the bits as -1, +1, forward or backward, and
///             p = 1 - sum over k = (-n/z + 1)/4 ... (n/z - 1)/4 of
///                       [Phi((4k+1) z / sqrt(n)) - Phi((4k-1) z / sqrt(n))]
///                   + sum over k = (-n/z - 3)/4 ... (n/z - 1)/4 of
///                       [Phi((4k+3) z / sqrt(n)) - Phi((4k+1) z / sqrt(n))],
///             the integers k within the limits as real numbers: the division of NIST's program,
///             which truncates, gives the same ones. (The example 2.13.4 tells: another rounding of
///             the limits gives 0.4115 or 0.4116 where 0.411659 is printed.)
/// Conditions: n >= 100 is recommended (2.13.7): a flag below. No bits: not applicable.
/// Departures: same quantity, other arithmetic. With a = z / sqrt(n), Q = 1 - Phi and
///             K = floor((floor(n / z) - 1) / 4), the sums collapse to
///                 p = 4 sum over j = 0 ... K of [Q((4j+1) a) - Q((4j+3) a)] + 2 Q((4K+3) a),
///             of tails, without the cancellation that makes p = 0 in NIST's program for strongly
///             biased data (n = 10^6, z = 10241: p = 2.60e-24) and a little more than 1 for
///             alternating data. For a < 1 and long sequences, where the sum is long and K cannot
///             matter, its dual (Poisson summation) is taken:
///                 p = 1 - 4/pi sum over j >= 0 of (-1)^j / (2j+1) exp(-((2j+1) pi / a)^2 / 8).
///             For z = 1 and n = 5 to 30 or so the limits themselves give a little more than 1
///             (1.0004 at n = 10): p = 1. Constants: none, so both modes are the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nist_tests/random_walk.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

PValue sp80022::cumulative_sums_p(std::uint64_t z, std::uint64_t n) {
  const double a = static_cast<double>(z) / std::sqrt(static_cast<double>(n));
  // What the limits leave out is below 4 Q(sqrt(n) - 2a) < 1e-190 then.
  if (a < 1 && n >= 1000) {
    const double angle = std::numbers::pi / a;
    double sum = 0;
    for (int j = 0; j < 4; ++j) {  // the next term is below e^-99
      const double odd = 2 * j + 1;
      const double term = std::exp(-(odd * angle) * (odd * angle) / 8) / odd;
      sum += j % 2 == 0 ? term : -term;
    }
    return PValue{std::clamp(1 - 4 / std::numbers::pi * sum, 0.0, 1.0)};
  }
  const auto tail = [&](std::uint64_t multiple) {  // Q(multiple a), its argument rounded once
    return std::erfc(static_cast<double>(multiple * z) / std::sqrt(2 * static_cast<double>(n))) / 2;
  };
  const std::uint64_t k = (n / z - 1) / 4;
  double sum = 2 * tail(4 * k + 3);
  for (std::uint64_t j = 0; j <= k; ++j) {
    const double term = tail(4 * j + 1) - tail(4 * j + 3);
    sum += 4 * term;
    if (term == 0) break;  // and so are all after it
  }
  return PValue{std::clamp(sum, 0.0, 1.0)};
}

namespace {

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t /*n*/) {
  return {"cumulative-sums/forward", "cumulative-sums/backward"};
}

TestResult run(BitView bits, const TestParameters& /*unused*/) {
  const std::uint64_t n = bits.size();
  const auto walk = sp80022::walk_extremes(bits);
  // Backward, the sums are S_n - S_k.
  const auto forward = static_cast<std::uint64_t>(std::max(walk.largest, -walk.smallest));
  const auto backward =
      static_cast<std::uint64_t>(std::max(walk.last - walk.smallest, walk.largest - walk.last));
  TestResult result{.outcome = NotApplicable{"n = 0 bits, needs 1"},
                    .statistics = {{"z_forward", static_cast<double>(forward)},
                                   {"z_backward", static_cast<double>(backward)}},
                    .flags = {}};
  if (n == 0) return result;
  if (n < 100) result.flags.push_back(fmt::format("n = {} bits, 100 recommended (2.13.7)", n));
  result.outcome =
      std::vector{SubResult{"cumulative-sums/forward", sp80022::cumulative_sums_p(forward, n)},
                  SubResult{"cumulative-sums/backward", sp80022::cumulative_sums_p(backward, n)}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "cumulative-sums",
    .title = "Cumulative Sums (Cusum) Test",
    .section = "2.13",
    .ids = ids,
    .run = run,
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.13.4",
             "1011010111",
             {},
             {{"cumulative-sums/forward", 0.411659}},
             1e-6},
            {"SP 800-22 rev. 1a, sec. 2.13.8",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {},
             {{"cumulative-sums/forward", 0.219194}, {"cumulative-sums/backward", 0.114866}},
             1e-6},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"cumulative-sums/forward", 0.4954653160356128},
              {"cumulative-sums/backward", 0.3017951212574608}},
             1e-11},
        },
}};

}  // namespace
}  // namespace icb
