/// The share of things that changed, and its exact law: what npcr, npcr_pixels, bit_change_rate and
/// plain_cipher_npcr have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/finding.hpp"

namespace icb {

/// Null model of a share of n things, each unchanged with probability `same` independently of the
/// others: mean 1 - same, sd sqrt(same (1 - same) / n).
NullModel changed_share_null(std::uint64_t n, double same);

/// Finding for n >= 1 things of which `changed` differ. p is exact: the number of unchanged things
/// is binomial(n, same), and p is twice the smaller of P(X <= x) and P(X >= x), at most 1. Since X
/// is an integer this rejects at most as often as alpha says. `detail` names the side if p < 0.01.
///
/// The unchanged ones are counted since 1 - same may not be a double (1 - 2^-64 is not).
Measurement changed_share(std::string_view quantity, const std::string& channel, std::uint64_t n,
                          std::uint64_t changed, double same);

}  // namespace icb
