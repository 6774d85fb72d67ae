/// What does not hold in the paper as printed (E1 to E9), each with the measured figure behind it.
#pragma once

#include <vector>

#include "bench/reproduce/run.hpp"
#include "bench/reproduce/table2.hpp"

namespace icb::reproduce {

/// Measured figures that need an image: histograms (E3), moments (E4).
std::vector<Cell> errata_cells(const Run& run);

/// Columns id, finding, quantity, paper, measured, unit, n, how.
CsvTable errata_csv(const Run& run, const CellResults& results,
                    const std::vector<RowAssessment>& table2);

}  // namespace icb::reproduce
