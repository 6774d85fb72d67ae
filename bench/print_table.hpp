/// One table on standard output in the format asked for.
#pragma once

#include "bench/command.hpp"
#include "core/csv.hpp"

namespace icb {

/// Aligned columns, RFC 4180 CSV, or a JSON array of objects.
void print_table(const CsvTable& table, Format format);

}  // namespace icb
