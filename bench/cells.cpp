#include "bench/cells.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "bench/progress.hpp"
#include "bench/stop.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/parallel.hpp"

namespace icb {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw InputError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

/// Opens for appending, creating file and directory.
int open_store(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) fail(path.parent_path(), error.value());
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, errno);

  struct stat status {};

  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    throw InputError(fmt::format("{}: expected a regular file to append to", path.string()));
  }
  return fd;
}

struct StoredLine {
  std::string cell;
  std::size_t index;
  std::size_t of;
  Measurement measurement;
};

// A line that does not parse was cut by a crash.
std::optional<StoredLine> parse_line(std::string_view line) {
  try {
    const auto in = nlohmann::json::parse(line);
    return StoredLine{in.at("cell").get<std::string>(), in.at("i").get<std::size_t>(),
                      in.at("of").get<std::size_t>(), measurement_from_json(line)};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

std::string stored_line(const std::string& key, std::size_t index, std::size_t of,
                        const Measurement& measurement) {
  // {"cell":...,"i":...,"of":..., then the measurement's own fields.
  return fmt::format(R"({{"cell":"{}","i":{},"of":{},{})", key, index, of,
                     to_json_line(measurement).substr(1)) +
         '\n';
}

std::vector<Measurement> guarded(const Cell& cell, bool& failed) {
  try {
    std::vector<Measurement> measurements = cell.compute();
    if (measurements.empty()) throw std::logic_error(cell.name + ": no measurement");
    return measurements;
  } catch (const std::exception& error) {
    failed = true;
    Measurement m;
    m.quantity = cell.name;
    m.status = Status::error;
    m.detail = error.what();
    return {m};
  }
}

}  // namespace

CellStore::CellStore(std::filesystem::path path, std::string context)
    : m_path(std::move(path)), m_context(std::move(context)), m_file(open_store(m_path)) {
  // Two runs into one directory would do the work twice and cut each other's lines.
  if (::flock(m_file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw InputError(fmt::format("{}: another run is writing here", m_path.string()));
  }
  std::size_t whole = 0;  // end of the last complete line
  {
    const std::string content = read_file(m_path);
    std::map<std::string, std::map<std::size_t, StoredLine>> partial;
    for (std::size_t end = 0; (end = content.find('\n', whole)) != std::string::npos;
         whole = end + 1) {
      if (auto line = parse_line(std::string_view(content).substr(whole, end - whole))) {
        if (line->index >= line->of) continue;
        auto& lines = partial[line->cell];
        const std::size_t index = line->index;
        lines.insert_or_assign(index, std::move(*line));
      }
    }
    for (auto& [cell, lines] : partial) {
      if (lines.size() != lines.begin()->second.of) continue;
      auto& out = m_finished[cell];
      for (auto& [index, line] : lines) out.push_back(std::move(line.measurement));
    }
  }
  // A cut last line must not be glued to the next one.
  if (::ftruncate(m_file.get(), static_cast<off_t>(whole)) != 0) fail(m_path, errno);
}

std::string CellStore::key(const std::string& cell) const {
  return to_hex(sha256(m_context + '\0' + cell));
}

const std::vector<Measurement>* CellStore::find(const std::string& cell) const {
  const auto found = m_finished.find(key(cell));
  return found == m_finished.end() ? nullptr : &found->second;
}

void CellStore::put(const std::string& cell, const std::vector<Measurement>& measurements) {
  const std::string hash = key(cell);
  std::string lines;
  for (std::size_t i = 0; i < measurements.size(); ++i) {
    lines += stored_line(hash, i, measurements.size(), measurements[i]);
  }
  const char* next = lines.data();
  std::size_t left = lines.size();
  while (left > 0) {
    const ssize_t written = ::write(m_file.get(), next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(m_path, errno);
    next += written;
    left -= static_cast<std::size_t>(written);
  }
  m_finished[hash] = measurements;
}

CellResults run_cells(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options) {
  CellResults results;
  std::set<std::string> names;
  std::vector<const Cell*> open;
  double total = 0;
  double restored = 0;
  for (const Cell& cell : cells) {
    if (!names.insert(cell.name).second) {
      throw std::logic_error("two cells are called " + cell.name);
    }
    total += cell.cost;
    if (const auto* finished = store.find(cell.name)) {
      results[cell.name] = *finished;
      restored += cell.cost;
    } else {
      open.push_back(&cell);
    }
  }
  {
    Progress progress(options.title, total, restored, options.quiet);
    std::mutex mutex;
    const auto compute = [&](std::size_t n) {
      const Cell& cell = *open[n];
      bool failed = false;
      std::vector<Measurement> measurements = guarded(cell, failed);
      const std::scoped_lock lock(mutex);
      if (!failed) store.put(cell.name, measurements);
      results[cell.name] = std::move(measurements);
      progress.advance(cell.cost);
    };
    std::atomic<std::size_t> next{0};
    // What is thrown here comes from the store; a failing cell is a measurement.
    on_threads(thread_count(options.threads), [&](const std::stop_token& stop) {
      for (std::size_t n = 0;
           stop_signal() == 0 && !stop.stop_requested() && (n = next.fetch_add(1)) < open.size();) {
        compute(n);
      }
    });
  }
  throw_if_stopped("interrupted; what is finished is kept, the same command goes on from there");
  return results;
}

}  // namespace icb
