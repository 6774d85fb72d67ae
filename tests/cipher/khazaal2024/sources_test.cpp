#include "cipher/khazaal2024/sources.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/diffusion.hpp"
#include "core/statistics.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using testing::engine_of;
using testing::random_keys;

// --- Plain arithmetic: long multiplication by halves --------------------------------------------

struct Wide {
  std::uint64_t high;
  std::uint64_t low;
};

Wide multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t mask = 0xFFFFFFFF;
  const std::uint64_t ll = (a & mask) * (b & mask);
  const std::uint64_t lh = (a & mask) * (b >> 32);
  const std::uint64_t hl = (a >> 32) * (b & mask);
  const std::uint64_t hh = (a >> 32) * (b >> 32);
  const std::uint64_t middle = (ll >> 32) + (lh & mask) + (hl & mask);
  return {hh + (lh >> 32) + (hl >> 32) + (middle >> 32), (middle << 32) | (ll & mask)};
}

/// floor(a b / 2^62) mod 2^64
std::uint64_t scaled_product(std::uint64_t a, std::uint64_t b) {
  const Wide w = multiply(a, b);
  return (w.high << 2) | (w.low >> 62);
}

std::uint64_t magnitude(std::uint64_t twos_complement) {
  return (twos_complement >> 63) != 0 ? ~twos_complement + 1 : twos_complement;
}

/// floor(b u / 2^62) mod 2^64, u in two's complement, rounded towards minus infinity
std::uint64_t scaled_product_signed(std::uint64_t b, std::uint64_t u) {
  const std::uint64_t quotient = scaled_product(b, magnitude(u));
  if ((u >> 63) == 0) return quotient;
  const bool exact = (multiply(b, magnitude(u)).low << 2) == 0;
  return ~quotient + (exact ? 1 : 0);
}

struct PlainLane {
  Lane s;
  std::int64_t g = 0;

  void logistic(const Parameters& p) {
    const std::uint64_t product = multiply(s.x, 0xFFFFFFFFFFFFFFFF - s.x).high;
    s.x = multiply(p.r, 4 * product).high + s.x_weyl;
    s.x_weyl += 11400714819323198485U;
  }

  void henon(const Parameters& p) {
    const std::uint64_t square = scaled_product(magnitude(s.u), magnitude(s.u));
    const std::uint64_t t = scaled_product(p.a, square);
    const std::uint64_t next = 4611686018427387904U - t + s.v + s.u_weyl;
    s.v = scaled_product_signed(p.b, s.u);
    s.u = next;
    s.u_weyl += 15111065706836454659U;
  }

  void noise(const Parameters& p) {
    s.noise = s.noise * 15074714826142052245U + s.noise_add;
    // Division that rounds down, in place of the shift.
    const std::int64_t product =
        std::int64_t{gaussian_table.at(s.noise / 18014398509481984U)} * p.sigma;
    g = product / 65536 - (product % 65536 < 0 ? 1 : 0);
  }

  std::uint64_t word(const Parameters& p) {
    logistic(p);
    henon(p);
    noise(p);
    const std::uint64_t low32 = static_cast<std::uint64_t>(g) & 0xFFFFFFFF;
    const std::uint64_t v = s.noise ^ (s.noise / 536870912) ^ (low32 * 1048576);
    std::uint64_t z = (s.x + ((s.u << 32) | (s.u >> 32))) ^ v;
    z ^= z >> 32;
    z *= 15485907386658061715U;
    return z ^ (z >> 32);
  }
};

void expect_equal(const Lane& a, const Lane& b) {
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.x_weyl, b.x_weyl);
  EXPECT_EQ(a.u, b.u);
  EXPECT_EQ(a.v, b.v);
  EXPECT_EQ(a.u_weyl, b.u_weyl);
  EXPECT_EQ(a.noise, b.noise);
  EXPECT_EQ(a.noise_add, b.noise_add);
}

constexpr std::array<std::uint64_t, 8> edges{0,
                                             1,
                                             0x7FFFFFFFFFFFFFFF,
                                             0x8000000000000000,
                                             0x8000000000000001,
                                             0x4000000000000000,
                                             0xC000000000000000,
                                             0xFFFFFFFFFFFFFFFF};

TEST(Sources, MulhiIsTheUpperHalf) {
  auto engine = engine_of(41);
  for (const std::uint64_t a : edges) {
    for (const std::uint64_t b : edges) EXPECT_EQ(mulhi(a, b), multiply(a, b).high);
  }
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t a = engine();
    const std::uint64_t b = engine();
    ASSERT_EQ(mulhi(a, b), multiply(a, b).high) << a << " * " << b;
  }
}

TEST(Sources, StepsAgreeWithPlainArithmetic) {
  auto engine = engine_of(42);
  for (int key = 0; key < 50; ++key) {
    const WorkingKeys keys = random_keys(engine);
    const Parameters& p = keys.parameters;
    Lane lane = keys.guide;
    PlainLane plain{lane};
    for (int i = 0; i < 200; ++i) {
      const std::int64_t g = step(lane, p);
      plain.word(p);
      ASSERT_EQ(g, plain.g);
      expect_equal(lane, plain.s);
      ASSERT_EQ(next_word(lane, p), plain.word(p));
      step_logistic(lane, p);
      plain.logistic(p);
      step_henon(lane, p);
      plain.henon(p);
      ASSERT_EQ(step_noise(lane, p), (plain.noise(p), plain.g));
      expect_equal(lane, plain.s);
      ASSERT_FALSE(::testing::Test::HasFailure());
    }
  }
}

TEST(Sources, StepsAgreeAtTheEdgesOfTheStates) {
  auto engine = engine_of(43);
  for (const std::uint64_t x : edges) {
    for (const std::uint64_t u : edges) {
      const Parameters p = random_keys(engine).parameters;
      Lane lane{x, u, u, x, u, x, u | 1};
      PlainLane plain{lane};
      for (int i = 0; i < 8; ++i) ASSERT_EQ(next_word(lane, p), plain.word(p)) << x << ' ' << u;
      expect_equal(lane, plain.s);
    }
  }
}

TEST(Sources, ALogisticStepLeavesTheOtherSourcesAlone) {
  auto engine = engine_of(44);
  const WorkingKeys keys = random_keys(engine);
  Lane lane = keys.guide;
  step_logistic(lane, keys.parameters);
  EXPECT_EQ(lane.u, keys.guide.u);
  EXPECT_EQ(lane.v, keys.guide.v);
  EXPECT_EQ(lane.noise, keys.guide.noise);
}

// X -> r x (1 - x) and Henon's two equations, in real arithmetic, with the counters at zero.
TEST(Sources, AreTheMapsOfThePaper) {
  auto engine = engine_of(45);
  constexpr double x_scale = 18446744073709551616.0;
  constexpr double u_scale = 4611686018427387904.0;
  for (int i = 0; i < 1000; ++i) {
    const WorkingKeys keys = random_keys(engine);
    Lane lane = keys.guide;
    lane.x_weyl = lane.u_weyl = 0;
    // |u| <= 1 and small v: no fold.
    lane.u = (lane.u >> 2) + 0xE000000000000000;
    lane.v = (lane.v >> 4) + 0xF800000000000000;
    const double x = static_cast<double>(lane.x) / x_scale;
    const double u = static_cast<double>(static_cast<std::int64_t>(lane.u)) / u_scale;
    const double v = static_cast<double>(static_cast<std::int64_t>(lane.v)) / u_scale;
    const double r = static_cast<double>(keys.parameters.r) / u_scale;
    const double a = static_cast<double>(keys.parameters.a) / u_scale;
    const double b = static_cast<double>(keys.parameters.b) / u_scale;
    step_logistic(lane, keys.parameters);
    step_henon(lane, keys.parameters);
    EXPECT_NEAR(static_cast<double>(lane.x) / x_scale, r * x * (1 - x), 1e-12);
    EXPECT_NEAR(static_cast<double>(static_cast<std::int64_t>(lane.u)) / u_scale, 1 - a * u * u + v,
                1e-12);
    EXPECT_NEAR(static_cast<double>(static_cast<std::int64_t>(lane.v)) / u_scale, b * u, 1e-12);
  }
}

// Every sixteenth of both ranges is visited at least a third as often as evenly, at most five
// times; neither map settles, also from the worst starts and at the ends of the parameters.
TEST(Sources, OrbitsFillTheirRangeAndDoNotSettle) {
  auto engine = engine_of(46);
  std::vector<WorkingKeys> starts{working_keys(Bytes(600)), working_keys(Bytes(600, 0xFF))};
  for (int i = 0; i < 30; ++i) starts.push_back(random_keys(engine));
  constexpr int steps = 16384;
  for (const WorkingKeys& keys : starts) {
    std::array<int, 16> x{};
    std::array<int, 16> u{};
    std::set<std::pair<std::uint64_t, std::uint64_t>> states;
    Lane lane = keys.guide;
    for (int i = 0; i < steps; ++i) {
      step(lane, keys.parameters);
      ++x.at(lane.x >> 60);
      ++u.at(lane.u >> 60);
      states.emplace(lane.x, lane.u);
    }
    EXPECT_EQ(states.size(), static_cast<std::size_t>(steps));
    for (const auto& counts : {x, u}) {
      EXPECT_GT(*std::min_element(counts.begin(), counts.end()), steps / 16 / 3);
      EXPECT_LT(*std::max_element(counts.begin(), counts.end()), steps / 16 * 5);
    }
  }
}

// --- Noise --------------------------------------------------------------------------------------

TEST(GaussianTable, HoldsTheMidpointQuantiles) {
  for (std::size_t i = 0; i < 1024; ++i) {
    const double quantile = normal_quantile((static_cast<double>(i) + 0.5) / 1024);
    EXPECT_EQ(gaussian_table.at(i), std::lround(std::ldexp(quantile, 24))) << i;
  }
}

TEST(GaussianTable, MeanIsZeroAndVarianceNearOne) {
  std::int64_t sum = 0;
  double squares = 0;
  for (const std::int32_t value : gaussian_table) {
    sum += value;
    squares += std::ldexp(static_cast<double>(value), -24) * std::ldexp(value, -24);
  }
  EXPECT_EQ(sum, 0);
  EXPECT_NEAR(squares / 1024, 0.99872951197258, 1e-7);  // of exact midpoint quantiles
}

TEST(Noise, MomentsAreThoseOfTheNormalDistribution) {
  auto engine = engine_of(47);
  for (const std::uint32_t sigma : {32768U, 65536U, 131071U}) {
    WorkingKeys keys = random_keys(engine);
    keys.parameters.sigma = sigma;
    constexpr int draws = 400000;
    std::array<double, 4> moment{};
    for (int i = 0; i < draws; ++i) {
      const auto g = static_cast<double>(step_noise(keys.guide, keys.parameters));
      const double n = std::ldexp(g, -24) * 65536 / sigma;
      moment[0] += n / draws;
      moment[1] += n * n / draws;
      moment[2] += n * n * n / draws;
      moment[3] += n * n * n * n / draws;
    }
    // Five standard errors; the table's own variance and kurtosis are a little below 1 and 3.
    const double root = std::sqrt(static_cast<double>(draws));
    EXPECT_NEAR(moment[0], 0, 5 / root);
    EXPECT_NEAR(moment[1], 0.99873, 5 * std::sqrt(2) / root);
    EXPECT_NEAR(moment[2], 0, 5 * std::sqrt(15) / root);
    EXPECT_NEAR(moment[3], 2.97, 5 * std::sqrt(96) / root + 0.03);
  }
}

// --- Keystream ----------------------------------------------------------------------------------

void expect_uniform(ConstBytes bytes) {
  constexpr double once_in_a_million = 1e-6;
  std::array<std::uint64_t, 256> counts{};
  std::int64_t ones = 0;
  for (const std::uint8_t byte : bytes) {
    ++counts.at(byte);
    ones += std::popcount(byte);
  }
  const auto n = static_cast<double>(bytes.size());
  EXPECT_GT(two_sided_normal_p((static_cast<double>(ones) - 4 * n) / std::sqrt(2 * n)).value(),
            once_in_a_million);
  double chi_square = 0;
  for (const std::uint64_t count : counts) {
    const double d = static_cast<double>(count) - n / 256;
    chi_square += d * d / (n / 256);
  }
  const double p = chi_square_upper_p(chi_square, 255).value();
  EXPECT_GT(p, once_in_a_million);
  EXPECT_LT(p, 1 - once_in_a_million);
}

TEST(Keystream, BitsAndBytesOfAMegabyteAreEven) {
  auto engine = engine_of(48);
  WorkingKeys keys = random_keys(engine);
  Bytes stream(std::size_t{1} << 20);
  fill_keystream(keys.lanes, keys.parameters, stream);
  expect_uniform(stream);
}

TEST(Keystream, EachByteOfTheWordsOfOneLaneIsEven) {
  auto engine = engine_of(49);
  for (const WorkingKeys& keys : {random_keys(engine), working_keys(Bytes(600))}) {
    std::array<Bytes, 8> streams;
    Lane lane = keys.guide;
    for (int i = 0; i < 131072; ++i) {
      std::uint64_t word = next_word(lane, keys.parameters);
      for (Bytes& stream : streams) {
        stream.push_back(static_cast<std::uint8_t>(word & 0xFF));
        word >>= 8;
      }
    }
    for (const Bytes& stream : streams) expect_uniform(stream);
  }
}

}  // namespace
}  // namespace icb::khazaal2024
