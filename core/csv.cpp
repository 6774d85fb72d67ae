#include "core/csv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"

namespace icb {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string joined(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    line += quoted(fields[i]);
  }
  return line + '\n';
}

[[noreturn]] void cannot_write(const std::filesystem::path& path, int error) {
  throw InputError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

std::filesystem::path part_of(const std::filesystem::path& path) {
  return path.parent_path() / fmt::format(".{}.{}.part", path.filename().string(), ::getpid());
}

int open_part(const std::filesystem::path& path, const std::filesystem::path& part) {
  std::error_code error;
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) cannot_write(path.parent_path(), error.value());
  }
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    throw InputError(fmt::format("{}: expected a regular file to replace", path.string()));
  }
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) cannot_write(path, errno);
  return fd;
}

}  // namespace

std::string format_double(double value) {
  if (std::isnan(value)) throw std::invalid_argument("an undefined value (NaN) was to be written");
  return fmt::format("{:.17g}", value);
}

double parse_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: \"" + std::string(text) + "\"");
  }
  return value;
}

CsvTable::CsvTable(std::vector<std::string> header) : m_header(std::move(header)) {}

void CsvTable::add(std::vector<std::string> row) {
  if (row.size() != m_header.size()) {
    throw std::invalid_argument(
        fmt::format("CSV row has {} fields, the header {}", row.size(), m_header.size()));
  }
  m_rows.push_back(std::move(row));
}

std::string CsvTable::text() const {
  std::string out = joined(m_header);
  for (const auto& row : m_rows) out += joined(row);
  return out;
}

std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool inside = false;
  bool any = false;  // something on this line
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        inside = false;
      }
    } else if (c == '"') {
      inside = any = true;
    } else if (c == ',') {
      row.push_back(std::exchange(field, {}));
      any = true;
    } else if (c == '\n') {
      if (any) {
        row.push_back(std::exchange(field, {}));
        rows.push_back(std::exchange(row, {}));
      }
      any = false;
    } else if (c != '\r') {
      field += c;
      any = true;
    }
  }
  if (inside) throw std::invalid_argument("CSV ends inside a quoted field");
  if (any) {
    row.push_back(field);
    rows.push_back(row);
  }
  return rows;
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : m_path(std::move(path)), m_part(part_of(m_path)), m_file(open_part(m_path, m_part)) {}

AtomicFile::~AtomicFile() {
  if (m_open) ::unlink(m_part.c_str());
}

void AtomicFile::write(std::string_view content) {
  const char* next = content.data();
  std::size_t left = content.size();
  while (left > 0) {
    const ssize_t written = ::write(m_file.get(), next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(m_path, errno);
    next += written;
    left -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(m_file.get()) != 0 && errno != EINVAL && errno != EROFS) cannot_write(m_path, errno);
  std::error_code error;
  std::filesystem::rename(m_part, m_path, error);
  if (error) cannot_write(m_path, error.value());
  m_open = false;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw InputError(fmt::format("{}: no such file", path.string()));
  }
  if (std::filesystem::is_directory(path, error)) {
    throw InputError(fmt::format("{}: expected a file, got a directory", path.string()));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw InputError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  std::string content;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    content.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (content.size() > limit) {
      throw InputError(
          fmt::format("{}: too large: expected at most {} bytes, got more", path.string(), limit));
    }
  }
  if (in.bad()) throw InputError(fmt::format("{}: cannot be read", path.string()));
  return content;
}

}  // namespace icb
