#include "bench/print_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace icb {
namespace {

std::string aligned(const CsvTable& table) {
  std::vector<std::size_t> widths;
  for (const auto& name : table.header()) widths.push_back(name.size());
  for (const auto& row : table.rows()) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  add(table.header());
  for (const auto& row : table.rows()) add(row);
  return out;
}

std::string json(const CsvTable& table) {
  auto rows = nlohmann::ordered_json::array();
  for (const auto& row : table.rows()) {
    nlohmann::ordered_json object;
    for (std::size_t i = 0; i < row.size(); ++i) object[table.header()[i]] = row[i];
    rows.push_back(std::move(object));
  }
  return rows.dump(2) + '\n';
}

const char* extension(Format format) {
  return format == Format::csv ? "csv" : format == Format::json ? "json" : "txt";
}

}  // namespace

std::string render_table(const CsvTable& table, Format format) {
  if (format == Format::csv) return table.text();
  return format == Format::json ? json(table) : aligned(table);
}

void print_table(const CsvTable& table, const CommonOptions& common, const std::string& name) {
  const std::string text = render_table(table, common.format);
  if (common.out) {
    write_file_atomically(*common.out / fmt::format("{}.{}", name, extension(common.format)), text);
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
}

}  // namespace icb
