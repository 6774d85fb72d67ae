#include "nist_tests/spectral.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// |X_k|^2, k = 0 ... floor(n / 2) - 1, by the definition with a table of one turn.
std::vector<long double> plain_squares(const PlainBits& bits) {
  const std::size_t n = bits.size();
  std::vector<long double> cosine(n);
  std::vector<long double> sine(n);
  for (std::size_t i = 0; i < n; ++i) {
    const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(i) /
                              static_cast<long double>(n);
    cosine[i] = std::cos(angle);
    sine[i] = std::sin(angle);
  }
  std::vector<long double> out(n / 2);
  for (std::size_t k = 0; k < n / 2; ++k) {
    long double re = 0;
    long double im = 0;
    std::size_t turn = 0;
    for (std::size_t j = 0; j < n; ++j) {
      re += bits[j] != 0 ? cosine[turn] : -cosine[turn];
      im += bits[j] != 0 ? sine[turn] : -sine[turn];
      turn += k;
      if (turn >= n) turn -= n;
    }
    out[k] = re * re + im * im;
  }
  return out;
}

TEST(Spectral, AgreesWithTheDefinition) {
  for_all_streams([](const PlainBits& plain, BitView bits) {
    const auto n = static_cast<long double>(plain.size());
    if (plain.size() < 2) {
      EXPECT_FALSE(applies(run("spectral", bits)));
      return;
    }
    if (plain.size() > 2048 && plain.size() != 4097) return;  // n^2 steps; 4097 = 17 * 241
    double below = 0;
    for (const long double square : plain_squares(plain)) {
      below += square < n * std::log(20.0L) ? 1 : 0;
    }
    const auto result = run("spectral", bits);
    EXPECT_EQ(statistic(result, "N_1"), below);
    const double d = (below - 0.95 * static_cast<double>(n) / 2) /
                     std::sqrt(static_cast<double>(n) * 0.95 * 0.05 / 4);
    EXPECT_NEAR(only_p(result), std::erfc(std::abs(d) / std::numbers::sqrt2), 1e-14);
    EXPECT_EQ(result.flags.size(), plain.size() < 1000 ? 1U : 0U);
  });
}

TEST(Spectral, AgreesWithTheDefinitionAtALargePrimeLength) {
  std::mt19937_64 engine(seed());
  const auto plain = random_bits(engine, 10007);
  double below = 0;
  for (const long double square : plain_squares(plain)) {
    below += square < 10007 * std::log(20.0L) ? 1 : 0;
  }
  EXPECT_EQ(statistic(run("spectral", pack(plain).view()), "N_1"), below);
}

// Lengths that FFTW's transform splits: even and odd, factors of which one, both or none are a
// multiple of four, and several thresholds, so that every row of the second matrix counts.
TEST(Spectral, TwoStepsAgreeWithTheDefinition) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {4096U, 4116U, 4290U, 5000U, 6561U, 7007U, 8190U, 10000U}) {
    if (transform_library().starts_with("fftw")) {
      ASSERT_TRUE(sp80022::split_of(n).has_value()) << n;
      EXPECT_EQ(sp80022::split_of(n)->rows * sp80022::split_of(n)->columns, n);
    }
    for (const auto& [name, plain] : streams(engine, n)) {
      const auto packed = pack(plain);
      const auto squares = plain_squares(plain);
      for (const double factor : {1e-6, 0.1, 0.7, 2.995732273553991, 5.0, 1e9}) {
        const long double threshold =
            static_cast<long double>(factor) * static_cast<long double>(n);
        std::uint64_t below = 0;
        for (const long double square : squares) below += square < threshold ? 1 : 0;
        EXPECT_EQ(sp80022::count_peaks_below(packed.view(), factor), below)
            << name << ", n = " << n << ", factor " << factor;
      }
    }
  }
}

TEST(Spectral, LengthsThatAreNotSplit) {
  for (const std::uint64_t n : {4095U, 4099U, 17U * 4096U}) EXPECT_FALSE(sp80022::split_of(n));
}

// A threshold laid on a peak: half a unit of the last place decides, far below the rounding of any
// transform in double. The count must still be that of the definition.
TEST(Spectral, DoesNotDependOnTheRoundingOfTheTransform) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {512U, 1000U, 1009U, 4290U}) {
    const auto plain = random_bits(engine, n);
    const auto packed = pack(plain);
    const auto squares = plain_squares(plain);
    for (std::size_t k = 1; k < n / 2; k += n < 4096 ? 5 : 97) {
      const auto at = static_cast<double>(squares[k] / static_cast<long double>(n));
      for (const double factor : {std::nextafter(at, 0.0), std::nextafter(at, 1e9)}) {
        const long double threshold =
            static_cast<long double>(factor) * static_cast<long double>(n);
        std::uint64_t below = 0;
        for (const long double square : squares) below += square < threshold ? 1 : 0;
        EXPECT_EQ(sp80022::count_peaks_below(packed.view(), factor), below)
            << "n = " << n << ", k = " << k;
      }
    }
  }
}

TEST(Spectral, ShortestSequences) {
  EXPECT_FALSE(applies(run("spectral", BitSequence().view())));
  EXPECT_FALSE(applies(run("spectral", BitSequence::from_text("1").view())));
  EXPECT_EQ(statistic(run("spectral", BitSequence::from_text("10").view()), "N_1"), 1);
}

TEST(Spectral, RejectsAPeriod) {
  std::mt19937_64 engine(seed());
  auto bits = random_bits(engine, 16384);
  for (std::size_t i = 1000; i < bits.size(); ++i) bits[i] = bits[i - 1000];
  EXPECT_LT(only_p(run("spectral", pack(bits).view())), 1e-6);
}

}  // namespace
}  // namespace icb::test
