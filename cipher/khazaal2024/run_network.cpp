/// The feedback network over many levels (docs/cipher.md, section 4). `evaluate` is the plain
/// version of one level.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "cipher/khazaal2024/networks.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cipher/khazaal2024/run_network.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef ICB_RUN_NETWORK_ONCE
#define ICB_RUN_NETWORK_ONCE

namespace icb::khazaal2024 {
namespace {

/// A layer as vectors want it: units side by side, inputs in pairs, `weight[pair][unit][0 or 1]`.
template <std::size_t inputs>
struct PackedLayer {
  alignas(64) std::int16_t weight[inputs / 2][hidden_units][2];

  template <std::size_t units>
  explicit PackedLayer(const std::array<std::array<std::int8_t, inputs>, units>& rows) : weight{} {
    for (std::size_t i = 0; i < units; ++i) {
      for (std::size_t j = 0; j < inputs; ++j) weight[j / 2][i][j % 2] = rows[i][j];
    }
  }
};

struct PackedNetwork {
  PackedLayer<network_inputs> w1;
  PackedLayer<hidden_units> wf;
  PackedLayer<hidden_units> w2;
  PackedLayer<hidden_units> w3;
  alignas(64) std::int32_t b1[hidden_units];  ///< with the key's offsets
  alignas(64) std::int32_t b2[hidden_units];
  alignas(64) std::int32_t b3[hidden_units];  ///< the last 8 are not there

  PackedNetwork(const FeedbackWeights& w, const HiddenState& offsets)
      : w1(w.w1), wf(w.wf), w2(w.w2), w3(w.w3), b1{}, b2{}, b3{} {
    for (std::size_t i = 0; i < hidden_units; ++i) b1[i] = w.b1[i] + 64 * offsets[i];
    std::copy(w.b2.begin(), w.b2.end(), b2);
    std::copy(w.b3.begin(), w.b3.end(), b3);
  }
};

}  // namespace
}  // namespace icb::khazaal2024

#endif  // ICB_RUN_NETWORK_ONCE

HWY_BEFORE_NAMESPACE();

namespace icb::khazaal2024::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void run(const FeedbackWeights& weights, const HiddenState& offsets,
         std::span<const NetworkInput> inputs, HiddenState& feedback, NetworkOutput* outputs) {
  for (std::size_t l = 0; l < inputs.size(); ++l) {
    outputs[l] = evaluate(weights, offsets, inputs[l], feedback);
  }
}

#else

using Sums = hn::CappedTag<std::int32_t, 16>;
constexpr std::size_t lanes = HWY_MIN(HWY_MAX_BYTES / 4, 16);
constexpr std::size_t groups = hidden_units / lanes;

/// One sum for each of 32 units.
struct Layer {
  hn::Vec<Sums> even[groups];
  hn::Vec<Sums> odd[groups];  // nothing on x86

  HWY_INLINE explicit Layer(const std::int32_t* HWY_RESTRICT bias) {
    for (std::size_t g = 0; g < groups; ++g) {
      even[g] = hn::Load(Sums(), bias + g * lanes);
      odd[g] = hn::Zero(Sums());
    }
  }

  template <std::size_t inputs>
  HWY_INLINE void add(const PackedLayer<inputs>& layer, const std::int16_t* HWY_RESTRICT in) {
    const Sums d32;
    const hn::Repartition<std::int16_t, Sums> d16;
    for (std::size_t p = 0; p < inputs / 2; ++p) {
      std::int32_t pair{};
      std::memcpy(&pair, in + 2 * p, 4);
      const auto both = hn::BitCast(d16, hn::Set(d32, pair));
      for (std::size_t g = 0; g < groups; ++g) {
        const auto w = hn::Load(d16, &layer.weight[p][g * lanes][0]);
        even[g] = hn::ReorderWidenMulAccumulate(d32, both, w, even[g], odd[g]);
      }
    }
  }

  HWY_INLINE hn::Vec<Sums> sum(std::size_t g) const {
    return hn::RearrangeToOddPlusEven(even[g], odd[g]);
  }

  /// The activations, clamped to bytes.
  HWY_INLINE void activate(std::int16_t* HWY_RESTRICT out) const {
    const Sums d32;
    const hn::Rebind<std::int16_t, Sums> d16;
    for (std::size_t g = 0; g < groups; ++g) {
      const auto h = hn::ShiftRight<6>(sum(g));
      const auto clamped = hn::Max(hn::Min(h, hn::Set(d32, 127)), hn::Set(d32, -128));
      hn::Store(hn::DemoteTo(d16, clamped), d16, out + g * lanes);
    }
  }
};

void run(const FeedbackWeights& weights, const HiddenState& offsets,
         std::span<const NetworkInput> inputs, HiddenState& feedback,
         NetworkOutput* HWY_RESTRICT outputs) {
  const PackedNetwork network(weights, offsets);
  alignas(64) std::int16_t in[network_inputs];
  alignas(64) std::int16_t h1[hidden_units];
  alignas(64) std::int16_t h2[hidden_units];
  alignas(64) std::int32_t o[hidden_units];
  std::copy(feedback.begin(), feedback.end(), h2);
  for (std::size_t l = 0; l < inputs.size(); ++l) {
    std::copy(inputs[l].begin(), inputs[l].end(), in);
    Layer first(network.b1);
    first.add(network.w1, in);
    first.add(network.wf, h2);
    first.activate(h1);
    Layer second(network.b2);
    second.add(network.w2, h1);
    second.activate(h2);
    Layer third(network.b3);
    third.add(network.w3, h2);
    for (std::size_t g = 0; g < groups; ++g) hn::Store(third.sum(g), Sums(), o + g * lanes);
    for (std::size_t i = 0; i < network_outputs; ++i) {
      outputs[l][i] = static_cast<std::uint16_t>(o[i]);
    }
  }
  for (std::size_t i = 0; i < hidden_units; ++i) feedback[i] = static_cast<std::int8_t>(h2[i]);
}

#endif

}  // namespace
}  // namespace icb::khazaal2024::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb::khazaal2024 {

HWY_EXPORT(run);

void run_network(const FeedbackWeights& weights, const HiddenState& offsets,
                 std::span<const NetworkInput> inputs, HiddenState& feedback,
                 std::span<NetworkOutput> outputs) {
  if (inputs.size() != outputs.size()) {
    throw std::invalid_argument("run_network: inputs and outputs differ in number");
  }
  HWY_DYNAMIC_DISPATCH(run)(weights, offsets, inputs, feedback, outputs.data());
}

}  // namespace icb::khazaal2024

#endif  // HWY_ONCE
