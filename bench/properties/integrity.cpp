/// Wrong key or altered data: refused, with nothing but zeros as output.
///
/// Subject: one cipher image, 64 x 64 gray. Decrypted under every key that differs in one bit and
///          under 64 unrelated keys; with each bit of the header flipped; with one seeded bit of
///          sampled bytes of the image flipped, the first and the last among them.
/// Null:    none: a decryption that is not refused with IntegrityError, or that leaves anything but
///          zeros in its output, is a rejection. A tag of t bits lets one in 2^t pass.
/// Ciphers without integrity check (CipherEntry::has_integrity, and nothing refused): not
/// applicable.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "bench/properties/property.hpp"
#include "bench/protocols/pairs.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb::properties {
namespace {

constexpr std::array<const char*, 3> kinds{"wrong_key", "altered_header", "altered_image"};
constexpr std::size_t side = 64;
constexpr std::size_t unrelated_keys = 64;

std::string cell_name(const Subject& subject) {
  return fmt::format("integrity/{}", subject.sizes.altered);
}

/// How decryptions that should be refused end.
struct Tally {
  std::uint64_t tried = 0;
  std::uint64_t refused = 0;
  std::uint64_t leaked = 0;  ///< refused, but the output is not all zero
  std::string first;         ///< that was not refused, or leaked

  void add(const CipherEntry& cipher, ConstImage image, ConstBytes key, ConstBytes header,
           const std::string& what) {
    ++tried;
    // The interface, not the checking function: what is in the output afterwards counts.
    OwnedImage out(image.shape(), Bytes(image.shape().bytes(), 0xA5));
    bool bad = true;
    try {
      cipher.decrypt(image, key, header, out.view());
    } catch (const IntegrityError&) {
      ++refused;
      bad = std::ranges::any_of(out.bytes(), [](std::uint8_t byte) { return byte != 0; });
      leaked += bad ? 1U : 0U;
    }
    if (bad && first.empty()) first = what;
  }
};

std::vector<Measurement> measure(const Subject& subject) {
  const CipherEntry& cipher = subject.cipher;
  const Shape shape{side, side, 1, 1};
  const OwnedImage plain(shape, derive_bytes(subject.seed, "integrity/plain", shape.bytes()));
  Bytes key = key_of(subject, "integrity");
  Encrypted sent = encrypt(cipher, plain.view(), key, nonce_of(subject, "integrity"));
  const auto image = [&] { return std::as_const(sent.image).view(); };
  std::array<Tally, 3> tallies;

  for (std::size_t bit = 0; bit < cipher.key_bits.value; ++bit) {
    const auto flip = static_cast<std::uint8_t>(1U << (bit % 8));
    key[bit / 8] ^= flip;
    tallies[0].add(cipher, image(), key, sent.header, fmt::format("key bit {}", bit));
    key[bit / 8] ^= flip;
  }
  for (std::size_t i = 0; i < unrelated_keys && !key.empty(); ++i) {
    const std::string label = fmt::format("integrity/wrong-{}", i);
    tallies[0].add(cipher, image(), key_of(subject, label), sent.header, label);
  }
  for (std::size_t bit = 0; bit < 8 * sent.header.size(); ++bit) {
    const auto flip = static_cast<std::uint8_t>(1U << (bit % 8));
    sent.header[bit / 8] ^= flip;
    tallies[1].add(cipher, image(), key, sent.header, fmt::format("header bit {}", bit));
    sent.header[bit / 8] ^= flip;
  }
  std::mt19937_64 engine(derive_seed(subject.seed, "integrity/bytes"));
  std::vector<std::uint64_t> bytes{0, shape.bytes() - 1};
  const auto drawn = protocols::distinct_below(engine, subject.sizes.altered, shape.bytes(), bytes);
  bytes.insert(bytes.end(), drawn.begin(), drawn.end());
  for (const std::uint64_t byte : bytes) {
    const auto flip = static_cast<std::uint8_t>(1U << uniform_below(engine, 8));
    sent.image.view().bytes()[byte] ^= flip;
    tallies[2].add(cipher, image(), key, sent.header, fmt::format("image byte {}", byte));
    sent.image.view().bytes()[byte] ^= flip;
  }

  std::vector<Measurement> out;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const Tally& tally = tallies.at(i);
    const std::string stem = kinds.at(i);
    out.push_back(measurement_of(stem + "_accepted",
                                 static_cast<double>(tally.tried - tally.refused), tally.tried));
    out.back().detail = tally.first;
    out.push_back(measurement_of(stem + "_leaked", static_cast<double>(tally.leaked), tally.tried));
    out.back().detail = tally.first;
  }
  return out;
}

std::vector<Cell> cells(const Subject& subject) {
  return {{cell_name(subject), [&subject] { return measure(subject); }, 60}};
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  const auto measured = found(results, cell_name(subject));
  const bool any_refused = std::ranges::any_of(measured, [](const Measurement& m) {
    return m.quantity.ends_with("_accepted") && *m.value < static_cast<double>(m.n);
  });
  const bool applies = subject.cipher.has_integrity || any_refused;
  std::vector<Finding> out;
  for (const Measurement& m : measured) {
    const std::string kind = m.quantity.substr(0, m.quantity.rfind('_'));
    Finding each = exact_finding(m.quantity, fmt::format("integrity/{}", kind),
                                 static_cast<std::uint64_t>(*m.value), m.n,
                                 "none: exact, but for 2^-t of a tag of t bits");
    if (!applies) {
      each.measurement.status = Status::not_applicable;
      each.measurement.detail = "the cipher has no integrity check";
      each.decides = false;
    } else if (m.n == 0) {
      each.measurement.detail = "the cipher has none to alter";
    } else {
      const char* what = m.quantity.ends_with("_accepted") ? "not refused"
                                                           : "refused with output that is not zero";
      each.measurement.detail =
          fmt::format("{} of {} {} {}{}{}", *m.value, m.n, kind, what,
                      *m.value > 0 ? "; the first: " : "", *m.value > 0 ? m.detail : "");
    }
    out.push_back(std::move(each));
  }
  return out;
}

const RegisterProperty entry{
    {.name = "integrity",
     .summary = "wrong keys, altered header bits and altered image bytes are refused, output zeros",
     .null_model = "none: exact",
     .refuses = always_measured,
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
