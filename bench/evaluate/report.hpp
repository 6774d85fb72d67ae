/// What `icbench evaluate` found, as a table for people, CSV and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/evaluate/inputs.hpp"
#include "bench/evaluate/run.hpp"
#include "bench/evaluate/summary.hpp"
#include "core/csv.hpp"

namespace icb::evaluate {

/// What was looked at and how.
struct Setting {
  Sources sources;
  Job job;
  bool folder = false;
  std::vector<std::string> unpaired = {};
};

/// Columns of a measurement, then family, p_corrected, extreme.
CsvTable measurements_csv(const std::vector<JudgedMeasurement>& rows);
/// A row per image.
CsvTable images_csv(const std::vector<JudgedImage>& images);
/// A row per quantity.
CsvTable summary_csv(const std::vector<QuantitySummary>& quantities);

/// Rows of a CSV text without its header, for files written image by image.
std::string without_header(const CsvTable& table);

/// Heading, rows in groups, what they amount to.
std::string render_image(const Setting& setting, const JudgedImage& image);
std::string render_folder(const Setting& setting, const Summary& summary);

/// Everything about one image; about a folder everything but the measurements.
nlohmann::ordered_json json_of_image(const Setting& setting, const JudgedImage& image);
nlohmann::ordered_json json_of_folder(const Setting& setting, const Summary& summary,
                                      nlohmann::ordered_json images);
/// An image in the array "images" of the latter.
nlohmann::ordered_json json_row(const JudgedImage& image);

/// As a file; text that is not UTF-8 is made so.
std::string dumped(const nlohmann::ordered_json& json);

}  // namespace icb::evaluate
