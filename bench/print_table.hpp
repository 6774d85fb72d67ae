/// One table as the common options ask: to standard output or to a file below --out, aligned, as
/// CSV or as JSON.
#pragma once

#include <string>

#include "bench/command.hpp"
#include "core/csv.hpp"

namespace icb {

/// Aligned columns, RFC 4180 CSV, or a JSON array of objects.
std::string render_table(const CsvTable& table, Format format);

/// Writes to stdout, or to <out>/<name>.txt, .csv or .json if --out is given.
void print_table(const CsvTable& table, const CommonOptions& common, const std::string& name);

}  // namespace icb
