/// Linear complexity test, SP 800-22 rev. 1a, section 2.10.
///
/// Statistic:  chi-square, in seven classes of T, of the linear complexities L of floor(n / M)
///             blocks, T = (-1)^M (L - mu) + 2/9; p = igamc(3, chi-square / 2).
/// Conditions: n >= 10^6, 500 <= M <= 5000 and N >= 200 are recommended (2.10.7): flags. No block:
///             not applicable.
/// Departures: T is classed in integers. With mu of 2.10.4 step 3, T is L - M/2 (M even) or
///             (M + 1)/2 - L (M odd) give or take (M/3 + 2/9) / 2^M < 0.3, so it never crosses a
///             class edge, which are at halves. NIST's program has the sign of (-1)^(M+1)
///             inverted in mu
///             (250.2778 for 250.2222 at M = 500): a shift of T by 1/18, harmless for the same
///             reason. Constants::exact has 1/96 and 1/48 for the outer classes. The standard and
///             NIST's program print 0.01047 for 1/96 = 0.0104167, so that their seven sum to
///             1.000053; p moves by up to 4 per cent. Constants::nist has 0.01047 and 0.020833. The
///             probabilities are those of long blocks; at M = 500 they equal the exact ones to all
///             digits of a double.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

std::uint64_t sp80022::linear_complexity(BitView bits, std::uint64_t first, std::uint64_t count) {
  const std::size_t words = (count / 64) + 1;
  // Polynomials: bit i of word i / 64, counted from the least significant, is the coefficient of
  // x^i.
  std::vector<std::uint64_t> connection(words);  // C
  std::vector<std::uint64_t> earlier(words);     // B x^(N - m): C before the last change of length
  std::vector<std::uint64_t> window(words);      // coefficient i is bit N - i of the sequence
  std::vector<std::uint64_t> saved(words);
  connection[0] = earlier[0] = 1;
  std::uint64_t length = 0;  // L
  for (std::uint64_t step = 0; step < count; ++step) {
    const std::size_t used = ((step + 1) / 64) + 1;  // no polynomial has a degree above step + 1
    std::uint64_t window_carry = bits[first + step];
    std::uint64_t earlier_carry = 0;
    std::uint64_t products = 0;
    for (std::size_t i = 0; i < used; ++i) {
      const std::uint64_t w = window[i];
      const std::uint64_t e = earlier[i];
      window[i] = (w << 1) | window_carry;
      earlier[i] = (e << 1) | earlier_carry;
      window_carry = w >> 63;
      earlier_carry = e >> 63;
      products ^= connection[i] & window[i];
    }
    if (std::popcount(products) % 2 == 0) continue;  // discrepancy 0
    const bool longer = 2 * length <= step;
    if (longer) std::copy_n(connection.begin(), used, saved.begin());
    for (std::size_t i = 0; i < used; ++i) connection[i] ^= earlier[i];
    if (longer) {
      length = step + 1 - length;
      earlier.swap(saved);
    }
  }
  return length;
}

namespace {

// T <= -2.5, (-2.5, -1.5], ..., (1.5, 2.5], > 2.5.
// Made by scripts/constants/sp80022_probabilities.py.
constexpr double exact[] = {0.010416666666666666, 0.03125, 0.125, 0.5, 0.25, 0.0625,
                            0.020833333333333332};
static_assert(sp80022::sums_to_one(exact));

constexpr double nist[] = {0.01047, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833};  // sum 1.000053

std::size_t class_of(std::uint64_t complexity, std::uint64_t block) {
  const auto l = static_cast<std::int64_t>(complexity);
  const auto m = static_cast<std::int64_t>(block);
  const std::int64_t t = m % 2 == 0 ? l - (m / 2) : ((m + 1) / 2) - l;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(t, -3, 3) + 3);
}

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("linear-complexity/M={}", parameters.linear_complexity_block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const std::uint64_t m = parameters.linear_complexity_block;
  if (m == 0)
    throw std::invalid_argument("linear complexity needs a block of 1 bit or more, got 0");
  const std::uint64_t blocks = n / m;
  std::array<std::uint64_t, 7> nu{};
  for (std::uint64_t i = 0; i < blocks; ++i) {
    ++nu.at(class_of(sp80022::linear_complexity(bits, i * m, m), m));
  }
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs {} for a block", n, m)},
      .statistics = {{"M", static_cast<double>(m)}, {"N", static_cast<double>(blocks)}},
      .flags = {}};
  for (std::size_t i = 0; i < nu.size(); ++i) {
    result.statistics.emplace_back(fmt::format("nu_{}", i), static_cast<double>(nu.at(i)));
  }
  if (blocks == 0) return result;
  if (n < 1000000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000000 recommended (2.10.7)", n));
  }
  if (m < 500 || m > 5000) {
    result.flags.push_back(fmt::format("M = {}, 500 to 5000 recommended (2.10.7)", m));
  }
  if (blocks < 200) {
    result.flags.push_back(fmt::format("N = {} blocks, 200 recommended (2.10.7)", blocks));
  }
  const bool is_exact = parameters.constants == Constants::exact;
  const double chi_square = sp80022::chi_square(nu, is_exact ? exact : nist);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{ids(parameters, n)[0], chi_square_upper_p(chi_square, 6)}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "linear-complexity",
    .title = "Linear Complexity Test",
    .section = "2.10",
    .ids = ids,
    .run = run,
    // The example of 2.10.8 needs 10^6 bits of e; it is in the tests.
    .vectors =
        {
            // L = 4, T = 2.999444: the last class, chi-square = 48 - 1 = 47.
            {"SP 800-22 rev. 1a, sec. 2.10.4, as a test of one block",
             "1101011110001",
             {.linear_complexity_block = 13},
             {{"linear-complexity/M=13", 1.87113347726e-8}},
             1e-17},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"linear-complexity/M=500", 0.0772725705673}},
             1e-10},
            {"the same, with the constants of NIST's program",
             sp80022::splitmix64_text(5, 2048),
             {.constants = Constants::nist},
             {{"linear-complexity/M=500", 0.0769349421516}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb
