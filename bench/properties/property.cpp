#include "bench/properties/property.hpp"

#include <fmt/format.h>

#include "bench/cipher_stream.hpp"
#include "core/error.hpp"

namespace icb::properties {

Sizes Sizes::quick() {
  return {.pairs = 60,
          .sequences = 20,
          .pattern_sequences = 10,
          .keystream_bits = 20'000'000,
          .parameter_side = 32,
          .key_side = 64,
          .altered = 100,
          .rounds_keys = 40,
          .larger_side = 1024,
          .most_images = 8};
}

Bytes key_of(const Subject& subject, std::string_view label) {
  return key_for(subject.seed, subject.cipher, fmt::format("properties/{}", label));
}

Bytes nonce_of(const Subject& subject, std::string_view label) {
  return nonce_for(subject.seed, subject.cipher, "properties", label);
}

std::vector<ImageRef> large_images(const Subject& subject) {
  constexpr std::size_t side = 64;
  std::vector<ImageRef> out;
  for (const ImageRef& image : subject.images.images) {
    const Shape& shape = image.shape;
    const bool large = shape.rows >= side && shape.cols >= side && shape.sample_bytes == 1;
    if (large && !subject.cipher.refuses(shape)) out.push_back(image);
  }
  return out;
}

const ImageRef& image_of_pair(const std::vector<ImageRef>& images, std::uint64_t pair) {
  if (images.empty()) {
    throw InputError(
        "properties: expected an 8-bit image of 64 x 64 pixels or more that the "
        "cipher accepts, got none");
  }
  return images[pair % images.size()];
}

Measurement measurement_of(std::string quantity, double value, std::uint64_t n) {
  Measurement out;
  out.quantity = std::move(quantity);
  out.channel = "all";
  out.value = value;
  out.n = n;
  return out;
}

std::span<const Measurement> found(const CellResults& results, const std::string& cell) {
  const std::vector<Measurement>& all = results.at(cell);
  if (all.front().status == Status::error) return {};
  return all;
}

bool fixed_nonce_decides(const CipherEntry& cipher) {
  return cipher.nonce_bytes.value == 0 || cipher.public_parameter != nullptr;
}

Finding exact_finding(std::string quantity, std::string family, std::uint64_t count,
                      std::uint64_t n, std::string null_model) {
  Finding out{.measurement = measurement_of(std::move(quantity), static_cast<double>(count), n),
              .family = std::move(family),
              .null_model = std::move(null_model)};
  out.measurement.expected = 0;
  out.measurement.status = count == 0 ? Status::ok : Status::reject;
  out.measurement.detail = fmt::format("{} of {}", count, n);
  if (n == 0) {
    out.measurement.status = Status::not_applicable;
    out.measurement.value.reset();
    out.measurement.detail = "nothing could be measured";
  }
  return out;
}

}  // namespace icb::properties
