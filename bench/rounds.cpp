#include "bench/rounds.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "core/hash.hpp"

namespace icb {

OwnedImage rounds_image() {
  constexpr std::size_t side = 128;
  OwnedImage image({.rows = side, .cols = side});
  for (std::size_t i = 0; i < side; ++i) {
    for (std::size_t j = 0; j < side; ++j) {
      image.view().set_sample(i, j, 0, static_cast<std::uint16_t>((i + j) & 0xFF));
    }
  }
  return image;
}

RoundsPair rounds_pair(const CipherEntry& cipher, std::uint64_t seed, unsigned rounds,
                       std::size_t sample, std::size_t key) {
  if (!cipher.rounds.encrypt) {
    throw std::invalid_argument(cipher.name + ": its number of rounds cannot be set");
  }
  const OwnedImage plain = rounds_image();
  OwnedImage changed = plain;
  changed.view().bytes()[sample] ^= 1U;
  const std::string label = fmt::format("rounds/key-{}", key);
  const Bytes secret = derive_bytes(seed, label, cipher.key_bits.value / 8);
  const Digest parameter = derive_key(seed, label + "/parameter");
  const ConstBytes nonce = ConstBytes{parameter}.first(cipher.nonce_bytes.value);
  RoundsPair out{OwnedImage(plain.shape()), OwnedImage(plain.shape())};
  const auto encrypt = [&](const OwnedImage& image, OwnedImage& to) {
    cipher.rounds.encrypt(rounds, image.view(), secret, nonce, parameter, to.view());
  };
  encrypt(plain, out.first);
  encrypt(changed, out.second);
  return out;
}

}  // namespace icb
