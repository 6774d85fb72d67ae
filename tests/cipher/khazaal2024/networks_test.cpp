#include "cipher/khazaal2024/networks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using nlohmann::json;
using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;

json feedback_json() { return json::parse(embedded::feedback_json); }

json keygen_json() { return json::parse(embedded::keygen_json); }

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
  const json vectors = json::parse(read_file(folder() + "vectors.json"));
  EXPECT_EQ(vectors.at("weights").at("feedback"), listed.at("feedback.json"));
  EXPECT_EQ(vectors.at("weights").at("keygen"), listed.at("keygen.json"));
}

TEST(WeightFiles, AreTheOnesCompiledIn) {
  EXPECT_EQ(embedded::feedback_json, read_file(folder() + "weights/feedback.json"));
  EXPECT_EQ(embedded::keygen_json, read_file(folder() + "weights/keygen.json"));
  EXPECT_EQ(embedded::feedback_epochs_json, read_file(folder() + "weights/feedback_epochs.json"));
  EXPECT_EQ(embedded::khazaal2024_vectors_json, read_file(folder() + "vectors.json"));
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
  EXPECT_THROW(parse_keygen(embedded::feedback_json), std::invalid_argument);
  const std::string text(embedded::feedback_json);
  for (const std::string& broken :
       {std::string{}, std::string{"[]"}, std::string{"7"}, text.substr(0, text.size() / 2)}) {
    EXPECT_THROW(parse_feedback(broken), std::invalid_argument);
    EXPECT_THROW(parse_keygen(broken), std::invalid_argument);
  }
}

TEST(ParseKeygen, RefusesWhatIsNotTheNetwork) {
  const auto expect = [](const json& in, const std::string& says) {
    expect_refused([](const std::string& text) { return parse_keygen(text); }, in, says);
  };
  const auto changed = [](const char* pointer, const json& value) {
    json in = keygen_json();
    in.at(json::json_pointer(pointer)) = value;
    return in;
  };
  EXPECT_NO_THROW(parse_keygen(keygen_json().dump()));
  for (const char* name : {"predictor", "layers"}) {
    json in = keygen_json();
    in.erase(name);
    expect(in, name);
  }
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (const char* name : {"weight", "bias", "shift"}) {
      json in = keygen_json();
      in.at("layers")[layer].erase(name);
      expect(in, name);
    }
    for (const char* name : {"weight", "bias"}) {
      json in = keygen_json();
      in.at("layers")[layer].at(name).erase(0);
      expect(in, "filters");
    }
    json in = keygen_json();
    in.at("layers")[layer].at("weight")[0][0][0].push_back(1);
    expect(in, "weight");
    in = keygen_json();
    in.at("layers")[layer].at("weight")[0].erase(0);
    expect(in, "weight");
  }
  json in = keygen_json();
  in.at("layers").erase(2);
  expect(in, "3 layers");
  expect(changed("/layers/0/weight/0/1/2/3", 128), "weight");
  expect(changed("/layers/2/bias/0", std::int64_t{1} << 31), "bias");
  expect(changed("/layers/1/shift", 31), "shift");
  expect(changed("/layers/1/shift", -1), "shift");
  expect(changed("/predictor/1/8", -129), "predictor");
  expect(changed("/predictor/0", json::array({1, 2, 3})), "predictor");
}

// A number of the wrong kind is converted, a value of the wrong kind escapes as json::type_error.
TEST(ParseFeedback, EntriesMustBeIntegers) {
  for (const json& value : {json("x"), json(nullptr), json(1.5), json(true),
                            json(std::uint64_t{18446744073709551615U})}) {
    json in = feedback_json();
    in.at("w1")[0][0] = value;
    EXPECT_THROW(parse_feedback(in.dump()), std::invalid_argument) << value;
  }
  json in = keygen_json();
  in["layers"] = {{"a", 1}, {"b", 2}, {"c", 3}};
  EXPECT_THROW(parse_keygen(in.dump()), std::invalid_argument);
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

// --- CNN key generator --------------------------------------------------------------------------

using Plane = std::vector<std::vector<std::int64_t>>;

std::int64_t at(const Plane& plane, std::int64_t i, std::int64_t j) {
  const auto rows = static_cast<std::int64_t>(plane.size());
  if (i < 0 || i >= rows) return 0;
  const auto& row = plane[static_cast<std::size_t>(i)];
  if (j < 0 || j >= static_cast<std::int64_t>(row.size())) return 0;
  return row[static_cast<std::size_t>(j)];
}

/// Prediction of sample (i, j) from the planes x, of which only samples before it are read.
std::int64_t prediction(const std::vector<Plane>& x, std::size_t c, std::int64_t i, std::int64_t j,
                        std::size_t depth) {
  static const json v = keygen_json().at("predictor");
  static constexpr int same[6][2] = {{0, -1}, {-1, 0}, {-1, -1}, {-1, 1}, {0, -2}, {-2, 0}};
  static constexpr int before[3][2] = {{0, 0}, {0, -1}, {-1, 0}};
  const json& taps = v[c == 0 ? 0 : 1];
  std::int64_t sum = 0;
  for (std::size_t t = 0; t < 6; ++t) {
    sum += taps[t].get<std::int64_t>() * at(x[c], i + same[t][0], j + same[t][1]);
  }
  for (std::size_t t = 0; t < 3 && c > 0; ++t) {
    sum += taps[6 + t].get<std::int64_t>() * at(x[c - 1], i + before[t][0], j + before[t][1]);
  }
  const std::int64_t top = (std::int64_t{1} << (8 * depth)) - 1;
  return std::clamp<std::int64_t>(floor_divided(sum + 32, 64), 0, top);
}

Plane zeros(std::size_t rows, std::size_t cols) {
  return Plane(rows, std::vector<std::int64_t>(cols));
}

/// Calls visit(row, column, channel) in the order of the image's bytes.
template <class Visit>
void each_sample(const Shape& shape, const Visit& visit) {
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t j = 0; j < shape.cols; ++j) {
      for (std::size_t c = 0; c < shape.channels; ++c) visit(i, j, c);
    }
  }
}

std::vector<Plane> planes_of(ConstImage image) {
  const Shape& shape = image.shape();
  std::vector<Plane> out(shape.channels, zeros(shape.rows, shape.cols));
  each_sample(shape, [&](auto i, auto j, auto c) { out[c][i][j] = image.sample(i, j, c); });
  return out;
}

/// Section 2 to the letter, from the weight file.
Features plain_features(ConstImage image) {
  const Shape& shape = image.shape();
  const std::vector<Plane> x = planes_of(image);
  std::vector<Plane> e(shape.channels, zeros(shape.rows, shape.cols));
  const std::int64_t modulus = std::int64_t{1} << (8 * shape.sample_bytes);
  Features out;
  each_sample(shape, [&](auto i, auto j, auto c) {
    const std::int64_t p = prediction(x, c, static_cast<std::int64_t>(i),
                                      static_cast<std::int64_t>(j), shape.sample_bytes);
    e[c][i][j] = (x[c][i][j] - p + modulus) % modulus;
    out[0].push_back(static_cast<std::uint8_t>(e[c][i][j] % 256));
    if (shape.sample_bytes == 2) out[0].push_back(static_cast<std::uint8_t>(e[c][i][j] / 256));
  });
  const std::int64_t drop = shape.sample_bytes == 1 ? 1 : 256;
  const json layers = keygen_json().at("layers");
  for (std::size_t c = 0; c < shape.channels; ++c) {
    std::vector<Plane> maps(2, zeros(shape.rows, shape.cols));
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.cols; ++j) {
        maps[0][i][j] = x[c][i][j] / drop - 128;
        const std::int64_t top = e[c][i][j] / drop;
        maps[1][i][j] = top > 127 ? top - 256 : top;
      }
    }
    for (std::size_t level = 1; level < 4; ++level) {
      const json& layer = layers[level - 1];
      const auto weight = layer.at("weight").get<std::vector<std::vector<Plane>>>();
      const auto bias = layer.at("bias").get<std::vector<std::int64_t>>();
      const std::int64_t divisor = std::int64_t{1} << layer.at("shift").get<int>();
      const std::size_t rows = (maps[0].size() + 3) / 4;
      const std::size_t cols = (maps[0][0].size() + 3) / 4;
      std::vector<Plane> next(bias.size(), zeros(rows, cols));
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < cols; ++j) {
          for (std::size_t f = 0; f < bias.size(); ++f) {
            std::int64_t sum = bias[f];
            for (std::size_t m = 0; m < maps.size(); ++m) {
              for (std::size_t dy = 0; dy < 4; ++dy) {
                for (std::size_t dx = 0; dx < 4; ++dx) {
                  sum += weight[f][m][dy][dx] * at(maps[m], static_cast<std::int64_t>(4 * i + dy),
                                                   static_cast<std::int64_t>(4 * j + dx));
                }
              }
            }
            next[f][i][j] = std::clamp<std::int64_t>(floor_divided(sum, divisor), 0, 127);
            out.at(level).push_back(static_cast<std::uint8_t>(next[f][i][j]));
          }
        }
      }
      maps = next;
    }
  }
  return out;
}

const std::vector<Shape>& feature_shapes() {
  static const std::vector<Shape> shapes{{1, 1, 1, 1}, {1, 9, 2, 2},   {9, 1, 3, 1}, {5, 6, 1, 1},
                                         {5, 6, 1, 2}, {17, 70, 3, 1}, {66, 7, 4, 2}};
  return shapes;
}

TEST(Features, AgreeWithThePlainVersion) {
  auto engine = engine_of(92);
  for (const Shape& shape : feature_shapes()) {
    OwnedImage smooth(shape);
    each_sample(shape, [&](auto i, auto j, auto c) {
      smooth.view().set_sample(i, j, c, static_cast<std::uint16_t>(40 + 3 * i + 2 * j + 9 * c));
    });
    for (const OwnedImage& image :
         {random_image(engine, shape), smooth, OwnedImage(shape, Bytes(shape.bytes(), 0xFF))}) {
      const Features got = features(trained_keygen(), image.view());
      const Features expected = plain_features(image.view());
      for (std::size_t level = 0; level < 4; ++level) {
        ASSERT_EQ(got.at(level), expected.at(level)) << to_string(shape) << ", level " << level + 1;
      }
    }
  }
}

TEST(Features, LevelOneDeterminesTheImage) {
  auto engine = engine_of(93);
  for (const Shape& shape : feature_shapes()) {
    const OwnedImage image = random_image(engine, shape);
    const Features found = features(trained_keygen(), image.view());
    const ConstImage residual(shape, found[0]);
    std::vector<Plane> x(shape.channels, zeros(shape.rows, shape.cols));
    const std::int64_t modulus = std::int64_t{1} << (8 * shape.sample_bytes);
    OwnedImage back(shape);
    each_sample(shape, [&](auto i, auto j, auto c) {
      const std::int64_t p = prediction(x, c, static_cast<std::int64_t>(i),
                                        static_cast<std::int64_t>(j), shape.sample_bytes);
      x[c][i][j] = (residual.sample(i, j, c) + p) % modulus;
      back.view().set_sample(i, j, c, static_cast<std::uint16_t>(x[c][i][j]));
    });
    EXPECT_EQ(copy_of(back.bytes()), copy_of(image.bytes())) << to_string(shape);
  }
}

// A level that is the same for all images would add nothing.
TEST(Features, EveryLevelSeesTheImage) {
  auto engine = engine_of(94);
  const Shape shape{64, 64, 1, 1};
  const Features a = features(trained_keygen(), random_image(engine, shape).view());
  const Features b = features(trained_keygen(), OwnedImage(shape).view());
  for (std::size_t level = 0; level < 4; ++level) EXPECT_NE(a.at(level), b.at(level)) << level;
  EXPECT_EQ(a[1].size(), 16U * 16 * 8);
  EXPECT_EQ(a[2].size(), 4U * 4 * 16);
  EXPECT_EQ(a[3].size(), 16U);
}

// --- Public parameter ---------------------------------------------------------------------------

TEST(PublicParameter, EveryLeastSignificantBitChangesIt) {
  auto engine = engine_of(95);
  for (const Shape& shape : {Shape{32, 32, 1, 1}, Shape{12, 9, 3, 2}}) {
    OwnedImage image = random_image(engine, shape);
    const Bytes key = random_bytes(engine, 32);
    const Bytes nonce = random_bytes(engine, 16);
    std::set<PublicParameter> seen{public_parameter(image.view(), key, nonce)};
    for (std::size_t n = 0; n < shape.bytes(); n += shape.sample_bytes) {
      image.view().bytes()[n] ^= 1;
      EXPECT_TRUE(seen.insert(public_parameter(image.view(), key, nonce)).second) << n;
      image.view().bytes()[n] ^= 1;
    }
    EXPECT_EQ(seen.size(), 1 + shape.samples());
  }
}

TEST(PublicParameter, DependsOnKeyNonceAndShape) {
  auto engine = engine_of(96);
  const Bytes bytes = random_bytes(engine, 16);
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  std::set<PublicParameter> seen;
  std::size_t made = 0;
  const auto add = [&](const Shape& shape, ConstBytes data, ConstBytes k, ConstBytes n) {
    seen.insert(public_parameter(ConstImage(shape, data), k, n));
    ++made;
  };
  const Bytes blank(16);
  for (const ConstBytes data : {ConstBytes{bytes}, ConstBytes{blank}}) {
    for (const Shape& shape : {Shape{2, 8, 1, 1}, Shape{8, 2, 1, 1}, Shape{4, 4, 1, 1},
                               Shape{1, 16, 1, 1}, Shape{16, 1, 1, 1}, Shape{4, 2, 2, 1},
                               Shape{4, 2, 1, 2}, Shape{2, 2, 4, 1}, Shape{2, 2, 2, 2}}) {
      add(shape, data, key, nonce);
    }
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Bytes changed = key;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    add({4, 4, 1, 1}, bytes, changed, nonce);
  }
  for (std::size_t bit = 0; bit < 128; ++bit) {
    Bytes changed = nonce;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    add({4, 4, 1, 1}, bytes, key, changed);
  }
  EXPECT_EQ(seen.size(), made);
}

TEST(PublicParameter, IsTheHmacOfTheFourTags) {
  auto engine = engine_of(97);
  const OwnedImage image = random_image(engine, {9, 11, 3, 1});
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  const Bytes kc = copy_of(CondensingKeys(key, nonce, image.shape()).bytes());
  const Features found = plain_features(image.view());
  Bytes tags;
  for (std::size_t i = 0; i < 4; ++i) {
    const Tag tag = poly1305(ConstBytes{kc}.subspan(32 * i, 32), found.at(i));
    tags.insert(tags.end(), tag.begin(), tag.end());
  }
  EXPECT_EQ(public_parameter(image.view(), key, nonce),
            hmac_sha256(ConstBytes{kc}.subspan(128, 32), tags));
}

}  // namespace
}  // namespace icb::khazaal2024
