/// The decoders behind load_image: every one delivers the stored samples exactly or refuses.
///
/// OpenCV's own decoders are not used, because they change values without saying so (version 4.6,
/// all with IMREAD_UNCHANGED): a palette, 1 and 4 bit samples are expanded; a TIFF is rotated by
/// its orientation tag, its colour multiplied by its alpha, white-is-zero inverted, CMYK converted,
/// the alpha of 8-bit gray dropped, separate planes mixed up; the alpha of a BMP is dropped; ASCII
/// PNM is scaled by its maximum. They also print to standard error whatever the log level.
#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/image.hpp"
#include "datasets/dataset.hpp"

namespace icb::codec {

/// Largest width and height accepted.
inline constexpr std::size_t max_side = std::size_t{1} << 20;

/// Throws InputError "name: what".
[[noreturn]] void refuse(const std::string& name, const std::string& what);

/// Throws InputError if a side is zero or the image larger than max_image_bytes allows; channels
/// and sample_bytes are in range.
void check_dimensions(const std::string& name, std::size_t width, std::size_t height,
                      std::size_t channels, std::size_t sample_bytes);

/// Throws InputError if `present` bytes cannot hold `needed` bytes, compressed at most `ratio` to
/// one. Called before a matrix is allocated, so that a short file cannot ask for much memory.
void check_enough(const std::string& name, std::size_t present, std::size_t needed,
                  std::size_t ratio);

/// Matrix for an image whose header gives these dimensions, checked as above.
cv::Mat allocate(const std::string& name, std::size_t width, std::size_t height,
                 std::size_t channels, std::size_t sample_bytes);

/// 8 or 16 bit gray, gray + alpha, RGB, RGBA; the transparency key (tRNS) and animation are
/// refused.
cv::Mat decode_png(std::string_view content, const std::string& name);
/// Any PNG but an animated one, with the chunks beside the pixels (decode_picture).
Picture decode_png_picture(std::string_view content, const std::string& name);

/// One page of strips, chunky, 8 or 16 bit unsigned; gray or RGB with at most one extra sample;
/// uncompressed or any lossless compression; orientation top-left.
/// If `dropped` is given, names of what the file holds beside pixels are added to it.
cv::Mat decode_tiff(std::string_view content, const std::string& name,
                    std::vector<std::string>* dropped = nullptr);

/// PGM (P2, P5) and PPM (P3, P6) with a maximum of 255 or 65535.
cv::Mat decode_pnm(std::string_view content, const std::string& name,
                   std::vector<std::string>* dropped = nullptr);

/// 24 bit, 32 bit (four bytes of a pixel as stored: B, G, R, A) and 8 bit with the gray ramp as
/// palette.
cv::Mat decode_bmp(std::string_view content, const std::string& name,
                   std::vector<std::string>* dropped = nullptr);

}  // namespace icb::codec
