/// One least significant bit of the plain image changed: how far do the two cipher images lie
/// apart?
///
/// Pairs:   image i of those of 64 x 64 pixels or more in turn. For each of four samples (first,
///          middle, last, a seeded one) a key of its own and three encryptions: the image, the
///          changed one under the same nonce (`fixed`), the changed one under a fresh nonce
///          (`fresh`).
/// Values:  NPCR, UACI and bit change rate of every channel. For an ideal cipher all p-values of a
///          metric, position and policy are independent; those of the two counts are randomised so
///          that they are uniform exactly (`uniform_p`).
/// Null:    `rate_findings`; the four positions of a metric are one family.
/// Nonces:  `fixed` decides for a cipher without nonces, and for one whose public parameter stands
///          in for a repeated nonce; for others two images under one nonce are misuse.
#include <fmt/format.h>

#include <array>
#include <map>
#include <random>

#include "bench/properties/property.hpp"
#include "bench/properties/rates.hpp"
#include "core/hash.hpp"
#include "metrics/metric.hpp"

namespace icb::properties {
namespace {

constexpr std::array<const char*, 3> names{"npcr", "uaci", "bit_change_rate"};
constexpr std::array<const char*, 4> positions{"first", "middle", "last", "random"};

std::string cell_name(std::uint64_t pair, const ImageRef& image) {
  return fmt::format("one-bit-change/{}/{}/{}", pair, image.name, image.sha256);
}

std::uint64_t sample_of(const Subject& subject, const std::string& label, std::size_t position,
                        const Shape& shape) {
  const std::uint64_t samples = shape.samples();
  std::mt19937_64 engine(derive_seed(subject.seed, label));
  const std::uint64_t drawn = uniform_below(engine, samples);
  return std::array<std::uint64_t, 4>{0, samples / 2, samples - 1, drawn}.at(position);
}

std::vector<Measurement> measure(const Subject& subject, const std::string& cell,
                                 const ImageRef& image) {
  const OwnedImage plain = owned(image.load());
  const Shape& shape = plain.shape();
  const bool has_nonce = subject.cipher.nonce_bytes.value > 0;
  std::vector<Measurement> out;
  for (std::size_t position = 0; position < positions.size(); ++position) {
    const std::string label = fmt::format("{}/{}", cell, positions.at(position));
    const Bytes key = key_of(subject, label);
    const Bytes nonce = nonce_of(subject, label);
    OwnedImage changed = plain;
    changed.view().bytes()[sample_of(subject, label, position, shape) * shape.sample_bytes] ^= 1U;
    const OwnedImage first = encrypt(subject.cipher, plain.view(), key, nonce).image;
    for (const char* policy : {"fixed", "fresh"}) {
      const bool fixed = policy[1] == 'i';
      if (!fixed && !has_nonce) continue;
      const OwnedImage second = encrypt(subject.cipher, std::as_const(changed).view(), key,
                                        fixed ? nonce : nonce_of(subject, label + "/fresh"))
                                    .image;
      const MetricInput input{.image = first.view(), .second = second.view()};
      for (const char* name : names) {
        for (Measurement& m : find<MetricEntry>(name).compute(input)) {
          if (m.channel == "all" && shape.channels > 1) continue;  // repeats the channels
          m.variant = positions.at(position);
          m.nonce_policy = policy;
          m.image = image.name;
          m.key_id = label;
          if (m.p_value) {
            m.p_value = uniform_p(
                m, uniform_of(subject.seed,
                              fmt::format("{}/{}/{}/{}", label, policy, name, m.channel)));
          }
          out.push_back(std::move(m));
        }
      }
    }
  }
  return out;
}

std::vector<Cell> cells(const Subject& subject) {
  const std::vector<ImageRef> images = large_images(subject);
  std::vector<Cell> out;
  for (std::uint64_t pair = 0; pair < subject.sizes.pairs; ++pair) {
    const ImageRef& image = image_of_pair(images, pair);
    const std::string name = cell_name(pair, image);
    out.push_back({name, [&subject, name, image] { return measure(subject, name, image); },
                   2e-5 * static_cast<double>(image.shape.bytes())});
  }
  return out;
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  const std::vector<ImageRef> images = large_images(subject);
  std::map<std::string, Samples> samples;
  const auto key = [](const std::string& metric, const std::string& position,
                      const std::string& policy) {
    return fmt::format("{} {} {}", metric, position, policy);
  };
  for (std::uint64_t pair = 0; pair < subject.sizes.pairs; ++pair) {
    for (const Measurement& m : found(results, cell_name(pair, image_of_pair(images, pair)))) {
      samples[key(m.quantity, m.variant, m.nonce_policy)].add(m);
    }
  }
  const bool has_nonce = subject.cipher.nonce_bytes.value > 0;
  std::vector<Finding> out;
  for (const char* policy : {"fresh", "fixed"}) {
    const bool fixed = policy[1] == 'i';
    if (!fixed && !has_nonce) continue;
    for (const char* name : names) {
      const MetricEntry& metric = find<MetricEntry>(name);
      for (const char* position : positions) {
        const auto rows = rate_findings(
            {.stem = fmt::format("{}_{}", name, position),
             .family = fmt::format("one-bit-change/{}", name),
             .nonce_policy = policy,
             .null_model = fmt::format("p of {}: mean {}, sd {}", name, metric.expected, metric.sd),
             .decides = !fixed || fixed_nonce_decides(subject.cipher)},
            samples[key(name, position, policy)]);
        out.insert(out.end(), rows.begin(), rows.end());
      }
    }
  }
  return out;
}

const RegisterProperty entry{
    {.name = "one-bit-change",
     .summary = "NPCR, UACI and bit change rate after one least significant bit changed at the "
                "first, middle, last and a random sample, under one nonce and under fresh ones",
     .null_model = "binomial(n, alpha) at 0.05, 0.01, 0.001; p-values uniform (KS)",
     .refuses = always_measured,
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
