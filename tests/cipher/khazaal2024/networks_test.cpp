#include "cipher/khazaal2024/networks.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/csv.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using nlohmann::json;
using testing::engine_of;

json feedback_json() { return json::parse(embedded::feedback_json); }

// --- Files --------------------------------------------------------------------------------------

std::string folder() { return std::string(ICB_SOURCE_DIR) + "/cipher/khazaal2024/"; }

TEST(WeightFiles, HaveTheirPublishedChecksums) {
  std::map<std::string, std::string> listed;
  std::istringstream lines(read_file(folder() + "weights/SHA256SUMS"));
  for (std::string digest, name; lines >> digest >> name;) listed[name] = digest;
  EXPECT_EQ(listed.size(), 3U);
  for (const auto& [name, digest] : listed) {
    EXPECT_EQ(sha256_of_file(folder() + "weights/" + name), digest) << name;
  }
}

TEST(WeightFiles, AreTheOnesCompiledIn) {
  EXPECT_EQ(embedded::feedback_json, read_file(folder() + "weights/feedback.json"));
  EXPECT_EQ(embedded::keygen_json, read_file(folder() + "weights/keygen.json"));
  EXPECT_EQ(embedded::feedback_epochs_json, read_file(folder() + "weights/feedback_epochs.json"));
}

TEST(WeightFiles, SnapshotsStartAtRandomAndRise) {
  const auto& snapshots = training_snapshots();
  ASSERT_GE(snapshots.size(), 2U);
  EXPECT_EQ(snapshots.front().epoch, 0);
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    EXPECT_GT(snapshots[i].epoch, snapshots[i - 1].epoch);
  }
  EXPECT_NE(snapshots.front().weights.w1, snapshots.back().weights.w1);
}

// --- Parsing ------------------------------------------------------------------------------------

/// Every entry of the file stands in the table, in its place.
TEST(ParseFeedback, ReadsEveryEntry) {
  const json in = feedback_json();
  const FeedbackWeights& w = trained_feedback();
  const auto same_rows = [](const auto& rows, const json& expected) {
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows[i].size(); ++j) {
        ASSERT_EQ(static_cast<int>(rows[i][j]), expected[i][j].template get<int>());
      }
    }
  };
  same_rows(w.w1, in.at("w1"));
  same_rows(w.wf, in.at("wf"));
  same_rows(w.w2, in.at("w2"));
  same_rows(w.w3, in.at("w3"));
  EXPECT_EQ(json(w.b1), in.at("b1"));
  EXPECT_EQ(json(w.b2), in.at("b2"));
  EXPECT_EQ(json(w.b3), in.at("b3"));
}

template <class Parse>
void expect_refused(const Parse& parse, const json& in, const std::string& says) {
  try {
    parse(in.dump());
    ADD_FAILURE() << "accepted, expected: " << says;
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(ParseFeedback, RefusesWhatIsNotTheNetwork) {
  const auto expect = [](const json& in, const std::string& says) {
    expect_refused([](const std::string& text) { return parse_feedback(text); }, in, says);
  };
  EXPECT_NO_THROW(parse_feedback(feedback_json().dump()));
  for (const char* name : {"w1", "wf", "b1", "w2", "b2", "w3", "b3"}) {
    json in = feedback_json();
    in.erase(name);
    expect(in, name);
    in = feedback_json();
    in.at(name).erase(in.at(name).size() - 1);
    expect(in, name);
    in = feedback_json();
    in.at(name).push_back(in.at(name)[0]);
    expect(in, name);
    in = feedback_json();
    in.at(name) = 5;
    expect(in, name);
    in = feedback_json();
    in.at(name)[0] = json::array({1, 2});
    if (name[0] == 'w') expect(in, name);
  }
  for (const char* name : {"w1", "wf", "w2", "w3"}) {
    for (const int value : {128, -129, 100000}) {
      json in = feedback_json();
      in.at(name)[3][2] = value;
      expect(in, name);
    }
    for (const int value : {127, -128}) {
      json in = feedback_json();
      in.at(name)[3][2] = value;
      EXPECT_NO_THROW(parse_feedback(in.dump()));
    }
  }
  for (const std::int64_t value : {std::int64_t{2147483648}, std::int64_t{-2147483649}}) {
    json in = feedback_json();
    in.at("b1")[31] = value;
    expect(in, "b1");
  }
}

TEST(ParseFeedback, RefusesOtherFormatsAndBrokenText) {
  json in = feedback_json();
  in["format"] = "icbench-weights-2";
  EXPECT_THROW(parse_feedback(in.dump()), std::invalid_argument);
  in.erase("format");
  EXPECT_THROW(parse_feedback(in.dump()), std::invalid_argument);
  EXPECT_THROW(parse_feedback(embedded::keygen_json), std::invalid_argument);
  const std::string text(embedded::feedback_json);
  for (const std::string& broken :
       {std::string{}, std::string{"[]"}, std::string{"7"}, text.substr(0, text.size() / 2)}) {
    EXPECT_THROW(parse_feedback(broken), std::invalid_argument);
  }
}

// A number of the wrong kind is converted, a value of the wrong kind escapes as json::type_error.
TEST(ParseFeedback, EntriesMustBeIntegers) {
  for (const json& value : {json("x"), json(nullptr), json(1.5), json(true),
                            json(std::uint64_t{18446744073709551615U})}) {
    json in = feedback_json();
    in.at("w1")[0][0] = value;
    EXPECT_THROW(parse_feedback(in.dump()), std::invalid_argument) << value;
  }
}

// --- Feedback network ---------------------------------------------------------------------------

std::int64_t floor_divided(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}

std::int64_t clamped(std::int64_t a) { return a < -128 ? -128 : a > 127 ? 127 : a; }

std::vector<std::int64_t> plain_network(const FeedbackWeights& w, const HiddenState& q,
                                        const NetworkInput& in, std::vector<std::int64_t>& f) {
  std::vector<std::int64_t> h1(32);
  for (std::size_t i = 0; i < 32; ++i) {
    std::int64_t sum = w.b1.at(i) + std::int64_t{64} * q.at(i);
    for (std::size_t j = 0; j < 12; ++j) sum += std::int64_t{w.w1.at(i).at(j)} * in.at(j);
    for (std::size_t k = 0; k < 32; ++k) sum += w.wf.at(i).at(k) * f.at(k);
    h1[i] = clamped(floor_divided(sum, 64));
  }
  std::vector<std::int64_t> h2(32);
  for (std::size_t i = 0; i < 32; ++i) {
    std::int64_t sum = w.b2.at(i);
    for (std::size_t j = 0; j < 32; ++j) sum += w.w2.at(i).at(j) * h1.at(j);
    h2[i] = clamped(floor_divided(sum, 64));
  }
  std::vector<std::int64_t> o(24);
  for (std::size_t i = 0; i < 24; ++i) {
    std::int64_t sum = w.b3.at(i);
    for (std::size_t j = 0; j < 32; ++j) sum += w.w3.at(i).at(j) * h2.at(j);
    o[i] = sum - 65536 * floor_divided(sum, 65536);
  }
  f = h2;
  return o;
}

TEST(Evaluate, AgreesWithThePlainVersion) {
  auto engine = engine_of(91);
  const auto fill = [&](auto& values) {
    for (auto& value : values) value = static_cast<std::int8_t>(engine() & 0xFF);
  };
  for (int network = 0; network < 20; ++network) {
    const FeedbackWeights random = testing::random_feedback(engine);
    const FeedbackWeights& w = network % 2 == 0 ? trained_feedback() : random;
    HiddenState q{};
    HiddenState f{};
    fill(q);
    fill(f);
    std::vector<std::int64_t> plain_f(f.begin(), f.end());
    for (int level = 0; level < 50; ++level) {
      NetworkInput in{};
      fill(in);
      const NetworkOutput o = evaluate(w, q, in, f);
      const std::vector<std::int64_t> expected = plain_network(w, q, in, plain_f);
      ASSERT_EQ(std::vector<std::int64_t>(o.begin(), o.end()), expected);
      ASSERT_EQ(std::vector<std::int64_t>(f.begin(), f.end()), plain_f);
    }
  }
}

TEST(RunNetwork, AgreesWithThePlainVersion) {
  auto engine = engine_of(93);
  const auto fill = [&](auto& values) {
    for (auto& value : values) value = static_cast<std::int8_t>(engine() & 0xFF);
  };
  for (int network = 0; network < 20; ++network) {
    const FeedbackWeights random = testing::random_feedback(engine);
    const FeedbackWeights& w = network % 2 == 0 ? trained_feedback() : random;
    HiddenState q{};
    HiddenState f{};
    fill(q);
    fill(f);
    HiddenState plain_f = f;
    std::vector<NetworkInput> inputs(50);
    for (NetworkInput& in : inputs) fill(in);
    std::vector<NetworkOutput> expected;
    for (const NetworkInput& in : inputs) expected.push_back(evaluate(w, q, in, plain_f));
    std::vector<NetworkOutput> outputs(inputs.size());
    const std::span<const NetworkInput> all(inputs);
    const std::span<NetworkOutput> out(outputs);
    run_network(w, q, all.first(1), f, out.first(1));
    run_network(w, q, all.subspan(1), f, out.subspan(1));
    ASSERT_EQ(outputs, expected);
    ASSERT_EQ(f, plain_f);
    EXPECT_THROW(run_network(w, q, all, f, out.first(3)), std::invalid_argument);
  }
}

TEST(Evaluate, FeedbackAndOffsetsMatter) {
  const NetworkInput in{};
  HiddenState f{};
  HiddenState g{};
  g[5] = 100;
  const NetworkOutput a = evaluate(trained_feedback(), {}, in, f);
  const NetworkOutput b = evaluate(trained_feedback(), {}, in, g);
  EXPECT_NE(a, b);
  HiddenState h{};
  HiddenState q{};
  q[5] = 100;
  EXPECT_NE(a, evaluate(trained_feedback(), q, in, h));
}

}  // namespace
}  // namespace icb::khazaal2024
