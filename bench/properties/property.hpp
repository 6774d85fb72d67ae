/// The interface of properties: what a cipher must show, each with its null model, for `icbench
/// properties`. One source file each, self-registered.
///
/// A property has two halves. Its cells are the work: independent pure functions of their names,
/// the seed and the cipher, whose measurements are stored. Its findings are the judgement: a pure
/// function of those measurements.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cells.hpp"
#include "cipher/cipher.hpp"
#include "core/measurement.hpp"
#include "core/registry.hpp"
#include "datasets/dataset.hpp"

namespace icb::properties {

/// How much is measured.
struct Sizes {
  std::uint64_t pairs = 1000;             ///< key/image pairs
  std::uint64_t sequences = 1000;         ///< of images, for SP 800-22
  std::uint64_t pattern_sequences = 100;  ///< of each pattern
  std::uint64_t sequence_bits = 1'000'000;
  std::uint64_t keystream_bits = 1'000'000'000;  ///< as sequences, and once more as one
  std::size_t parameter_side = 128;  ///< of the image every position of which is flipped
  std::size_t key_side = 256;        ///< of the image whose key bits are flipped
  std::uint64_t altered = 1000;      ///< sampled bytes of the cipher image
  std::uint64_t rounds_keys = 100;
  std::size_t larger_side = 2048;      ///< of the largest image of the shapes
  std::size_t most_images = SIZE_MAX;  ///< of a set, for the exact inverse

  static Sizes quick();
};

/// What is examined.
struct Subject {
  const CipherEntry& cipher;
  std::uint64_t seed = 1;
  double alpha = 0.01;  ///< of shares that protocols report and of SP 800-22's proportions
  Sizes sizes = {};
  ImageSet images = {};                ///< of key/image pairs
  ImageSet stream = {};                ///< encrypted and concatenated for SP 800-22
  std::vector<ImageSet> volumes = {};  ///< all images there are, for the exact inverse
};

/// One statistic with its judgement.
struct Finding {
  /// Finding half filled; the pair (quantity, nonce_policy) is unique in a report. With a p-value
  /// it is judged together with all others. Without one its status is final: `ok` or `reject` by a
  /// bound that an ideal cipher never misses.
  Measurement measurement;
  std::string family;      ///< findings that say nearly the same, or the same of several samples
  std::string null_model;  ///< in a line
  bool decides = true;
  std::optional<double> low = {};  ///< Clopper-Pearson 95 % interval of a rate
  std::optional<double> high = {};
};

struct PropertyEntry {
  static constexpr const char* kind = "property";

  std::string name;     ///< kebab-case id
  std::string summary;  ///< what is done, one sentence
  std::string null_model;
  /// Why it cannot be measured on this cipher; else empty.
  std::function<std::optional<std::string>(const Subject&)> refuses;
  std::function<std::vector<Cell>(const Subject&)> cells;
  /// Results of its own cells are there; cells that failed are one measurement of status `error`
  /// each, and are left out.
  std::function<std::vector<Finding>(const Subject&, const CellResults&)> findings;
};

using RegisterProperty = Register<PropertyEntry>;

// --- What properties share

inline std::optional<std::string> always_measured(const Subject& /*subject*/) {
  return std::nullopt;
}

Bytes key_of(const Subject& subject, std::string_view label);
Bytes nonce_of(const Subject& subject, std::string_view label);

/// The images of a set large enough for statistics that are exact for large ones: 8 bit, 64 x 64
/// pixels or more, and accepted by the cipher.
std::vector<ImageRef> large_images(const Subject& subject);

/// Image of pair number `pair`: the large ones in turn. Throws InputError if there is none.
const ImageRef& image_of_pair(const std::vector<ImageRef>& images, std::uint64_t pair);

/// A measurement with these; channel "all", where not each channel has its own.
Measurement measurement_of(std::string quantity, double value, std::uint64_t n);

/// Results of the cell without errors; empty if it failed.
std::span<const Measurement> found(const CellResults& results, const std::string& cell);

/// Whether what happens under one nonce for two plain images decides: not if the cipher has nonces
/// and no public parameter that takes their place (is_nonce_misuse).
bool fixed_nonce_decides(const CipherEntry& cipher);

/// A finding without p-value: `count` things of `n` that an ideal cipher never shows.
Finding exact_finding(std::string quantity, std::string family, std::uint64_t count,
                      std::uint64_t n, std::string null_model);

}  // namespace icb::properties
