/// Data of the figures, as CSV and lossless pictures; scripts/figures.py draws them.
#pragma once

#include <string>
#include <vector>

#include "bench/reproduce/run.hpp"

namespace icb::reproduce {

/// Writes data/figure3_*.csv, data/figure6_exchange.csv, data/figure8.csv, data/figure9_*.csv and
/// images/*.png below run.out.
///
/// Returns what could not be drawn because an image cannot be read.
std::vector<std::string> write_figures(const Run& run);

}  // namespace icb::reproduce
