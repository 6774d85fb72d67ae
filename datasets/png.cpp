/// PNG through libpng, which returns the stored samples as they are unless asked to change them.

#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

#include "core/error.hpp"
#include "datasets/codec.hpp"

namespace icb::codec {
namespace {

constexpr std::size_t signature_bytes = 8;
constexpr std::size_t message_bytes = 200;

std::uint32_t big_endian(std::string_view content, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(content[at + i]);
  }
  return value;
}

struct Header {
  std::size_t width;
  std::size_t height;
  std::size_t channels;
  std::size_t sample_bytes;
};

// What libpng would not tell, or would tell only after work: palette, depth, whether the end is
// there.
Header read_header(std::string_view content, const std::string& name) {
  if (content.size() < signature_bytes + 25) {
    refuse(name, fmt::format("truncated: PNG header needs {} bytes, found {}", signature_bytes + 25,
                             content.size()));
  }
  if (big_endian(content, 8) != 13 || content.substr(12, 4) != "IHDR") {
    refuse(name, "damaged PNG: the first chunk is not IHDR");
  }
  const auto depth = static_cast<unsigned char>(content[24]);
  const auto colour = static_cast<unsigned char>(content[25]);
  if (colour == PNG_COLOR_TYPE_PALETTE) {
    refuse(name,
           fmt::format("PNG with a palette ({} bit); expected gray or colour samples", depth));
  }
  if (depth != 8 && depth != 16) {
    refuse(name, fmt::format("PNG of {} bit; expected 8 or 16 bit", depth));
  }
  std::size_t channels = 0;
  switch (colour) {
    case PNG_COLOR_TYPE_GRAY:
      channels = 1;
      break;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      channels = 2;
      break;
    case PNG_COLOR_TYPE_RGB:
      channels = 3;
      break;
    case PNG_COLOR_TYPE_RGB_ALPHA:
      channels = 4;
      break;
    default:
      refuse(name, fmt::format("damaged PNG: colour type {} does not exist", colour));
  }
  return {big_endian(content, 16), big_endian(content, 20), channels,
          static_cast<std::size_t>(depth) / 8};
}

void check_chunks(std::string_view content, const std::string& name) {
  std::size_t at = signature_bytes;
  while (content.size() - at >= 12) {
    const std::size_t length = big_endian(content, at);
    const std::string_view type = content.substr(at + 4, 4);
    if (content.size() - at - 12 < length) break;
    if (type == "IEND") return;
    if (type == "tRNS") {
      refuse(name, "PNG with a transparency key (tRNS); expected none, or an alpha channel");
    }
    if (type == "acTL") refuse(name, "animated PNG; expected a single image");
    at += 12 + length;
  }
  refuse(name, fmt::format("truncated: PNG without its end (IEND) after {} bytes", content.size()));
}

struct Source {
  const char* data;
  std::size_t left;
};

void on_read(png_structp png, png_bytep out, std::size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->left) png_error(png, "unexpected end");
  std::memcpy(out, source->data, size);
  source->data += size;
  source->left -= size;
}

void on_write(png_structp png, png_bytep data, std::size_t size) {
  bool stored = true;
  try {
    static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(data), size);
  } catch (const std::bad_alloc&) {
    stored = false;  // an exception must not pass through libpng
  }
  if (!stored) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  std::snprintf(static_cast<char*>(png_get_error_ptr(png)), message_bytes, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// libpng leaves by longjmp: only trivially destructible objects live in the next two functions.
bool read_rows(Source source, png_bytep* rows, std::size_t row_bytes, char* message) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  if (info == nullptr) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  if (setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_read_fn(png, &source, on_read);
  png_set_user_limits(png, max_side, max_side);
  png_read_info(png, info);
  if (png_get_bit_depth(png, info) == 16) png_set_swap(png);
  png_set_bgr(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "unexpected length of a row");
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

bool write_rows(std::string* out, const Shape* shape, png_bytep* rows, char* message) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  if (info == nullptr) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  if (setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  static constexpr int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                    PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_set_write_fn(png, out, on_write, on_flush);
  png_set_user_limits(png, max_side, max_side);
  png_set_IHDR(png, info, static_cast<png_uint_32>(shape->cols),
               static_cast<png_uint_32>(shape->rows), shape->depth_bits(),
               colours[shape->channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  // A cipher image does not compress: the fast settings lose next to nothing.
  png_set_compression_level(png, 1);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
  png_write_info(png, info);
  if (shape->sample_bytes == 2) png_set_swap(png);
  png_set_bgr(png);
  png_write_image(png, rows);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

}  // namespace

cv::Mat decode_png(std::string_view content, const std::string& name) {
  const Header header = read_header(content, name);
  // Dimensions first: a wrong one is the clearer message.
  cv::Mat image = allocate(name, header.width, header.height, header.channels, header.sample_bytes);
  check_chunks(content, name);
  std::vector<png_bytep> rows(header.height);
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = image.ptr(static_cast<int>(row));
  char message[message_bytes] = "out of memory";
  const std::size_t row_bytes = header.width * header.channels * header.sample_bytes;
  if (!read_rows({content.data(), content.size()}, rows.data(), row_bytes, message)) {
    refuse(name, fmt::format("damaged PNG: {}", message));
  }
  return image;
}

std::string encode_png(ConstImage image) {
  const Shape& shape = image.shape();
  const std::size_t row_bytes = shape.cols * shape.pixel_bytes();
  // libpng's interface takes rows it does not write to.
  auto* first = const_cast<png_bytep>(image.bytes().data());
  std::vector<png_bytep> rows(shape.rows);
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = first + row * row_bytes;
  std::string out;
  char message[message_bytes] = "out of memory";
  if (!write_rows(&out, &shape, rows.data(), message)) {
    throw std::runtime_error(fmt::format("cannot be encoded as PNG: {}", message));
  }
  return out;
}

}  // namespace icb::codec
