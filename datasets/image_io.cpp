#include <fmt/format.h>
#include <png.h>
#include <tiffvers.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "datasets/codec.hpp"
#include "datasets/dataset.hpp"
#include "datasets/png_chunks.hpp"

namespace icb {
namespace codec {

void refuse(const std::string& name, const std::string& what) {
  throw InputError(fmt::format("{}: {}", name, what));
}

void check_dimensions(const std::string& name, std::size_t width, std::size_t height,
                      std::size_t channels, std::size_t sample_bytes) {
  if (width == 0 || height == 0) {
    refuse(name, fmt::format("the image is empty: expected at least 1 x 1 pixels, got {} x {}",
                             width, height));
  }
  const bool sides = width <= max_side && height <= max_side;
  if (!sides || width * height > max_image_bytes / (channels * sample_bytes)) {
    refuse(name,
           fmt::format("too large: {} x {} x {}, {} bit; expected sides of at most {} and at most "
                       "{} bytes of pixels",
                       width, height, channels, 8 * sample_bytes, max_side, max_image_bytes));
  }
}

void check_enough(const std::string& name, std::size_t present, std::size_t needed,
                  std::size_t ratio) {
  if (needed / ratio > present) {
    refuse(name, fmt::format("truncated or damaged: {} bytes of pixels cannot come from {} bytes",
                             needed, present));
  }
}

cv::Mat allocate(const std::string& name, std::size_t width, std::size_t height,
                 std::size_t channels, std::size_t sample_bytes) {
  check_dimensions(name, width, height, channels, sample_bytes);
  try {
    return cv::Mat(static_cast<int>(height), static_cast<int>(width),
                   CV_MAKETYPE(sample_bytes == 1 ? CV_8U : CV_16U, static_cast<int>(channels)));
  } catch (const cv::Exception&) {
    refuse(name, fmt::format("not enough memory for {} x {} x {}, {} bit", width, height, channels,
                             8 * sample_bytes));
  }
}

}  // namespace codec

namespace {

constexpr const char* expected_formats = "expected TIFF, PNG, PGM, PPM or BMP";

// Formats people try, so that the message can name them.
struct OtherFormat {
  std::string_view magic;
  const char* name;
  bool is_image;
};

constexpr OtherFormat other_formats[] = {
    {"\xFF\xD8\xFF", "JPEG, which is lossy", true},
    {"GIF8", "GIF, which has a palette", true},
    {"RIFF", "a RIFF file such as WebP", true},
    {std::string_view("\x00\x00\x00\x0CjP  ", 8), "JPEG 2000", true},
    {"%PDF", "PDF", false},
    {"PK\x03\x04", "a zip archive", false},
    {"\x1F\x8B", "a gzip archive", false},
    {"MATLAB", "a MATLAB file", false},
    {"<", "markup text", false},
};

enum class Encoding { png, tiff, pnm, bmp };

std::optional<Encoding> encoding_of(std::string_view content) {
  using namespace std::string_view_literals;
  if (content.starts_with(png::signature)) return Encoding::png;
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (content.starts_with(magic)) return Encoding::tiff;
  }
  if (content.size() >= 2 && content[0] == 'P' && content[1] >= '1' && content[1] <= '7') {
    return Encoding::pnm;
  }
  if (content.starts_with("BM")) return Encoding::bmp;
  return std::nullopt;
}

std::string first_bytes(std::string_view content) {
  std::string out;
  for (const char c : content.substr(0, 8)) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

namespace {

[[noreturn]] void refuse_unknown(std::string_view content, const std::string& name) {
  if (content.empty()) codec::refuse(name, fmt::format("the file is empty; {}", expected_formats));
  for (const OtherFormat& format : other_formats) {
    if (content.starts_with(format.magic)) {
      codec::refuse(name, fmt::format("not a supported image: looks like {}; {}", format.name,
                                      expected_formats));
    }
  }
  codec::refuse(name, fmt::format("not an image: {} bytes starting with {}; {}", content.size(),
                                  first_bytes(content), expected_formats));
}

}  // namespace

ContentKind kind_of_content(std::string_view content) {
  const auto encoding = encoding_of(content);
  // Prose may start with "P5", too: a header goes on with a number or a comment.
  const std::size_t next = content.find_first_not_of(" \t\n\v\f\r", 2);
  const bool prose = encoding == Encoding::pnm && next != std::string_view::npos &&
                     (next == 2 ? content[2] != '#'
                                : content[next] != '#' &&
                                      std::isdigit(static_cast<unsigned char>(content[next])) == 0);
  if (encoding && !prose) return ContentKind::image;
  for (const OtherFormat& format : other_formats) {
    if (format.is_image && content.starts_with(format.magic)) return ContentKind::unsupported_image;
  }
  return ContentKind::other;
}

cv::Mat decode_image(std::string_view content, const std::string& name) {
  const auto encoding = encoding_of(content);
  if (!encoding) refuse_unknown(content, name);
  switch (*encoding) {
    case Encoding::png:
      return codec::decode_png(content, name);
    case Encoding::tiff:
      return codec::decode_tiff(content, name);
    case Encoding::pnm:
      return codec::decode_pnm(content, name);
    case Encoding::bmp:
      return codec::decode_bmp(content, name);
  }
  throw std::logic_error("encoding out of range");
}

Picture decode_picture(std::string_view content, const std::string& name) {
  const auto encoding = encoding_of(content);
  if (!encoding) refuse_unknown(content, name);
  Picture out;
  switch (*encoding) {
    case Encoding::png:
      return codec::decode_png_picture(content, name);
    case Encoding::tiff:
      out.image = codec::decode_tiff(content, name, &out.dropped);
      return out;
    case Encoding::pnm:
      out.image = codec::decode_pnm(content, name, &out.dropped);
      return out;
    case Encoding::bmp:
      out.image = codec::decode_bmp(content, name, &out.dropped);
      return out;
  }
  throw std::logic_error("encoding out of range");
}

std::string read_image_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_character_file(status) || std::filesystem::is_block_file(status)) {
    codec::refuse(path.string(), "expected a file, got a device");
  }
  // A pipe has no size, and read_file has the messages for what is missing or a directory.
  if (!std::filesystem::is_regular_file(status)) return read_file(path, max_file_bytes);
  const std::size_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_file_bytes) {
    codec::refuse(path.string(),
                  fmt::format("too large: {} bytes, expected at most {}", size, max_file_bytes));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in || error) {
    codec::refuse(path.string(), fmt::format("cannot be opened: {}", std::strerror(errno)));
  }
  std::string content(size, '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  if (in.gcount() != static_cast<std::streamsize>(size)) {
    codec::refuse(path.string(),
                  fmt::format("cannot be read: expected {} bytes, got {}", size, in.gcount()));
  }
  return content;
}

cv::Mat load_image(const std::filesystem::path& path) {
  return decode_image(read_image_file(path), path.string());
}

ConstImage view_of(const cv::Mat& image) {
  if (image.empty()) throw std::invalid_argument("view_of: the matrix is empty");
  if (image.dims != 2 || !image.isContinuous()) {
    throw std::invalid_argument(
        fmt::format("view_of: expected a continuous matrix of 2 dimensions, got {} dimensions{}",
                    image.dims, image.isContinuous() ? "" : ", not continuous"));
  }
  if (image.depth() != CV_8U && image.depth() != CV_16U) {
    throw std::invalid_argument(
        fmt::format("view_of: expected 8 or 16 bit unsigned samples, got {}",
                    cv::depthToString(image.depth())));
  }
  const Shape shape{.rows = static_cast<std::size_t>(image.rows),
                    .cols = static_cast<std::size_t>(image.cols),
                    .channels = static_cast<std::size_t>(image.channels()),
                    .sample_bytes = image.elemSize1()};
  return {shape, ConstBytes(image.data, image.total() * image.elemSize())};
}

OwnedImage owned(const cv::Mat& image) {
  const ConstImage view = view_of(image);
  return {view.shape(), Bytes(view.bytes().begin(), view.bytes().end())};
}

cv::Mat to_mat(ConstImage image) {
  const Shape& shape = image.shape();
  cv::Mat out(
      static_cast<int>(shape.rows), static_cast<int>(shape.cols),
      CV_MAKETYPE(shape.sample_bytes == 1 ? CV_8U : CV_16U, static_cast<int>(shape.channels)));
  std::memcpy(out.data, image.bytes().data(), image.bytes().size());
  return out;
}

void save_png(const std::filesystem::path& path, ConstImage image) {
  std::string content;
  try {
    content = encode_png(image);
  } catch (const std::runtime_error& error) {
    codec::refuse(path.string(), error.what());
  }
  write_file_atomically(path, content);
}

std::vector<std::pair<std::string, std::string>> decoder_versions() {
  return {{"libpng", PNG_LIBPNG_VER_STRING},
          {"libtiff", fmt::format("{}.{}.{}", TIFFLIB_MAJOR_VERSION, TIFFLIB_MINOR_VERSION,
                                  TIFFLIB_MICRO_VERSION)}};
}

}  // namespace icb
