/// Decryption of damaged cipher images: the damages, and their pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/protocols/protocol.hpp"
#include "core/image.hpp"

namespace icb::protocols {

/// A damage of cipher images: a kind, and how much of it.
struct Damage {
  std::string name;  ///< the variant: "salt-and-pepper 0.01"
  /// The damaged image; seeded by derive_seed(seed, "robustness/" + name).
  OwnedImage (*apply)(ConstImage image, double amount, std::uint64_t seed);
  double amount;
};

/// All damages, kind by kind, each from little to much:
/// - salt-and-pepper: that share of samples, exactly, becomes 0 or the largest value, by a coin;
/// - gaussian-noise: added to every sample, sd in steps of 8-bit samples (257 times that for 16
///   bit), rounded and clipped. The deviate is (S - 6 * 65535) / 65536, S the sum of twelve uniform
///   16-bit integers: integers only, so the same everywhere; sd 1 to 1e-10, excess kurtosis -0.1,
///   nothing beyond 6 sd;
/// - bit-flips: one bit, or that share of all bits;
/// - cropping: 1/16 and 1/4, the centred rectangle with a quarter and a half of the sides; 1/2, the
///   left half; set to 0;
/// - lost-rows: one row, or that share of them, seeded; set to 0.
/// Shares are rounded, and at least one thing is damaged.
const std::vector<Damage>& damages();

OwnedImage damaged(const Damage& damage, ConstImage image, std::uint64_t seed);

/// What decryption makes of each damage, as one picture for the eye: six rows of five cells. First
/// row: plain image, cipher image, cipher image decrypted unharmed; then a row for each kind in the
/// order of `damages`, little to much. Cells are box averages with at most `side` pixels a side,
/// two white pixels apart; unused ones are white, and a cipher image the cipher refused is white
/// with a black cross. Channels and depth are those of the plain image.
/// Throws std::invalid_argument if the cipher refuses the shape.
OwnedImage robustness_sheet(const ProtocolInput& input, std::size_t side = 256);

}  // namespace icb::protocols
