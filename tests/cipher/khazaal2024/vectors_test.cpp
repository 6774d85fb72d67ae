#include "cipher/khazaal2024/vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/keystream.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "cipher/khazaal2024/move_pixels.hpp"
#include "cipher/khazaal2024/passes.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "tests/cipher/support.hpp"

namespace icb::embedded {
extern const std::string_view vectors_khazaal2024;
extern const std::string_view vectors_khazaal2024_confusion;
extern const std::string_view vectors_khazaal2024_no_cnn;
extern const std::string_view vectors_khazaal2024_no_dnn;
extern const std::string_view vectors_khazaal2024_no_gauss;
extern const std::string_view vectors_khazaal2024_no_henon;
extern const std::string_view vectors_khazaal2024_no_logistic;
extern const std::string_view vectors_large;
extern const std::string_view vectors_rounds;
}  // namespace icb::embedded

namespace icb::khazaal2024 {
namespace {

using nlohmann::json;
using testing::copy_of;

/// The text of a file of vectors, by its name without ".json".
std::string file_of(const std::string& group) {
  return read_file(std::string(ICB_SOURCE_DIR) + "/cipher/khazaal2024/vectors/" + group + ".json");
}

const std::map<std::string, std::string_view>& embedded_groups() {
  using namespace embedded;
  static const std::map<std::string, std::string_view> all{
      {"khazaal2024", vectors_khazaal2024},
      {"khazaal2024-confusion", vectors_khazaal2024_confusion},
      {"khazaal2024-no-cnn", vectors_khazaal2024_no_cnn},
      {"khazaal2024-no-dnn", vectors_khazaal2024_no_dnn},
      {"khazaal2024-no-gauss", vectors_khazaal2024_no_gauss},
      {"khazaal2024-no-henon", vectors_khazaal2024_no_henon},
      {"khazaal2024-no-logistic", vectors_khazaal2024_no_logistic},
      {"large", vectors_large},
      {"rounds", vectors_rounds}};
  return all;
}

std::vector<std::string> groups() {
  std::vector<std::string> out{"trace"};
  for (const auto& [group, text] : embedded_groups()) out.push_back(group);
  return out;
}

Variant variant_of(const json& vector) {
  const auto found = std::ranges::find(variants(), vector.at("variant").get<std::string>(),
                                       [](const Variant& v) { return std::string(v.id); });
  if (found == variants().end())
    throw std::runtime_error("no variant " + vector.at("variant").dump());
  Variant out = *found;
  out.rounds = vector.at("rounds").get<unsigned>();
  return out;
}

Shape shape_of(const json& vector) {
  return {vector.at("H").get<std::size_t>(), vector.at("W").get<std::size_t>(),
          vector.at("C").get<std::size_t>(), vector.at("D").get<std::size_t>()};
}

Bytes bytes_of(const json& vector, const char* field) {
  return from_hex(vector.at(field).get<std::string>());
}

// --- The trace ----------------------------------------------------------------------------------

/// The one vector with every intermediate.
const json& traced() {
  static const json in = json::parse(file_of("trace")).at("vectors").at(0);
  return in;
}

json lane_json(const Lane& lane) {
  return {lane.x, lane.x_weyl, lane.u, lane.v, lane.u_weyl, lane.noise, lane.noise_add};
}

json words_json(const Bytes& bytes) {
  std::vector<std::uint32_t> out(bytes.size() / 4);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

/// Four bytes for each position, its number.
Bytes positions(std::size_t count) {
  Bytes out(4 * count);
  for (std::size_t n = 0; n < count; ++n) {
    const auto word = static_cast<std::uint32_t>(n);
    std::memcpy(&out[4 * n], &word, 4);
  }
  return out;
}

/// The levels of the network as the file has them, drawn from a guide lane of its own: `keys` go on
/// as they do in the cipher.
json levels_of(WorkingKeys& keys, std::size_t rows, std::size_t cols,
               const std::vector<NetworkOutput>& outputs, const json& expected) {
  json out;
  for (std::size_t l = 0; l < outputs.size(); ++l) {
    json level;
    level["g"] = step(keys.guide, keys.parameters).g;
    level["guide_stepped"] = lane_json(keys.guide);
    level["outputs"] = outputs[l];
    // The inputs are not to be seen from outside: the file's must give these outputs.
    const auto inputs = expected.at(l).at("inputs").get<NetworkInput>();
    if (evaluate(trained_feedback(), keys.offsets, inputs, keys.feedback) != outputs[l]) {
      level["outputs"] = "not those of the inputs";
    }
    level["h2"] = keys.feedback;
    std::size_t lines = 0;
    for (const std::size_t side : {rows, cols}) {
      if (2 * l < side) lines += 2 * l + 1 == side ? 1 : 2;
    }
    for (; lines > 0; --lines) step_logistic(keys.guide, keys.parameters);
    level["guide"] = lane_json(keys.guide);
    out.push_back(level);
  }
  return out;
}

json chain_keys_json(const ChainKeys& keys) {
  return {{"O", keys.odd}, {"H", keys.hash}, {"c", keys.carry}};
}

/// The carry before each line.
json carries_of(Direction direction, Bytes data, ConstBytes keystream, const ChainKeys& keys) {
  const std::size_t body = bytes_in_lines(data.size());
  std::uint64_t carry = keys.carry;
  json out{carry};
  const auto wide = [&] {
    const std::size_t lines = (body + line_bytes - 1) / line_bytes;
    for (std::size_t n = 0; n < lines; ++n) {
      const std::size_t at = line_bytes * (direction == Direction::forward ? n : lines - 1 - n);
      const std::size_t size = std::min(line_bytes, body - at);
      carry = chain_lines(direction, MutableBytes{data}.subspan(at, size),
                          keystream.subspan(at, size), keys, carry);
      out.push_back(carry);
    }
  };
  if (direction == Direction::forward) wide();
  for (std::size_t n = body; n < data.size(); ++n) {
    const std::size_t at = direction == Direction::forward ? n : data.size() - 1 - (n - body);
    carry = chain_singles(direction, MutableBytes{data}.subspan(at, 1), keystream.subspan(at, 1),
                          keys, carry);
    out.push_back(carry);
  }
  if (direction == Direction::backward) wide();
  out.erase(out.size() - 1);  // after the last line
  return out;
}

/// Crossings position by position.
json crossings_json(const ConfusionPlan& plan, std::size_t rows, std::size_t cols) {
  Bytes image = positions(rows * cols);
  swap_crossings(plan.crossings, rows, cols, 4, image.data(), {4 * cols, 4});
  return words_json(image);
}

json first_round(const Shape& shape, WorkingKeys& keys, const Keystream& keystream,
                 const ConfusionPlan& plan, const std::vector<NetworkOutput>& outputs,
                 const json& expected, Bytes& image) {
  const std::size_t rows = shape.rows;
  const std::size_t cols = shape.cols;
  json out;
  out["levels"] = levels_of(keys, rows, cols, outputs, expected.at("levels"));
  Bytes moved(4 * shape.pixels());
  gather_lines(plan.rows, 4, 0, rows, positions(shape.pixels()).data(), 4 * cols, moved.data());
  out["maps"]["shift"] = words_json(moved);
  const ChainKeys chain = draw_chain_keys(keys.guide, keys.parameters, {});
  out["chain_keys"] = chain_keys_json(chain);
  out["guide_after_chain_keys"] = lane_json(keys.guide);
  Bytes stream(image.size());
  keystream.fill(1, 0, stream);
  out["keystream"] = to_hex(stream);
  Bytes next(image.size());
  rows_pass({shape, plan, keystream, 1, nullptr, 1}, image, next);
  out["images"]["rows"] = to_hex(next);
  out["carries"] = carries_of(Direction::forward, next, stream, chain);
  rows_pass({shape, plan, keystream, 1, &chain, 1}, image, next);
  out["images"]["forward"] = to_hex(next);
  image = next;
  return out;
}

json second_round(const Shape& shape, WorkingKeys& keys, const Keystream& keystream,
                  const ConfusionPlan& plan, Bytes& image) {
  const std::size_t rows = shape.rows;
  const std::size_t cols = shape.cols;
  json out;
  out["maps"]["crossings"] = crossings_json(plan, rows, cols);
  const Shape four{rows, cols, 4, 1};
  Bytes moved = positions(shape.pixels());
  Bytes scratch(cols * transposed_step(four));
  columns_pass({four, plan, keystream, 2, nullptr, 1}, moved, scratch);
  out["maps"]["scan"] = words_json(moved);
  const ChainKeys chain = draw_chain_keys(keys.guide, keys.parameters, {});
  out["chain_keys"] = chain_keys_json(chain);
  out["guide_after_chain_keys"] = lane_json(keys.guide);
  Bytes stream(image.size());
  keystream.fill(2, 0, stream);
  out["keystream"] = to_hex(stream);
  out["carries"] = carries_of(Direction::backward, image, stream, chain);
  Bytes chained = image;
  chain_image(Direction::backward, chained, stream, chain);
  out["images"]["backward"] = to_hex(chained);
  scratch.resize(cols * transposed_step(shape));
  columns_pass({shape, plan, keystream, 2, &chain, 1}, image, scratch);
  out["images"]["columns"] = to_hex(image);
  return out;
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
  for (const Bytes& level : features(trained_keygen(), plain.view())) {
    out["features"].push_back(to_hex(level));
  }
  const auto tags = condense_features(trained_keygen(), plain.view(), condensing);
  for (const Tag& tag : tags) out["T"].push_back(to_hex(tag));
  const PublicParameter q = condense(tags, condensing);
  out["Q"] = to_hex(q);
  const Bytes ks = working_key_bytes(key, nonce, q, full().id, full().rounds, shape);
  out["KS"] = to_hex(ks);
  WorkingKeys keys = working_keys(ks);
  const Parameters& p = keys.parameters;
  out["parameters"] = {{"R", p.r}, {"A", p.a}, {"B", p.b}, {"M", p.sigma}};
  out["guide"] = lane_json(keys.guide);
  out["f"] = keys.feedback;
  out["q"] = keys.offsets;
  WorkingKeys drawn = keys;
  std::vector<NetworkOutput> outputs;
  const ConfusionPlan plan =
      plan_confusion(shape.rows, shape.cols, &trained_feedback(),
                     {p, drawn.guide, drawn.feedback, drawn.offsets}, &outputs);
  const Keystream keystream(keys.lanes, p, {});
  Bytes image = copy_of(plain.bytes());
  out["rounds"].push_back(first_round(shape, keys, keystream, plan, outputs,
                                      vector.at("trace").at("rounds").at(0), image));
  out["rounds"].push_back(second_round(shape, keys, keystream, plan, image));
  return out;
}

/// The part of the file's trace that shows outside the functions of this implementation.
json shown(json trace) {
  for (json& level : trace.at("rounds").at(0).at("levels")) {
    level.erase("inputs");
    level.erase("h1");
  }
  trace.at("rounds").at(0).erase("lines");
  for (json& round : trace.at("rounds")) {
    round.at("maps").erase("exchange");
    round.at("maps").erase("order");
  }
  trace.at("rounds").at(1).at("maps").erase("shift");
  return trace;
}

/// Paths of the leaves that differ or stand on one side only.
std::set<std::string> differences(const json& a, const json& b) {
  const json left = a.flatten();
  const json right = b.flatten();
  std::set<std::string> out;
  for (const auto& [path, value] : left.items()) {
    if (!right.contains(path) || right.at(path) != value) out.insert(path);
  }
  for (const auto& [path, value] : right.items()) {
    if (!left.contains(path)) out.insert(path);
  }
  return out;
}

TEST(Vectors, TheTraceOfTheSmallCaseAgreesInEveryField) {
  const json expected = shown(traced().at("trace"));
  const json found = trace_of(traced());
  EXPECT_EQ(differences(found, expected), std::set<std::string>{});
  EXPECT_EQ(found.at("rounds").at(1).at("images").at("columns"), traced().at("cipher"));
  EXPECT_GT(expected.flatten().size(), 650U);
}

TEST(Vectors, OneAlteredDigitIsNoticed) {
  const json found = trace_of(traced());
  const json flat = found.flatten();
  for (const auto& [path, value] : flat.items()) {
    json changed = found;
    json& at = changed.at(json::json_pointer(path));
    if (value.is_string()) {
      auto text = value.get<std::string>();
      char& digit = text.at(text.size() / 2);
      digit = digit == '0' ? '1' : '0';
      at = text;
    } else if (value.is_number_unsigned()) {
      at = value.get<std::uint64_t>() ^ 1;
    } else {
      at = value.get<std::int64_t>() ^ 1;
    }
    ASSERT_EQ(differences(found, changed), std::set<std::string>{path});
  }
}

TEST(Vectors, OneAlteredBitOfTheKeyChangesNearlyEveryLeaf) {
  json vector = traced();
  auto key = vector.at("key").get<std::string>();
  key.back() = key.back() == '0' ? '1' : '0';
  vector["key"] = key;
  const json expected = shown(traced().at("trace"));
  EXPECT_GT(differences(trace_of(vector), expected).size(), 600U);
}

// --- All vectors --------------------------------------------------------------------------------

TEST(Vectors, EveryCipherImageAgrees) {
  std::map<std::string, int> seen;
  for (const std::string& group : groups()) {
    const json in = json::parse(file_of(group));
    EXPECT_EQ(in.at("weights").at("feedback"), to_hex(sha256(embedded::feedback_json))) << group;
    EXPECT_EQ(in.at("weights").at("keygen"), to_hex(sha256(embedded::keygen_json))) << group;
    for (const auto& vector : in.at("vectors")) {
      if (!vector.contains("plain") || !vector.contains("cipher")) continue;
      const Shape shape = shape_of(vector);
      const Variant variant = variant_of(vector);
      SCOPED_TRACE(group + ", " + std::string(variant.id) + ", " + to_string(shape));
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
      ++seen[std::string(variant.id)];
    }
  }
  EXPECT_EQ(seen.size(), variants().size());
  for (const auto& [id, count] : seen) EXPECT_GE(count, 8) << id;
}

TEST(Vectors, AreTheOnesCompiledIn) {
  for (const auto& [group, text] : embedded_groups()) EXPECT_EQ(text, file_of(group)) << group;
}

TEST(Vectors, CheckVectorsHoldsForTheRegisteredVariants) {
  for (const Variant& variant : variants()) EXPECT_EQ(check_vectors(variant), "") << variant.id;
}

TEST(Vectors, CheckVectorsRefusesWhatHasNone) {
  Variant other = full();
  other.id = "khazaal2024-other";
  EXPECT_EQ(check_vectors(other), "no vectors of khazaal2024-other");
}

TEST(Vectors, CheckVectorsRefusesChangedVariants) {
  const FeedbackWeights start = training_snapshots().front().weights;
  KeygenWeights keygen = trained_keygen();
  keygen.predictor[0][0] = static_cast<std::int8_t>(keygen.predictor[0][0] - 1);
  std::map<std::string, Variant> changed;
  for (const unsigned rounds : {1U, 3U, 4U}) {
    changed["rounds " + std::to_string(rounds)] = full();
    changed["rounds " + std::to_string(rounds)].rounds = rounds;
  }
  changed["no diffusion"] = full();
  changed["no diffusion"].diffusion = false;
  changed["untrained"] = full();
  changed["untrained"].network = &start;
  changed["other keygen"] = full();
  changed["other keygen"].keygen = &keygen;
  changed["no outputs"] = full();
  changed["no outputs"].network_outputs = false;
  changed["digest"] = full();
  changed["digest"].condensed = Condensed::digest;
  changed["no noise"] = full();
  changed["no noise"].sources.gauss = false;
  changed["confusion with diffusion"] = confusion_only();
  changed["confusion with diffusion"].diffusion = true;
  for (const auto& [what, variant] : changed) EXPECT_NE(check_vectors(variant), "") << what;
  // The message names the case.
  EXPECT_NE(check_vectors(changed.at("no diffusion")).find("khazaal2024, 2 rounds"),
            std::string::npos);
}

}  // namespace
}  // namespace icb::khazaal2024
