/// What the rounds of a cipher do by themselves: cipher images of a smooth image and of the same
/// with one least significant bit changed, the public parameter held fixed. Figures of the paper
/// and `icbench properties` measure the same pairs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cipher/cipher.hpp"

namespace icb {

/// 128 x 128 gray, sample (i + j) mod 256: smooth, without any generator of its own.
OwnedImage rounds_image();

struct RoundsPair {
  OwnedImage first;
  OwnedImage second;  ///< the lowest bit of the sample changed
};

/// Key, nonce and public parameter number `key` from the seed; they do not depend on `rounds` or
/// `sample`. The cipher must have the rounds hook (std::invalid_argument).
RoundsPair rounds_pair(const CipherEntry& cipher, std::uint64_t seed, unsigned rounds,
                       std::size_t sample, std::size_t key);

}  // namespace icb
