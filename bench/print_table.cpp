#include "bench/print_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace icb {
namespace {

void print_aligned(const CsvTable& table) {
  std::vector<std::size_t> widths;
  for (const auto& name : table.header()) widths.push_back(name.size());
  for (const auto& row : table.rows()) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto print_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
    }
    fmt::print("{}\n", line);
  };
  print_row(table.header());
  for (const auto& row : table.rows()) print_row(row);
}

}  // namespace

void print_table(const CsvTable& table, Format format) {
  if (format == Format::csv) {
    fmt::print("{}", table.text());
  } else if (format == Format::json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& row : table.rows()) {
      nlohmann::ordered_json object;
      for (std::size_t i = 0; i < row.size(); ++i) object[table.header()[i]] = row[i];
      out.push_back(object);
    }
    fmt::print("{}\n", out.dump(2));
  } else {
    print_aligned(table);
  }
}

}  // namespace icb
