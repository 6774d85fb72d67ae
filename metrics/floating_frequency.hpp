/// Floating frequency: distinct byte values in a sliding window.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/image.hpp"
#include "metrics/finding.hpp"

namespace icb {

inline constexpr std::size_t floating_window = 64;

/// The number of distinct values in each run of 64 consecutive bytes, summed over all bytes.size()
/// - 63 of them; 0 if there are fewer bytes.
///
/// A byte is the last of its value in as many windows as there are bytes back to the previous one
/// of that value, at most 64: one pass with the last place of each value.
std::uint64_t distinct_in_windows(ConstBytes bytes);

/// Mean and sd, both exact, of the mean number of distinct values over the W = n - 63 windows of n
/// >= 64 i.i.d. uniform bytes.
///
/// With K = 256, q = 1 - 1/K, r = 1 - 2/K: a value is absent from a window with probability q^64,
/// so the mean is K (1 - q^64). Two windows h <= 64 apart share 64 - h bytes and have h of their
/// own each; a value is absent from both with probability q^(64+h), two different values from one
/// each with r^(64-h) q^(2h). Hence the covariance
///   C_h = K q^(64+h) + K (K-1) r^(64-h) q^(2h) - K^2 q^128,   C_64 = 0 and 0 beyond,
/// and Var = (W C_0 + 2 sum_{h=1}^{63} (W - h)^+ C_h) / W^2. The mean over the windows of several
/// channels of n bytes each, which are independent, has the same mean and Var / channels.
/// Errors: std::invalid_argument for n < 64.
NullModel floating_frequency_null(std::uint64_t n, std::size_t channels = 1);

}  // namespace icb
