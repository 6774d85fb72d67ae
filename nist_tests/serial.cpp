/// Serial test, SP 800-22 rev. 1a, section 2.11.
///
/// Statistic:  psi^2_m = 2^m / n sum c^2 - n from the counts c of all overlapping patterns of m
///             bits, cyclic; psi^2_0 = 0. delta-1 = psi^2_m - psi^2_(m-1), p = igamc(2^(m-2),
///             delta-1 / 2); delta-2 = psi^2_m - 2 psi^2_(m-1) + psi^2_(m-2), p = igamc(2^(m-3),
///             delta-2 / 2).
/// Conditions: m < floor(log2 n) - 2 is recommended (2.11.7): a flag otherwise. No bits: not
///             applicable. m outside 2 ... 24: std::invalid_argument (memory).
/// Departures: none in the quantities. The sums are integers, so the differences are exact and
///             rounded once; NIST's program subtracts rounded psi^2, which costs it about 1e-11 of
///             p. Constants: none, so both modes are the same.
#include <fmt/format.h>

#include <bit>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/pattern_counts.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {
namespace {

// dividend / n, rounded once as long as the whole part has less than 53 bits.
double quotient(sp80022::Wide dividend, std::uint64_t n) {
  return static_cast<double>(dividend / n) +
         static_cast<double>(static_cast<std::uint64_t>(dividend % n)) / static_cast<double>(n);
}

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  const unsigned m = parameters.serial_block;
  return {fmt::format("serial/m={}/delta-1", m), fmt::format("serial/m={}/delta-2", m)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  using sp80022::Wide;
  const std::uint64_t n = bits.size();
  const unsigned m = parameters.serial_block;
  if (m < 2 || m > 24) {
    throw std::invalid_argument(fmt::format("serial needs 2 <= m <= 24, got {}", m));
  }
  TestResult result{.outcome = NotApplicable{"n = 0 bits, needs 1"},
                    .statistics = {{"m", static_cast<double>(m)}},
                    .flags = {}};
  if (n == 0) return result;
  const int log2_n = static_cast<int>(std::bit_width(n)) - 1;
  if (static_cast<int>(m) >= log2_n - 2) {
    result.flags.push_back(
        fmt::format("m = {}, below floor(log2 n) - 2 = {} recommended (2.11.7)", m, log2_n - 2));
  }
  const auto sums = sp80022::square_sums(sp80022::count_cyclic_patterns(bits, m));
  // n psi^2 + n^2. No difference below is negative: delta-1 is a sum of the squares (c0 - c1)^2
  // over the patterns with their last bit left out, delta-2 of (c00 - c01 - c10 + c11)^2 over those
  // without their first and last bits, since the counts are cyclic.
  const Wide q_m = sums.m << m;
  const Wide q_m1 = sums.m1 << (m - 1);
  const Wide q_m2 = sums.m2 << (m - 2);
  const Wide square = Wide{n} * n;
  const double delta_1 = quotient(q_m - q_m1, n);
  const double delta_2 = quotient(q_m + q_m2 - 2 * q_m1, n);
  result.statistics.insert(result.statistics.end(), {{"psi2_m", quotient(q_m - square, n)},
                                                     {"psi2_m1", quotient(q_m1 - square, n)},
                                                     {"psi2_m2", quotient(q_m2 - square, n)},
                                                     {"delta_1", delta_1},
                                                     {"delta_2", delta_2}});
  const auto names = ids(parameters, n);
  result.outcome = std::vector{
      SubResult{names[0], chi_square_upper_p(delta_1, static_cast<double>(1U << (m - 1)))},
      SubResult{names[1], chi_square_upper_p(delta_2, static_cast<double>(1U << (m - 2)))}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "serial",
    .title = "Serial Test",
    .section = "2.11",
    .ids = ids,
    .run = run,
    // The example of 2.11.8 (10^6 bits of e) is in the tests.
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.11.4",
             "0011011101",
             {.serial_block = 3},
             {{"serial/m=3/delta-1", 0.808792}, {"serial/m=3/delta-2", 0.670320}},
             1e-6},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"serial/m=16/delta-1", 0.229810975945}, {"serial/m=16/delta-2", 0.126923934951}},
             1e-10},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {.serial_block = 5},
             {{"serial/m=5/delta-1", 0.996466455494}, {"serial/m=5/delta-2", 0.992776543159}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb
