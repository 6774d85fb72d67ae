/// The spectral test's transform: peaks below a threshold, by the library chosen at build time
/// (spectral_fftw.cpp or spectral_opencv.cpp). Rounding decides no peak: what it could decide is
/// handed back and decided by the definition, in spectral.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bits.hpp"

namespace icb {

/// Name and version of the library that does the transform, e.g. "fftw-3.3.10-sse2-avx".
std::string transform_library();

namespace sp80022 {

/// Of the peaks k = 0 ... floor(n / 2) - 1.
struct PeakCounts {
  std::uint64_t below = 0;          ///< |X_k|^2 is below the threshold, whatever the rounding
  std::vector<std::uint64_t> near;  ///< k where the error of the transform could decide
};

/// Contract: 2 <= n < 2^31; threshold > 0, for |X_k|^2.
PeakCounts count_peaks(BitView bits, double threshold);

/// n = rows * columns: the transform of length n by transforms of length `rows` and `columns`.
struct TransformSplit {
  std::uint64_t rows;
  std::uint64_t columns;
};

/// How FFTW's transform is split (the four-step method of Bailey, J. Supercomputing 4 (1990)); none
/// where it is done in one step: n below 4096, or with a prime factor above 13. OpenCV's never is.
std::optional<TransformSplit> split_of(std::uint64_t n);

}  // namespace sp80022
}  // namespace icb
