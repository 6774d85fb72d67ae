/// The interface of image metrics. A metric knows no cipher: it sees an image, or a plain and a
/// cipher image, and returns measurements whose finding half is filled.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/image.hpp"
#include "core/measurement.hpp"
#include "core/registry.hpp"

namespace icb {

/// What a metric looks at.
struct MetricInput {
  ConstImage image;                      ///< The image judged.
  std::optional<ConstImage> plain = {};  ///< Its plain image, for metrics that compare the two.
  std::uint64_t pairs = 0;               ///< Sampled pairs; 0: all pairs.
  std::uint64_t seed = 0;                ///< Seed of the sample, used if pairs > 0.
};

struct MetricEntry {
  static constexpr const char* kind = "metric";

  std::string name;
  std::string unit;
  std::string source;        ///< Formula's origin (paper and equation) and the null model's.
  bool needs_plain = false;  ///< Compares the image with its plain image.
  /// Per channel, then "all" (pooled over channels) if there is more than one channel.
  /// Errors: std::invalid_argument if a needed plain image is absent or of another shape.
  std::function<std::vector<Measurement>(const MetricInput&)> compute;
};

using RegisterMetric = Register<MetricEntry>;

}  // namespace icb
