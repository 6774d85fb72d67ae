/// The contract of the command line: exit codes, what goes to which stream, messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cipher/cipher.hpp"
#include "core/csv.hpp"
#include "nist_tests/randomness_test.hpp"
#include "tests/bench/support.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::icbench;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::Start;
using ::testing::StartsWith;
using testing::TemporaryDirectory;

/// In an empty directory without any images around.
class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(start().directory); }

  Start start() const {
    Start out;
    out.directory = m_directory.path() / "empty" / "work";
    return out;
  }

  Outcome run(const std::vector<std::string>& arguments) const {
    return icbench(arguments, start());
  }

  void expect_wrong_usage(const std::vector<std::string>& arguments,
                          const std::string& message) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }

  void expect_bad_input(const std::vector<std::string>& arguments,
                        const std::string& message) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("icbench: " + message));
  }

  TemporaryDirectory m_directory;
};

// --- Usage

TEST_F(CommandLine, CommandIsNeeded) { expect_wrong_usage({}, "subcommand is required"); }

TEST_F(CommandLine, UnknownCommandIsNamed) {
  expect_wrong_usage({"frobnicate"}, "frobnicate");
  expect_wrong_usage({"list", "ciphers", "verify"}, "verify");
}

TEST_F(CommandLine, UnknownOptionIsNamed) {
  expect_wrong_usage({"list", "ciphers", "--frob"}, "--frob");
  expect_wrong_usage({"--frob", "verify"}, "--frob");
  expect_wrong_usage({"reproduce", "--quick=maybe"}, "quick");
  expect_wrong_usage({"list", "ciphers", "extra"}, "extra");
  expect_wrong_usage({"list", "ciphers", "--out"}, "--out");
}

TEST_F(CommandLine, ListKnowsWhatItLists) {
  expect_wrong_usage({"list", "nothing"}, "nothing not in {ciphers,metrics,tests,properties,datasets}");
  expect_wrong_usage({"list"}, "what is required");
}

TEST_F(CommandLine, FormatIsOneOfThree) {
  for (const char* value : {"xml", "", "tables", "7", "1", "sts"}) {
    expect_wrong_usage({"list", "ciphers", "--format", value}, "--format");
  }
}

TEST_F(CommandLine, AlphaIsAProbabilityBelowAHalf) {
  for (const char* value : {"0", "-0.01", "0.51", "1", "x", "", "inf", "0.01x", "1e-13"}) {
    expect_wrong_usage({"list", "ciphers", "--alpha", value}, "--alpha");
  }
  EXPECT_EQ(run({"list", "ciphers", "--alpha", "0.05"}).exit_code, 0);
}

TEST_F(CommandLine, AlphaIsANumber) {
  expect_wrong_usage({"list", "ciphers", "--alpha", "nan"}, "--alpha");
}

TEST_F(CommandLine, ThreadsAreCounted) {
  for (const char* value : {"-1", "4097", "2x", "1.5", "", "99999999999999999999"}) {
    expect_wrong_usage({"list", "ciphers", "--threads", value}, "--threads");
  }
  EXPECT_EQ(run({"list", "ciphers", "--threads", "0"}).exit_code, 0);
}

TEST_F(CommandLine, SeedIsANumber) {
  for (const char* value : {"x", "1.5", "1x", "1e3"}) {
    expect_wrong_usage({"list", "ciphers", "--seed", value}, "--seed");
  }
  EXPECT_EQ(run({"list", "ciphers", "--seed", "18446744073709551615"}).exit_code, 0);
}

TEST_F(CommandLine, SeedDoesNotWrapAround) {
  for (const char* value : {"-1", "18446744073709551616", ""}) {
    expect_wrong_usage({"list", "ciphers", "--seed", value}, "--seed");
  }
}

// --- Help, version, lists

TEST_F(CommandLine, HelpAndVersionGoToStandardOutput) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(help.out, AllOf(HasSubstr("reproduce"), HasSubstr("verify"), HasSubstr("list"),
                              HasSubstr("datasets"), HasSubstr("nist")));
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.err, IsEmpty());
  EXPECT_THAT(version.out, StartsWith("icbench 0."));
  const Outcome command = run({"reproduce", "--help"});
  EXPECT_EQ(command.exit_code, 0);
  EXPECT_THAT(command.out, AllOf(HasSubstr("--data"), HasSubstr("--quick"), HasSubstr("--out"),
                                 HasSubstr("--seed"), HasSubstr("--threads"), HasSubstr("--alpha"),
                                 HasSubstr("--quiet")));
}

TEST_F(CommandLine, ListsAreTheSameInThreeFormats) {
  const auto rows = testing::csv_rows(run({"list", "ciphers", "--format", "csv"}).out);
  ASSERT_EQ(rows.size(), registry<CipherEntry>().size());
  EXPECT_EQ(rows[0].at("name"), "aes-256-ctr");
  EXPECT_EQ(rows[0].at("key_bits"), "256");
  const std::string table = run({"list", "ciphers"}).out;
  const std::string json = run({"list", "ciphers", "--format", "json"}).out;
  for (const auto& row : rows) {
    for (const auto& [column, field] : row) {
      EXPECT_THAT(table, AllOf(HasSubstr(column), HasSubstr(field)));
      EXPECT_THAT(json, HasSubstr('"' + column + '"'));
    }
  }
  EXPECT_EQ(testing::csv_rows(run({"list", "tests", "--format", "csv"}).out).size(),
            registry<RandomnessEntry>().size());
  EXPECT_GE(testing::csv_rows(run({"list", "metrics", "--format", "csv"}).out).size(), 5U);
}

TEST_F(CommandLine, VerifyPasses) {
  const Outcome outcome = run({"verify", "--format", "csv"});
  EXPECT_EQ(outcome.exit_code, 0);
  const auto rows = testing::csv_rows(outcome.out);
  EXPECT_EQ(rows.size(), registry<CipherEntry>().size() + registry<RandomnessEntry>().size());
  for (const auto& row : rows) EXPECT_EQ(row.at("result"), "ok") << row.at("subject");
}

// --- Input and output

TEST_F(CommandLine, MissingDataIsNamed) {
  fs::create_directories(start().directory / "bare");
  write_file_atomically(start().directory / "file", "x");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"datasets", "verify"}, {"reproduce", "--quick"}}) {
    for (const char* data : {"missing-dir", "bare", "file"}) {
      auto arguments = command;
      arguments.insert(arguments.end(), {"--data", data});
      expect_bad_input(arguments, data);
    }
  }
  expect_bad_input({"datasets", "verify"}, "datasets/sipi");
  Start with_variable = start();
  with_variable.environment["ICBENCH_DATA"] = "nowhere";
  const Outcome outcome = icbench({"reproduce", "--quick"}, with_variable);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("nowhere"), HasSubstr("$ICBENCH_DATA")));
  EXPECT_FALSE(fs::exists(start().directory / "results"));
}

TEST_F(CommandLine, PlaceThatCannotBeWrittenIsNamed) {
  write_file_atomically(start().directory / "file", "x");
  for (const char* out : {"file", "file/below", "/proc/results", "/dev/null/results"}) {
    SCOPED_TRACE(out);
    const Outcome outcome = run({"reproduce", "--quick", "--out", out});
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_THAT(outcome.err, HasSubstr(std::string("icbench: ") + out));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
  EXPECT_EQ(read_file(start().directory / "file"), "x");
}

TEST_F(CommandLine, FullDiskWhileComputing) {
  Start limited = start();
  limited.file_size = 100'000;
  const Outcome outcome = icbench({"reproduce", "--quick", "--out", "out"}, limited);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("out/store.jsonl: cannot be written: File too large"));
  EXPECT_THAT(testing::files_below(start().directory / "out", ".csv"), IsEmpty());
  EXPECT_THAT(testing::files_below(start().directory / "out", ".part"), IsEmpty());
}

void expect_output_failure(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("standard output"));
}

TEST_F(CommandLine, OutputThatCannotBeWrittenIsAnError) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"list", "ciphers"},
                                                  {"list", "tests", "--format", "json"},
                                                  {"datasets", "list"},
                                                  {"verify"},
                                                  {"--help"}}) {
    SCOPED_TRACE(::testing::PrintToString(command));
    Start full = start();
    full.standard_output = "/dev/full";
    expect_output_failure(icbench(command, full));
    Start closed = start();
    closed.close_output = true;
    expect_output_failure(icbench(command, closed));
  }
}

TEST_F(CommandLine, VersionThatCannotBeWrittenIsAnError) {
  Start full = start();
  full.standard_output = "/dev/full";
  expect_output_failure(icbench({"--version"}, full));
}

TEST_F(CommandLine, LongOutputThatCannotBeWrittenIsAnError) {  // longer than the buffer
  write_file_atomically(start().directory / "data" / "misc" / "4.1.01.tiff", "x");
  Start full = start();
  full.standard_output = "/dev/full";
  expect_output_failure(icbench({"datasets", "verify", "--data", "data", "--format", "csv"}, full));
}

}  // namespace
}  // namespace icb
