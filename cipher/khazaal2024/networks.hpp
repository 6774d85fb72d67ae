/// The feedback network of the cipher (docs/cipher.md, section 4). Integer inference; the trained
/// tables are compiled in.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

inline constexpr std::size_t network_inputs = 12;
inline constexpr std::size_t network_outputs = 24;

using NetworkInput = std::array<std::int8_t, network_inputs>;
using NetworkOutput = std::array<std::uint16_t, network_outputs>;
using HiddenState = std::array<std::int8_t, hidden_units>;

struct FeedbackWeights {
  std::array<std::array<std::int8_t, network_inputs>, hidden_units> w1;
  std::array<std::array<std::int8_t, hidden_units>, hidden_units> wf;
  std::array<std::int32_t, hidden_units> b1;
  std::array<std::array<std::int8_t, hidden_units>, hidden_units> w2;
  std::array<std::int32_t, hidden_units> b2;
  std::array<std::array<std::int8_t, hidden_units>, network_outputs> w3;
  std::array<std::int32_t, network_outputs> b3;
};

/// The shipped, trained weights.
const FeedbackWeights& trained_feedback();

/// A network as it was after an epoch of training; epoch 0 is the random start.
struct TrainingSnapshot {
  int epoch;
  FeedbackWeights weights;
};

const std::vector<TrainingSnapshot>& training_snapshots();

/// Throws std::invalid_argument naming the field that is absent or out of range.
FeedbackWeights parse_feedback(std::string_view json);

/// One level, plainly: reads and replaces the feedback state.
NetworkOutput evaluate(const FeedbackWeights& weights, const HiddenState& offsets,
                       const NetworkInput& input, HiddenState& feedback);

/// All levels, one after the other, as fast as the machine allows. Throws std::invalid_argument if
/// inputs and outputs differ in number.
void run_network(const FeedbackWeights& weights, const HiddenState& offsets,
                 std::span<const NetworkInput> inputs, HiddenState& feedback,
                 std::span<NetworkOutput> outputs);

}  // namespace icb::khazaal2024
