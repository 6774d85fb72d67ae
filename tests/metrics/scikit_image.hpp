/// Values computed by scikit-image (scripts/oracles/scikit_image.py) and the images they are of.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/image.hpp"

namespace icb::testing {

/// tests/metrics/data/scikit_image.json: "ssim", a list of {bits, a, b, value}, and "glcm", a list
/// of {bits, image, values}.
nlohmann::json scikit_image_values();

/// The gray image of that name and depth (8 or 16), by the script's formula.
OwnedImage formula_image(const std::string& name, int bits);

}  // namespace icb::testing
