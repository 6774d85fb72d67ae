/// Image readers on arbitrary bytes, one format per program: both readers refuse with an InputError
/// or deliver an image, and what both deliver is the same. What is delivered survives writing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "datasets/codec.hpp"
#include "datasets/dataset.hpp"
#include "fuzz/png_mutator.hpp"

namespace {

using icb::Picture;

namespace format {

enum Format { png, tiff, pnm, bmp };

}  // namespace format

constexpr format::Format chosen = format::ICB_FUZZ_FORMAT;

cv::Mat decode_strictly(std::string_view content) {
  switch (chosen) {
    case format::png:
      return icb::codec::decode_png(content, "input");
    case format::tiff:
      return icb::codec::decode_tiff(content, "input");
    case format::pnm:
      return icb::codec::decode_pnm(content, "input");
    default:
      return icb::codec::decode_bmp(content, "input");
  }
}

/// Through the start of the file, as the program reads.
std::optional<Picture> decode(std::string_view content) {
  try {
    return icb::decode_picture(content, "input");
  } catch (const icb::InputError&) {
    return std::nullopt;
  }
}

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  const icb::ConstImage x = icb::view_of(a);
  const icb::ConstImage y = icb::view_of(b);
  return x.shape() == y.shape() && std::ranges::equal(x.bytes(), y.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  if (size < 2) return -1;  // the dispatcher lets nothing shorter through
  const auto picture = decode(content);
  std::optional<cv::Mat> strict;
  try {
    strict = decode_strictly(content);
  } catch (const icb::InputError&) {
  }
  if (strict && picture) require(same(*strict, picture->image));
  if (picture) {
    const std::string written =
        icb::encode_png(icb::view_of(picture->image), icb::PngEffort::fast, picture->metadata);
    const Picture back = icb::decode_picture(written, "written");
    require(same(back.image, picture->image) && back.metadata == picture->metadata);
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  if (chosen != format::png) return LLVMFuzzerMutate(data, size, most);
  return icb::fuzz::mutate_png(data, size, most, seed);
}
