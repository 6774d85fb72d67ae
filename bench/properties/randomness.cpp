/// SP 800-22 on cipher images of photographs, of patterns, and on the raw keystream.
///
/// sp80022:        sequences of 10^6 bits cut from the cipher images of the whole set, as Table 2
///                 and `icbench nist --cipher` do (bench/cipher_stream.hpp).
/// sp80022-patterns: plain images that leave the cipher alone with itself, after the data
/// categories
///                 of J. Soto, "Randomness testing of the AES candidate algorithms", NISTIR 6390,
///                 1999. A sequence is made under a key of its own:
///                 - zero: one image of zeros, as long as the sequence;
///                 - counter: one image of 64-bit numbers counting from a seeded one, most
///                   significant byte first;
///                 - low-weight: images of 64 x 64 pixels, zeros but for one (every other) or two
///                   seeded bits, a fresh nonce each, concatenated;
///                 - high-density: their complements.
/// keystream:      sequences of 10^6 bits, each the first under a key and nonce of its own, and one
///                 sequence as long as all of these together, under one key and nonce.
/// Null:           `Assessor`: per sub-test how many pass, the smallest p-value, uniformity, with
///                 the tests' own approximations allowed for.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "bench/cipher_stream.hpp"
#include "bench/properties/property.hpp"
#include "bench/properties/sequences.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb::properties {
namespace {

/// The property of some kinds of sequences.
using Kinds = std::vector<Sequences> (*)(const Subject&);

PropertyEntry property(std::string name, std::string summary, Kinds kinds,
                       std::function<std::optional<std::string>(const Subject&)> refuses) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .null_model = "proportions binomial, p-values uniform, within the tests' approximation",
          .refuses = std::move(refuses),
          .cells =
              [kinds](const Subject& subject) {
                std::vector<Cell> out;
                for (const Sequences& each : kinds(subject)) {
                  for (Cell& cell : sequence_cells(each)) out.push_back(std::move(cell));
                }
                return out;
              },
          .findings =
              [kinds](const Subject& subject, const CellResults& results) {
                std::vector<Finding> out;
                for (const Sequences& each : kinds(subject)) {
                  for (Finding& row : sequence_findings(each, results, subject.alpha)) {
                    out.push_back(std::move(row));
                  }
                }
                return out;
              }};
}

// --- Photographs

/// The set without what the cipher refuses.
ImageSet accepted(const Subject& subject) {
  ImageSet out = subject.stream;
  std::erase_if(out.images, [&](const ImageRef& image) {
    return subject.cipher.refuses(image.shape).has_value();
  });
  return out;
}

std::vector<Sequences> of_images(const Subject& subject) {
  const ImageSet set = accepted(subject);
  std::string id;
  for (const ImageRef& image : set.images) id += image.sha256;
  const std::uint64_t per_key = sequences_per_stream(set, subject.sizes.sequence_bits);
  // Without a key every stream is the same.
  const std::uint64_t most = subject.cipher.key_bits.value == 0 ? per_key : subject.sizes.sequences;
  return {{.kind = "images",
           .count = per_key == 0 ? 0 : std::min(most, subject.sizes.sequences),
           .bits = subject.sizes.sequence_bits,
           .make =
               [&subject, set](std::uint64_t index) {
                 thread_local KeptImage kept;
                 return cipher_sequence(subject.seed, set, subject.cipher.name,
                                        subject.sizes.sequence_bits, index, kept);
               },
           .id = fmt::format("/{}", to_hex(sha256(id)))}};
}

const RegisterProperty images_entry{
    property("sp80022", "the 15 tests of SP 800-22 on sequences of cipher images", of_images,
             [](const Subject& subject) -> std::optional<std::string> {
               if (sequences_per_stream(accepted(subject), subject.sizes.sequence_bits) > 0)
                 return std::nullopt;
               return "the images are shorter than a sequence";
             })};

// --- Patterns

constexpr std::size_t small_side = 64;

/// An image of one row per 256 bytes, at least as long as the sequence.
Shape long_shape(std::uint64_t bits) {
  constexpr std::size_t cols = 256;
  return {.rows = static_cast<std::size_t>((bits / 8 + cols) / cols), .cols = cols};
}

OwnedImage counter_image(const Shape& shape, std::uint64_t first) {
  OwnedImage out(shape);
  const MutableBytes bytes = out.view().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((first + i / 8) >> (56 - 8 * (i % 8)));
  }
  return out;
}

/// Zeros but for `weight` different bits.
OwnedImage low_weight_image(std::mt19937_64& engine, std::size_t weight) {
  OwnedImage out({.rows = small_side, .cols = small_side});
  for (std::size_t set = 0; set < weight;) {
    const std::uint64_t bit = uniform_below(engine, 8 * out.bytes().size());
    std::uint8_t& byte = out.view().bytes()[bit / 8];
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    if ((byte & mask) != 0) continue;
    byte |= mask;
    ++set;
  }
  return out;
}

/// Cipher images of few-bit images, one after the other.
Bytes low_weight_stream(const Subject& subject, const std::string& label, std::uint8_t invert) {
  const Bytes key = key_of(subject, label);
  std::mt19937_64 engine(derive_seed(subject.seed, label));
  Bytes out;
  for (std::size_t i = 0; 8 * out.size() < subject.sizes.sequence_bits; ++i) {
    OwnedImage plain = low_weight_image(engine, 1 + i % 2);
    for (std::uint8_t& byte : plain.view().bytes()) byte ^= invert;
    const OwnedImage image = encrypt(subject.cipher, std::as_const(plain).view(), key,
                                     nonce_of(subject, fmt::format("{}/{}", label, i)))
                                 .image;
    out.insert(out.end(), image.bytes().begin(), image.bytes().end());
  }
  return out;
}

Bytes pattern_stream(const Subject& subject, const std::string& kind, std::uint64_t index) {
  const std::string label = fmt::format("pattern/{}/{}", kind, index);
  if (kind == "low-weight") return low_weight_stream(subject, label, 0);
  if (kind == "high-density") return low_weight_stream(subject, label, 0xFF);
  const Shape shape = long_shape(subject.sizes.sequence_bits);
  const OwnedImage plain = kind == "counter"
                               ? counter_image(shape, derive_seed(subject.seed, label))
                               : OwnedImage(shape);
  const OwnedImage image =
      encrypt(subject.cipher, plain.view(), key_of(subject, label), nonce_of(subject, label)).image;
  return {image.bytes().begin(), image.bytes().end()};
}

std::vector<Sequences> of_patterns(const Subject& subject) {
  std::vector<Sequences> out;
  for (const char* name : {"zero", "counter", "low-weight", "high-density"}) {
    const std::string kind = name;
    out.push_back({.kind = kind,
                   .count = subject.sizes.pattern_sequences,
                   .bits = subject.sizes.sequence_bits,
                   .make = [&subject, kind](std::uint64_t index) {
                     return BitSequence::from_bytes(pattern_stream(subject, kind, index), 0,
                                                    subject.sizes.sequence_bits);
                   }});
  }
  return out;
}

const RegisterProperty patterns_entry{property(
    "sp80022-patterns",
    "the 15 tests on cipher images of zeros, a counter, and images of few bits set or cleared",
    of_patterns, [](const Subject& subject) -> std::optional<std::string> {
      if (const auto reason = subject.cipher.refuses(long_shape(subject.sizes.sequence_bits)))
        return reason;
      return subject.cipher.refuses({.rows = small_side, .cols = small_side});
    })};

// --- Keystream

BitSequence keystream_bits(const Subject& subject, const std::string& label, std::uint64_t bits) {
  Bytes out((bits + 7) / 8);
  subject.cipher.keystream(key_of(subject, label), nonce_of(subject, label), out);
  return BitSequence::from_bytes(out, 0, bits);
}

std::vector<Sequences> of_keystream(const Subject& subject) {
  const std::uint64_t total = subject.sizes.keystream_bits;
  const std::uint64_t each = subject.sizes.sequence_bits;
  std::vector<Sequences> out;
  out.push_back({.kind = "keystream",
                 .count = total / each,
                 .bits = each,
                 .make = [&subject, each](std::uint64_t index) {
                   return keystream_bits(subject, fmt::format("keystream/{}", index), each);
                 }});
  if (total > each) {
    out.push_back({.kind = "keystream-long",
                   .count = 1,
                   .bits = total,
                   .make = [&subject, total](std::uint64_t) {
                     return keystream_bits(subject, "keystream/long", total);
                   }});
  }
  return out;
}

const RegisterProperty keystream_entry{
    property("keystream", "the 15 tests on the raw keystream, in sequences and as one long one",
             of_keystream, [](const Subject& subject) -> std::optional<std::string> {
               if (subject.cipher.keystream) return std::nullopt;
               return "the cipher offers no raw keystream";
             })};

}  // namespace
}  // namespace icb::properties
