/// Cells: the independent pieces of a run, and the store that keeps each finished one.
///
/// A cell is a pure function of its name and the run's context (program, seed, data), so a run
/// gives the same measurements on any number of threads, and a finished cell is never computed
/// twice.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/descriptor.hpp"
#include "core/measurement.hpp"

namespace icb {

struct Cell {
  std::string name;  ///< unique in a run; says everything that decides the result
  std::function<std::vector<Measurement>()> compute;
  double cost = 1;  ///< relative, for the time left
};

using CellResults = std::map<std::string, std::vector<Measurement>>;

/// Append-only file of JSON lines, one per measurement: {"cell": hash, "i": 0, "of": 3, ...}. A
/// cell counts only if all its lines are there; a line cut by a crash is dropped and its cell
/// computed again.
class CellStore {
 public:
  /// `context`: text that changes whenever old cells must not be used (program, seed, data).
  /// Throws InputError if the file cannot be read or written.
  CellStore(std::filesystem::path path, std::string context);
  CellStore(const CellStore&) = delete;
  CellStore& operator=(const CellStore&) = delete;

  /// Measurements of a finished cell, or nullptr.
  const std::vector<Measurement>* find(const std::string& cell) const;
  /// Appends all lines of the cell. Calls must be serialised by the caller.
  void put(const std::string& cell, const std::vector<Measurement>& measurements);

 private:
  std::string key(const std::string& cell) const;

  std::filesystem::path m_path;
  std::string m_context;
  std::map<std::string, std::vector<Measurement>> m_finished;  // by key
  Descriptor m_file;
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

}  // namespace icb
