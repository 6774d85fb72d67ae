/// Image metrics over many key/image pairs: is an ideal cipher's rate of rejection kept?
///
/// Pairs:   image i of those of 64 x 64 pixels or more in turn, a key and a nonce of its own.
/// Values:  correlation of horizontal, vertical and diagonal neighbours, entropy, chi-square and
///          local entropy of every channel, with the metric's own p-value. Channels of an ideal
///          cipher image are independent, and so are pairs: all p-values of a metric are one
///          sample.
/// Null:    `rate_findings`. Entropy and chi-square are one family.
#include <fmt/format.h>

#include <array>
#include <map>

#include "bench/properties/property.hpp"
#include "bench/properties/rates.hpp"
#include "core/hash.hpp"
#include "metrics/metric.hpp"

namespace icb::properties {
namespace {

constexpr std::array<const char*, 6> names{"correlation_horizontal",
                                           "correlation_vertical",
                                           "correlation_diagonal",
                                           "entropy",
                                           "chi_square",
                                           "local_entropy"};

std::string cell_name(std::uint64_t pair, const ImageRef& image) {
  return fmt::format("image-metrics/{}/{}/{}", pair, image.name, image.sha256);
}

std::vector<Measurement> measure(const Subject& subject, const std::string& cell,
                                 const ImageRef& image) {
  const OwnedImage plain = owned(image.load());
  const Encrypted sent =
      encrypt(subject.cipher, plain.view(), key_of(subject, cell), nonce_of(subject, cell));
  const MetricInput input{.image = sent.image.view(), .seed = derive_seed(subject.seed, cell)};
  input.image.count_all();
  std::vector<Measurement> out;
  for (const char* name : names) {
    for (Measurement& m : find<MetricEntry>(name).compute(input)) {
      if (m.channel == "all" && plain.shape().channels > 1) continue;  // repeats the channels
      m.image = image.name;
      m.key_id = cell;
      out.push_back(std::move(m));
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
                   3e-6 * static_cast<double>(image.shape.bytes())});
  }
  return out;
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  const std::vector<ImageRef> images = large_images(subject);
  std::map<std::string, Samples> samples;
  for (std::uint64_t pair = 0; pair < subject.sizes.pairs; ++pair) {
    for (const Measurement& m : found(results, cell_name(pair, image_of_pair(images, pair)))) {
      samples[m.quantity].add(m);
    }
  }
  std::vector<Finding> out;
  for (const char* name : names) {
    const MetricEntry& metric = find<MetricEntry>(name);
    const auto rows = rate_findings(
        {.stem = name,
         .family = fmt::format("image-metrics/{}", metric.family_name()),
         .nonce_policy = {},
         .null_model = fmt::format("p of {}: mean {}, sd {}", name, metric.expected, metric.sd)},
        samples[name]);
    out.insert(out.end(), rows.begin(), rows.end());
  }
  return out;
}

const RegisterProperty entry{
    {.name = "image-metrics",
     .summary = "correlation, entropy, chi-square, local entropy of many key/image pairs: rejected "
                "at the rate alpha predicts",
     .null_model = "binomial(n, alpha) at 0.05, 0.01, 0.001; p-values uniform (KS)",
     .refuses = always_measured,
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
