/// The page a reader sees: results/paper/README.md, made from the tables; and the run's manifest.
#pragma once

#include <string>
#include <vector>

#include "bench/reproduce/run.hpp"
#include "bench/reproduce/table2.hpp"

namespace icb::reproduce {

struct Tables {
  CsvTable table2;
  CsvTable table3;
  CsvTable table3_all;
  CsvTable rejections;
  CsvTable training;
  CsvTable rounds;
  CsvTable errata;
};

std::string render_page(const Run& run, const Tables& tables);

/// JSON: program, machine, options, data with checksums, libraries.
std::string render_manifest(const Run& run);

}  // namespace icb::reproduce
