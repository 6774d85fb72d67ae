/// Cells: the independent pieces of a run, and the store that keeps each finished one.
///
/// A cell is a pure function of its name and the run's context (program, seed, data), so a run
/// gives the same measurements on any number of threads, and a finished cell is never computed
/// twice.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.hpp"
#include "core/measurement.hpp"

namespace icb {

/// Called by a long cell with the share of it that is done, 0 to 1.
using ShareDone = std::function<void(double)>;

struct Cell {
  std::string name;  ///< unique in a run; says everything that decides the result
  std::function<std::vector<Measurement>()> compute;
  double cost = 1;  ///< relative, for the time left
  /// In the place of `compute`, for a cell that can say how far it is.
  std::function<std::vector<Measurement>(const ShareDone&)> compute_in_steps = {};
};

using CellResults = std::map<std::string, std::vector<Measurement>>;

/// Append-only file of JSON lines, one per measurement: {"cell": hash, "i": 0, "of": 3, ...}. A
/// cell counts only if all its lines are there; a line cut by a crash is dropped and its cell
/// computed again. Memory holds where the cells are, not what is in them.
class CellStore {
 public:
  /// `context`: text that changes whenever old cells must not be used (program, seed, data).
  /// Throws InputError if the file cannot be read or written.
  CellStore(std::filesystem::path path, std::string context);
  /// In a file without a name, gone with the store.
  static CellStore temporary();
  CellStore(const CellStore&) = delete;
  CellStore& operator=(const CellStore&) = delete;

  bool has(const std::string& cell) const;
  /// Measurements of a finished cell, read from the file. Throws InputError if that fails.
  std::optional<std::vector<Measurement>> find(const std::string& cell) const;
  /// Appends all lines of the cell. Calls, also those of the others, must be serialised by the
  /// caller.
  void put(const std::string& cell, const std::vector<Measurement>& measurements);

 private:
  /// Whole lines, one after the other.
  struct Span {
    std::size_t start;
    std::size_t size;
  };

  struct Unnamed {};

  explicit CellStore(Unnamed);

  std::string key(const std::string& cell) const;
  /// Finds the cells in what is there and cuts off a last line without end.
  void index();
  void write(std::string_view lines);

  std::filesystem::path m_path;
  std::string m_context;
  std::map<std::string, std::vector<Span>> m_finished;  // by key
  Descriptor m_file;
  std::size_t m_end = 0;  // of the last whole line
};

struct RunOptions {
  unsigned threads = 0;  ///< 0: all cores
  bool quiet = false;
  std::string title;
};

/// Computes what the store does not have and returns all. An exception inside a cell becomes one
/// measurement with status `error` and the text; it is not stored, so that the next run tries
/// again. Throws Interrupted after SIGINT or SIGTERM, when the cells under way have finished and
/// are stored.
CellResults run_cells(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options);

/// Receives the measurements of cells[index].
using CellConsumer = std::function<void(std::size_t index, std::vector<Measurement> measurements)>;

/// The same, handing on every cell as soon as it and all before it are finished: in the order of
/// the cells, one at a time. Cells that wait for their turn wait in the store, so memory does not
/// grow with their number. What `consume` throws ends the run.
void run_cells(const std::vector<Cell>& cells, CellStore& store, const RunOptions& options,
               const CellConsumer& consume);

}  // namespace icb
