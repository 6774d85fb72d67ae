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

/// Parameters of the maps (P1, P2, P3), shared by all lanes.
struct Parameters {
  std::uint64_t r;      ///< r of the logistic map, scaled by 2^62
  std::uint64_t a;      ///< a of the Henon map, scaled by 2^62
  std::uint64_t b;      ///< b of the Henon map, scaled by 2^62
  std::uint32_t sigma;  ///< sigma of the noise, scaled by 2^16
};

/// 1024 midpoint quantiles of the standard normal distribution, scaled by 2^24.
extern const std::array<std::int32_t, 1024> gaussian_table;

/// The sources in use; one that is off is stepped all the same and read as 0.
struct Sources {
  bool logistic = true;
  bool henon = true;
  bool gauss = true;
};

/// State of one lane.
struct Lane {
  std::uint64_t x;          ///< logistic state, x = X / 2^64
  std::uint64_t x_weyl;     ///< its counter
  std::uint64_t u, v;       ///< Henon state, two's complement, scaled by 2^62
  std::uint64_t u_weyl;     ///< its counter
  std::uint64_t noise;      ///< driver of the noise
  std::uint64_t noise_add;  ///< its odd increment
};

/// Logistic map driven by a Weyl sequence: X <- r X (1 - X) + w mod 1 (P1, Eq. 1).
constexpr void step_logistic(Lane& lane, const Parameters& p) {
  lane.x = mulhi(p.r, mulhi(lane.x, ~lane.x) << 2) + lane.x_weyl;
  lane.x_weyl += 0x9E3779B97F4A7C15;
}

/// Henon map folded to [-2, 2), driven by a Weyl sequence (P2, Eq. 2 and 3).
constexpr void step_henon(Lane& lane, const Parameters& p) {
  __extension__ using Wide = unsigned __int128;
  __extension__ using Signed = __int128;
  const auto u = static_cast<std::int64_t>(lane.u);
  const auto s = static_cast<std::uint64_t>((static_cast<Signed>(u) * u) >> 62);
  const auto t = static_cast<std::uint64_t>((static_cast<Wide>(p.a) * s) >> 62);
  const auto v = static_cast<std::uint64_t>((static_cast<Signed>(p.b) * u) >> 62);
  lane.u = (std::uint64_t{1} << 62) - t + lane.v + lane.u_weyl;
  lane.v = v;
  lane.u_weyl += 0xD1B54A32D192ED03;
}

/// Advances the noise and returns sigma times a normal deviate, scaled by 2^24 (P3, Eq. 4).
inline std::int64_t step_noise(Lane& lane, const Parameters& p) {
  lane.noise = lane.noise * 0xD1342543DE82EF95 + lane.noise_add;
  const std::int64_t quantile = gaussian_table[lane.noise >> 54];
  return (quantile * static_cast<std::int64_t>(p.sigma)) >> 16;
}

/// Steps all three; returns the noise sample.
inline std::int64_t step(Lane& lane, const Parameters& p) {
  step_logistic(lane, p);
  step_henon(lane, p);
  return step_noise(lane, p);
}

/// Steps all three and combines them into a word of keystream.
inline std::uint64_t next_word(Lane& lane, const Parameters& p) {
  const auto g = static_cast<std::uint32_t>(step(lane, p));
  const std::uint64_t v = lane.noise ^ (lane.noise >> 29) ^ (std::uint64_t{g} << 20);
  std::uint64_t z = (lane.x + std::rotl(lane.u, 32)) ^ v;
  z ^= z >> 32;
  z *= 0xD6E8FEB86659FD93;
  return z ^ (z >> 32);
}

}  // namespace icb::khazaal2024
