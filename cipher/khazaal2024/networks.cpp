#include "cipher/khazaal2024/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace icb {

namespace embedded {
extern const std::string_view feedback_json;
extern const std::string_view feedback_epochs_json;
extern const std::string_view keygen_json;
}  // namespace embedded

namespace khazaal2024 {
namespace {

using nlohmann::json;

std::int8_t clamp8(std::int32_t value) {
  return static_cast<std::int8_t>(std::clamp(value, -128, 127));
}

// --- Reading weights ----------------------------------------------------------------------------

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

json parse(std::string_view text, std::string_view network) {
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

const json& field(const json& in, const char* name) {
  if (!in.is_object()) throw std::invalid_argument("weights: expected an object");
  if (!in.contains(name))
    throw std::invalid_argument(fmt::format("weights: no field \"{}\"", name));
  return in.at(name);
}

FeedbackWeights read_feedback(const json& in) {
  FeedbackWeights out{};
  read_into(field(in, "w1"), out.w1, "w1");
  read_into(field(in, "wf"), out.wf, "wf");
  read_into(field(in, "b1"), out.b1, "b1");
  read_into(field(in, "w2"), out.w2, "w2");
  read_into(field(in, "b2"), out.b2, "b2");
  read_into(field(in, "w3"), out.w3, "w3");
  read_into(field(in, "b3"), out.b3, "b3");
  return out;
}

template <std::size_t maps>
ConvolutionLayer read_layer(const json& in, std::size_t filters) {
  const auto list_of = [&](const char* name) {
    return field(in, name).is_array() && field(in, name).size() == filters;
  };
  if (!list_of("weight") || !list_of("bias")) {
    throw std::invalid_argument(fmt::format("weights: a layer must have {} filters", filters));
  }
  ConvolutionLayer out{.filters = filters, .maps = maps, .weight = {}, .bias = {}, .shift = 0};
  for (std::size_t f = 0; f < filters; ++f) {
    std::array<std::array<std::array<std::int8_t, patch>, patch>, maps> weight{};
    read_into(in.at("weight")[f], weight, "weight");
    for (const auto& map : weight) {
      for (const auto& row : map) out.weight.insert(out.weight.end(), row.begin(), row.end());
    }
    std::int32_t bias = 0;
    read_into(in.at("bias")[f], bias, "bias");
    out.bias.push_back(bias);
  }
  read_into(field(in, "shift"), out.shift, "shift");
  if (out.shift < 0 || out.shift > 30) {
    throw std::invalid_argument(fmt::format("weights: shift must be 0 to 30, got {}", out.shift));
  }
  return out;
}

// --- CNN

/// One plane of signed 8-bit activations, one map after the other.
struct Maps {
  std::size_t rows;
  std::size_t cols;
  std::size_t count;
  std::vector<std::int8_t> values;  ///< [map][row][column]

  Maps(std::size_t rows_, std::size_t cols_, std::size_t count_)
      : rows(rows_), cols(cols_), count(count_), values(rows_ * cols_ * count_) {}

  std::int8_t* row(std::size_t map, std::size_t i) { return &values[(map * rows + i) * cols]; }

  const std::int8_t* row(std::size_t map, std::size_t i) const {
    return &values[(map * rows + i) * cols];
  }
};

/// Level 1: residual of every sample, in the layout of the image.
Bytes residuals(const KeygenWeights& weights, ConstImage image) {
  const Shape& shape = image.shape();
  OwnedImage out(shape);
  Image residual = out.view();
  const auto at = [&](std::ptrdiff_t row, std::ptrdiff_t col, std::size_t channel) -> std::int32_t {
    if (row < 0 || col < 0 || col >= static_cast<std::ptrdiff_t>(shape.cols)) return 0;
    return image.sample(static_cast<std::size_t>(row), static_cast<std::size_t>(col), channel);
  };
  const std::int32_t largest = shape.sample_bytes == 1 ? 0xFF : 0xFFFF;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const auto i = static_cast<std::ptrdiff_t>(row);
    for (std::size_t col = 0; col < shape.cols; ++col) {
      const auto j = static_cast<std::ptrdiff_t>(col);
      for (std::size_t c = 0; c < shape.channels; ++c) {
        const auto& v = weights.predictor.at(c == 0 ? 0 : 1);
        std::int32_t sum = v[0] * at(i, j - 1, c) + v[1] * at(i - 1, j, c) +
                           v[2] * at(i - 1, j - 1, c) + v[3] * at(i - 1, j + 1, c) +
                           v[4] * at(i, j - 2, c) + v[5] * at(i - 2, j, c);
        if (c > 0) {
          sum += v[6] * at(i, j, c - 1) + v[7] * at(i, j - 1, c - 1) + v[8] * at(i - 1, j, c - 1);
        }
        const std::int32_t prediction = std::clamp((sum + 32) >> 6, 0, largest);
        residual.set_sample(row, col, c,
                            static_cast<std::uint16_t>((at(i, j, c) - prediction) & largest));
      }
    }
  }
  const ConstBytes bytes = out.bytes();
  return {bytes.begin(), bytes.end()};
}

/// The two maps level 2 sees of a channel.
Maps input_maps(ConstImage image, ConstImage residual, std::size_t channel) {
  const Shape& shape = image.shape();
  const int drop = 8 * (static_cast<int>(shape.sample_bytes) - 1);
  Maps out(shape.rows, shape.cols, 2);
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t j = 0; j < shape.cols; ++j) {
      out.row(0, i)[j] = static_cast<std::int8_t>((image.sample(i, j, channel) >> drop) - 128);
      out.row(1, i)[j] = static_cast<std::int8_t>(
          static_cast<std::uint8_t>(residual.sample(i, j, channel) >> drop));
    }
  }
  return out;
}

/// Patches at stride 4, rectified to 0..127; activations outside are 0.
Maps convolve(const ConvolutionLayer& layer, const Maps& in) {
  Maps out((in.rows + patch - 1) / patch, (in.cols + patch - 1) / patch, layer.filters);
  std::vector<std::int32_t> sums(layer.filters);
  for (std::size_t i = 0; i < out.rows; ++i) {
    for (std::size_t j = 0; j < out.cols; ++j) {
      std::copy(layer.bias.begin(), layer.bias.end(), sums.begin());
      const std::size_t height = std::min(patch, in.rows - patch * i);
      const std::size_t width = std::min(patch, in.cols - patch * j);
      for (std::size_t map = 0; map < in.count; ++map) {
        for (std::size_t dy = 0; dy < height; ++dy) {
          const std::int8_t* row = in.row(map, patch * i + dy) + patch * j;
          for (std::size_t f = 0; f < layer.filters; ++f) {
            const std::int8_t* w = &layer.weight[((f * in.count + map) * patch + dy) * patch];
            for (std::size_t dx = 0; dx < width; ++dx) sums[f] += w[dx] * row[dx];
          }
        }
      }
      for (std::size_t f = 0; f < layer.filters; ++f) {
        out.row(f, i)[j] = static_cast<std::int8_t>(std::clamp(sums[f] >> layer.shift, 0, 127));
      }
    }
  }
  return out;
}

void append_filter_innermost(const Maps& maps, Bytes& out) {
  for (std::size_t i = 0; i < maps.rows; ++i) {
    for (std::size_t j = 0; j < maps.cols; ++j) {
      for (std::size_t f = 0; f < maps.count; ++f) {
        out.push_back(static_cast<std::uint8_t>(maps.row(f, i)[j]));
      }
    }
  }
}

}  // namespace

FeedbackWeights parse_feedback(std::string_view text) {
  return read_feedback(parse(text, "feedback"));
}

const FeedbackWeights& trained_feedback() {
  static const FeedbackWeights weights = parse_feedback(embedded::feedback_json);
  return weights;
}

const std::vector<TrainingSnapshot>& training_snapshots() {
  static const std::vector<TrainingSnapshot> snapshots = [] {
    std::vector<TrainingSnapshot> out;
    const json in = parse(embedded::feedback_epochs_json, "feedback-epochs");
    for (const auto& snapshot : field(in, "snapshots")) {
      int epoch = 0;
      read_into(field(snapshot, "epoch"), epoch, "epoch");
      out.push_back({epoch, read_feedback(snapshot)});
    }
    return out;
  }();
  return snapshots;
}

NetworkOutput evaluate(const FeedbackWeights& weights, const HiddenState& offsets,
                       const NetworkInput& input, HiddenState& feedback) {
  HiddenState h1{};
  for (std::size_t i = 0; i < hidden_units; ++i) {
    std::int32_t sum = weights.b1[i] + 64 * offsets[i];
    for (std::size_t j = 0; j < network_inputs; ++j) sum += weights.w1[i][j] * input[j];
    for (std::size_t k = 0; k < hidden_units; ++k) sum += weights.wf[i][k] * feedback[k];
    h1[i] = clamp8(sum >> 6);
  }
  HiddenState h2{};
  for (std::size_t i = 0; i < hidden_units; ++i) {
    std::int32_t sum = weights.b2[i];
    for (std::size_t j = 0; j < hidden_units; ++j) sum += weights.w2[i][j] * h1[j];
    h2[i] = clamp8(sum >> 6);
  }
  NetworkOutput out{};
  for (std::size_t i = 0; i < network_outputs; ++i) {
    std::int32_t sum = weights.b3[i];
    for (std::size_t j = 0; j < hidden_units; ++j) sum += weights.w3[i][j] * h2[j];
    out[i] = static_cast<std::uint16_t>(sum & 0xFFFF);
  }
  feedback = h2;
  return out;
}

KeygenWeights parse_keygen(std::string_view text) {
  const json in = parse(text, "keygen");
  KeygenWeights out{};
  read_into(field(in, "predictor"), out.predictor, "predictor");
  const json& layers = field(in, "layers");
  if (!layers.is_array() || layers.size() != 3) {
    throw std::invalid_argument(fmt::format("weights: expected 3 layers, got {}", layers.size()));
  }
  out.layers = {read_layer<2>(layers[0], 8), read_layer<8>(layers[1], 16),
                read_layer<16>(layers[2], 16)};
  return out;
}

const KeygenWeights& trained_keygen() {
  static const KeygenWeights weights = parse_keygen(embedded::keygen_json);
  return weights;
}

Features features(const KeygenWeights& weights, ConstImage image) {
  Features out;
  out[0] = residuals(weights, image);
  const ConstImage residual(image.shape(), out[0]);
  for (std::size_t channel = 0; channel < image.shape().channels; ++channel) {
    Maps maps = input_maps(image, residual, channel);
    for (std::size_t level = 1; level < feature_levels; ++level) {
      maps = convolve(weights.layers.at(level - 1), maps);
      append_filter_innermost(maps, out.at(level));
    }
  }
  return out;
}

PublicParameter condense(const Features& features, const CondensingKeys& keys) {
  Bytes tags;
  for (std::size_t level = 1; level <= feature_levels; ++level) {
    const Tag tag = poly1305(keys.poly1305_key(level), features.at(level - 1));
    tags.insert(tags.end(), tag.begin(), tag.end());
  }
  return hmac_sha256(keys.hmac_key(), tags);
}

}  // namespace khazaal2024
}  // namespace icb
