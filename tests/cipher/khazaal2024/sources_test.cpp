#include "cipher/khazaal2024/sources.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

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

/// Section 3's product of fractions, by division.
std::uint64_t product_of_fractions(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t half = 4294967296U;
  return (a / half) * (b / half) + (a / half) * (b % half) / half + (a % half) * (b / half) / half;
}

std::uint64_t magnitude(std::uint64_t twos_complement) {
  return (twos_complement >> 63) != 0 ? ~twos_complement + 1 : twos_complement;
}

struct PlainLane {
  Lane s;
  Sample sample{};

  void logistic(const Parameters& p) {
    const std::uint64_t product = product_of_fractions(s.x, 0xFFFFFFFFFFFFFFFF - s.x);
    s.x = product_of_fractions(p.r, product * 4) + s.x_weyl;
    s.x_weyl += 11400714819323198485U;
  }

  void henon(const Parameters& p) {
    const std::uint64_t square = product_of_fractions(magnitude(s.u), magnitude(s.u)) * 4;
    const std::uint64_t t = product_of_fractions(p.a, square) * 4;
    const std::uint64_t n = product_of_fractions(p.b, magnitude(s.u)) * 4;
    const std::uint64_t next = 4611686018427387904U - t + s.v + s.u_weyl;
    s.v = s.u < 0x8000000000000000 ? n : ~n + 1;
    s.u = next;
    s.u_weyl += 15111065706836454659U;
  }

  void step(const Parameters& p, Sources sources) {
    logistic(p);
    henon(p);
    s.noise += s.noise_add;
    std::uint64_t d = s.noise;
    d = (d ^ (d / 1073741824)) * 13787848793156543929U;
    d = (d ^ (d / 134217728)) * 10723151780598845931U;
    d ^= d / 2147483648;
    // Division that rounds down, in place of the shift.
    const std::int64_t product = std::int64_t{gaussian_table.at(d / 18014398509481984U)} * p.sigma;
    const std::int64_t g = product / 65536 - (product % 65536 < 0 ? 1 : 0);
    const std::uint64_t low32 = static_cast<std::uint64_t>(g) % 4294967296U;
    sample = {s.x, s.u, d ^ (low32 * 1048576), g};
    if (!sources.logistic) sample.x = 0;
    if (!sources.henon) sample.u = 0;
    if (!sources.gauss) sample.v = 0;
    if (!sources.gauss) sample.g = 0;
  }

  static std::uint64_t folded(std::uint64_t a) { return a ^ (a / 4294967296U); }

  static std::uint64_t turned(std::uint64_t a, unsigned bits) {
    for (; bits > 0; --bits) a = a * 2 + a / 0x8000000000000000;
    return a;
  }

  Words words() const {
    const auto& [x, u, v, g] = sample;
    return {folded(folded((x + turned(u, 27)) ^ v) * 15485907386658061715U),
            folded(folded((u ^ x) + turned(v, 42)) * 18397679294719823053U)};
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

TEST(Sources, MulfIsAtMostTwoBelow) {
  auto engine = engine_of(40);
  std::array<int, 3> below{};
  const auto check = [&](std::uint64_t a, std::uint64_t b) {
    ASSERT_EQ(mulf(a, b), product_of_fractions(a, b)) << a << " * " << b;
    ASSERT_LE(mulhi(a, b) - mulf(a, b), 2) << a << " * " << b;
    ++below.at(mulhi(a, b) - mulf(a, b));
  };
  for (const std::uint64_t a : edges) {
    for (const std::uint64_t b : edges) check(a, b);
  }
  for (int i = 0; i < 10000; ++i) check(engine(), engine());
  for (const int count : below) EXPECT_GT(count, 0);
}

void expect_equal(const Sample& a, const Sample& b) {
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.u, b.u);
  EXPECT_EQ(a.v, b.v);
  EXPECT_EQ(a.g, b.g);
}

TEST(Sources, StepsAgreeWithPlainArithmetic) {
  auto engine = engine_of(42);
  for (const Sources sources : {Sources{}, Sources{.logistic = false}, Sources{.henon = false},
                                Sources{.gauss = false}, Sources{false, false, false}}) {
    for (int key = 0; key < 20; ++key) {
      const WorkingKeys keys = random_keys(engine);
      const Parameters& p = keys.parameters;
      Lane lane = keys.guide;
      PlainLane plain{lane};
      for (int i = 0; i < 200; ++i) {
        const Sample sample = step(lane, p, sources);
        plain.step(p, sources);
        expect_equal(sample, plain.sample);
        expect_equal(lane, plain.s);
        EXPECT_EQ(words_of(sample).z1, plain.words().z1);
        EXPECT_EQ(words_of(sample).z2, plain.words().z2);
        step_logistic(lane, p);
        plain.logistic(p);
        expect_equal(lane, plain.s);
        ASSERT_FALSE(::testing::Test::HasFailure());
      }
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
      for (int i = 0; i < 8; ++i) {
        const Sample sample = step(lane, p);
        plain.step(p, {});
        expect_equal(sample, plain.sample);
        ASSERT_EQ(words_of(sample).z2, plain.words().z2) << x << ' ' << u;
      }
      expect_equal(lane, plain.s);
    }
  }
}

TEST(Sources, ASourceLeftOutStepsAsEver) {
  auto engine = engine_of(39);
  const WorkingKeys keys = random_keys(engine);
  Lane read = keys.guide;
  Lane not_read = keys.guide;
  for (int i = 0; i < 100; ++i) {
    step(read, keys.parameters);
    step(not_read, keys.parameters, {false, false, false});
  }
  expect_equal(read, not_read);
}

TEST(Sources, TheNoiseWordIsABijectionOfItsDriver) {
  // v's top ten bits are those of the driver scrambled, and give the deviate.
  auto engine = engine_of(38);
  const WorkingKeys keys = random_keys(engine);
  Lane lane = keys.guide;
  for (int i = 0; i < 1000; ++i) {
    const Sample sample = step(lane, keys.parameters);
    EXPECT_EQ(sample.g, deviate(keys.parameters, sample.v >> 54));
    EXPECT_EQ(sample.v ^ deviate_bits(sample.g), scrambled(lane.noise));
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
      const auto g = static_cast<double>(step(keys.guide, keys.parameters).g);
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

// --- Words ---------------------------------------------------------------------------------------

// The multiplications of the words are no secret: undone, two sums are left of three unknowns. The
// sums must not cancel unknowns. All words here are relations of single bits that additions would
// hide but for rare carries.

/// a with fold(fold(a) multiplier) = z.
std::uint64_t undo(std::uint64_t z, std::uint64_t multiplier) {
  std::uint64_t inverse = multiplier;  // right to three bits, each turn doubles them
  for (int i = 0; i < 5; ++i) inverse *= 2 - multiplier * inverse;
  return fold(fold(z) * inverse);
}

/// Largest standard score among sums over bits i, i + 1, j, j + 1 of a word, over all i and j.
template <class Combine>
double worst_relation(std::uint64_t salt, Sources sources, Combine combine) {
  auto engine = engine_of(salt);
  WorkingKeys keys = random_keys(engine);
  constexpr std::size_t words = 1024;  // 64 samples each
  std::vector<std::array<std::uint64_t, 64>> columns(words);
  for (auto& column : columns) {
    for (unsigned i = 0; i < 64; ++i) {
      const std::uint64_t w = combine(step(keys.guide, keys.parameters, sources));
      const std::uint64_t pairs = w ^ std::rotr(w, 1);
      for (unsigned bit = 0; bit < 64; ++bit) column.at(bit) |= ((pairs >> bit) & 1) << i;
    }
  }
  double worst = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      int ones = 0;
      for (const auto& column : columns) ones += std::popcount(column.at(i) ^ column.at(j));
      worst = std::max(worst, std::abs(ones - 32.0 * words) / std::sqrt(16.0 * words));
    }
  }
  return worst;
}

TEST(Words, NoRotationCancelsTwoSources) {
  for (const Sources sources :
       {Sources{}, Sources{.logistic = false}, Sources{.henon = false}, Sources{.gauss = false}}) {
    for (const auto& [of_first, of_second] :
         {std::pair{42, 0}, {0, 27}, {0, 0}, {32, 0}, {0, 32}, {22, 0}, {0, 37}}) {
      const int r1 = of_first;
      const int r2 = of_second;
      const double worst = worst_relation(530, sources, [&](const Sample& sample) {
        const Words z = words_of(sample);
        return std::rotl(undo(z.z1, z1_multiplier), r1) ^ std::rotl(undo(z.z2, z2_multiplier), r2);
      });
      EXPECT_LT(worst, 6) << r1 << ' ' << r2;  // of 2016, once in 10^6
    }
  }
}

// Both rotations by 32 and the sums (X + U) xor v, (U + v) xor X: X xor its own halves exchanged is
// left.
TEST(Words, RotationsByHalfAWordDid) {
  EXPECT_GT(worst_relation(530, {},
                           [](const Sample& s) {
                             const std::uint64_t a = (s.x + std::rotl(s.u, 32)) ^ s.v;
                             const std::uint64_t b = (s.u + std::rotl(s.v, 32)) ^ s.x;
                             return a ^ std::rotl(b, 32);
                           }),
            20);
}

// --- No state repeats ---------------------------------------------------------------------------

/// A lane of words of eight or sixteen bits: section 3 with every number of bits scaled down.
template <class Word>
class SmallLane {
 public:
  SmallLane(std::mt19937_64& engine, bool driven) : m_driven(driven) {
    for (Word& word : m_state) word = static_cast<Word>(engine() & mask);
    m_r = static_cast<Word>(mask - (engine() & (mask >> 5)));
    m_a = static_cast<Word>((mask >> 2) + (engine() & (mask >> 4)));
    m_b = static_cast<Word>((mask >> 4) + (engine() & (mask >> 6)));
    m_add = static_cast<Word>((engine() & mask) | 1);
  }

  void step() {
    auto& [x, x_weyl, u, v, u_weyl, noise] = m_state;
    const std::uint64_t m = u > mask / 2 ? (0 - std::uint64_t{u}) & mask : u;
    const std::uint64_t n = 4 * mulf(m_b, m);
    const std::uint64_t t = 4 * mulf(m_a, 4 * mulf(m, m));
    const std::uint64_t u_next = (mask / 4 + 1) - t + v + u_weyl;
    v = static_cast<Word>((u > mask / 2 ? 0 - n : n) & mask);
    u = static_cast<Word>(u_next & mask);
    x = static_cast<Word>((mulf(m_r, 4 * mulf(x, ~std::uint64_t{x})) + x_weyl) & mask);
    if (!m_driven) return;
    x_weyl = static_cast<Word>((x_weyl + (x_weyl_add >> (64 - bits))) & mask);
    u_weyl = static_cast<Word>((u_weyl + ((u_weyl_add >> (64 - bits)) | 1)) & mask);
    noise = static_cast<Word>((noise + m_add) & mask);
  }

  const std::array<Word, 6>& state() const { return m_state; }

 private:
  static constexpr unsigned bits = 8 * sizeof(Word);
  static constexpr std::uint64_t mask = (std::uint64_t{1} << bits) - 1;

  static std::uint64_t mulf(std::uint64_t a, std::uint64_t b) {
    constexpr unsigned half = bits / 2;
    constexpr std::uint64_t low = (std::uint64_t{1} << half) - 1;
    a &= mask;
    b &= mask;
    return ((a >> half) * (b >> half) + (((a >> half) * (b & low)) >> half) +
            (((a & low) * (b >> half)) >> half)) &
           mask;
  }

  bool m_driven;
  std::array<Word, 6> m_state;
  Word m_r, m_a, m_b, m_add;
};

/// Different states within as many steps as a counter has values.
template <class Word>
std::size_t states_of(std::uint64_t salt, bool driven) {
  auto engine = engine_of(salt);
  SmallLane<Word> lane(engine, driven);
  std::set<std::array<Word, 6>> states;
  for (std::size_t i = 0; i < std::size_t{1} << (8 * sizeof(Word)); ++i) {
    states.insert(lane.state());
    lane.step();
  }
  return states.size();
}

TEST(Cycles, NoStateRepeatsBeforeTheCountersDo) {
  for (std::uint64_t salt = 500; salt < 520; ++salt) {
    EXPECT_EQ(states_of<std::uint8_t>(salt, true), 256U);
  }
  EXPECT_EQ(states_of<std::uint16_t>(520, true), 65536U);
}

TEST(Cycles, WithoutCountersTheMapsAloneDoRepeat) {
  for (std::uint64_t salt = 500; salt < 520; ++salt) {
    EXPECT_LT(states_of<std::uint8_t>(salt, false), 256U);
  }
  EXPECT_LT(states_of<std::uint16_t>(520, false), 65536U);
}

}  // namespace
}  // namespace icb::khazaal2024
