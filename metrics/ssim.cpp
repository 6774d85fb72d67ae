#include "metrics/ssim.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace icb {
namespace {

/// One side of the separable window.
std::array<double, ssim_window> gaussian() {
  std::array<double, ssim_window> out{};
  double sum = 0;
  for (std::size_t i = 0; i < ssim_window; ++i) {
    const double d = static_cast<double>(i) - 5;
    sum += out.at(i) = std::exp(-d * d / (2 * 1.5 * 1.5));
  }
  for (double& weight : out) weight /= sum;
  return out;
}

std::vector<double> plane(ConstImage image, std::size_t channel) {
  const Shape& shape = image.shape();
  std::vector<double> out;
  out.reserve(shape.pixels());
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      out.push_back(image.sample(row, col, channel));
    }
  }
  return out;
}

/// Weighted sums of x, y, x^2, y^2 and xy.
enum Sum : std::size_t { sum_x, sum_y, sum_xx, sum_yy, sum_xy, sums };

double channel_ssim(ConstImage a, ConstImage b, std::size_t channel) {
  const Shape& shape = a.shape();
  const std::size_t cols = shape.cols;
  const std::vector<double> x = plane(a, channel);
  const std::vector<double> y = plane(b, channel);
  const auto weights = gaussian();
  const double peak = std::ldexp(1.0, shape.depth_bits()) - 1;
  const double c1 = 0.01 * peak * (0.01 * peak);
  const double c2 = 0.03 * peak * (0.03 * peak);
  std::array<std::vector<double>, sums> columns;  // each column's sum down the window
  double total = 0;
  for (std::size_t top = 0; top + ssim_window <= shape.rows; ++top) {
    for (auto& each : columns) each.assign(cols, 0);
    for (std::size_t i = 0; i < ssim_window; ++i) {
      const double w = weights.at(i);
      const double* u = &x[(top + i) * cols];
      const double* v = &y[(top + i) * cols];
      for (std::size_t col = 0; col < cols; ++col) {
        const double wu = w * u[col];
        const double wv = w * v[col];
        columns[sum_x][col] += wu;
        columns[sum_y][col] += wv;
        columns[sum_xx][col] += wu * u[col];
        columns[sum_yy][col] += wv * v[col];
        columns[sum_xy][col] += wu * v[col];
      }
    }
    for (std::size_t left = 0; left + ssim_window <= cols; ++left) {
      std::array<double, sums> s{};
      for (std::size_t i = 0; i < ssim_window; ++i) {
        for (std::size_t k = 0; k < sums; ++k) s[k] += weights[i] * columns[k][left + i];
      }
      const double mm = s[sum_x] * s[sum_y];
      const double m2 = s[sum_x] * s[sum_x] + s[sum_y] * s[sum_y];
      const double variances = s[sum_xx] - s[sum_x] * s[sum_x] + (s[sum_yy] - s[sum_y] * s[sum_y]);
      total += (2 * mm + c1) * (2 * (s[sum_xy] - mm) + c2) / ((m2 + c1) * (variances + c2));
    }
  }
  const std::size_t windows = (shape.rows - ssim_window + 1) * (cols - ssim_window + 1);
  return total / static_cast<double>(windows);
}

}  // namespace

double ssim(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  const Shape& shape = a.shape();
  if (b.shape() != shape) {
    throw std::invalid_argument(fmt::format("ssim: expected two images of {}, got one of {}",
                                            to_string(shape), to_string(b.shape())));
  }
  if (channel && *channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("ssim: channel must be below {}, got {}", shape.channels, *channel));
  }
  if (shape.rows < ssim_window || shape.cols < ssim_window) {
    throw std::invalid_argument(
        fmt::format("ssim: expected at least 11 x 11 pixels, got {}", to_string(shape)));
  }
  if (channel) return channel_ssim(a, b, *channel);
  double sum = 0;
  for (std::size_t c = 0; c < shape.channels; ++c) sum += channel_ssim(a, b, c);
  return sum / static_cast<double>(shape.channels);
}

}  // namespace icb
