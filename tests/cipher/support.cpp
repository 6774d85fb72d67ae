#include "tests/cipher/support.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace icb::testing {
namespace {

/// Says the seed once, if anything failed.
class SeedPrinter : public ::testing::Environment {
 public:
  void TearDown() override {
    if (::testing::UnitTest::GetInstance()->Failed()) {
      std::cout << "ICB_SEED=" << test_seed() << '\n';
    }
  }
};

const auto* const printer = ::testing::AddGlobalTestEnvironment(new SeedPrinter);

}  // namespace

std::uint64_t test_seed() {
  const char* text = std::getenv("ICB_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20240516;
}

std::mt19937_64 engine_of(std::uint64_t salt) {
  return std::mt19937_64(test_seed() * 0x9E3779B97F4A7C15 + salt);
}

Bytes random_bytes(std::mt19937_64& engine, std::size_t count) {
  Bytes out(count);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(engine() >> 56);
  return out;
}

OwnedImage random_image(std::mt19937_64& engine, Shape shape) {
  return {shape, random_bytes(engine, shape.bytes())};
}

khazaal2024::WorkingKeys random_keys(std::mt19937_64& engine) {
  return khazaal2024::working_keys(random_bytes(engine, 600));
}

khazaal2024::FeedbackWeights random_feedback(std::mt19937_64& engine) {
  khazaal2024::FeedbackWeights out{};
  const auto bytes = [&](auto& rows) {
    for (auto& row : rows) {
      for (auto& value : row) value = static_cast<std::int8_t>(engine() & 0xFF);
    }
  };
  const auto words = [&](auto& row) {
    for (auto& value : row) value = static_cast<std::int32_t>(engine() & 0xFFFF) - 0x8000;
  };
  bytes(out.w1);
  bytes(out.wf);
  bytes(out.w2);
  bytes(out.w3);
  words(out.b1);
  words(out.b2);
  words(out.b3);
  return out;
}

Bytes copy_of(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }

double share_of_differences(ConstBytes a, ConstBytes b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1U : 0U;
  return static_cast<double>(count) / static_cast<double>(a.size());
}

}  // namespace icb::testing
