#include "bench/cells.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "bench/stop.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "tests/bench/support.hpp"
#include "tests/sanitized.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using testing::Child;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::input_error_of;
using ::testing::IsEmpty;
using testing::Outcome;
using ::testing::StartsWith;
using testing::TemporaryDirectory;

// --- Cells whose right answer is known

/// Every field in use, values that are hard to print, text that is hard to quote.
Measurement measurement(const std::string& cell, std::size_t index) {
  const std::uint64_t seed = derive_seed(index, cell);
  Measurement m;
  m.cipher = "cipher \"" + cell + '"';
  m.variant = index % 2 == 0 ? "" : "two\nlines\t\\";
  m.nonce_policy = "fresh";
  m.key_id = "images/key-0";
  m.image = "4.2.03";
  m.image_sha256 = to_hex(sha256(cell));
  m.channel = "all";
  m.quantity = fmt::format("quantity_{}", index);
  m.value = static_cast<double>(seed) / 3;
  m.unit = "level²";
  if (index % 3 == 0) m.expected = -0.1 / static_cast<double>(seed % 97 + 1);
  if (index % 3 == 1) m.sd = std::numeric_limits<double>::denorm_min();
  if (index % 3 == 2) m.z = -std::numeric_limits<double>::infinity();
  m.p_value = static_cast<double>(seed % 1000) / 999;
  m.n = seed;
  if (index % 2 == 1) m.seed = std::numeric_limits<std::uint64_t>::max() - index;
  m.status = index % 5 == 4 ? Status::not_applicable : Status::ok;
  m.detail = std::string("control \x01, comma, {\"cell\":\"x\"}");
  return m;
}

std::vector<Measurement> measurements(const std::string& cell, std::size_t count) {
  std::vector<Measurement> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(measurement(cell, i));
  return out;
}

std::string name_of(std::size_t n) { return fmt::format("cell/{}", n); }

/// Cell n has n % 4 + 1 measurements.
CellResults right_results(std::size_t count) {
  CellResults out;
  for (std::size_t n = 0; n < count; ++n) out[name_of(n)] = measurements(name_of(n), n % 4 + 1);
  return out;
}

/// Which cells were computed, and how often.
struct Computed {
  std::mutex mutex;
  std::map<std::string, int> times;

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, count] : times) {
      for (int i = 0; i < count; ++i) out.push_back(name);
    }
    return out;
  }
};

std::vector<Cell> counted_cells(std::size_t count, Computed& computed,
                                std::chrono::microseconds pause = {}) {
  std::vector<Cell> cells;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string name = name_of(n);
    cells.push_back({name,
                     [name, n, &computed, pause] {
                       if (pause.count() > 0) std::this_thread::sleep_for(pause);
                       {
                         const std::scoped_lock lock(computed.mutex);
                         ++computed.times[name];
                       }
                       return measurements(name, n % 4 + 1);
                     },
                     1.0 + static_cast<double>(n % 3)});
  }
  return cells;
}

const RunOptions quiet{.threads = 2, .quiet = true, .title = "test"};

/// Runs `count` cells on the file; the names of those that had to be computed.
std::vector<std::string> run_on(const fs::path& file, std::size_t count, unsigned threads = 2) {
  Computed computed;
  CellStore store(file, "context");
  const auto results = run_cells(counted_cells(count, computed), store,
                                 {.threads = threads, .quiet = true, .title = "test"});
  EXPECT_TRUE(results == right_results(count));  // megabytes if printed
  return computed.names();
}

std::string csv_of(const CellResults& results) {
  CsvTable table(measurement_columns());
  for (const auto& [name, found] : results) {
    for (const Measurement& m : found) table.add(to_csv_row(m));
  }
  return table.text();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size() - 1);
    out.push_back(text.substr(start, end + 1 - start));
    start = end + 1;
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line;
  return out;
}

class Cells : public ::testing::Test {
 protected:
  fs::path file() const { return m_directory.path() / "store.jsonl"; }

  TemporaryDirectory m_directory;
};

// --- The store

TEST_F(Cells, StoreGivesBackWhatWasPut) {
  {
    CellStore store(m_directory.path() / "new" / "folder" / "store.jsonl", "context");
    for (std::size_t n = 0; n < 4; ++n) store.put(name_of(n), measurements(name_of(n), n + 1));
  }
  const CellStore store(m_directory.path() / "new" / "folder" / "store.jsonl", "context");
  for (std::size_t n = 0; n < 4; ++n) {
    const auto found = store.find(name_of(n));
    ASSERT_TRUE(found.has_value()) << n;
    EXPECT_TRUE(store.has(name_of(n)));
    EXPECT_EQ(*found, measurements(name_of(n), n + 1));
  }
  EXPECT_EQ(store.find("cell/4"), std::nullopt);
  EXPECT_EQ(store.find(""), std::nullopt);
}

TEST_F(Cells, FinishedCellsAreNotComputedAgain) {
  EXPECT_EQ(run_on(file(), 12).size(), 12U);
  const std::string content = read_file(file());
  EXPECT_THAT(run_on(file(), 12), IsEmpty());
  EXPECT_EQ(read_file(file()), content);
  EXPECT_THAT(run_on(file(), 13), ElementsAre("cell/12"));
}

TEST_F(Cells, OneStoreServesTwoRunsWithoutComputingTwice) {
  Computed computed;
  CellStore store(file(), "context");
  const auto cells = counted_cells(5, computed);
  EXPECT_EQ(run_cells(cells, store, quiet), right_results(5));
  EXPECT_EQ(run_cells(cells, store, quiet), right_results(5));
  for (const auto& [name, times] : computed.times) EXPECT_EQ(times, 1) << name;
}

TEST_F(Cells, AnotherContextInvalidates) {
  for (const char* context : {"program 1 seed 1", "program 1 seed 2", "program 2 seed 1", ""}) {
    Computed computed;
    CellStore store(file(), context);
    run_cells(counted_cells(3, computed), store, quiet);
    EXPECT_EQ(computed.names().size(), 3U) << context;
  }
  Computed computed;  // the first one's cells are still there
  CellStore store(file(), "program 1 seed 1");
  EXPECT_EQ(run_cells(counted_cells(3, computed), store, quiet), right_results(3));
  EXPECT_THAT(computed.names(), IsEmpty());
}

// --- Damage

/// Cells 0 to 7, one after the other: lines 0 | 1 2 | 3 4 5 | 6 7 8 9 | 10 | 11 12 | ...
class DamagedStore : public Cells {
 protected:
  void SetUp() override {
    CellStore sorted(m_directory.path() / "sorted", "context");
    for (std::size_t n = 0; n < 8; ++n) {
      sorted.put(name_of(n), measurements(name_of(n), n % 4 + 1));
    }
    m_lines = lines_of(read_file(m_directory.path() / "sorted"));
    ASSERT_EQ(m_lines.size(), 20U);
  }

  /// Which cells are computed again on that content; afterwards the store must be whole.
  std::vector<std::string> computed_on(const std::string& content) {
    write_file_atomically(file(), content);
    auto names = run_on(file(), 8);
    EXPECT_THAT(run_on(file(), 8), IsEmpty()) << "the second run computed something again";
    return names;
  }

  std::vector<std::string> m_lines;
};

TEST_F(DamagedStore, WholeFileNeedsNothing) {
  EXPECT_THAT(computed_on(joined(m_lines)), IsEmpty());
}

TEST_F(DamagedStore, OrderOfLinesDoesNotMatter) {
  std::mt19937_64 engine(testing::test_seed());
  std::shuffle(m_lines.begin(), m_lines.end(), engine);
  EXPECT_THAT(computed_on(joined(m_lines)), IsEmpty());
}

TEST_F(DamagedStore, RepeatedLinesAreNotDoubled) {
  auto lines = m_lines;
  lines.insert(lines.end(), m_lines.begin(), m_lines.end());
  EXPECT_THAT(computed_on(joined(lines)), IsEmpty());
}

TEST_F(DamagedStore, MissingLineCostsItsCellOnly) {
  for (const std::size_t line : {6U, 7U, 8U, 9U}) {
    auto lines = m_lines;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
    EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/3")) << line;
  }
  auto lines = m_lines;
  lines.erase(lines.begin());
  EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/0"));
}

TEST_F(DamagedStore, CutAtAnyByteCostsTheLastCellOnly) {
  const std::string content = joined(m_lines);
  const std::size_t last = m_lines.back().size();
  for (std::size_t cut = 1; cut <= last; cut += cut < last - 3 && cut > 3 ? 7 : 1) {
    EXPECT_THAT(computed_on(content.substr(0, content.size() - cut)), ElementsAre("cell/7")) << cut;
  }
  EXPECT_EQ(computed_on("").size(), 8U);
  EXPECT_EQ(computed_on("\n\n\n").size(), 8U);
  EXPECT_EQ(computed_on(content.substr(0, 20)).size(), 8U);
}

TEST_F(DamagedStore, ForeignLinesArePassedOver) {
  const Measurement m = measurement("cell/2", 0);
  std::vector<std::string> foreign{
      "hello",
      "",
      " ",
      "{}",
      "[]",
      "null",
      "17",
      "\"text\"",
      R"({"cell":"x"})",
      R"({"cell":"x","i":0,"of":1})",
      R"({"cell":7,"i":"a","of":[]})",
      to_json_line(m),
      R"({"cell":"x","i":0,"of":1,)" + to_json_line(m).substr(1),
      R"({"cell":"x","i":0,"of":0,)" + to_json_line(m).substr(1),
      R"({"cell":"x","i":-1,"of":1e300,)" + to_json_line(m).substr(1),
      std::string(10000, '['),
      "\xff\xfe\x80",
  };
  for (const std::string& line : foreign) {
    auto lines = m_lines;
    lines.insert(lines.begin() + 4, line + '\n');  // between lines of one cell
    EXPECT_THAT(computed_on(joined(lines)), IsEmpty()) << line.substr(0, 40);
    lines = m_lines;
    lines.push_back(line);  // without an end of line
    EXPECT_THAT(computed_on(joined(lines)), IsEmpty()) << line.substr(0, 40);
    lines = m_lines;
    lines[4] = line + '\n';  // in the place of a line
    EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/2")) << line.substr(0, 40);
  }
}

TEST_F(DamagedStore, LineNumberedBeyondItsCellDoesNotCompleteIt) {
  // Line 5 is the third of cell 2, {"cell":"...","i":2,"of":3,...}.
  for (const char* index : {R"("i":3,)", R"("i":99,)"}) {
    auto lines = m_lines;
    const std::size_t place = lines[5].find(R"("i":2,)");
    ASSERT_NE(place, std::string::npos);
    lines[5].replace(place, 6, index);
    EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/2")) << index;
  }
}

TEST_F(DamagedStore, GarbageCostsWhatItReplacesOnly) {
  const unsigned long seed = testing::test_seed();
  SCOPED_TRACE(fmt::format("ICB_SEED={}", seed));
  std::mt19937_64 engine(seed);
  for (int repetition = 0; repetition < 50; ++repetition) {
    std::string garbage(1 + uniform_below(engine, 3000), '\0');
    for (char& c : garbage) c = static_cast<char>(uniform_below(engine, 256));
    auto lines = m_lines;
    lines.insert(lines.begin() + 4, garbage + '\n');
    EXPECT_THAT(computed_on(joined(lines)), IsEmpty()) << repetition;
    lines = m_lines;
    lines[7] = garbage + '\n';
    EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/3")) << repetition;
    lines = m_lines;
    lines.back().resize(lines.back().size() / 2);
    lines.back() += garbage;
    EXPECT_THAT(computed_on(joined(lines)), ElementsAre("cell/7")) << repetition;
  }
}

// --- Refusals

TEST_F(Cells, PlacesThatCannotBeWrittenAreInputErrors) {
  const auto refusal = [](const fs::path& path) {
    return input_error_of([&] { CellStore(path, "context"); });
  };
  EXPECT_THAT(refusal(m_directory.path()), StartsWith(m_directory.path().string()));
  write_file_atomically(m_directory.path() / "file", "x");
  EXPECT_THAT(refusal(m_directory.path() / "file" / "store.jsonl"),
              StartsWith((m_directory.path() / "file").string()));
  EXPECT_THAT(refusal(m_directory.path() / "file" / "folder" / "store.jsonl"),
              StartsWith((m_directory.path() / "file" / "folder").string()));
  EXPECT_THAT(refusal("/proc/store.jsonl"), StartsWith("/proc/store.jsonl"));
  EXPECT_THAT(refusal("/proc/folder/store.jsonl"), StartsWith("/proc/folder"));
  if (::geteuid() != 0) {
    fs::permissions(m_directory.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THAT(refusal(file()), StartsWith(file().string()));
    fs::permissions(m_directory.path(), fs::perms::owner_all);
  }
}

TEST_F(Cells, FullDiskIsAnInputErrorAndKeepsWhatWasThere) {
  run_on(file(), 8);
  const auto size = static_cast<rlim_t>(fs::file_size(file()));

  struct rlimit before {};

  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = size + 700;  // in the middle of a cell's lines
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const unsigned threads : {1U, 4U}) {
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    Computed computed;
    const std::string message = input_error_of([&] {
      CellStore store(file(), "context");
      run_cells(counted_cells(40, computed), store,
                {.threads = threads, .quiet = true, .title = "test"});
    });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_THAT(message, StartsWith(file().string()));
    EXPECT_THAT(message, HasSubstr("File too large"));
  }
  std::signal(SIGXFSZ, handler);
  EXPECT_GE(run_on(file(), 40).size(), 31U);
  EXPECT_THAT(run_on(file(), 40), IsEmpty());
}

TEST_F(Cells, DuplicateNamesAreRefusedBeforeAnythingIsComputed) {
  Computed computed;
  auto cells = counted_cells(3, computed);
  cells.push_back(cells.front());
  CellStore store(file(), "context");
  EXPECT_THROW(run_cells(cells, store, quiet), std::logic_error);
  EXPECT_THAT(computed.names(), IsEmpty());
}

TEST_F(Cells, ExceptionBecomesAnErrorAndIsTriedAgain) {
  Computed computed;
  auto cells = counted_cells(4, computed);
  const auto works = cells[2].compute;
  for (const char* reason : {"first time", "second time"}) {
    cells[2].compute = [reason]() -> std::vector<Measurement> { throw InputError(reason); };
    CellStore store(file(), "context");
    auto results = run_cells(cells, store, quiet);
    const auto failed = results.extract(name_of(2));
    ASSERT_EQ(failed.mapped().size(), 1U);
    EXPECT_EQ(failed.mapped()[0].status, Status::error);
    EXPECT_EQ(failed.mapped()[0].detail, reason);
    EXPECT_EQ(failed.mapped()[0].quantity, name_of(2));
    EXPECT_EQ(failed.mapped()[0].value, std::nullopt);
    auto others = right_results(4);
    others.erase(name_of(2));
    EXPECT_EQ(results, others);
  }
  EXPECT_EQ(computed.names().size(), 3U);  // the others once
  cells[2].compute = works;
  CellStore store(file(), "context");
  EXPECT_EQ(run_cells(cells, store, quiet), right_results(4));
}

TEST_F(Cells, NoCellsNoResults) {
  CellStore store(file(), "context");
  EXPECT_THAT(run_cells({}, store, quiet), IsEmpty());
}

// --- In order

/// Cells 0 to count - 1 as they were handed on, all others checked on the way.
std::vector<std::size_t> handed_on(const std::vector<Cell>& cells, CellStore& store,
                                   unsigned threads) {
  std::vector<std::size_t> order;
  run_cells(cells, store, {.threads = threads, .quiet = true, .title = "test"},
            [&](std::size_t n, const std::vector<Measurement>& found) {
              EXPECT_EQ(found, measurements(name_of(n), n % 4 + 1)) << n;
              order.push_back(n);
            });
  return order;
}

TEST_F(Cells, AreHandedOnInTheirOrder) {
  std::vector<std::size_t> all(60);
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (const unsigned threads : {1U, 2U, 7U}) {
    Computed computed;
    auto cells = counted_cells(60, computed);
    // The first ones are the last to finish.
    for (std::size_t n = 0; n < 3; ++n) {
      cells[n].compute = [compute = cells[n].compute] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return compute();
      };
    }
    CellStore store(m_directory.path() / fmt::format("store-{}", threads), "context");
    store.put(name_of(30), measurements(name_of(30), 30 % 4 + 1));  // of a run before
    EXPECT_EQ(handed_on(cells, store, threads), all);
    EXPECT_EQ(computed.names().size(), 59U);
    EXPECT_EQ(handed_on(cells, store, threads), all);
    EXPECT_EQ(computed.names().size(), 59U);
  }
}

TEST_F(Cells, TemporaryStoreServesARunAndLeavesNothing) {
  Computed computed;
  CellStore store = CellStore::temporary();
  EXPECT_EQ(handed_on(counted_cells(9, computed), store, 2).size(), 9U);
  EXPECT_EQ(handed_on(counted_cells(9, computed), store, 2).size(), 9U);
  EXPECT_EQ(computed.names().size(), 9U);
}

TEST_F(Cells, FailedCellsAreHandedOnInTheirPlace) {
  Computed computed;
  auto cells = counted_cells(10, computed);
  for (const std::size_t n : {0U, 4U, 9U}) {
    cells[n].compute = []() -> std::vector<Measurement> { throw InputError("reason"); };
  }
  CellStore store = CellStore::temporary();
  std::string statuses;
  run_cells(cells, store, {.threads = 3, .quiet = true, .title = "test"},
            [&](std::size_t n, const std::vector<Measurement>& found) {
              EXPECT_EQ(n, statuses.size());
              statuses += found.at(0).status == Status::error ? 'e' : '.';
            });
  EXPECT_EQ(statuses, "e...e....e");
}

TEST_F(Cells, ConsumerEndsTheRun) {
  Computed computed;
  CellStore store = CellStore::temporary();
  EXPECT_EQ(input_error_of([&] {
              run_cells(counted_cells(500, computed), store, quiet,
                        [](std::size_t n, const std::vector<Measurement>&) {
                          if (n == 5) throw InputError("disk full");
                        });
            }),
            "disk full");
  EXPECT_LT(computed.names().size(), 500U);
}

TEST_F(Cells, LongCellsSayHowFarTheyAre) {
  std::vector<Cell> cells{{.name = name_of(0), .compute = {}, .compute_in_steps = [](auto& done) {
                             for (const double share : {0.0, 0.5, 0.25, 1.0, 7.0}) done(share);
                             return measurements(name_of(0), 1);
                           }}};
  CellStore store = CellStore::temporary();
  EXPECT_EQ(handed_on(cells, store, 1).size(), 1U);
}

// --- Threads

TEST_F(Cells, ResultsDoNotDependOnThreads) {
  constexpr std::size_t count = 300;
  std::set<std::string> stored;
  for (const unsigned threads : {1U, 2U, 8U, 0U}) {
    const fs::path path = m_directory.path() / fmt::format("store-{}", threads);
    Computed computed;
    CellStore store(path, "context");
    const auto cells = counted_cells(count, computed, std::chrono::microseconds(200));
    const auto results =
        run_cells(cells, store, {.threads = threads, .quiet = true, .title = "test"});
    EXPECT_TRUE(results == right_results(count)) << threads;
    EXPECT_EQ(csv_of(results), csv_of(right_results(count))) << threads;
    EXPECT_EQ(computed.times.size(), count) << threads;
    EXPECT_EQ(computed.names().size(), count) << threads;
    auto lines = lines_of(read_file(path));
    std::sort(lines.begin(), lines.end());
    stored.insert(joined(lines));
  }
  EXPECT_EQ(stored.size(), 1U) << "the stores differ by more than the order of their lines";
}

/// Most cells under way at the same time.
unsigned most_under_way(const fs::path& file, unsigned threads) {
  std::atomic<unsigned> under_way{0};
  std::atomic<unsigned> most{0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::vector<Cell> cells;
  for (std::size_t n = 0; n < 60; ++n) {
    cells.push_back({name_of(n), [&] {
                       const unsigned now = ++under_way;
                       unsigned seen = most;
                       while (seen < now && !most.compare_exchange_weak(seen, now)) {
                       }
                       // Until all are here; the deadline only ends a test that has failed.
                       while (most < threads && std::chrono::steady_clock::now() < deadline) {
                         std::this_thread::sleep_for(std::chrono::milliseconds(1));
                       }
                       --under_way;
                       return measurements("x", 1);
                     }});
  }
  CellStore store(file, "context");
  run_cells(cells, store, {.threads = threads, .quiet = true, .title = "test"});
  return most;
}

TEST_F(Cells, NoMoreThreadsThanAskedFor) {
  EXPECT_EQ(most_under_way(m_directory.path() / "one", 1), 1U);
  EXPECT_LE(most_under_way(m_directory.path() / "two", 2), 2U);
}

TEST_F(Cells, AsManyThreadsAsAskedFor) {  // also more than there are processors
  const unsigned threads = std::max(2U, std::thread::hardware_concurrency()) + 2;
  EXPECT_EQ(most_under_way(file(), threads), threads);
}

// --- Interruption -------------------------------------------------------------------------------

constexpr std::size_t long_run = 1500;
constexpr int interrupted_exit = 42;

/// What the tests below start as a program of its own, told what to do by the environment.
TEST(CellsChild, DISABLED_Run) {
  const char* path = std::getenv("ICB_CHILD_STORE");
  const char* pause = std::getenv("ICB_CHILD_PAUSE_US");
  if (path == nullptr || pause == nullptr) GTEST_SKIP() << "started by other tests only";
  Computed computed;
  stop_gracefully_on_signals();
  try {
    CellStore store(path, "context");
    run_cells(counted_cells(long_run, computed, std::chrono::microseconds(std::stol(pause))), store,
              quiet);
  } catch (const Interrupted& error) {
    fmt::print(stderr, "{}\n", error.what());
    std::_Exit(interrupted_exit);
  } catch (const InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    std::_Exit(3);
  }
}

std::vector<std::string> child_command() {
  return {fs::read_symlink("/proc/self/exe").string(), "--gtest_filter=CellsChild.DISABLED_Run",
          "--gtest_also_run_disabled_tests"};
}

testing::Start child_start(const fs::path& store, long pause_us) {
  testing::Start start;
  start.environment = {{"ICB_CHILD_STORE", store.string()},
                       {"ICB_CHILD_PAUSE_US", std::to_string(pause_us)}};
  start.seconds = 120;
  return start;
}

void wait_for_bytes(Child& child, const fs::path& file, std::uintmax_t bytes) {
  std::error_code error;
  while (child.runs()) {
    const auto size = fs::file_size(file, error);
    if (!error && size >= bytes) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(Cells, SignalsStopARunThatGoesOnLater) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Child child(child_command(), child_start(file(), 1000));
    std::error_code error;
    const auto size = fs::exists(file()) ? fs::file_size(file(), error) : 0;
    wait_for_bytes(child, file(), size + 20000);
    child.send(signal);
    const Outcome outcome = child.wait();
    EXPECT_EQ(outcome.exit_code, interrupted_exit) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("interrupted"));
    // A polite stop leaves whole lines only.
    const std::string content = read_file(file());
    ASSERT_FALSE(content.empty());
    EXPECT_EQ(content.back(), '\n');
  }
  const auto computed = run_on(file(), long_run);
  EXPECT_LT(computed.size(), long_run);
  EXPECT_GT(computed.size(), 0U);
  EXPECT_THAT(run_on(file(), long_run), IsEmpty());
}

TEST_F(Cells, SecondSignalEndsAtOnce) {
  Child child(child_command(), child_start(file(), 30'000'000));  // half a minute per cell
  while (child.runs() && !fs::exists(file())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  child.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(child.runs());
  child.send(SIGINT);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.signal, SIGINT);
  EXPECT_LT(outcome.seconds, 25);
}

TEST_F(Cells, KilledTwentyTimesGivesTheBytesOfAQuietRun) {
  const unsigned long seed = testing::test_seed();
  fmt::print("ICB_SEED={}\n", seed);
  std::mt19937_64 engine(seed);
  int killed = 0;
  std::size_t before = 0;
  for (int i = 0; i < 20; ++i) {
    Child child(child_command(), child_start(file(), 1000));
    // The first bytes tell that the store is open; then a random moment of the next 30 ms.
    std::error_code error;
    const auto size = fs::exists(file()) ? fs::file_size(file(), error) : 0;
    wait_for_bytes(child, file(), size + uniform_below(engine, 2000));
    std::this_thread::sleep_for(std::chrono::microseconds(uniform_below(engine, 30000)));
    child.send(SIGKILL);
    killed += child.wait().signal == SIGKILL ? 1 : 0;
    // Nothing finished is lost.
    fs::copy_file(file(), m_directory.path() / "look", fs::copy_options::overwrite_existing, error);
    const CellStore look(m_directory.path() / "look", "context");
    std::size_t finished = 0;
    for (std::size_t n = 0; n < long_run; ++n) finished += look.has(name_of(n)) ? 1U : 0U;
    EXPECT_GE(finished, before);
    before = finished;
  }
  EXPECT_EQ(killed, 20) << "the run was over too early: make it longer";
  EXPECT_LT(before, long_run);
  Computed computed;
  CellStore store(file(), "context");
  const auto results = run_cells(counted_cells(long_run, computed), store, quiet);
  EXPECT_EQ(computed.names().size(), long_run - before);
  EXPECT_TRUE(csv_of(results) == csv_of(right_results(long_run)));
}

TEST_F(Cells, EndlessDeviceIsRefusedNotRead) {
#if ICB_SANITIZED
  GTEST_SKIP() << "sanitizers need more address space than the limit that protects the machine";
#else
  testing::Start start = child_start("/dev/full", 0);
  start.address_space = 1ULL << 30;
  start.seconds = 20;
  const Outcome outcome = testing::run_program(child_command(), start);
  EXPECT_FALSE(outcome.too_slow);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("/dev/full"));
#endif
}

}  // namespace
}  // namespace icb
