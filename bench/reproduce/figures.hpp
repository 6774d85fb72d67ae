/// Data of the figures, as CSV and lossless pictures; scripts/figures.py draws them.
#pragma once

#include "bench/reproduce/run.hpp"

namespace icb::reproduce {

/// Writes data/figure3_*.csv, data/figure6_exchange.csv, data/figure8.csv, data/figure9_*.csv and
/// images/*.png below run.out.
void write_figures(const Run& run);

}  // namespace icb::reproduce
