#include "tests/metrics/scikit_image.hpp"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

constexpr std::int64_t rows = 48;
constexpr std::int64_t cols = 67;

std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

std::int64_t noise(std::int64_t r, std::int64_t c, std::uint64_t flip, std::int64_t mask) {
  const std::uint64_t place = static_cast<std::uint64_t>(r * cols + c) ^ flip;
  return static_cast<std::int64_t>(splitmix64(place)) & mask;
}

std::int64_t formula(const std::string& name, std::int64_t r, std::int64_t c, std::int64_t full) {
  if (name == "ramp") return full * (3 * r + 2 * c) / 300;
  if (name == "hills") {
    return full * (std::abs(r * 5 % 96 - 48) * std::abs(c * 3 % 134 - 67) + 200) / 4000;
  }
  if (name == "blocks") return full * ((r / 7 + c / 5) % 2 != 0 ? 9 : 2) / 10;
  if (name == "flat") return full * 2 / 5;
  if (name == "noise") return noise(r, c, 0, full);
  if (name == "noise2") return noise(r, c, 0xFFFF0000, full);
  if (name == "grainy") return formula("hills", r, c, full) * 7 / 8 + noise(r, c, 0, full >> 4);
  throw std::invalid_argument("no image formula " + name);
}

}  // namespace

nlohmann::json scikit_image_values() {
  return nlohmann::json::parse(
      std::ifstream(ICB_SOURCE_DIR "/tests/metrics/data/scikit_image.json"));
}

OwnedImage formula_image(const std::string& name, int bits) {
  const std::int64_t full = (std::int64_t{1} << bits) - 1;
  return image_of(
      {rows, cols, 1, static_cast<std::size_t>(bits / 8)},
      [&](std::size_t row, std::size_t col, std::size_t) {
        return static_cast<std::uint16_t>(
            formula(name, static_cast<std::int64_t>(row), static_cast<std::int64_t>(col), full));
      });
}

}  // namespace icb::testing
