#include "cipher/khazaal2024/vectors.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb::khazaal2024 {
namespace {

using nlohmann::json;
using testing::copy_of;

const json& document() {
  static const json in = json::parse(embedded::khazaal2024_vectors_json);
  return in;
}

Shape shape_of(const json& vector) {
  return {vector.at("H").get<std::size_t>(), vector.at("W").get<std::size_t>(),
          vector.at("C").get<std::size_t>(), vector.at("D").get<std::size_t>()};
}

Bytes bytes_of(const json& vector, const char* field) {
  return from_hex(vector.at(field).get<std::string>());
}

const json& traced() {
  for (const auto& vector : document().at("vectors")) {
    if (vector.contains("trace")) return vector;
  }
  throw std::runtime_error("no vector has a trace");
}

/// The trace of a vector as this implementation finds it, in the form of the file.
json trace_of(const json& vector) {
  const Shape shape = shape_of(vector);
  const Bytes key = bytes_of(vector, "key");
  const Bytes nonce = bytes_of(vector, "nonce");
  const OwnedImage plain(shape, bytes_of(vector, "plain"));
  json out;
  const CondensingKeys condensing(key, nonce, shape);
  out["KC"] = to_hex(condensing.bytes());
  const Features found = features(trained_keygen(), plain.view());
  for (const Bytes& stream : found) out["features"].push_back(to_hex(stream));
  const PublicParameter q = condense(found, condensing);
  out["Q"] = to_hex(q);
  const Bytes ks = working_key_bytes(key, nonce, q, full().id, full().rounds, shape);
  out["KS"] = to_hex(ks);
  WorkingKeys keys = working_keys(ks);
  const Parameters& p = keys.parameters;
  out["parameters"] = {{"R", std::to_string(p.r)},
                       {"A", std::to_string(p.a)},
                       {"B", std::to_string(p.b)},
                       {"Sigma", std::to_string(p.sigma)}};
  json& round = out["first_round"];
  round["F"] = to_hex(make_box(keys.guide, p));
  round["G"] = to_hex(make_box(keys.guide, p));
  const std::size_t width = line_width(shape.bytes());
  round["forward_state"] = to_hex(ConstBytes{make_chain_state(keys.guide, p)}.first(width));
  round["backward_state"] = to_hex(ConstBytes{make_chain_state(keys.guide, p)}.first(width));
  std::vector<NetworkOutput> outputs;
  const PositionMap map = confusion_map(shape.rows, shape.cols, trained_feedback(),
                                        {p, keys.guide, keys.feedback, keys.offsets}, &outputs);
  round["outputs"] = outputs;
  round["permutation"] = map.source();
  Bytes keystream(64);
  fill_keystream(keys.lanes, p, keystream);
  round["keystream"] = to_hex(keystream);
  return out;
}

/// Paths of the leaves that differ or stand on one side only.
std::vector<std::string> differences(const json& a, const json& b) {
  std::vector<std::string> out;
  for (const json& operation : json::diff(a, b)) out.push_back(operation.at("path"));
  return out;
}

TEST(Vectors, TheTraceOfTheSmallCaseAgreesInEveryField) {
  const json expected = traced().at("trace");
  for (const char* name :
       {"/KC", "/KS", "/Q", "/features/3", "/parameters/R", "/parameters/A", "/parameters/B",
        "/parameters/Sigma", "/first_round/F", "/first_round/G", "/first_round/forward_state",
        "/first_round/backward_state", "/first_round/outputs/1/23", "/first_round/permutation/15",
        "/first_round/keystream"}) {
    EXPECT_TRUE(expected.contains(json::json_pointer(name))) << name;
  }
  EXPECT_EQ(differences(trace_of(traced()), expected), std::vector<std::string>{});
}

TEST(Vectors, OneAlteredDigitIsNoticed) {
  const json found = trace_of(traced());
  const json flat = found.flatten();
  EXPECT_EQ(flat.size(), traced().at("trace").flatten().size());
  std::size_t altered = 0;
  for (const auto& [path, value] : flat.items()) {
    json changed = flat;
    if (value.is_string()) {
      auto text = value.get<std::string>();
      if (text.empty()) continue;
      char& digit = text[text.size() / 2];
      digit = digit == '0' ? '1' : '0';
      changed[path] = text;
    } else {
      changed[path] = value.get<int>() ^ 1;
    }
    EXPECT_EQ(differences(found, changed.unflatten()), std::vector<std::string>{path});
    ++altered;
  }
  EXPECT_GT(altered, 50U);
}

TEST(Vectors, EveryCipherImageAgrees) {
  std::size_t shown = 0;
  for (const auto& vector : document().at("vectors")) {
    if (!vector.contains("plain") || !vector.contains("cipher")) continue;
    const Shape shape = shape_of(vector);
    const Variant variant = vector.at("variant") == full().id ? full() : confusion_only();
    ASSERT_EQ(vector.at("variant"), variant.id);
    const OwnedImage plain(shape, bytes_of(vector, "plain"));
    EXPECT_EQ(to_hex(sha256(plain.bytes())), vector.at("plain_sha256"));
    OwnedImage out(shape);
    const Bytes header = encrypt(variant, plain.view(), bytes_of(vector, "key"),
                                 bytes_of(vector, "nonce"), out.view());
    EXPECT_EQ(to_hex(header), vector.at("header"));
    EXPECT_EQ(to_hex(out.bytes()), vector.at("cipher"));
    EXPECT_EQ(to_hex(sha256(out.bytes())), vector.at("cipher_sha256"));
    OwnedImage back(shape);
    decrypt(variant, std::as_const(out).view(), bytes_of(vector, "key"), header, back.view());
    EXPECT_EQ(copy_of(back.bytes()), copy_of(plain.bytes()));
    ++shown;
  }
  EXPECT_GE(shown, 10U);
}

TEST(Vectors, CheckVectorsHoldsForTheRegisteredVariantsOnly) {
  EXPECT_EQ(check_vectors(full()), "");
  EXPECT_EQ(check_vectors(confusion_only()), "");
  Variant other = full();
  other.id = "khazaal2024-other";
  EXPECT_NE(check_vectors(other), "");
  Variant weaker = full();
  weaker.rounds = 1;
  EXPECT_NE(check_vectors(weaker), "");
  Variant bare = full();
  bare.diffusion = false;
  EXPECT_NE(check_vectors(bare), "");
  const FeedbackWeights start = training_snapshots().front().weights;
  Variant untrained = full();
  untrained.network = &start;
  EXPECT_NE(check_vectors(untrained), "");
}

}  // namespace
}  // namespace icb::khazaal2024
