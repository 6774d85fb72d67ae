/// The templates of the non-overlapping template matching test.
#pragma once

#include <cstdint>
#include <vector>

namespace icb::sp80022 {

/// The aperiodic templates of m bits, increasing: no proper prefix is a suffix too, so two
/// occurrences never overlap. SP 800-22 rev. 1a, section 2.7. Contract: 1 <= m <= 16.
std::vector<std::uint32_t> aperiodic_templates(unsigned m);

}  // namespace icb::sp80022
