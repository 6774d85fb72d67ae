/// CSV as RFC 4180 has it, and files that are whole or not there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.hpp"

namespace icb {

/// 17 significant digits: the text reads back to the same double. "nan" is refused
/// (std::invalid_argument): an undefined value is a status, never a number.
std::string format_double(double value);
/// Inverse of format_double. Throws std::invalid_argument naming the text.
double parse_double(std::string_view text);

/// A table in memory. Every row must have as many fields as the header (std::invalid_argument).
class CsvTable {
 public:
  explicit CsvTable(std::vector<std::string> header);

  void add(std::vector<std::string> row);

  const std::vector<std::string>& header() const { return m_header; }

  const std::vector<std::vector<std::string>>& rows() const { return m_rows; }

  /// Lines end with \n; fields with comma, quote or line break are quoted.
  std::string text() const;

 private:
  std::vector<std::string> m_header;
  std::vector<std::vector<std::string>> m_rows;
};

/// Fields of one RFC 4180 text, header row included. Throws std::invalid_argument on an open quote.
std::vector<std::vector<std::string>> parse_csv(std::string_view text);

/// A file written piece by piece beside its target and renamed at the end, so that a crash, a full
/// disk or an exception leaves the old file or none. Creates the directory. Every call throws
/// InputError with the path and the system's reason.
///
///   AtomicFile file("out/table.csv");
///   file.write(text);  // any number of times
///   file.commit();     // without it the destructor removes what was written
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::string_view content);
  void commit();

 private:
  std::filesystem::path m_path;
  std::filesystem::path m_part;
  Descriptor m_file;
  bool m_open = true;
};

/// The whole content at once.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// The whole file. Throws InputError with the path and the reason, one being that there are more
/// than `limit` bytes (a pipe may have no end).
std::string read_file(const std::filesystem::path& path,
                      std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace icb
