/// What the cipher tests share: seeded bytes, images and working keys.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "cipher/khazaal2024/key_schedule.hpp"
#include "cipher/khazaal2024/networks.hpp"
#include "core/image.hpp"

namespace icb::embedded {
extern const std::string_view feedback_json;
extern const std::string_view feedback_epochs_json;
extern const std::string_view keygen_json;
}  // namespace icb::embedded

namespace icb::testing {

/// ICB_SEED from the environment, else a fixed number; printed when a test fails.
std::uint64_t test_seed();

/// Engine of a test: the seed and a number that is the test's own.
std::mt19937_64 engine_of(std::uint64_t salt);

Bytes random_bytes(std::mt19937_64& engine, std::size_t count);
OwnedImage random_image(std::mt19937_64& engine, Shape shape);
khazaal2024::WorkingKeys random_keys(std::mt19937_64& engine);
/// A network whose outputs are all over the place, to see what training may have hidden.
khazaal2024::FeedbackWeights random_feedback(std::mt19937_64& engine);

Bytes copy_of(ConstBytes bytes);
/// Share of places at which two byte strings of one size differ.
double share_of_differences(ConstBytes a, ConstBytes b);

}  // namespace icb::testing
