// Suites over the registry of randomness tests: a new one brings its data and is tested here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "tests/nist_tests/streams.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::test {
namespace {

TEST(RandomnessRegistry, HoldsTheTests) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry<RandomnessEntry>()) names.push_back(name);
  const std::vector<std::string> expected{"approximate-entropy",
                                          "binary-matrix-rank",
                                          "block-frequency",
                                          "cumulative-sums",
                                          "frequency",
                                          "linear-complexity",
                                          "longest-run",
                                          "non-overlapping-template",
                                          "overlapping-template",
                                          "random-excursions",
                                          "random-excursions-variant",
                                          "runs",
                                          "serial",
                                          "spectral",
                                          "universal"};
  EXPECT_EQ(names, expected);
}

class EveryTest : public ::testing::TestWithParam<std::string> {
 protected:
  const RandomnessEntry& entry() const { return find<RandomnessEntry>(GetParam()); }
};

TEST_P(EveryTest, VectorsHold) {
  EXPECT_FALSE(entry().vectors.empty());
  for (const auto& vector : entry().vectors) {
    const auto bits = BitSequence::from_text(vector.bits);
    const auto result = entry().run(bits.view(), vector.parameters);
    ASSERT_TRUE(applies(result)) << vector.source;
    EXPECT_FALSE(vector.p_values.empty()) << vector.source;
    for (const auto& [id, p] : vector.p_values) {
      EXPECT_NEAR(p_of(result, id), p, vector.tolerance) << vector.source << ", " << id;
    }
  }
}

// Enough bits for every test, universal's 387840: the most general input is alternating, with J = n
// / 2 cycles.
TEST_P(EveryTest, IdsAreThoseReturned) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "01";
  const auto bits = BitSequence::from_text(text);
  const auto result = entry().run(bits.view(), {});
  ASSERT_TRUE(applies(result));
  std::vector<std::string> ids;
  for (const auto& sub : std::get<std::vector<SubResult>>(result.outcome)) ids.push_back(sub.id);
  EXPECT_EQ(ids, entry().ids({}, bits.size()));
}

TEST_P(EveryTest, SameInputSameResult) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 50021);
  const auto other = random_sequence(engine, 20011);
  const auto first = entry().run(bits.view(), {});
  entry().run(other.view(), {});  // leaves nothing behind
  const auto second = entry().run(bits.view(), {});
  EXPECT_EQ(first.statistics, second.statistics);
  EXPECT_EQ(first.flags, second.flags);
  ASSERT_EQ(applies(first), applies(second));
  if (!applies(first)) return;
  for (const auto& id : entry().ids({}, bits.size())) EXPECT_EQ(p_of(first, id), p_of(second, id));
}

// Bit for bit, statistics and p-values; lengths that are split, not split and too short.
TEST_P(EveryTest, SameOnEveryInstructionSet) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {1000U, 50021U, 1000000U, 1048576U}) {
    const auto bits = random_sequence(engine, n);
    const auto expected = entry().run(bits.view(), {});
    for_all_targets([&] {
      const auto result = entry().run(bits.view(), {});
      EXPECT_EQ(result.statistics, expected.statistics) << n;
      EXPECT_EQ(result.flags, expected.flags) << n;
      ASSERT_EQ(applies(result), applies(expected)) << n;
      if (!applies(expected)) return;
      for (const auto& id : entry().ids({}, n)) EXPECT_EQ(p_of(result, id), p_of(expected, id));
    });
  }
}

TEST_P(EveryTest, EveryLengthAndStreamGivesPValuesOrAReason) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 0; n <= 300; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      for (const auto constants : {Constants::exact, Constants::nist}) {
        const auto packed = pack(plain);
        const auto result = entry().run(packed.view(), {.constants = constants});
        if (applies(result)) {
          EXPECT_EQ(std::get<std::vector<SubResult>>(result.outcome).size(),
                    entry().ids({}, n).size());
        } else {  // with the number in it
          const auto& reason = std::get<NotApplicable>(result.outcome).reason;
          EXPECT_TRUE(std::any_of(reason.begin(), reason.end(), [](unsigned char c) {
            return std::isdigit(c) != 0;
          })) << reason;
        }
      }
    }
  }
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry<RandomnessEntry>()) names.push_back(name);
  return names;
}

// The registry is filled before main by other translation units, the suite from main on.
INSTANTIATE_TEST_SUITE_P(Registry, EveryTest, ::testing::ValuesIn(all_names()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace icb::test
