/// The judgement of a cipher's properties as table, CSV, JSON and page.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/properties/run.hpp"
#include "core/csv.hpp"

namespace icb::properties {

/// A row per family and nonce policy, with the finding that is farthest off; below it the verdict.
std::string render_table(const Subject& subject, const Judgement& judgement);

/// A row per finding, full precision.
CsvTable findings_csv(const Judgement& judgement);

/// Provenance, options, properties with their findings.
nlohmann::ordered_json json_of(const Subject& subject, const Judgement& judgement);

/// README.md of a results directory.
std::string render_page(const Subject& subject, const Judgement& judgement);

/// What a cell measured: its name, then the columns of a measurement.
CsvTable measurements_csv(const Subject& subject, const std::string& cell,
                          std::vector<Measurement> measurements);

}  // namespace icb::properties
