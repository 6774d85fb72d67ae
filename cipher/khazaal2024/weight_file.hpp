/// Reading the networks' weight files: JSON in, integers in range out. Every refusal is a
/// std::invalid_argument that names the field.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace icb::khazaal2024::weight_file {

using nlohmann::json;

template <class T>
void read_into(const json& in, T& out, const char* field) {
  if (!in.is_number_integer() || (in.is_number_unsigned() && in.get<std::uint64_t>() >> 63 != 0)) {
    throw std::invalid_argument(
        fmt::format("weights: \"{}\" must hold integers, got {}", field, in.dump()));
  }
  const auto value = in.get<std::int64_t>();
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    throw std::invalid_argument(
        fmt::format("weights: \"{}\" holds {}, beyond its range", field, value));
  }
  out = static_cast<T>(value);
}

template <class T, std::size_t count>
void read_into(const json& in, std::array<T, count>& out, const char* field) {
  if (!in.is_array() || in.size() != count) {
    throw std::invalid_argument(
        fmt::format("weights: \"{}\" must have {} entries, got {}", field, count, in.size()));
  }
  for (std::size_t i = 0; i < count; ++i) read_into(in[i], out.at(i), field);
}

/// The file of that network.
inline json parse(std::string_view text, std::string_view network) {
  try {
    auto in = json::parse(text);
    if (in.at("format") != "icbench-weights-1" || in.at("network") != network) {
      throw std::invalid_argument(
          fmt::format("weights: expected format icbench-weights-1, network {}", network));
    }
    return in;
  } catch (const json::exception& error) {
    throw std::invalid_argument(fmt::format("weights of {}: {}", network, error.what()));
  }
}

inline const json& field(const json& in, const char* name) {
  if (!in.is_object()) throw std::invalid_argument("weights: expected an object");
  if (!in.contains(name)) {
    throw std::invalid_argument(fmt::format("weights: no field \"{}\"", name));
  }
  return in.at(name);
}

}  // namespace icb::khazaal2024::weight_file
