/// Keystream of the eight lanes (docs/cipher.md, section 3).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// A block of keystream is made by itself.
inline constexpr std::uint64_t block_bytes = std::uint64_t{1} << 17;
/// What a step of the eight lanes gives.
inline constexpr std::uint64_t step_bytes = 16 * keystream_lanes;
/// Steps at the start of a block that give nothing.
inline constexpr std::uint64_t idle_steps = 8;

/// The lane with the counters of step number n, its states as they are.
constexpr Lane at_step(const Lane& start, std::uint64_t n) {
  Lane lane = start;
  lane.x_weyl += n * x_weyl_add;
  lane.u_weyl += n * u_weyl_add;
  lane.noise += n * lane.noise_add;
  return lane;
}

/// Number of the first step of a block.
constexpr std::uint64_t first_step(unsigned round, std::uint64_t block) {
  return ((std::uint64_t{round} << 24) + block) << 12;
}

/// The keystream under one set of working keys; nothing changes when some of it is made, so several
/// threads may make different parts.
class Keystream {
 public:
  Keystream(const std::array<Lane, keystream_lanes>& lanes, const Parameters& parameters,
            Sources sources);

  /// Bytes [first, first + out.size()) of round 1, 2, ... A part of a block costs the steps of the
  /// maps before it, so whole blocks, or the starts of blocks, are made fastest.
  ///
  /// fetch: addresses brought to the cache meanwhile, one for each 64 bytes made: what the caller
  ///        works on next then arrives while the multipliers are busy.
  void fill(unsigned round, std::uint64_t first, MutableBytes out,
            std::span<const std::uint8_t* const> fetch = {}) const;

 private:
  std::array<Lane, keystream_lanes> m_lanes;
  Parameters m_parameters;
  Sources m_sources;
  std::array<std::uint64_t, 1024> m_deviates;  ///< as they enter the words
};

namespace plain {

/// The same without vectors, step by step.
void fill_keystream(const std::array<Lane, keystream_lanes>& lanes, const Parameters& parameters,
                    Sources sources, unsigned round, std::uint64_t first, MutableBytes out);

}  // namespace plain

}  // namespace icb::khazaal2024
