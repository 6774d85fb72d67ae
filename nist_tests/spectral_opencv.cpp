/// The spectral test's transform by OpenCV, in one step.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <opencv2/core.hpp>

#include "nist_tests/spectral.hpp"

namespace icb {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Bits as -1, +1.
void spread(BitView bits, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); i += 64) {
    std::uint64_t word = bits.words()[i / 64];
    const std::size_t stop = std::min(out.size(), i + 64);
    for (std::size_t j = i; j < stop; ++j, word <<= 1) out[j] = (word >> 63) != 0 ? 1.0 : -1.0;
  }
}

int largest_prime_factor(int n) {
  int largest = 1;
  for (int p = 2; p <= n / p; ++p) {
    for (; n % p == 0; n /= p) largest = p;
  }
  return std::max(largest, n);
}

bool has_large_prime_factor(int n) { return largest_prime_factor(n) > 64; }

// Bound of the error of a computed X_k. The twiddle factors of OpenCV come from a recurrence, so
// the error grows with n^2; seen at n up to 2 10^6: 0.002 epsilon n^2, by convolution 0.25 epsilon
// n^2.
double error_bound(double n) {
  const double share = has_large_prime_factor(static_cast<int>(n)) ? 16 : 1.0 / 16;
  return epsilon * n * (64 * std::log2(2 * n) + share * n);
}

// cv::dft takes n p steps for a prime factor p. Bluestein's convolution of a friendly length
// instead: 2 j k = j^2 + k^2 - (k - j)^2.
cv::Mat transform_by_convolution(const cv::Mat& input) {
  const int n = input.cols;
  const int size = cv::getOptimalDFTSize(2 * n);
  std::vector<cv::Vec2d> chirp(static_cast<std::size_t>(n));
  for (int j = 0; j < n; ++j) {
    const std::int64_t square =
        static_cast<std::int64_t>(j) * j % (2 * static_cast<std::int64_t>(n));
    const double angle = std::numbers::pi * static_cast<double>(square) / n;
    chirp[static_cast<std::size_t>(j)] = {std::cos(angle), -std::sin(angle)};
  }
  cv::Mat a(1, size, CV_64FC2, cv::Scalar::all(0));
  cv::Mat b(1, size, CV_64FC2, cv::Scalar::all(0));
  for (int j = 0; j < n; ++j) {
    const cv::Vec2d c = chirp[static_cast<std::size_t>(j)];
    a.at<cv::Vec2d>(j) = c * input.at<double>(j);
    b.at<cv::Vec2d>(j) = {c[0], -c[1]};
    if (j > 0) b.at<cv::Vec2d>(size - j) = {c[0], -c[1]};
  }
  cv::dft(a, a);
  cv::dft(b, b);
  cv::mulSpectrums(a, b, a, 0);
  cv::dft(a, a, cv::DFT_INVERSE | cv::DFT_SCALE);
  return a;  // times the chirp, which has magnitude 1
}

// |X_k|^2, k = 0 ... floor(n / 2) - 1. The view is good until this thread's next call.
std::span<const double> squared_magnitudes(BitView bits) {
  thread_local std::vector<double> out;
  const int n = static_cast<int>(bits.size());
  out.assign(bits.size() / 2, 0);
  cv::Mat row(1, n, CV_64F);
  spread(bits, {row.ptr<double>(), bits.size()});
  if (has_large_prime_factor(n)) {
    const cv::Mat transformed = transform_by_convolution(row);
    for (int k = 0; k < n / 2; ++k) {
      const auto x = transformed.at<cv::Vec2d>(k);
      out[static_cast<std::size_t>(k)] = x[0] * x[0] + x[1] * x[1];
    }
    return out;
  }
  cv::dft(row, row);  // packed: Re 0, Re 1, Im 1, Re 2, Im 2, ...
  const double* x = row.ptr<double>();
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = k == 0 ? x[0] * x[0] : x[2 * k - 1] * x[2 * k - 1] + x[2 * k] * x[2 * k];
  }
  return out;
}

}  // namespace

sp80022::PeakCounts sp80022::count_peaks(BitView bits, double threshold) {
  const double error = error_bound(static_cast<double>(bits.size()));
  const double band = error * (2 * std::sqrt(threshold) + error);
  PeakCounts counts;
  const auto squares = squared_magnitudes(bits);
  for (std::size_t k = 0; k < squares.size(); ++k) {
    if (squares[k] < threshold - band) {
      ++counts.below;
    } else if (squares[k] <= threshold + band) {
      counts.near.push_back(k);
    }
  }
  return counts;
}

std::optional<sp80022::TransformSplit> sp80022::split_of(std::uint64_t /*n*/) {
  return std::nullopt;
}

std::string transform_library() { return "opencv " + cv::getVersionString(); }

}  // namespace icb
