/// Prints one digest per variant of the paper's cipher over generated images of many shapes, made
/// by every instruction set this processor has and by 1, 2 and 8 threads.
///
///   cipher_digests [> FILE]
///
/// stdout: a line "<variant> <SHA-256>" each, the same whatever compiler, flags and processor built
/// and ran it; scripts/same_bytes.sh compares. stderr: the instruction sets tried. Exit code: 1 if
/// two of them, or two numbers of threads, differ, or if decryption does not give the image back.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <exception>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/hash.hpp"
#include "hwy/highway.h"

namespace {

using namespace icb;  // NOLINT: a program of one file

constexpr std::uint64_t seed = 1;

/// Texture, flat parts and edges, from bytes of a label.
OwnedImage generated_image(const Shape& shape) {
  OwnedImage out(shape, derive_bytes(seed, "digests/" + to_string(shape), shape.bytes()));
  const std::size_t third = shape.bytes() / 3;
  for (std::size_t n = third; n < 2 * third; ++n) {
    out.view().bytes()[n] = static_cast<std::uint8_t>((n / 5) & 0xFF);
  }
  return out;
}

std::vector<OwnedImage> smoke_images() {
  std::vector<OwnedImage> out;
  for (const std::size_t sample : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      for (const auto& [rows, cols] :
           {std::pair{1U, 1U}, {1U, 7U}, {7U, 1U}, {3U, 3U}, {16U, 16U}, {33U, 65U}, {130U, 41U}}) {
        out.push_back(generated_image(
            {.rows = rows, .cols = cols, .channels = channels, .sample_bytes = sample}));
      }
    }
  }
  // Several units of 2^17 bytes, which threads share.
  out.push_back(generated_image({.rows = 1200, .cols = 110, .channels = 3}));
  out.push_back(generated_image({.rows = 512, .cols = 512}));
  return out;
}

/// Over headers and cipher images; empty if an image does not come back.
std::string digest(const khazaal2024::Variant& variant, const std::vector<OwnedImage>& images) {
  Bytes all;
  for (const OwnedImage& plain : images) {
    const std::string label = fmt::format("digests/{}/{}", variant.id, to_string(plain.shape()));
    const Digest key = derive_key(seed, label);
    const Digest nonce = derive_key(seed, label + "/nonce");
    OwnedImage work(plain.shape());
    const Bytes header =
        khazaal2024::encrypt(variant, plain.view(), key, ConstBytes{nonce}.first(16), work.view());
    const Digest found = sha256(work.bytes());
    all.insert(all.end(), header.begin(), header.end());
    all.insert(all.end(), found.begin(), found.end());
    khazaal2024::decrypt(variant, std::as_const(work).view(), key, header, work.view());
    if (!std::ranges::equal(work.bytes(), plain.bytes())) return {};
  }
  return to_hex(sha256(all));
}

int run() {
  const auto images = smoke_images();
  int status = 0;
  auto targets = hwy::SupportedAndGeneratedTargets();
  for (const auto target : targets) fmt::print(stderr, "{} ", hwy::TargetName(target));
  fmt::print(stderr, "on 1, 2, 8 threads, {} images\n", images.size());
  for (const khazaal2024::Variant& variant : khazaal2024::variants()) {
    std::string first;
    for (const auto target : targets) {
      hwy::SetSupportedTargetsForTest(target);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      for (const unsigned threads : {1U, 2U, 8U}) {
        khazaal2024::set_threads(threads);
        const std::string found = digest(variant, images);
        if (first.empty()) first = found;
        if (found.empty() || found != first) {
          fmt::print(stderr, "{}: {} on {} threads: {}\n", variant.id, hwy::TargetName(target),
                     threads, found.empty() ? "does not decrypt" : "other bytes");
          status = 1;
        }
      }
    }
    fmt::print("{} {}\n", variant.id, first);
  }
  return status;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {
    fmt::print(stderr, "cipher_digests: {}\n", e.what());
    return 3;
  }
}
