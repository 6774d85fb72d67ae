#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "datasets/dataset.hpp"

namespace icb {
namespace {

// Where a sample of the result lies between two of the source: weight of the second in 1/65536.
struct Tap {
  std::size_t first;
  std::size_t second;
  std::uint64_t weight;
};

// Sample centres aligned: (i + 1/2) from/to - 1/2 in 16.16, held inside the source.
std::vector<Tap> taps(std::size_t from, std::size_t to) {
  std::vector<Tap> out(to);
  const auto last = static_cast<std::int64_t>(from - 1) << 16;
  for (std::size_t i = 0; i < to; ++i) {
    const std::uint64_t centre =
        ((2 * std::uint64_t{i} + 1) * from << 16) / (2 * std::uint64_t{to});
    const auto at = static_cast<std::uint64_t>(
        std::clamp(static_cast<std::int64_t>(centre) - 32768, std::int64_t{0}, last));
    const auto first = static_cast<std::size_t>(at >> 16);
    out[i] = {first, std::min(first + 1, from - 1), at & 0xFFFF};
  }
  return out;
}

template <class Sample>
void resize(const cv::Mat& in, cv::Mat& out) {
  const auto channels = static_cast<std::size_t>(in.channels());
  const auto columns = taps(static_cast<std::size_t>(in.cols), static_cast<std::size_t>(out.cols));
  const auto lines = taps(static_cast<std::size_t>(in.rows), static_cast<std::size_t>(out.rows));
  constexpr std::uint64_t one = 65536;
  for (std::size_t y = 0; y < lines.size(); ++y) {
    const auto* top = in.ptr<Sample>(static_cast<int>(lines[y].first));
    const auto* bottom = in.ptr<Sample>(static_cast<int>(lines[y].second));
    auto* to = out.ptr<Sample>(static_cast<int>(y));
    const std::uint64_t v = lines[y].weight;
    for (const Tap& column : columns) {
      const std::uint64_t u = column.weight;
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t left = column.first * channels + c;
        const std::size_t right = column.second * channels + c;
        const std::uint64_t above = top[left] * (one - u) + top[right] * u;
        const std::uint64_t below = bottom[left] * (one - u) + bottom[right] * u;
        *to++ = static_cast<Sample>((above * (one - v) + below * v + (one * one / 2)) >> 32);
      }
    }
  }
}

}  // namespace

cv::Mat resize_bilinear(const cv::Mat& image, std::size_t rows, std::size_t cols) {
  const Shape shape = view_of(image).shape();
  constexpr std::size_t max_side = std::size_t{1} << 20;
  if (rows == 0 || cols == 0 || rows > max_side || cols > max_side ||
      rows * cols > max_image_bytes / shape.pixel_bytes()) {
    throw std::invalid_argument(fmt::format(
        "resize_bilinear: expected 1 x 1 to 16384 x 16384 pixels, got {} x {}", rows, cols));
  }
  cv::Mat out(static_cast<int>(rows), static_cast<int>(cols), image.type());
  if (shape.sample_bytes == 1) {
    resize<std::uint8_t>(image, out);
  } else {
    resize<std::uint16_t>(image, out);
  }
  return out;
}

}  // namespace icb
