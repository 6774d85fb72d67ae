/// TIFF through libtiff's strips, which are the stored samples after decompression, in our byte
/// order.

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "datasets/codec.hpp"

namespace icb::codec {
namespace {

struct Source {
  std::string_view content;
  std::uint64_t at = 0;
};

tmsize_t on_read(thandle_t handle, void* out, tmsize_t size) {
  auto* source = static_cast<Source*>(handle);
  if (size <= 0 || source->at >= source->content.size()) return 0;
  const std::size_t count =
      std::min(static_cast<std::size_t>(size), source->content.size() - source->at);
  std::memcpy(out, source->content.data() + source->at, count);
  source->at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  auto* source = static_cast<Source*>(handle);
  if (whence == SEEK_CUR) offset += source->at;
  if (whence == SEEK_END) offset += source->content.size();
  source->at = offset;
  return offset;
}

int on_close(thandle_t) { return 0; }

toff_t on_size(thandle_t handle) { return static_cast<Source*>(handle)->content.size(); }

// Keeps the first error: the later ones follow from it.
__attribute__((format(printf, 4, 0))) int on_error(TIFF*, void* data, const char*,
                                                   const char* format, std::va_list arguments) {
  auto* first = static_cast<std::string*>(data);
  if (first->empty()) {
    char text[300];
    std::vsnprintf(text, sizeof text, format, arguments);
    *first = text;
  }
  return 1;
}

int on_warning(TIFF*, void*, const char*, const char*, std::va_list) { return 1; }

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }

  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

template <class Value>
Value tag(TIFF* tiff, std::uint32_t number, Value fallback) {
  Value value{};
  return TIFFGetFieldDefaulted(tiff, number, &value) == 1 ? value : fallback;
}

const char* colour_name(int photometric) {
  static constexpr std::pair<int, const char*> names[] = {
      {PHOTOMETRIC_MINISWHITE, "gray with white as zero"},
      {PHOTOMETRIC_MINISBLACK, "gray"},
      {PHOTOMETRIC_RGB, "RGB"},
      {PHOTOMETRIC_PALETTE, "a palette"},
      {PHOTOMETRIC_MASK, "a mask"},
      {PHOTOMETRIC_SEPARATED, "CMYK"},
      {PHOTOMETRIC_YCBCR, "YCbCr"},
      {PHOTOMETRIC_CIELAB, "CIE Lab"},
  };
  for (const auto& [number, name] : names) {
    if (number == photometric) return name;
  }
  return "an unknown colour space";
}

// Most bytes that one byte can become, generously; 0: not a lossless compression we know.
std::size_t compression_ratio(int compression) {
  switch (compression) {
    case COMPRESSION_NONE:
      return 1;
    case COMPRESSION_PACKBITS:
      return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE:
      return 1040;
    case COMPRESSION_LZW:  // a string as long as the table, from 9 bits
      return 4096;
    case COMPRESSION_LZMA:
    case COMPRESSION_ZSTD:  // a block of 128 KiB from 4 bytes
      return 32768;
    default:
      return 0;
  }
}

// What the file says beside the pixels: the tags libtiff keeps apart from those of the layout.
void add_dropped(TIFF* tiff, std::vector<std::string>& dropped) {
  float resolution = 0;
  if (TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &resolution) == 1) dropped.emplace_back("resolution");
  const int count = TIFFGetTagListCount(tiff);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t number = TIFFGetTagListEntry(tiff, i);
    if (number >= 65536) continue;  // libtiff's own
    const TIFFField* field = TIFFFieldWithTag(tiff, number);
    const char* text = field == nullptr ? nullptr : TIFFFieldName(field);
    dropped.push_back(text == nullptr ? fmt::format("tag {}", number) : text);
  }
}

void swap_red_and_blue(cv::Mat& image) {
  const auto swap_in = [&](auto* sample) {
    const auto step = static_cast<std::size_t>(image.channels());
    const std::size_t samples = image.total() * step;
    for (std::size_t i = 0; i < samples; i += step) std::swap(sample[i], sample[i + 2]);
  };
  if (image.depth() == CV_8U) {
    swap_in(image.ptr<std::uint8_t>());
  } else {
    swap_in(image.ptr<std::uint16_t>());
  }
}

}  // namespace

cv::Mat decode_tiff(std::string_view content, const std::string& name,
                    std::vector<std::string>* dropped) {
  Source source{content};
  std::string error;
  const std::unique_ptr<TIFFOpenOptions, Close> options(TIFFOpenOptionsAlloc());
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &error);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(max_image_bytes));
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
  const std::unique_ptr<TIFF, Close> tiff(TIFFClientOpenExt(name.c_str(), "rm", &source, on_read,
                                                            on_write, on_seek, on_close, on_size,
                                                            nullptr, nullptr, options.get()));
  if (!tiff)
    refuse(name, fmt::format("truncated or damaged TIFF of {} bytes: {}", content.size(), error));

  const auto width = tag<std::uint32_t>(tiff.get(), TIFFTAG_IMAGEWIDTH, 0);
  const auto height = tag<std::uint32_t>(tiff.get(), TIFFTAG_IMAGELENGTH, 0);
  const int bits = tag<std::uint16_t>(tiff.get(), TIFFTAG_BITSPERSAMPLE, 1);
  const int format = tag<std::uint16_t>(tiff.get(), TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const std::size_t channels = tag<std::uint16_t>(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, 1);
  std::uint16_t photometric = 0;
  if (TIFFGetField(tiff.get(), TIFFTAG_PHOTOMETRIC, &photometric) != 1) {
    refuse(name, "damaged TIFF: no photometric interpretation; expected gray or RGB");
  }
  if (photometric == PHOTOMETRIC_PALETTE) {
    refuse(name, fmt::format("TIFF with a palette ({} bit); expected gray or RGB samples", bits));
  }
  if (format == SAMPLEFORMAT_IEEEFP || format == SAMPLEFORMAT_COMPLEXIEEEFP) {
    refuse(name, fmt::format("TIFF of {} bit floating point; expected 8 or 16 bit unsigned", bits));
  }
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
    refuse(name,
           fmt::format("TIFF of {} bit signed or complex samples (format {}); expected 8 or 16 "
                       "bit unsigned",
                       bits, format));
  }
  if (bits != 8 && bits != 16) {
    refuse(name, fmt::format("TIFF of {} bit; expected 8 or 16 bit", bits));
  }
  if (photometric != PHOTOMETRIC_MINISBLACK && photometric != PHOTOMETRIC_RGB) {
    refuse(name, fmt::format("TIFF of {}; expected gray (black as zero) or RGB",
                             colour_name(photometric)));
  }
  const std::size_t colours = photometric == PHOTOMETRIC_RGB ? 3 : 1;
  if (channels < colours || channels > colours + 1) {
    refuse(name, fmt::format("TIFF of {} with {} samples a pixel; expected {} or {}",
                             colour_name(photometric), channels, colours, colours + 1));
  }
  if (const int turned = tag<std::uint16_t>(tiff.get(), TIFFTAG_ORIENTATION, 1); turned != 1) {
    refuse(name, fmt::format("TIFF with orientation {}; expected 1 (first row on top, first column "
                             "on the left)",
                             turned));
  }
  const int planes = tag<std::uint16_t>(tiff.get(), TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  if (channels > 1 && planes != PLANARCONFIG_CONTIG) {
    refuse(name, "TIFF with separate planes; expected interleaved samples");
  }
  if (TIFFIsTiled(tiff.get()) != 0) refuse(name, "TIFF of tiles; expected strips");
  const int compression = tag<std::uint16_t>(tiff.get(), TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  const std::size_t ratio = compression_ratio(compression);
  if (ratio == 0 || TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression)) == 0) {
    refuse(name,
           fmt::format("TIFF with compression {}; expected none, LZW, Deflate, PackBits, LZMA "
                       "or Zstandard",
                       compression));
  }
  const std::size_t sample_bytes = static_cast<std::size_t>(bits) / 8;
  check_dimensions(name, width, height, channels, sample_bytes);
  if (const auto pages = TIFFNumberOfDirectories(tiff.get()); pages != 1) {
    refuse(name, fmt::format("TIFF of {} pages; expected 1", pages));
  }
  if (dropped != nullptr) add_dropped(tiff.get(), *dropped);
  check_enough(name, content.size(), width * std::size_t{height} * channels * sample_bytes, ratio);
  cv::Mat image = allocate(name, width, height, channels, sample_bytes);

  const auto strip_rows =
      std::min<std::size_t>(height, tag<std::uint32_t>(tiff.get(), TIFFTAG_ROWSPERSTRIP, height));
  if (strip_rows == 0) refuse(name, "damaged TIFF: strips of 0 rows");
  const std::size_t row_bytes = image.elemSize() * width;
  for (std::size_t row = 0; row < height; row += strip_rows) {
    const std::size_t rows = std::min<std::size_t>(strip_rows, height - row);
    const auto bytes = static_cast<tmsize_t>(rows * row_bytes);
    const auto strip = static_cast<std::uint32_t>(row / strip_rows);
    const tmsize_t got =
        TIFFReadEncodedStrip(tiff.get(), strip, image.data + row * row_bytes, bytes);
    if (got != bytes) {
      refuse(name,
             fmt::format("truncated or damaged TIFF: strip {} needs {} bytes, got {}{}{}", strip,
                         bytes, std::max<tmsize_t>(got, 0), error.empty() ? "" : ": ", error));
    }
  }
  if (colours == 3) swap_red_and_blue(image);
  return image;
}

}  // namespace icb::codec
