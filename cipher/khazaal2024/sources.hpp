/// The three sources of the cipher: logistic map, Henon map, Gaussian noise (docs/cipher.md,
/// section 3).
///
/// Integer arithmetic only; every lane has its own 64-bit states and counters.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace icb::khazaal2024 {

/// floor(a b / 2^64).
constexpr std::uint64_t mulhi(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
}

/// mulhi without the product of the lower halves and its carries: at most 2 below.
constexpr std::uint64_t mulf(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t low = 0xFFFFFFFF;
  return (a >> 32) * (b >> 32) + (((a >> 32) * (b & low)) >> 32) + (((a & low) * (b >> 32)) >> 32);
}

/// a xor (a >> 32).
constexpr std::uint64_t fold(std::uint64_t a) { return a ^ (a >> 32); }

/// Parameters of the maps (P1, P2, P3), shared by all lanes.
struct Parameters {
  std::uint64_t r;      ///< r of the logistic map, scaled by 2^62
  std::uint64_t a;      ///< a of the Henon map, scaled by 2^62
  std::uint64_t b;      ///< b of the Henon map, scaled by 2^62
  std::uint32_t sigma;  ///< sigma of the noise, scaled by 2^16; below 2^17
};

/// Which sources are read. One left out steps as ever and is read as 0.
struct Sources {
  bool logistic = true;
  bool henon = true;
  bool gauss = true;
};

/// 1024 midpoint quantiles of the standard normal distribution, scaled by 2^24.
extern const std::array<std::int32_t, 1024> gaussian_table;

inline constexpr std::uint64_t x_weyl_add = 0x9E3779B97F4A7C15;
inline constexpr std::uint64_t u_weyl_add = 0xD1B54A32D192ED03;

/// State of one lane.
struct Lane {
  std::uint64_t x;          ///< logistic state, x = X / 2^64
  std::uint64_t x_weyl;     ///< its counter
  std::uint64_t u, v;       ///< Henon state, two's complement, scaled by 2^62
  std::uint64_t u_weyl;     ///< its counter
  std::uint64_t noise;      ///< driver of the noise, a counter
  std::uint64_t noise_add;  ///< its odd increment
};

/// What is read of a lane after a step, with 0 for the sources left out.
struct Sample {
  std::uint64_t x;
  std::uint64_t u;
  std::uint64_t v;  ///< of the noise: a bijection of its driver, and the deviate
  std::int64_t g;   ///< sigma times a normal deviate, scaled by 2^24
};

/// The two words of a lane after a step.
struct Words {
  std::uint64_t z1;
  std::uint64_t z2;
};

/// Logistic map driven by a Weyl sequence: X <- r X (1 - X) + w mod 1 (P1, Eq. 1).
constexpr void step_logistic(Lane& lane, const Parameters& p) {
  lane.x = mulf(p.r, 4 * mulf(lane.x, ~lane.x)) + lane.x_weyl;
  lane.x_weyl += x_weyl_add;
}

/// Henon map folded to [-2, 2), driven by a Weyl sequence (P2, Eq. 2 and 3).
constexpr void step_henon(Lane& lane, const Parameters& p) {
  const bool negative = (lane.u >> 63) != 0;
  const std::uint64_t m = negative ? 0 - lane.u : lane.u;
  const std::uint64_t t = 4 * mulf(p.a, 4 * mulf(m, m));
  const std::uint64_t n = 4 * mulf(p.b, m);
  lane.u = (std::uint64_t{1} << 62) - t + lane.v + lane.u_weyl;
  lane.v = negative ? 0 - n : n;
  lane.u_weyl += u_weyl_add;
}

/// The driver of the noise scrambled (splitmix64), a bijection.
constexpr std::uint64_t scrambled(std::uint64_t driver) {
  std::uint64_t d = driver;
  d = (d ^ (d >> 30)) * 0xBF58476D1CE4E5B9;
  d = (d ^ (d >> 27)) * 0x94D049BB133111EB;
  return d ^ (d >> 31);
}

/// Sigma times the deviate number 0 to 1023, scaled by 2^24 (P3, Eq. 4): inverse of the normal
/// distribution function.
inline std::int64_t deviate(const Parameters& p, std::size_t number) {
  return (std::int64_t{gaussian_table[number]} * static_cast<std::int64_t>(p.sigma)) >> 16;
}

/// What a deviate changes in the scrambled driver: bits 20 to 51.
constexpr std::uint64_t deviate_bits(std::int64_t g) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(g)) << 20;
}

/// Steps all three.
inline Sample step(Lane& lane, const Parameters& p, Sources sources = {}) {
  step_logistic(lane, p);
  step_henon(lane, p);
  lane.noise += lane.noise_add;
  const std::uint64_t d = scrambled(lane.noise);
  const std::int64_t g = deviate(p, d >> 54);
  return {.x = sources.logistic ? lane.x : 0,
          .u = sources.henon ? lane.u : 0,
          .v = sources.gauss ? d ^ deviate_bits(g) : 0,
          .g = sources.gauss ? g : 0};
}

inline constexpr std::uint64_t z1_multiplier = 0xD6E8FEB86659FD93;
inline constexpr std::uint64_t z2_multiplier = 0xFF51AFD7ED558CCD;

/// Such that no rotation of one sum, with the other, is without two of x, u and v (section 3).
inline constexpr int u_rotation = 27;
inline constexpr int v_rotation = 42;

constexpr Words words_of(const Sample& s) {
  return {.z1 = fold(fold((s.x + std::rotl(s.u, u_rotation)) ^ s.v) * z1_multiplier),
          .z2 = fold(fold((s.u ^ s.x) + std::rotl(s.v, v_rotation)) * z2_multiplier)};
}

}  // namespace icb::khazaal2024
