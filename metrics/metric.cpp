#include "metrics/metric.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace icb {
namespace {

const CountedImage& needed(const std::optional<CountedImage>& image, const char* which,
                           const MetricInput& input, std::string_view metric) {
  if (!image) {
    throw std::invalid_argument(fmt::format("{}: needs the {}, got none", metric, which));
  }
  if (image->shape() != input.image.shape()) {
    throw std::invalid_argument(fmt::format("{}: expected a {} of {}, got {}", metric, which,
                                            to_string(input.image.shape()),
                                            to_string(image->shape())));
  }
  return *image;
}

}  // namespace

std::string_view to_string(Needs needs) {
  switch (needs) {
    case Needs::plain:
      return "plain and cipher image";
    case Needs::second:
      return "two cipher images";
    case Needs::nothing:
      break;
  }
  return "one image";
}

const CountedImage& plain_of(const MetricInput& input, std::string_view metric) {
  return needed(input.plain, "plain image", input, metric);
}

const CountedImage& second_of(const MetricInput& input, std::string_view metric) {
  return needed(input.second, "second cipher image", input, metric);
}

}  // namespace icb
