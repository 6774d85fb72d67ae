/// Overlapping template matching test, SP 800-22 rev. 1a, section 2.8.
///
/// Statistic:  the occurrences of m ones in each of N = floor(n / M) blocks, in K + 1 = 6 classes
///             0, 1, 2, 3, 4, >= 5; chi-square against their probabilities, p = igamc(5 / 2,
///             chi-square / 2).
/// Conditions: n >= 10^6, N min pi_i > 5, lambda = (M - m + 1) / 2^m near 2 and m near log2 M are
///             recommended (2.8.7): flags where n is less, N min pi_i is not more, lambda is
///             outside 1 ... 3 or m more than 2 from log2 M. No complete block, or M < m + 4, where
///             5 occurrences are impossible: not applicable. m outside 2 ... 16 or M < m:
///             std::invalid_argument.
/// Departures: Constants::exact has the exact class probabilities (0.364091..., as the text of
///             2.8.4 and 3.8 prints them for m = 9, M = 1032); NIST's program overwrites them with
///             those of a compound Poisson distribution, 0.367879..., which moves p by up to a
///             factor of 2 (binary expansion of pi, 10^6 bits: 0.296897 against 0.260718).
///             Constants::nist has the latter. The p = 0.110434 that 2.8.8 prints for e is that of
///             NIST's program. The example of 2.8.4 does not follow from its input: the counts of
///             11 are 5, 1, 3, 4, 1, so nu = 0, 2, 0, 1, 1, 1 and p = 0.409633, not nu = 0, 1, 1,
///             1, 1, 1 and 0.274932.
#include "nist_tests/overlapping_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/pattern_counts.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {
namespace {

// m = 9, M = 1032. Made by scripts/constants/sp80022_probabilities.py.
constexpr std::array<double, 6> exact_9_1032 = {0.36409105321672786, 0.1856589001062404,
                                                0.1393811304590327,  0.10057114399877812,
                                                0.07043232634639846, 0.13986544587282249};
static_assert(sp80022::sums_to_one(exact_9_1032));

}  // namespace

std::array<double, 6> sp80022::occurrences_of_ones(unsigned m, std::uint64_t block) {
  // at[c][r]: c occurrences so far and r ones at the end, r = m for m or more. Only sums of
  // positive numbers, so each probability keeps its digits.
  std::array<std::array<double, 17>, 5> at{};
  at[0][0] = 1;
  double five = 0;
  for (std::uint64_t i = 0; i < block; ++i) {
    five += (at[4][m - 1] + at[4][m]) / 2;
    for (std::size_t c = 5; c-- > 0;) {
      auto& now = at[c];
      double any = 0;
      for (unsigned r = 0; r <= m; ++r) any += now[r];
      for (unsigned r = m; r-- > 1;) now[r] = now[r - 1] / 2;
      now[m] = c > 0 ? (at[c - 1][m - 1] + at[c - 1][m]) / 2 : 0;
      now[0] = any / 2;
    }
  }
  std::array<double, 6> out{};
  for (std::size_t c = 0; c < at.size(); ++c) {
    for (unsigned r = 0; r <= m; ++r) out[c] += at[c][r];
  }
  out[5] = five;
  return out;
}

std::array<double, 6> sp80022::occurrences_of_ones_by_poisson(double eta) {
  // P(u) = e^-eta / 2^u sum over l = 1 ... u of C(u - 1, l - 1) eta^l / l!
  std::array<double, 6> out{std::exp(-eta)};
  double rest = 1 - out[0];
  for (unsigned u = 1; u < 5; ++u) {
    double sum = 0;
    double term = eta;  // C(u - 1, l - 1) eta^l / l!
    for (unsigned l = 1; l <= u; ++l) {
      sum += term;
      term *= (u - l) * eta / (l * (l + 1.0));
    }
    out[u] = std::ldexp(out[0] * sum, -static_cast<int>(u));
    rest -= out[u];
  }
  out[5] = rest;
  return out;
}

namespace {

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("overlapping-template/m={}/M={}", parameters.overlapping_template,
                      parameters.overlapping_block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const unsigned m = parameters.overlapping_template;
  const std::uint64_t block = parameters.overlapping_block;
  if (m < 2 || m > 16) {
    throw std::invalid_argument(fmt::format("overlapping template needs 2 <= m <= 16, got {}", m));
  }
  if (block < m) {
    throw std::invalid_argument(
        fmt::format("overlapping template needs M >= m = {}, got {}", m, block));
  }
  const std::uint64_t blocks = n / block;
  const double lambda = std::ldexp(static_cast<double>(block - m + 1), -static_cast<int>(m));
  TestResult result{.outcome = NotApplicable{fmt::format("n = {} bits, needs M = {}", n, block)},
                    .statistics = {{"N", static_cast<double>(blocks)}},
                    .flags = {}};
  if (blocks == 0) return result;

  std::array<std::uint64_t, 6> nu{};
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t found = sp80022::count_windows_of_ones(bits, i * block, block - m + 1, m);
    ++nu[std::min<std::uint64_t>(found, 5)];
  }
  for (std::size_t i = 0; i < nu.size(); ++i) {
    result.statistics.emplace_back(fmt::format("nu_{}", i), static_cast<double>(nu[i]));
  }
  if (block < m + 4) {
    result.outcome =
        NotApplicable{fmt::format("M = {} bits hold {} occurrences, the last class needs 5: M = {}",
                                  block, block - m + 1, m + 4)};
    return result;
  }
  const std::array<double, 6> probabilities =
      parameters.constants == Constants::nist ? sp80022::occurrences_of_ones_by_poisson(lambda / 2)
      : m == 9 && block == 1032               ? exact_9_1032
                                              : sp80022::occurrences_of_ones(m, block);
  if (*std::min_element(probabilities.begin(), probabilities.end()) <
      std::numeric_limits<double>::min()) {
    result.outcome = NotApplicable{
        fmt::format("lambda = {:.6g} occurrences in a block, a class has probability 0", lambda)};
    return result;
  }
  const double chi_square = sp80022::chi_square(nu, probabilities);
  result.statistics.insert(result.statistics.end(),
                           {{"chi_square", chi_square}, {"lambda", lambda}, {"eta", lambda / 2}});
  if (n < 1000000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000000 recommended (2.8.7)", n));
  }
  const double least =
      static_cast<double>(blocks) * *std::min_element(probabilities.begin(), probabilities.end());
  if (least <= 5) {
    result.flags.push_back(
        fmt::format("N min pi_i = {:.6g} with N = {}, above 5 recommended (2.8.7)", least, blocks));
  }
  if (lambda < 1 || lambda > 3) {
    result.flags.push_back(fmt::format("lambda = {:.6g}, about 2 recommended (2.8.7)", lambda));
  }
  const double log2_block = std::log2(static_cast<double>(block));
  if (std::abs(m - log2_block) > 2) {
    result.flags.push_back(
        fmt::format("m = {}, about log2 M = {:.6g} recommended (2.8.7)", m, log2_block));
  }
  result.outcome = std::vector{SubResult{ids(parameters, n)[0], chi_square_upper_p(chi_square, 5)}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "overlapping-template",
    .title = "Overlapping Template Matching Test",
    .section = "2.8",
    .ids = ids,
    .run = run,
    // The example of 2.8.8 (10^6 bits of e) is in the tests.
    .vectors =
        {
            // Printed: nu = 0, 1, 1, 1, 1, 1 and p = 0.274932; see above. With the probabilities as
            // printed there, six digits, it is 0.409633.
            {"SP 800-22 rev. 1a, sec. 2.8.4, recomputed",
             "10111011110010110100011100101110111110000101101001",
             {.constants = Constants::nist, .overlapping_template = 2, .overlapping_block = 10},
             {{"overlapping-template/m=2/M=10", 0.409634624581}},
             1e-10},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"overlapping-template/m=9/M=1032", 0.469359362909}},
             1e-10},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {.constants = Constants::nist},
             {{"overlapping-template/m=9/M=1032", 0.450512252563}},
             1e-10},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {.overlapping_template = 5, .overlapping_block = 70},
             {{"overlapping-template/m=5/M=70", 0.763197668379}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb
