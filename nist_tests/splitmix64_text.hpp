/// Bits for known answers that need more of them than fit in a source line.
#pragma once

#include <cstdint>
#include <string>

namespace icb::sp80022 {

/// `words` outputs of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014) as '0' and '1', most
/// significant bit first. The state starts at `seed` and is advanced before each output.
inline std::string splitmix64_text(std::uint64_t seed, unsigned words) {
  std::string text;
  text.reserve(std::size_t{64} * words);
  for (unsigned i = 0; i < words; ++i) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    for (unsigned bit = 64; bit-- > 0;) text += ((z >> bit) & 1U) != 0 ? '1' : '0';
  }
  return text;
}

}  // namespace icb::sp80022
