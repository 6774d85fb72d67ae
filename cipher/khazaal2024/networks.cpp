#include "cipher/khazaal2024/networks.hpp"

#include <algorithm>

#include "cipher/khazaal2024/weight_file.hpp"

namespace icb {

namespace embedded {
extern const std::string_view feedback_json;
extern const std::string_view feedback_epochs_json;
}  // namespace embedded

namespace khazaal2024 {
namespace {

using nlohmann::json;
using weight_file::field;
using weight_file::parse;
using weight_file::read_into;

std::int8_t clamp8(std::int32_t value) {
  return static_cast<std::int8_t>(std::clamp(value, -128, 127));
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

}  // namespace khazaal2024
}  // namespace icb
