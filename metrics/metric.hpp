/// The interface of image metrics. A metric knows no cipher: it sees an image, or a plain and a
/// cipher image, or two cipher images, and returns measurements whose finding half is filled.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/measurement.hpp"
#include "core/registry.hpp"
#include "metrics/counted_image.hpp"

namespace icb {

/// What a metric looks at. All images have the same shape. Metrics given the same input share what
/// they count; one thread at a time.
struct MetricInput {
  CountedImage image;                      ///< The image judged, usually a cipher image.
  std::optional<CountedImage> plain = {};  ///< Its plain image, for metrics that compare the two.
  std::uint64_t pairs = 0;                 ///< Sampled pairs; 0: all pairs.
  std::uint64_t seed = 0;                  ///< Seed of whatever is sampled.
  /// A second cipher image, for metrics that compare two of them.
  std::optional<CountedImage> second = {};
};

/// The images a metric cannot do without, beside the one judged.
enum class Needs {
  nothing,  ///< one image
  plain,    ///< plain and cipher image
  second,   ///< two cipher images
};

std::string_view to_string(Needs needs);

struct MetricEntry {
  static constexpr const char* kind = "metric";

  std::string name;  ///< also the CSV's quantity
  std::string unit;
  std::string formula;   ///< of the value, in a line
  std::string expected;  ///< of an ideal cipher: formula of the mean
  std::string sd;        ///< formula of the standard deviation
  std::string source;    ///< formula's origin (paper and equation) and the null model's
  /// Metrics that are nearly one statistic under the null model (correlation above 0.9) share a
  /// family and are counted once in a verdict. Empty: a family of its own.
  std::string family = {};
  Needs needs = Needs::nothing;
  /// Per channel, then "all" (pooled over channels) if there is more than one channel; metrics
  /// whose subject is the pixel give "all" alone, `per_channel` false.
  /// Errors: std::invalid_argument if a needed image is absent or of another shape.
  std::function<std::vector<Measurement>(const MetricInput&)> compute;
  bool per_channel = true;

  std::string_view family_name() const { return family.empty() ? name : family; }
};

using RegisterMetric = Register<MetricEntry>;

/// The plain image of the input. Throws std::invalid_argument naming the metric if there is none or
/// its shape differs.
const CountedImage& plain_of(const MetricInput& input, std::string_view metric);

/// The second cipher image; same rules.
const CountedImage& second_of(const MetricInput& input, std::string_view metric);

}  // namespace icb
