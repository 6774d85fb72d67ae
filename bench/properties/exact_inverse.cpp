/// Exact inverse: decrypt(encrypt(x)) is x, byte for byte.
///
/// Shapes:  8 and 16 bit, 1 to 4 channels, each of 1 x 1, 1 x 7, 7 x 1, 33 x 65, 110 x 1200, 1200 x
///          110 and 512 x 512, and one larger image (2048 x 2048, 8 bit, gray); seeded random bytes
///          and all zero.
/// Images:  every image of every volume found, of the generated set besides; a key and nonce each.
/// Null:    none: a single byte that differs, or a decryption that is refused, is a rejection.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bench/properties/property.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb::properties {
namespace {

constexpr const char* null_model = "none: exact";

std::vector<Shape> shapes(const Subject& subject) {
  constexpr std::array<std::pair<std::size_t, std::size_t>, 7> sides{
      {{1, 1}, {1, 7}, {7, 1}, {33, 65}, {110, 1200}, {1200, 110}, {512, 512}}};
  std::vector<Shape> out;
  for (const auto& [rows, cols] : sides) {
    for (std::size_t channels = 1; channels <= 4; ++channels) {
      for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}}) {
        out.push_back({rows, cols, channels, bytes});
      }
    }
  }
  out.push_back({subject.sizes.larger_side, subject.sizes.larger_side, 1, 1});
  return out;
}

std::string shape_cell(const Shape& shape, const char* content) {
  return fmt::format("exact-inverse/{}/{}", to_string(shape), content);
}

std::string image_cell(const ImageSet& set, const ImageRef& image) {
  return fmt::format("exact-inverse/{}/{}/{}", set.name, image.name, image.sha256);
}

/// Bytes that differ after decryption.
std::vector<Measurement> round_trip(const Subject& subject, const std::string& cell,
                                    ConstImage plain) {
  const std::uint64_t n = plain.shape().bytes();
  Measurement out = measurement_of("bytes_that_differ", 0, n);
  out.image = cell;
  if (const auto reason = subject.cipher.refuses(plain.shape())) {
    out.value.reset();
    out.status = Status::not_applicable;
    out.detail = *reason;
    return {out};
  }
  const Bytes key = key_of(subject, cell);
  const Encrypted sent = encrypt(subject.cipher, plain, key, nonce_of(subject, cell));
  try {
    const OwnedImage back = decrypt(subject.cipher, sent.image.view(), key, sent.header);
    std::uint64_t differ = 0;
    for (std::size_t i = 0; i < n; ++i) differ += back.bytes()[i] != plain.bytes()[i] ? 1U : 0U;
    out.value = static_cast<double>(differ);
  } catch (const IntegrityError& error) {
    out.value = static_cast<double>(n);
    out.detail = fmt::format("refused: {}", error.what());
  }
  if (*out.value > 0) out.status = Status::reject;
  return {out};
}

std::vector<Cell> cells(const Subject& subject) {
  std::vector<Cell> out;
  for (const Shape& shape : shapes(subject)) {
    for (const char* content : {"random", "zero"}) {
      const std::string name = shape_cell(shape, content);
      out.push_back({name,
                     [&subject, name, shape, zero = content[0] == 'z'] {
                       const OwnedImage plain =
                           zero
                               ? OwnedImage(shape)
                               : OwnedImage(shape, derive_bytes(subject.seed, name, shape.bytes()));
                       return round_trip(subject, name, plain.view());
                     },
                     1 + 2e-6 * static_cast<double>(shape.bytes())});
    }
  }
  for (const ImageSet& set : subject.volumes) {
    std::size_t taken = 0;
    for (const ImageRef& image : set.images) {
      if (taken++ == subject.sizes.most_images) break;
      const std::string name = image_cell(set, image);
      out.push_back({name,
                     [&subject, name, image] {
                       return round_trip(subject, name, owned(image.load()).view());
                     },
                     1 + 3e-6 * static_cast<double>(image.shape.bytes())});
    }
  }
  return out;
}

/// All cells whose name begins so, as one finding.
Finding together(const CellResults& results, const std::vector<std::string>& names,
                 const std::string& quantity, const char* what) {
  std::uint64_t failed = 0;
  std::uint64_t tried = 0;
  std::uint64_t refused = 0;
  std::string first;
  for (const std::string& name : names) {
    for (const Measurement& m : found(results, name)) {
      if (m.status == Status::not_applicable) {
        ++refused;
        continue;
      }
      ++tried;
      if (m.status == Status::reject && ++failed == 1) first = name;
    }
  }
  Finding out = exact_finding(quantity, "exact-inverse/" + quantity, failed, tried, null_model);
  if (tried == 0) return out;
  out.measurement.detail = fmt::format("{} of {} {} not restored", failed, tried, what);
  if (refused > 0) out.measurement.detail += fmt::format("; {} refused by the cipher", refused);
  if (failed > 0) out.measurement.detail += "; the first: " + first;
  return out;
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  std::vector<std::string> of_shapes;
  for (const Shape& shape : shapes(subject)) {
    for (const char* content : {"random", "zero"}) of_shapes.push_back(shape_cell(shape, content));
  }
  std::vector<std::string> of_images;
  std::string sets;
  for (const ImageSet& set : subject.volumes) {
    const std::size_t count = std::min(set.images.size(), subject.sizes.most_images);
    for (std::size_t i = 0; i < count; ++i) of_images.push_back(image_cell(set, set.images[i]));
    sets += fmt::format("{}{} of {}", sets.empty() ? "" : ", ", count, set.name);
  }
  std::vector<Finding> out;
  out.push_back(together(results, of_shapes, "shapes_not_restored", "images (shape, content)"));
  out.push_back(together(results, of_images, "images_not_restored",
                         fmt::format("images ({})", sets).c_str()));
  return out;
}

const RegisterProperty entry{
    {.name = "exact-inverse",
     .summary = "encrypts and decrypts every shape and every image of the sets, byte for byte",
     .null_model = null_model,
     .refuses = always_measured,
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
