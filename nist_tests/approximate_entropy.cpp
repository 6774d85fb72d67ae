/// Approximate entropy test, SP 800-22 rev. 1a, section 2.12.
///
/// Statistic:  chi-square = 2 n (ln 2 - ApEn(m)), ApEn(m) = phi_m - phi_(m+1) from the counts of
///             all overlapping patterns of m and m + 1 bits, cyclic;
///             p = igamc(2^(m-1), chi-square / 2).
/// Conditions: m < floor(log2 n) - 5 is recommended (2.12.7): a flag otherwise. No bits: not
///             applicable. m outside 1 ... 24: std::invalid_argument (memory).
/// Departures: same quantity, other arithmetic. The formula subtracts numbers near n ln(n / 2^m)
///             and loses about 2e-9 of p that way in NIST's program. Grouped by the pattern of m
///             bits, with c = c0 + c1 its count and c0, c1 those of its two extensions, the same
///             sum is 2 sum c0 ln(2 c0 / c) + c1 ln(2 c1 / c): small terms from integer counts,
///             summed with compensation. Constants: none, so both modes are the same.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/compensated_sum.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/pattern_counts.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

double sp80022::approximate_entropy_chi_square(BitView bits, unsigned m) {
  const std::vector<std::uint64_t> counts = count_cyclic_patterns(bits, m + 1);
  CompensatedSum sum;
  for (std::size_t i = 0; i < counts.size(); i += 2) {
    const auto c0 = static_cast<double>(counts[i]);
    const auto c1 = static_cast<double>(counts[i + 1]);
    if (c0 + c1 == 0) continue;
    const double d = (c0 - c1) / (c0 + c1);  // 2 c0 / c = 1 + d, 2 c1 / c = 1 - d
    if (c0 > 0) sum.add(c0 * std::log1p(d));
    if (c1 > 0) sum.add(c1 * std::log1p(-d));
  }
  return std::max(0.0, 2 * sum.value());
}

namespace {

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("approximate-entropy/m={}", parameters.approximate_entropy_block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const unsigned m = parameters.approximate_entropy_block;
  if (m < 1 || m > 24) {
    throw std::invalid_argument(fmt::format("approximate entropy needs 1 <= m <= 24, got {}", m));
  }
  TestResult result{.outcome = NotApplicable{"n = 0 bits, needs 1"},
                    .statistics = {{"m", static_cast<double>(m)}},
                    .flags = {}};
  if (n == 0) return result;
  const int log2_n = static_cast<int>(std::bit_width(n)) - 1;
  if (static_cast<int>(m) >= log2_n - 5) {
    result.flags.push_back(
        fmt::format("m = {}, below floor(log2 n) - 5 = {} recommended (2.12.7)", m, log2_n - 5));
  }
  const double chi_square = sp80022::approximate_entropy_chi_square(bits, m);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{
      ids(parameters, n)[0], chi_square_upper_p(chi_square, std::ldexp(1.0, static_cast<int>(m)))}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "approximate-entropy",
    .title = "Approximate Entropy Test",
    .section = "2.12",
    .ids = ids,
    .run = run,
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.12.4",
             "0100110101",
             {.approximate_entropy_block = 3},
             {{"approximate-entropy/m=3", 0.261961}},
             1e-6},
            {"SP 800-22 rev. 1a, sec. 2.12.8",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {.approximate_entropy_block = 2},
             {{"approximate-entropy/m=2", 0.235301}},
             1e-6},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"approximate-entropy/m=10", 0.904217506719}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb
