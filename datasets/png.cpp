/// PNG through libpng, which returns the stored samples as they are unless asked to change them.

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "datasets/codec.hpp"
#include "datasets/png_chunks.hpp"

namespace icb::codec {
namespace {

constexpr std::size_t message_bytes = 200;
constexpr std::size_t deflate_ratio = 1040;  // at most 258 bytes from 2 bits, and some slack

struct Header {
  std::size_t width;
  std::size_t height;
  unsigned depth;  ///< as stored
  unsigned colour;

  bool palette() const { return colour == PNG_COLOR_TYPE_PALETTE; }

  /// After expansion, without the channel that a transparency key adds.
  std::size_t channels() const {
    switch (colour) {
      case PNG_COLOR_TYPE_GRAY:
        return 1;
      case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
      case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
      default:
        return 3;
    }
  }

  std::size_t sample_bytes() const { return depth == 16 ? 2 : 1; }

  /// Fewest bytes the rows have before compression.
  std::size_t stored_bytes() const {
    return height * (1 + (width * depth * (palette() ? 1 : channels()) + 7) / 8);
  }
};

Header read_header(std::string_view content, const std::string& name) {
  if (content.size() < png::start_bytes) {
    refuse(name, fmt::format("truncated: PNG header needs {} bytes, found {}", png::start_bytes,
                             content.size()));
  }
  if (png::read_number(content, 8) != 13 || content.substr(12, 4) != "IHDR") {
    refuse(name, "damaged PNG: the first chunk is not IHDR");
  }
  const Header header{.width = png::read_number(content, 16),
                      .height = png::read_number(content, 20),
                      .depth = static_cast<unsigned char>(content[24]),
                      .colour = static_cast<unsigned char>(content[25])};
  if (header.colour > 6 || header.colour == 1 || header.colour == 5) {
    refuse(name, fmt::format("damaged PNG: colour type {} does not exist", header.colour));
  }
  return header;
}

// What libpng would not tell, or would tell only after work.
void check_plain(const Header& header, const std::string& name) {
  if (header.palette()) {
    refuse(name, fmt::format("PNG with a palette ({} bit); expected gray or colour samples",
                             header.depth));
  }
  if (header.depth != 8 && header.depth != 16) {
    refuse(name, fmt::format("PNG of {} bit; expected 8 or 16 bit", header.depth));
  }
}

void check_depth(const Header& header, const std::string& name) {
  const bool exists = header.depth == 1 || header.depth == 2 || header.depth == 4 ||
                      header.depth == 8 || header.depth == 16;
  const bool fits = header.palette() ? header.depth <= 8
                                     : header.depth >= 8 || header.colour == PNG_COLOR_TYPE_GRAY;
  if (!exists || !fits) {
    refuse(name, fmt::format("damaged PNG: {} bit do not exist for colour type {}", header.depth,
                             header.colour));
  }
}

/// Calls `visit` for every chunk up to IEND; returns how many bytes that takes.
template <class Visit>
std::size_t for_each_chunk(std::string_view content, const std::string& name, Visit visit) {
  std::size_t at = png::signature.size();
  while (const auto chunk = png::chunk_at(content, at)) {
    at += chunk->whole.size();
    if (chunk->type == "acTL") refuse(name, "animated PNG; expected a single image");
    visit(*chunk);
    if (chunk->type == "IEND") return at;
  }
  refuse(name, fmt::format("truncated: PNG without its end (IEND) after {} bytes", content.size()));
}

/// What stands in a file beside the pixels.
struct Surroundings {
  std::size_t pixel_bytes = 0;  ///< compressed
  bool transparency_key = false;
  PngMetadata metadata;
  std::vector<std::string> dropped;
};

Surroundings surroundings(std::string_view content, const Header& header, const std::string& name) {
  Surroundings out;
  std::vector<png::Chunk> ancillary;
  std::size_t before = 0;
  const std::size_t end = for_each_chunk(content, name, [&](const png::Chunk& chunk) {
    if (!chunk.intact()) {
      refuse(name, fmt::format("damaged PNG: chunk of {} bytes at byte {}: wrong checksum or type",
                               chunk.data.size(), chunk.whole.data() - content.data()));
    }
    if (chunk.type == "IDAT") {
      if (out.pixel_bytes == 0) before = ancillary.size();
      out.pixel_bytes += chunk.data.size();
    } else if (chunk.type == "tRNS") {
      out.transparency_key = true;
    } else if (chunk.type == "PLTE") {
      if (!header.palette()) out.dropped.emplace_back("PLTE (suggested palette)");
    } else if (chunk.ancillary()) {
      ancillary.push_back(chunk);
    }
  });
  const bool expanded = header.palette() || header.depth < 8 || out.transparency_key;
  for (std::size_t i = 0; i < ancillary.size(); ++i) {
    const std::string_view type = ancillary[i].type;
    // These speak of the samples as stored, or of the palette.
    if (type == "hIST" || (expanded && (type == "bKGD" || type == "sBIT"))) {
      out.dropped.emplace_back(type);
      continue;
    }
    (i < before ? out.metadata.before : out.metadata.after) += ancillary[i].whole;
  }
  if (end != content.size()) {
    out.dropped.push_back(fmt::format("{} bytes after the end of the PNG", content.size() - end));
  }
  return out;
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
bool read_rows(Source source, bool expand, png_bytep* rows, std::size_t row_bytes, char* message) {
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
  // No ancillary chunk but tRNS can change a sample: they are not parsed.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, info);
  if (expand) png_set_expand(png);
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

bool write_rows(std::string* out, const Shape* shape, PngEffort effort, png_bytep* rows,
                char* message) {
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
  if (effort == PngEffort::stored) {
    png_set_compression_level(png, 0);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_buffer_size(png, std::size_t{1} << 16);
  } else if (effort == PngEffort::fast) {
    png_set_compression_level(png, 1);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
  }
  png_write_info(png, info);
  if (shape->sample_bytes == 2) png_set_swap(png);
  png_set_bgr(png);
  png_write_image(png, rows);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

}  // namespace

namespace {

// `expand`: the channels of `shape` count what a palette and a transparency key become.
cv::Mat decode(std::string_view content, const std::string& name, const Shape& shape, bool expand) {
  cv::Mat image = allocate(name, shape.cols, shape.rows, shape.channels, shape.sample_bytes);
  std::vector<png_bytep> rows(shape.rows);
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = image.ptr(static_cast<int>(row));
  char message[message_bytes] = "out of memory";
  const std::size_t row_bytes = shape.cols * shape.pixel_bytes();
  if (!read_rows({content.data(), content.size()}, expand, rows.data(), row_bytes, message)) {
    refuse(name, fmt::format("damaged PNG: {}", message));
  }
  return image;
}

Shape shape_of(const Header& header, bool transparency_key) {
  return {.rows = header.height,
          .cols = header.width,
          .channels = header.channels() + (transparency_key ? 1 : 0),
          .sample_bytes = header.sample_bytes()};
}

void check_shape(const std::string& name, const Shape& shape) {
  check_dimensions(name, shape.cols, shape.rows, shape.channels, shape.sample_bytes);
}

std::string with_metadata(const std::string& content, const PngMetadata& metadata) {
  constexpr std::size_t end_bytes = png::frame_bytes;  // IEND is empty
  std::string out;
  out.reserve(content.size() + metadata.before.size() + metadata.after.size());
  out.append(content, 0, png::start_bytes).append(metadata.before);
  out.append(content, png::start_bytes, content.size() - png::start_bytes - end_bytes);
  out.append(metadata.after).append(content, content.size() - end_bytes);
  return out;
}

}  // namespace

cv::Mat decode_png(std::string_view content, const std::string& name) {
  const Header header = read_header(content, name);
  check_plain(header, name);
  const Shape shape = shape_of(header, false);
  // Dimensions first: a wrong one is the clearer message.
  check_shape(name, shape);
  std::size_t pixel_bytes = 0;
  for_each_chunk(content, name, [&](const png::Chunk& chunk) {
    if (chunk.type == "tRNS") {
      refuse(name, "PNG with a transparency key (tRNS); expected none, or an alpha channel");
    }
    if (chunk.type == "IDAT") pixel_bytes += chunk.data.size();
  });
  check_enough(name, pixel_bytes, header.stored_bytes(), deflate_ratio);
  return decode(content, name, shape, false);
}

Picture decode_png_picture(std::string_view content, const std::string& name) {
  const Header header = read_header(content, name);
  check_depth(header, name);
  check_shape(name, shape_of(header, false));
  Surroundings around = surroundings(content, header, name);
  if (around.transparency_key && header.channels() % 2 == 0) {
    refuse(name, "damaged PNG: a transparency key beside an alpha channel");
  }
  const Shape shape = shape_of(header, around.transparency_key);
  check_shape(name, shape);
  check_enough(name, around.pixel_bytes, header.stored_bytes(), deflate_ratio);
  Picture out;
  out.image = decode(content, name, shape, true);
  out.metadata = std::move(around.metadata);
  out.dropped = std::move(around.dropped);
  if (header.palette()) {
    out.expanded.push_back(fmt::format("palette of {} bit to {} of 8 bit", header.depth,
                                       around.transparency_key ? "RGB + alpha" : "RGB"));
  } else {
    if (header.depth < 8) {
      out.expanded.push_back(fmt::format("gray of {} bit to 8 bit", header.depth));
    }
    if (around.transparency_key) out.expanded.emplace_back("transparency key to an alpha channel");
  }
  return out;
}

}  // namespace icb::codec

namespace icb {

std::vector<std::string> chunk_types(const PngMetadata& metadata) {
  std::vector<std::string> out;
  for (const std::string* part : {&metadata.before, &metadata.after}) {
    for (std::size_t at = 0; const auto chunk = png::chunk_at(*part, at);) {
      if (std::find(out.begin(), out.end(), chunk->type) == out.end()) {
        out.emplace_back(chunk->type);
      }
      at += chunk->whole.size();
    }
  }
  return out;
}

std::string encode_png(ConstImage image, PngEffort effort, const PngMetadata& metadata) {
  const Shape& shape = image.shape();
  const std::size_t row_bytes = shape.cols * shape.pixel_bytes();
  // libpng's interface takes rows it does not write to.
  auto* first = const_cast<png_bytep>(image.bytes().data());
  std::vector<png_bytep> rows(shape.rows);
  for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = first + row * row_bytes;
  std::string out;
  char message[codec::message_bytes] = "out of memory";
  if (!codec::write_rows(&out, &shape, effort, rows.data(), message)) {
    throw std::runtime_error(fmt::format("cannot be encoded as PNG: {}", message));
  }
  return metadata.empty() ? out : codec::with_metadata(out, metadata);
}

}  // namespace icb
