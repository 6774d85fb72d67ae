/// The CNN key generator (docs/cipher.md, section 2) and the condensing of its features to the
/// public parameter (section 1). P4, P5. Integers throughout; the trained tables are compiled in.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

inline constexpr std::size_t predictor_taps = 5;
inline constexpr std::size_t patch = 4;  ///< side and stride of the convolutions of levels 2 to 4
/// Filters of levels 2 to 4; each level's are the maps of the next.
inline constexpr std::array<std::size_t, feature_levels - 1> level_filters{4, 8, 16};

struct ConvolutionLayer {
  std::size_t filters;
  std::size_t maps;
  std::vector<std::int8_t> weight;  ///< [filter][map][row][column]
  std::vector<std::int32_t> bias;
  int shift;
};

struct KeygenWeights {
  std::array<std::array<std::int8_t, predictor_taps>, 2> predictor;
  std::array<ConvolutionLayer, feature_levels - 1> layers;
};

/// The shipped, trained weights.
const KeygenWeights& trained_keygen();

/// Throws std::invalid_argument naming the field that is absent, of the wrong shape or out of
/// range, or whose sums could leave their 16 or 32 bits.
KeygenWeights parse_keygen(std::string_view json);

/// Features of every level as byte strings; level 1 determines the image. Section 2 written out,
/// for tests: slow, and all levels in memory.
using Features = std::array<Bytes, feature_levels>;
Features features(const KeygenWeights& weights, ConstImage image);

/// T1 to T4: the Poly1305 tags of the four levels.
///
/// threads: 0 means all cores; the tags are the same for any number. Memory, besides the image: 20
///          rows of features for each thread, and levels 3 and 4, 9/256 of the image's samples.
std::array<Tag, feature_levels> condense_features(const KeygenWeights& weights, ConstImage image,
                                                  const CondensingKeys& keys, unsigned threads = 1);

/// Q, the HMAC of the tags.
PublicParameter condense(const std::array<Tag, feature_levels>& tags, const CondensingKeys& keys);

}  // namespace icb::khazaal2024
