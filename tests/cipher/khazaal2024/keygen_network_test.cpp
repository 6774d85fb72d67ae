#include "cipher/khazaal2024/keygen_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#define HWY_WANT_AVX3_DL  // as the kernels do
#include "tests/cipher/support.hpp"
#include "tests/nist_tests/targets.hpp"

namespace icb::khazaal2024 {
namespace {

using nlohmann::json;
using testing::copy_of;
using testing::engine_of;
using testing::random_bytes;
using testing::random_image;

json keygen_json() { return json::parse(embedded::keygen_json); }

// --- Parsing ------------------------------------------------------------------------------------

void expect_refused(const json& in, const std::string& says) {
  try {
    parse_keygen(in.dump());
    ADD_FAILURE() << "accepted, expected: " << says;
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

json changed(const char* pointer, const json& value) {
  json in = keygen_json();
  in.at(json::json_pointer(pointer)) = value;
  return in;
}

TEST(ParseKeygen, ReadsEveryEntry) {
  const json in = keygen_json();
  const KeygenWeights& w = trained_keygen();
  EXPECT_EQ(json(w.predictor), in.at("predictor"));
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const ConvolutionLayer& got = w.layers.at(layer);
    const json& expected = in.at("layers")[layer];
    EXPECT_EQ(got.filters, std::size_t{4} << layer);
    EXPECT_EQ(got.maps, layer == 0 ? 1 : got.filters / 2);
    EXPECT_EQ(json(got.bias), expected.at("bias"));
    EXPECT_EQ(got.shift, expected.at("shift").get<int>());
    ASSERT_EQ(got.weight.size(), got.filters * got.maps * 16);
    for (std::size_t i = 0; i < got.weight.size(); ++i) {
      EXPECT_EQ(
          static_cast<int>(got.weight[i]),
          expected.at("weight")[i / 16 / got.maps][i / 16 % got.maps][i / 4 % 4][i % 4].get<int>());
    }
  }
}

TEST(ParseKeygen, RefusesWhatIsNotTheNetwork) {
  EXPECT_NO_THROW(parse_keygen(keygen_json().dump()));
  for (const char* name : {"predictor", "layers"}) {
    json in = keygen_json();
    in.erase(name);
    expect_refused(in, name);
  }
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (const char* name : {"weight", "bias", "shift"}) {
      json in = keygen_json();
      in.at("layers")[layer].erase(name);
      expect_refused(in, name);
    }
    for (const char* name : {"weight", "bias"}) {
      json in = keygen_json();
      in.at("layers")[layer].at(name).erase(0);
      expect_refused(in, name);
    }
    json in = keygen_json();
    in.at("layers")[layer].at("weight")[0][0][0].push_back(1);
    expect_refused(in, "weight");
    in = keygen_json();
    in.at("layers")[layer].at("weight")[0].erase(0);
    expect_refused(in, "weight");
  }
  json in = keygen_json();
  in.at("layers").erase(2);
  expect_refused(in, "3 \"layers\"");
  in["layers"] = {{"a", 1}, {"b", 2}, {"c", 3}};
  expect_refused(in, "layers");
  expect_refused(changed("/layers/2/bias/0", std::int64_t{1} << 31), "bias");
  expect_refused(changed("/layers/1/shift", 31), "shift");
  expect_refused(changed("/layers/1/shift", -1), "shift");
  expect_refused(changed("/predictor/0", json::array({1, 2, 3})), "predictor");
  expect_refused(changed("/predictor/1/4", -129), "predictor");
  expect_refused(changed("/predictor/1/4", 1.5), "predictor");
  EXPECT_THROW(parse_keygen(embedded::feedback_json), std::invalid_argument);
  const std::string text(embedded::keygen_json);
  for (const std::string& broken :
       {std::string{}, std::string{"[]"}, std::string{"7"}, text.substr(0, text.size() / 2)}) {
    EXPECT_THROW(parse_keygen(broken), std::invalid_argument);
  }
}

TEST(ParseKeygen, RefusesWeightsWhoseSumsDoNotFit) {
  for (const char* row : {"/predictor/0", "/predictor/1"}) {
    EXPECT_NO_THROW(parse_keygen(changed(row, {-28, 27, -27, 23, -23}).dump()));
    expect_refused(changed(row, {-28, 27, -27, 23, -24}), "predictor");
    expect_refused(changed(row, {127, 1, 0, 0, 1}), "129");
  }
  EXPECT_NO_THROW(parse_keygen(changed("/layers/0/weight/3/0/3/3", -64).dump()));
  expect_refused(changed("/layers/0/weight/3/0/3/3", -65), "weight");
  expect_refused(changed("/layers/0/weight/0/0/0/0", 65), "weight");
  EXPECT_NO_THROW(parse_keygen(changed("/layers/1/weight/7/3/3/3", -128).dump()));
  expect_refused(changed("/layers/1/weight/7/3/3/3", 128), "weight");
  // |bias| + 128 sum |w|
  for (const char* layer : {"/layers/0", "/layers/1", "/layers/2"}) {
    json in = keygen_json();
    json& at = in.at(json::json_pointer(layer));
    std::int64_t sum = 0;
    for (const json& map : at.at("weight")[1]) {
      for (const json& line : map) {
        for (const json& w : line) sum += 128 * std::abs(w.get<int>());
      }
    }
    for (const int sign : {1, -1}) {
      at.at("bias")[1] = sign * ((std::int64_t{1} << 31) - 1 - sum);
      EXPECT_NO_THROW(parse_keygen(in.dump()));
      at.at("bias")[1] = sign * ((std::int64_t{1} << 31) - sum);
      expect_refused(in, "bias");
    }
  }
}

// --- Section 2 to the letter --------------------------------------------------------------------

using Plane = std::vector<std::vector<std::int64_t>>;

std::int64_t floor_divided(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}

std::int64_t at(const Plane& plane, std::int64_t i, std::int64_t j) {
  const auto rows = static_cast<std::int64_t>(plane.size());
  if (i < 0 || i >= rows) return 0;
  const auto& row = plane[static_cast<std::size_t>(i)];
  if (j < 0 || j >= static_cast<std::int64_t>(row.size())) return 0;
  return row[static_cast<std::size_t>(j)];
}

std::int64_t prediction(const KeygenWeights& w, const std::vector<Plane>& x, std::size_t c,
                        std::size_t row, std::size_t col, std::size_t depth) {
  const auto i = static_cast<std::int64_t>(row);
  const auto j = static_cast<std::int64_t>(col);
  const auto& v = w.predictor.at(c == 0 ? 0 : 1);
  std::int64_t sum =
      v[0] * at(x[c], i, j - 1) + v[1] * at(x[c], i - 1, j) + v[2] * at(x[c], i - 1, j - 1);
  if (c > 0) sum += v[3] * at(x[c - 1], i, j) + v[4] * at(x[c - 1], i, j - 1);
  const std::int64_t top = (std::int64_t{1} << (8 * depth)) - 1;
  return std::clamp<std::int64_t>(floor_divided(sum + 16, 32), 0, top);
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

Features section_2(const KeygenWeights& w, ConstImage image) {
  const Shape& shape = image.shape();
  std::vector<Plane> x(shape.channels, zeros(shape.rows, shape.cols));
  each_sample(shape, [&](auto i, auto j, auto c) { x[c][i][j] = image.sample(i, j, c); });
  const std::int64_t modulus = std::int64_t{1} << (8 * shape.sample_bytes);
  Features out;
  each_sample(shape, [&](auto i, auto j, auto c) {
    const std::int64_t p = prediction(w, x, c, i, j, shape.sample_bytes);
    const std::int64_t e = (x[c][i][j] - p + modulus) % modulus;
    out[0].push_back(static_cast<std::uint8_t>(e % 256));
    if (shape.sample_bytes == 2) out[0].push_back(static_cast<std::uint8_t>(e / 256));
  });
  std::vector<std::vector<Plane>> maps;  // [channel][map]
  for (Plane& plane : x) {
    for (auto& row : plane) {
      for (auto& value : row) value = value / (modulus / 256) - 128;
    }
    maps.push_back({plane});
  }
  for (std::size_t level = 1; level < 4; ++level) {
    const ConvolutionLayer& layer = w.layers.at(level - 1);
    const std::size_t rows = (maps[0][0].size() + 3) / 4;
    const std::size_t cols = (maps[0][0][0].size() + 3) / 4;
    std::vector<std::vector<Plane>> next(shape.channels,
                                         std::vector<Plane>(layer.bias.size(), zeros(rows, cols)));
    each_sample({rows, cols, shape.channels, 1}, [&](auto i, auto j, auto c) {
      for (std::size_t f = 0; f < layer.bias.size(); ++f) {
        std::int64_t sum = layer.bias[f];
        for (std::size_t k = 0; k < 16 * layer.maps; ++k) {
          const std::size_t dy = k / 4 % 4;
          const std::size_t dx = k % 4;
          sum += layer.weight[f * 16 * layer.maps + k] * at(maps[c][k / 16],
                                                            static_cast<std::int64_t>(4 * i + dy),
                                                            static_cast<std::int64_t>(4 * j + dx));
        }
        next[c][f][i][j] =
            std::clamp<std::int64_t>(floor_divided(sum, std::int64_t{1} << layer.shift), 0, 127);
        out.at(level).push_back(static_cast<std::uint8_t>(next[c][f][i][j]));
      }
    });
    maps = next;
  }
  return out;
}

// --- What is tried ------------------------------------------------------------------------------

/// Weights within the bounds of parse_keygen; `extreme` ones are at the bounds.
KeygenWeights random_weights(std::mt19937_64& engine, bool extreme) {
  KeygenWeights out = trained_keygen();
  const auto sign = [&] { return engine() % 2 == 0 ? 1 : -1; };
  for (auto& row : out.predictor) {
    std::array<int, 5> parts{};
    if (extreme) {
      const auto whole = engine() % 5;  // one tap, or a pair of opposite ones
      parts.at(whole) = 64;
      parts.at((whole + 1 + engine() % 4) % 5) = 64;
    } else {
      for (int left = 128; left > 0; --left) ++parts.at(engine() % 5);
    }
    for (std::size_t t = 0; t < 5; ++t) row.at(t) = static_cast<std::int8_t>(sign() * parts.at(t));
  }
  if (extreme) out.predictor[1] = {-128, 0, 0, 0, 0};
  for (auto& layer : out.layers) {
    const int bound = layer.maps == 1 ? 64 : 128;
    for (auto& w : layer.weight) {
      w = static_cast<std::int8_t>(extreme ? std::min(sign() * bound, 127)
                                           : static_cast<int>(engine() % 128) - 64);
    }
    for (auto& bias : layer.bias) bias = sign() * static_cast<int>(engine() % 100000);
    layer.shift = extreme ? static_cast<int>(engine() % 31) : 6 + static_cast<int>(engine() % 6);
  }
  if (extreme) {
    for (auto& layer : out.layers) {
      std::fill_n(layer.weight.begin(), 16 * layer.maps, std::int8_t{64});
      std::fill_n(layer.weight.begin() + static_cast<std::ptrdiff_t>(16 * layer.maps),
                  16 * layer.maps, std::int8_t{-64});
    }
    out.layers[2].shift = 0;
    out.layers[2].bias[2] = 2147483647 - 128 * 128 * 128;
    out.layers[1].bias[3] = -(2147483647 - 128 * 128 * 64);
  }
  return out;
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = [] {
    std::vector<Shape> out;
    for (const auto& [rows, cols] : std::vector<std::pair<std::size_t, std::size_t>>{
             {1, 1}, {1, 7}, {7, 1}, {3, 3}, {16, 16}, {33, 65}, {64, 64}, {5, 130}, {17, 22}}) {
      for (std::size_t channels = 1; channels <= 4; ++channels) {
        for (const std::size_t depth : {1U, 2U}) out.push_back({rows, cols, channels, depth});
      }
    }
    return out;
  }();
  return all;
}

/// Noise, the extremes, alternating ones, and a smooth one.
std::vector<OwnedImage> images_of(std::mt19937_64& engine, const Shape& shape) {
  const auto made =
      [&](const std::function<std::size_t(std::size_t, std::size_t, std::size_t)>& f) {
        OwnedImage out(shape);
        each_sample(shape, [&](auto i, auto j, auto c) {
          out.view().set_sample(i, j, c, static_cast<std::uint16_t>(f(i, j, c)));
        });
        return out;
      };
  const std::size_t top = shape.sample_bytes == 1 ? 255 : 65535;
  return {random_image(engine, shape),
          OwnedImage(shape),
          OwnedImage(shape, Bytes(shape.bytes(), 0xFF)),
          made([&](auto i, auto j, auto) { return (i + j) % 2 * top; }),
          made([&](auto i, auto j, auto c) { return (i + 2 * j + c) % 3 == 0 ? top : 0; }),
          made([&](auto i, auto j, auto c) { return 40 + 3 * i + 2 * j + 9 * c; })};
}

CondensingKeys keys_for(const Shape& shape) { return {Bytes(32, 0x5A), Bytes(16, 0xC3), shape}; }

std::array<Tag, 4> tags_of(const Features& levels, const CondensingKeys& keys) {
  std::array<Tag, 4> out{};
  for (std::size_t i = 0; i < 4; ++i) out.at(i) = poly1305(keys.poly1305_key(i + 1), levels.at(i));
  return out;
}

// --- Features -----------------------------------------------------------------------------------

TEST(Features, AreThoseOfSection2) {
  auto engine = engine_of(92);
  for (const Shape& shape : shapes()) {
    const KeygenWeights random = random_weights(engine, shape.sample_bytes == 2);
    for (const OwnedImage& image : images_of(engine, shape)) {
      for (const KeygenWeights& w : {trained_keygen(), random}) {
        const Features got = features(w, image.view());
        const Features expected = section_2(w, image.view());
        for (std::size_t level = 0; level < 4; ++level) {
          ASSERT_EQ(got.at(level), expected.at(level))
              << to_string(shape) << ", level " << level + 1;
        }
      }
    }
  }
}

TEST(Features, LevelOneDeterminesTheImage) {
  auto engine = engine_of(93);
  for (const Shape& shape : shapes()) {
    const KeygenWeights w = random_weights(engine, shape.channels % 2 == 0);
    const OwnedImage image = random_image(engine, shape);
    const Features found = features(w, image.view());
    const ConstImage residual(shape, found[0]);
    std::vector<Plane> x(shape.channels, zeros(shape.rows, shape.cols));
    const std::int64_t modulus = std::int64_t{1} << (8 * shape.sample_bytes);
    OwnedImage back(shape);
    each_sample(shape, [&](auto i, auto j, auto c) {
      x[c][i][j] =
          (residual.sample(i, j, c) + prediction(w, x, c, i, j, shape.sample_bytes)) % modulus;
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
  EXPECT_EQ(a[0].size(), 64U * 64);
  EXPECT_EQ(a[1].size(), 16U * 16 * 4);
  EXPECT_EQ(a[2].size(), 4U * 4 * 8);
  EXPECT_EQ(a[3].size(), 16U);
}

// --- Condensing ---------------------------------------------------------------------------------

TEST(CondenseFeatures, IsTheSameWithEveryInstructionSet) {
  auto engine = engine_of(95);
  const KeygenWeights moderate = random_weights(engine, false);
  const KeygenWeights extreme = random_weights(engine, true);
  for (const Shape& shape : shapes()) {
    const CondensingKeys keys = keys_for(shape);
    for (const OwnedImage& image : images_of(engine, shape)) {
      for (const KeygenWeights* w : {&trained_keygen(), &moderate, &extreme}) {
        const auto expected = tags_of(features(*w, image.view()), keys);
        test::for_all_targets([&] {
          const auto got = condense_features(*w, image.view(), keys);
          for (std::size_t i = 0; i < 4; ++i) {
            ASSERT_EQ(got.at(i), expected.at(i)) << to_string(shape) << ", level " << i + 1;
          }
        });
      }
    }
  }
}

// Every place of a vector's end, and rows that no vector fits.
TEST(CondenseFeatures, IsTheSameForEveryWidth) {
  auto engine = engine_of(96);
  for (std::size_t cols = 1; cols <= 140; cols += 1 + cols / 70) {
    const Shape shape{9, cols, 1 + cols % 4, 1 + cols / 4 % 2};
    const OwnedImage image = random_image(engine, shape);
    const CondensingKeys keys = keys_for(shape);
    const auto expected = tags_of(features(trained_keygen(), image.view()), keys);
    test::for_all_targets([&] {
      ASSERT_EQ(condense_features(trained_keygen(), image.view(), keys), expected)
          << to_string(shape);
    });
  }
}

TEST(CondenseFeatures, IsTheSameWithAnyNumberOfThreads) {
  auto engine = engine_of(97);
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{17, 40, 3, 1}, Shape{300, 31, 3, 1}, Shape{129, 70, 2, 2}}) {
    const OwnedImage image = random_image(engine, shape);
    const CondensingKeys keys = keys_for(shape);
    const auto expected = tags_of(features(trained_keygen(), image.view()), keys);
    for (const unsigned threads : {0U, 1U, 2U, 8U}) {
      for (int again = 0; again < 5; ++again) {
        EXPECT_EQ(condense_features(trained_keygen(), image.view(), keys, threads), expected)
            << to_string(shape) << ", threads " << threads;
      }
    }
  }
}

// Long enough for all threads to be at work at once.
TEST(CondenseFeatures, PiecesAreHashedInTheirOrder) {
  auto engine = engine_of(101);
  const OwnedImage image = random_image(engine, {4001, 300, 3, 1});
  const CondensingKeys keys = keys_for(image.shape());
  const auto expected = condense_features(trained_keygen(), image.view(), keys, 1);
  for (int again = 0; again < 10; ++again) {
    for (const unsigned threads : {2U, 8U}) {
      ASSERT_EQ(condense_features(trained_keygen(), image.view(), keys, threads), expected);
    }
  }
}

TEST(CondenseFeatures, EveryLeastSignificantBitChangesTheFirstTag) {
  auto engine = engine_of(98);
  for (const Shape& shape : {Shape{32, 32, 1, 1}, Shape{12, 30, 3, 1}, Shape{12, 9, 3, 2}}) {
    OwnedImage image = random_image(engine, shape);
    const CondensingKeys keys = keys_for(shape);
    const auto tag = [&] { return condense_features(trained_keygen(), image.view(), keys)[0]; };
    std::set<Tag> seen{tag()};
    for (std::size_t n = 0; n < shape.bytes(); n += shape.sample_bytes) {
      image.view().bytes()[n] ^= 1;
      EXPECT_TRUE(seen.insert(tag()).second) << n;
      image.view().bytes()[n] ^= 1;
    }
    EXPECT_EQ(seen.size(), 1 + shape.samples());
  }
}

TEST(Condense, IsTheHmacOfTheFourTags) {
  auto engine = engine_of(99);
  const OwnedImage image = random_image(engine, {9, 11, 3, 1});
  const CondensingKeys keys = keys_for(image.shape());
  const Features found = section_2(trained_keygen(), image.view());
  Bytes tags;
  for (std::size_t i = 0; i < 4; ++i) {
    const Tag tag = poly1305(keys.bytes().subspan(32 * i, 32), found.at(i));
    tags.insert(tags.end(), tag.begin(), tag.end());
  }
  EXPECT_EQ(condense(condense_features(trained_keygen(), image.view(), keys), keys),
            hmac_sha256(keys.bytes().subspan(128, 32), tags));
}

TEST(Condense, DependsOnKeyNonceAndShape) {
  auto engine = engine_of(100);
  const Bytes bytes = random_bytes(engine, 16);
  const Bytes key = random_bytes(engine, 32);
  const Bytes nonce = random_bytes(engine, 16);
  std::set<PublicParameter> seen;
  std::size_t made = 0;
  const auto add = [&](const Shape& shape, ConstBytes data, ConstBytes k, ConstBytes n) {
    const CondensingKeys keys(k, n, shape);
    seen.insert(condense(condense_features(trained_keygen(), {shape, data}, keys), keys));
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
  const auto flipped = [](Bytes from, std::size_t bit) {
    from[bit / 8] = static_cast<std::uint8_t>(from[bit / 8] ^ (1U << (bit % 8)));
    return from;
  };
  for (std::size_t bit = 0; bit < 256; ++bit) add({4, 4, 1, 1}, bytes, flipped(key, bit), nonce);
  for (std::size_t bit = 0; bit < 128; ++bit) add({4, 4, 1, 1}, bytes, key, flipped(nonce, bit));
  EXPECT_EQ(seen.size(), made);
}

}  // namespace
}  // namespace icb::khazaal2024
