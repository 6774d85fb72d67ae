#include "bench/cells.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
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
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, errno);

  struct stat status {};

  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    throw InputError(fmt::format("{}: expected a regular file to append to", path.string()));
  }
  return fd;
}

int open_unnamed() {
  std::string name = (std::filesystem::temp_directory_path() / "icbench.XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_APPEND | O_CLOEXEC);
  if (fd < 0) fail(name, errno);
  ::unlink(name.c_str());
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

std::vector<Measurement> guarded(const Cell& cell, const ShareDone& done, bool& failed) {
  try {
    std::vector<Measurement> measurements =
        cell.compute_in_steps ? cell.compute_in_steps(done) : cell.compute();
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
  index();
}

CellStore::CellStore(Unnamed) : m_path("temporary file"), m_file(open_unnamed()) {}

CellStore CellStore::temporary() { return CellStore(Unnamed{}); }

void CellStore::index() {
  struct Lines {
    std::size_t of = 0;  // of the first one found
    std::map<std::size_t, Span> found;
  };

  std::map<std::string, Lines> partial;
  std::ifstream in(m_path, std::ios::binary);
  if (!in) throw InputError(fmt::format("{}: cannot be read", m_path.string()));
  for (std::string text; std::getline(in, text) && !in.eof(); m_end += text.size() + 1) {
    const auto line = parse_line(text);
    if (!line || line->index >= line->of) continue;
    Lines& lines = partial[line->cell];
    if (lines.found.empty() || line->index <= lines.found.begin()->first) lines.of = line->of;
    lines.found.insert_or_assign(line->index, Span{m_end, text.size() + 1});
  }
  if (in.bad()) throw InputError(fmt::format("{}: cannot be read", m_path.string()));
  for (const auto& [cell, lines] : partial) {
    if (lines.found.size() != lines.of) continue;
    auto& spans = m_finished[cell];
    for (const auto& [number, line] : lines.found) {
      if (!spans.empty() && spans.back().start + spans.back().size == line.start) {
        spans.back().size += line.size;
      } else {
        spans.push_back(line);
      }
    }
  }
  // A cut last line must not be glued to the next one.
  if (::ftruncate(m_file.get(), static_cast<off_t>(m_end)) != 0) fail(m_path, errno);
}

std::string CellStore::key(const std::string& cell) const {
  return to_hex(sha256(m_context + '\0' + cell));
}

bool CellStore::has(const std::string& cell) const { return m_finished.contains(key(cell)); }

std::optional<std::vector<Measurement>> CellStore::find(const std::string& cell) const {
  const auto found = m_finished.find(key(cell));
  if (found == m_finished.end()) return std::nullopt;
  std::string text;
  for (const Span& span : found->second) {
    std::size_t filled = text.size();
    text.resize(filled + span.size);
    for (std::size_t done = 0; done < span.size;) {
      const ssize_t got = ::pread(m_file.get(), text.data() + filled, span.size - done,
                                  static_cast<off_t>(span.start + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) throw InputError(fmt::format("{}: cannot be read again", m_path.string()));
      filled += static_cast<std::size_t>(got);
      done += static_cast<std::size_t>(got);
    }
  }
  std::vector<Measurement> out;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    auto line = parse_line(std::string_view(text).substr(start, end - start));
    if (!line) throw InputError(fmt::format("{}: changed while it was used", m_path.string()));
    out.push_back(std::move(line->measurement));
    start = end + 1;
  }
  return out;
}

void CellStore::put(const std::string& cell, const std::vector<Measurement>& measurements) {
  std::string hash = key(cell);
  std::string lines;
  for (std::size_t i = 0; i < measurements.size(); ++i) {
    lines += stored_line(hash, i, measurements.size(), measurements[i]);
  }
  write(lines);
  m_finished[std::move(hash)] = {{m_end, lines.size()}};
  m_end += lines.size();
}

void CellStore::write(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(m_file.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // Another thread may still write: not behind half a line.
      if (::ftruncate(m_file.get(), static_cast<off_t>(m_end)) != 0) fail(m_path, errno);
      fail(m_path, error);
    }
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

namespace {

/// What becomes of a computed cell; `stored` unless it failed. One call at a time.
using Finished = std::function<void(std::size_t index, std::vector<Measurement>, bool stored)>;

void check_names(const std::vector<Cell>& cells) {
  std::set<std::string_view> names;
  for (const Cell& cell : cells) {
    if (!names.insert(cell.name).second) {
      throw std::logic_error("two cells are called " + cell.name);
    }
  }
}

/// Computes the cells the store does not have.
void compute_missing(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options,
                     const Finished& finished) {
  std::vector<std::size_t> open;
  double total = 0;
  double restored = 0;
  for (std::size_t n = 0; n < cells.size(); ++n) {
    total += cells[n].cost;
    if (store.has(cells[n].name)) {
      restored += cells[n].cost;
    } else {
      open.push_back(n);
    }
  }
  {
    Progress progress(options.title, total, restored, options.quiet);
    std::mutex mutex;
    const auto compute = [&](std::size_t n) {
      const Cell& cell = cells[n];
      double shown = 0;
      const ShareDone advance = [&](double share) {
        const double more = std::clamp(share, shown, 1.0) - shown;
        shown += more;
        progress.advance(cell.cost * more);
      };
      bool failed = false;
      std::vector<Measurement> measurements = guarded(cell, advance, failed);
      if (failed && stop_signal() != 0) return;  // asked to stop, most likely
      const std::scoped_lock lock(mutex);
      if (!failed) store.put(cell.name, measurements);
      finished(n, std::move(measurements), !failed);
      advance(1);
    };
    std::atomic<std::size_t> next{0};
    // What is thrown here comes from the store or the consumer; a failing cell is a measurement.
    on_threads(thread_count(options.threads), [&](const std::stop_token& stop) {
      for (std::size_t n = 0;
           stop_signal() == 0 && !stop.stop_requested() && (n = next.fetch_add(1)) < open.size();) {
        compute(open[n]);
      }
    });
  }
  throw_if_stopped("interrupted; what is finished is kept, the same command goes on from there");
}

}  // namespace

CellResults run_cells(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options) {
  check_names(cells);
  CellResults results;
  for (const Cell& cell : cells) {
    if (auto found = store.find(cell.name)) results[cell.name] = std::move(*found);
  }
  compute_missing(cells, store, options,
                  [&](std::size_t n, std::vector<Measurement> measurements, bool) {
                    results[cells[n].name] = std::move(measurements);
                  });
  return results;
}

void run_cells(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options,
               const CellConsumer& consume) {
  check_names(cells);
  std::size_t next = 0;  // to hand on
  std::map<std::size_t, std::vector<Measurement>> failed;
  const auto hand_on = [&] {
    for (; next < cells.size(); ++next) {
      if (auto error = failed.extract(next)) {
        consume(next, std::move(error.mapped()));
      } else if (auto found = store.find(cells[next].name)) {
        consume(next, std::move(*found));
      } else {
        return;
      }
    }
  };
  hand_on();
  compute_missing(cells, store, options,
                  [&](std::size_t n, std::vector<Measurement> measurements, bool stored) {
                    if (!stored) failed.emplace(n, std::move(measurements));
                    hand_on();
                  });
}

}  // namespace icb
