/// Unified average changing intensity: mean distance of two cipher images as a share of the range.
#pragma once

#include <cstdint>

#include "metrics/finding.hpp"

namespace icb {

/// Mean (F + 2)/(3 F + 3) and variance (F + 2)(F^2 + 2 F + 3) / (18 (F + 1)^2 F n) of the mean of
/// |a - b| / F over n >= 1 pairs of independent uniform samples of 0..F, F = 2^depth_bits - 1.
///
/// |a - b| = d > 0 in 2 (L - d) of the L^2 pairs, L = F + 1, so E |a - b| = (L^2 - 1)/(3 L) and
/// E (a - b)^2 = (L^2 - 1)/6: mean and variance follow, exactly.
NullModel uaci_null(std::uint64_t n, int depth_bits);

}  // namespace icb
