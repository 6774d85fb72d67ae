/// Discrete Fourier transform (spectral) test, SP 800-22 rev. 1a, section 2.6.
///
/// Statistic:  N_1, the number of the first floor(n / 2) peaks |X_k| below T = sqrt(n ln 20),
///             against N_0 = 0.95 n / 2: d = (N_1 - N_0) / sqrt(n 0.95 0.05 / 4),
///             p = erfc(|d| / sqrt(2)).
/// Conditions: n >= 1000 is recommended (2.6.7): a flag below. n < 2 has no peak, n >= 2^31 is
///             beyond the transform: not applicable.
/// Departures: squares are compared, and a peak so near T that rounding could decide is computed
///             again by a direct sum in long double, so N_1 does not depend on the transform in
///             use. The examples of the standard are wrong: 2.6.4 prints N_1 = 4, p = 0.029523 and
///             2.6.8 N_1 = 46, p = 0.168669; the sums give N_1 = 5, p = 0.468160 and N_1 = 48, p =
///             0.646355, by NIST's program and by an independent multiple-precision computation.
///             The factor 4 is the standard's; about 3.8 is nearer to the variance of N_1
///             (Pareschi, Rovatti & Setti, IEEE TIFS 7 (2012)), so the test rejects a little too
///             often. Constants::nist has 2.995732274 for ln 20, as NIST's program.
#include "nist_tests/spectral.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb {
namespace {

__extension__ using Wide = unsigned __int128;

struct Complex {
  long double re;
  long double im;
};

Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }

Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// |X_k|^2 by its definition, to more digits than a double has: a byte of bits at a time, blocks of
// 64 bytes by Horner's scheme, and every block's own root of unity.
long double squared_magnitude(BitView bits, std::uint64_t k) {
  constexpr std::uint64_t block = 512;
  const std::uint64_t n = bits.size();
  const auto root = [n, k](std::uint64_t j) {  // w_n^(j k)
    const std::uint64_t turn = static_cast<std::uint64_t>(Wide{j} * k % n);
    const long double angle = -2 * std::numbers::pi_v<long double> *
                              static_cast<long double>(turn) / static_cast<long double>(n);
    return Complex{std::cos(angle), std::sin(angle)};
  };
  std::array<Complex, 256> of_byte{};
  for (unsigned i = 0; i < 8; ++i) {
    const Complex w = root(i);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const bool one = ((byte >> (7 - i)) & 1U) != 0;
      of_byte.at(byte) = of_byte.at(byte) + (one ? w : Complex{-w.re, -w.im});
    }
  }
  const Complex step = root(8);
  Complex sum{0, 0};
  std::uint64_t first = 0;
  for (; first + block <= n; first += block) {
    Complex part{0, 0};
    for (std::uint64_t i = block; i > 0; i -= 8) {
      part = part * step + of_byte[sp80022::bits_at(bits, first + i - 8, 8) >> 56];
    }
    sum = sum + part * root(first);
  }
  for (; first < n; ++first) {
    const Complex w = root(first);
    sum = sum + (bits[first] != 0 ? w : Complex{-w.re, -w.im});
  }
  return sum.re * sum.re + sum.im * sum.im;
}

}  // namespace

std::uint64_t sp80022::count_peaks_below(BitView bits, double log_factor) {
  if (bits.size() < 2) return 0;
  const auto n = static_cast<double>(bits.size());
  const long double threshold = static_cast<long double>(n) * static_cast<long double>(log_factor);
  const PeakCounts counts = count_peaks(bits, n * log_factor);
  std::uint64_t below = counts.below;
  for (const std::uint64_t k : counts.near)
    below += squared_magnitude(bits, k) < threshold ? 1U : 0U;
  return below;
}

namespace {

constexpr double exact_log_20 = 2.995732273553991;
constexpr double nist_log_20 = 2.995732274;

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("spectral/divisor={}", parameters.dft_divisor)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  if (bits.size() < 2 || bits.size() > std::numeric_limits<int>::max()) {
    return {.outcome = NotApplicable{fmt::format("n = {} bits, needs 2 to {}", bits.size(),
                                                 std::numeric_limits<int>::max())},
            .statistics = {},
            .flags = {}};
  }
  const auto n = static_cast<double>(bits.size());
  const std::uint64_t below = sp80022::count_peaks_below(
      bits, parameters.constants == Constants::exact ? exact_log_20 : nist_log_20);
  const double n_1 = static_cast<double>(below);
  const double n_0 = 0.95 * n / 2;
  const double d = (n_1 - n_0) / std::sqrt(n * 0.95 * 0.05 / parameters.dft_divisor);
  TestResult result{
      .outcome = std::vector{SubResult{ids(parameters, bits.size())[0], two_sided_normal_p(d)}},
      .statistics = {{"N_1", n_1}, {"N_0", n_0}, {"d", d}},
      .flags = {}};
  if (bits.size() < 1000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000 recommended (2.6.7)", bits.size()));
  }
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "spectral",
    .title = "Discrete Fourier Transform (Spectral) Test",
    .section = "2.6",
    .ids = ids,
    .run = run,
    .vectors =
        {
            // Printed: N_1 = 4, p = 0.029523. The five magnitudes are 0, 2, sqrt(20), 2 and
            // sqrt(20), all below T = 5.4733: N_1 = 5.
            {"SP 800-22 rev. 1a, sec. 2.6.4, recomputed",
             "1001010011",
             {},
             {{"spectral/divisor=4", 0.468160}},
             1e-6},
            // Printed: N_1 = 46, p = 0.168669.
            {"SP 800-22 rev. 1a, sec. 2.6.8, recomputed",
             "11001001000011111101101010100010001000010110100011"
             "00001000110100110001001100011001100010100010111000",
             {},
             {{"spectral/divisor=4", 0.646355}},
             1e-6},
        },
}};

}  // namespace

}  // namespace icb
