#include "cipher/khazaal2024/vectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb {

namespace embedded {
extern const std::string_view feedback_json;
extern const std::string_view keygen_json;
extern const std::string_view vectors_khazaal2024;
extern const std::string_view vectors_khazaal2024_confusion;
extern const std::string_view vectors_khazaal2024_no_cnn;
extern const std::string_view vectors_khazaal2024_no_dnn;
extern const std::string_view vectors_khazaal2024_no_gauss;
extern const std::string_view vectors_khazaal2024_no_henon;
extern const std::string_view vectors_khazaal2024_no_logistic;
extern const std::string_view vectors_large;
extern const std::string_view vectors_rounds;
}  // namespace embedded

namespace khazaal2024 {
namespace {

/// The generators named by the vectors, as scripts/reference/make_vectors.py states them.
Bytes generate(const std::string& generator, const Shape& shape) {
  OwnedImage out(shape);
  Image image = out.view();
  if (generator == "counter") {
    for (std::size_t n = 0; n < shape.bytes(); ++n) {
      image.bytes()[n] = static_cast<std::uint8_t>(n & 0xFF);
    }
  } else if (generator == "gradient") {
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.cols; ++j) {
        for (std::size_t c = 0; c < shape.channels; ++c) {
          image.set_sample(i, j, c, static_cast<std::uint16_t>(7 * i + 3 * j + 11 * c));
        }
      }
    }
  } else if (generator == "hash") {
    for (std::size_t n = 0; n < shape.bytes(); n += 32) {
      const Digest digest = sha256(fmt::format("icbench vector {}", n / 32));
      std::copy_n(digest.begin(), std::min<std::size_t>(32, shape.bytes() - n),
                  image.bytes().begin() + static_cast<std::ptrdiff_t>(n));
    }
  } else if (generator != "zero") {
    throw std::invalid_argument("vectors: unknown generator " + generator);
  }
  return {out.bytes().begin(), out.bytes().end()};
}

std::string check(const Variant& variant, const nlohmann::json& vector) {
  const Shape shape{.rows = vector.at("H").get<std::size_t>(),
                    .cols = vector.at("W").get<std::size_t>(),
                    .channels = vector.at("C").get<std::size_t>(),
                    .sample_bytes = vector.at("D").get<std::size_t>()};
  const std::string name =
      fmt::format("{}, {} rounds, {} {}", variant.id, variant.rounds, to_string(shape),
                  vector.at("plain_generator").get<std::string>());
  const Bytes key = from_hex(vector.at("key").get<std::string>());
  const Bytes nonce = from_hex(vector.at("nonce").get<std::string>());
  const OwnedImage plain(shape, generate(vector.at("plain_generator").get<std::string>(), shape));
  OwnedImage work(shape);
  const Bytes header = encrypt(variant, plain.view(), key, nonce, work.view());
  if (to_hex(header) != vector.at("header").get<std::string>()) return name + ": header differs";
  if (to_hex(sha256(work.bytes())) != vector.at("cipher_sha256").get<std::string>()) {
    return name + ": cipher image differs";
  }
  decrypt(variant, std::as_const(work).view(), key, header, work.view());
  if (!std::ranges::equal(work.bytes(), plain.bytes())) return name + ": decryption differs";
  return {};
}

}  // namespace

std::string check_vectors(const Variant& variant) {
  using namespace embedded;
  std::size_t checked = 0;
  for (const std::string_view group :
       {vectors_khazaal2024, vectors_khazaal2024_confusion, vectors_khazaal2024_no_cnn,
        vectors_khazaal2024_no_dnn, vectors_khazaal2024_no_gauss, vectors_khazaal2024_no_henon,
        vectors_khazaal2024_no_logistic, vectors_large, vectors_rounds}) {
    const auto in = nlohmann::json::parse(group);
    if (in.at("weights").at("feedback") != to_hex(sha256(feedback_json)) ||
        in.at("weights").at("keygen") != to_hex(sha256(keygen_json))) {
      return "the vectors were made with other weight files; run scripts/reference/make_vectors.py";
    }
    for (const auto& vector : in.at("vectors")) {
      if (vector.at("variant") != variant.id) continue;
      Variant checked_variant = variant;
      if (group == vectors_rounds) checked_variant.rounds = vector.at("rounds").get<unsigned>();
      if (std::string difference = check(checked_variant, vector); !difference.empty()) {
        return difference;
      }
      ++checked;
    }
  }
  return checked > 0 ? std::string{} : fmt::format("no vectors of {}", variant.id);
}

}  // namespace khazaal2024
}  // namespace icb
