/// Whole runs of `icbench reproduce --quick`. Each costs seconds, so each test asks much of its
/// runs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <set>
#include <thread>

#include "core/csv.hpp"
#include "tests/bench/support.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Child;
using testing::csv_rows;
using testing::files_below;
using ::testing::HasSubstr;
using testing::icbench;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::Start;
using ::testing::StartsWith;
using testing::TemporaryDirectory;

const std::vector<std::string> tables{
    "table2_randomness.csv", "table2_subtests.csv", "table3_correlation.csv",
    "table3_all_images.csv", "rejections.csv",      "measurements.csv",
    "training_curve.csv",    "rounds.csv",          "errata.csv"};

/// The same file names and bytes; the difference by name, not by content.
void expect_same_files(const std::map<std::string, std::string>& found,
                       const std::map<std::string, std::string>& expected) {
  for (const auto& [name, content] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name) == content) << name << " differs";
  }
  EXPECT_EQ(found.size(), expected.size());
}

std::string first_line(const fs::path& file) {
  const std::string text = read_file(file);
  return text.substr(0, text.find('\n'));
}

std::vector<std::map<std::string, std::string>> table(const fs::path& directory,
                                                      const std::string& name) {
  return csv_rows(read_file(directory / name));
}

// --- The generated set

class GeneratedRun : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(start().directory); }

  Start start() const {  // neither datasets/sipi nor ../shared/sipi here
    Start out;
    out.directory = m_directory.path() / "empty" / "work";
    return out;
  }

  fs::path out(const std::string& name) const { return start().directory / name; }

  static std::vector<std::string> command(const std::string& name, const std::string& threads) {
    return {ICB_PROGRAM, "reproduce", "--quick", "--out", name, "--threads", threads};
  }

  /// Starts a run and signals it once its store has grown by `bytes`.
  Outcome disturbed(const std::string& name, const std::string& threads, std::uintmax_t bytes,
                    int signal) const {
    std::error_code error;
    const fs::path store = out(name) / "store.jsonl";
    const auto before = fs::exists(store) ? fs::file_size(store) : 0;
    Child child(command(name, threads), start());
    while (child.runs()) {
      const auto size = fs::file_size(store, error);
      if (!error && size >= before + bytes) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    child.send(signal);
    return child.wait();
  }

  void check_page() const;
  void check_numbers_of_the_paper() const;
  void check_errata() const;
  void check_full_disk() const;
  void check_closed_output() const;

  TemporaryDirectory m_directory;
};

TEST_F(GeneratedRun, IsTheSameHoweverItWasRun) {
  const Outcome quiet = testing::run_program(command("two", "2"), start());
  ASSERT_EQ(quiet.exit_code, 0) << quiet.err;
  EXPECT_EQ(quiet.out, "two/README.md\n");
  fmt::print("2 threads, undisturbed: {:.1f} s\n", quiet.seconds);

  // One thread; killed, stopped politely, then let alone.
  EXPECT_EQ(disturbed("one", "1", 200'000, SIGKILL).signal, SIGKILL);
  EXPECT_FALSE(fs::exists(out("one") / "README.md"));
  const Outcome stopped = disturbed("one", "1", 200'000, SIGINT);
  EXPECT_EQ(stopped.signal, SIGINT);
  EXPECT_THAT(stopped.err, HasSubstr("icbench: interrupted"));
  EXPECT_THAT(stopped.err, HasSubstr("already done, going on"));
  EXPECT_THAT(files_below(out("one"), ".csv"), IsEmpty());
  const Outcome finished = testing::run_program(command("one", "1"), start());
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  fmt::print("1 thread, what was left: {:.1f} s\n", finished.seconds);

  const auto expected = files_below(out("two"), ".csv");
  for (const std::string& name : tables) EXPECT_TRUE(expected.contains(name)) << name;
  expect_same_files(files_below(out("one"), ".csv"), expected);
  expect_same_files(files_below(out("one"), ".png"), files_below(out("two"), ".png"));
  EXPECT_EQ(read_file(out("one") / "README.md"), read_file(out("two") / "README.md"));
  EXPECT_EQ(read_file(out("one") / "manifest.json"), read_file(out("two") / "manifest.json"));
  EXPECT_THAT(files_below(out("one"), ".part"), IsEmpty());

  check_page();
  check_numbers_of_the_paper();
  check_errata();
  check_full_disk();
  check_closed_output();
}

void GeneratedRun::check_page() const {
  EXPECT_THAT(first_line(out("two") / "README.md"),
              AllOf(HasSubstr("No USC-SIPI images were found"), HasSubstr("generated")));
  const std::string page = read_file(out("two") / "README.md");
  for (const std::string& name : tables) EXPECT_THAT(page, HasSubstr("](" + name + ")"));
  // Links lead somewhere; the drawings come from scripts/figures.py.
  const std::regex link(R"(\]\(([^)]*)\))");
  for (std::sregex_iterator i(page.begin(), page.end(), link), end; i != end; ++i) {
    const std::string target = (*i)[1];
    if (!target.ends_with(".png")) {
      EXPECT_TRUE(fs::exists(out("two") / target)) << target;
    }
  }
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

void GeneratedRun::check_numbers_of_the_paper() const {
  // Typed from the paper's Table 3 a second time: vertical, horizontal, diagonal.
  const std::map<std::string, std::array<const char*, 3>> paper{
      {"1", {"0.962", "0.951", "0.921"}}, {"2", {"0.932", "0.978", "0.937"}},
      {"3", {"0.893", "0.887", "0.897"}}, {"4", {"0.932", "0.936", "0.976"}},
      {"5", {"0.973", "0.978", "0.938"}}, {"6", {"0.872", "0.886", "0.871"}}};
  const std::map<std::string, std::string> types{{"1", "RGB"}, {"2", "Grayscale"},
                                                 {"3", "RGB"}, {"4", "RGB"},
                                                 {"5", "RGB"}, {"6", "Grayscale"}};
  const std::vector<std::string> order{"vertical", "horizontal", "diagonal"};
  std::map<std::string, std::set<std::string>> sizes;
  const auto rows = table(out("two"), "table3_correlation.csv");
  EXPECT_EQ(rows.size(), 8U * 2 * 3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    EXPECT_EQ(row.at("direction"), order[i % 3]);
    EXPECT_EQ(parse_double(row.at("paper")), parse_double(paper.at(row.at("row")).at(i % 3)));
    EXPECT_EQ(row.at("type"), types.at(row.at("row")));
    sizes[row.at("row")].insert(row.at("size"));
    // E2: plain images correlate, cipher images do not.
    EXPECT_GT(parse_double(row.at("plain")), 0.3);
    EXPECT_LT(std::abs(parse_double(row.at("cipher"))), 0.05);
  }
  EXPECT_EQ(sizes.at("1"), (std::set<std::string>{"512 x 512"}));
  EXPECT_EQ(sizes.at("3"), (std::set<std::string>{"1200 x 110", "1200 x 1100"}));
  EXPECT_EQ(sizes.at("5"), sizes.at("3"));

  const std::vector<std::pair<std::string, std::string>> table2{
      {"0.92", "0.96"}, {"0.95", "0.98"}, {"0.72", "0.89"}, {"0.96", "0.98"}, {"0.59", "0.86"},
      {"0.85", "0.99"}, {"0.96", "0.99"}, {"0.96", "0.99"}, {"0.95", "0.98"}};
  const auto randomness = table(out("two"), "table2_randomness.csv");
  ASSERT_EQ(randomness.size(), 36U);
  for (std::size_t i = 0; i < randomness.size(); ++i) {
    EXPECT_EQ(parse_double(randomness[i].at("paper_p")), parse_double(table2[i % 9].first));
    EXPECT_EQ(parse_double(randomness[i].at("paper_s")), parse_double(table2[i % 9].second));
    const std::string& test = randomness[i].at("test");
    if (randomness[i].at("subject") == "identity" && (test == "runs" || test == "frequency")) {
      EXPECT_EQ(randomness[i].at("verdict"), "reject") << test;
    }
  }
}

void GeneratedRun::check_errata() const {
  const auto rows = table(out("two"), "errata.csv");
  std::set<std::string> ids;
  for (const auto& row : rows) {
    ids.insert(row.at("id"));
    if (row.at("id") == "E5") {
      EXPECT_EQ(row.at("measured"), "0") << row.at("quantity");
    }
    if (row.at("quantity").starts_with("steps until")) {
      EXPECT_LT(parse_double(row.at("measured")), 200);
    }
    if (row.at("quantity").starts_with("pixels of")) {
      EXPECT_EQ(row.at("measured"), "1");
      EXPECT_THAT(row.at("quantity"), HasSubstr("3 chosen images"));
    }
    if (row.at("id") == "E3" && row.at("quantity").ends_with("khazaal2024-confusion")) {
      EXPECT_EQ(row.at("measured"), "0") << "a permutation changed a histogram";
    }
  }
  EXPECT_EQ(ids, (std::set<std::string>{"E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9"}));
}

void GeneratedRun::check_full_disk() const {
  // Everything computed, no table written: the disk is full while the tables are written.
  const auto complete = files_below(out("two"), ".csv");
  for (const rlim_t size : {rlim_t{4000}, rlim_t{100'000}}) {
    SCOPED_TRACE(size);
    fs::remove_all(out("full"));
    fs::create_directories(out("full"));
    fs::copy_file(out("two") / "store.jsonl", out("full") / "store.jsonl");
    Start limited = start();
    limited.file_size = size;
    const Outcome outcome = testing::run_program(command("full", "2"), limited);
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_TRUE(std::regex_search(
        outcome.err,
        std::regex(R"(icbench: full/[a-z0-9_/]*\.csv: cannot be written: File too large)")))
        << outcome.err;
    EXPECT_THAT(files_below(out("full"), ".part"), IsEmpty());
    for (const auto& [name, content] : files_below(out("full"), ".csv")) {
      EXPECT_TRUE(complete.contains(name) && complete.at(name) == content) << name;
    }
  }
  // With space again the same directory is completed.
  EXPECT_EQ(testing::run_program(command("full", "2"), start()).exit_code, 0);
  expect_same_files(files_below(out("full"), ".csv"), complete);
}

void GeneratedRun::check_closed_output() const {
  const std::string store = read_file(out("full") / "store.jsonl");
  Start closed = start();
  closed.close_output = true;
  const Outcome outcome = testing::run_program(command("full", "2"), closed);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_TRUE(read_file(out("full") / "store.jsonl") == store)
      << "what belongs to the standard output went into the store";
}

// --- Damaged images

fs::path sipi_misc() {
  const char* variable = std::getenv("ICBENCH_DATA");
  const fs::path directory = variable != nullptr && *variable != '\0'
                                 ? fs::path(variable)
                                 : fs::path(ICB_SOURCE_DIR) / ".." / "shared" / "sipi";
  return directory / "misc";
}

class DamagedImages : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(data());
    for (const char* name :
         {"4.2.03", "4.1.01", "4.1.02", "boat.512", "5.1.09", "5.1.10", "5.1.11", "5.1.12"}) {
      const fs::path file = sipi_misc() / (std::string(name) + ".tiff");
      if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
      fs::copy_file(file, path(name));
    }
  }

  fs::path data() const { return m_directory.path() / "data" / "misc"; }

  fs::path path(const std::string& name) const { return data() / (name + ".tiff"); }

  fs::path out() const { return m_directory.path() / "out"; }

  Outcome run() const {
    const Outcome outcome =
        icbench({"reproduce", "--quick", "--data", (m_directory.path() / "data").string(), "--out",
                 out().string()});
    fmt::print("8 images: {:.1f} s\n", outcome.seconds);
    return outcome;
  }

  void truncate(const std::string& name) const {
    fs::resize_file(path(name), fs::file_size(path(name)) / 2);
  }

  /// The run went to its end although these images could not be read.
  void expect_finished_without(const Outcome& outcome, const std::set<std::string>& damaged) const {
    EXPECT_EQ(outcome.exit_code, 3);
    for (const std::string& name : damaged) {
      EXPECT_TRUE(
          std::regex_search(outcome.err, std::regex("icbench: " + path(name).string() +
                                                    ": [^\n]*expected[^\n]*(found|got)[^\n]*")))
          << name << ": " << outcome.err;
    }
    for (const std::string& file : tables) EXPECT_TRUE(fs::exists(out() / file)) << file;
    ASSERT_TRUE(fs::exists(out() / "README.md")) << outcome.err;
    EXPECT_THAT(first_line(out() / "README.md"), HasSubstr("USC-SIPI"));
    std::size_t rows = 0;
    for (const auto& row : table(out(), "table3_all_images.csv")) {
      ++rows;
      EXPECT_EQ(row.at("cipher").empty(), damaged.contains(row.at("image"))) << row.at("image");
      EXPECT_EQ(row.at("plain").empty(), damaged.contains(row.at("image"))) << row.at("image");
    }
    EXPECT_EQ(rows, 8U * 3);
    std::size_t errors = 0;
    for (const auto& row : table(out(), "measurements.csv")) errors += row.at("status") == "error";
    EXPECT_GE(errors, 4 * damaged.size());
    EXPECT_THAT(files_below(out(), ".part"), IsEmpty());
  }

  TemporaryDirectory m_directory;
};

TEST_F(DamagedImages, RunFinishesWithoutThem) {
  truncate("5.1.10");
  fs::resize_file(path("5.1.11"), 0);
  fs::remove(path("5.1.12"));
  write_file_atomically(path("5.1.12"), "this is no image\n");
  expect_finished_without(run(), {"5.1.10", "5.1.11", "5.1.12"});
  // Repaired, the run goes on with these images alone and ends well.
  for (const char* name : {"5.1.10", "5.1.11", "5.1.12"}) {
    fs::copy_file(sipi_misc() / (std::string(name) + ".tiff"), path(name),
                  fs::copy_options::overwrite_existing);
  }
  const Outcome repaired = run();
  EXPECT_EQ(repaired.exit_code, 0) << repaired.err;
  EXPECT_THAT(repaired.err, HasSubstr("already done, going on"));
  for (const auto& row : table(out(), "measurements.csv")) EXPECT_NE(row.at("status"), "error");
}

TEST_F(DamagedImages, RunFinishesWithoutTheImageOfTheFirstRow) {
  truncate("4.2.03");
  expect_finished_without(run(), {"4.2.03"});
}

TEST_F(DamagedImages, RunFinishesWithoutTheSourceOfADerivedImage) {
  truncate("4.1.01");  // the first colour image stands in for the aerials, which are not there
  expect_finished_without(run(), {"4.1.01"});
}

}  // namespace
}  // namespace icb
