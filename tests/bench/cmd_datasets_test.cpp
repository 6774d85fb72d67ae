#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench/command.hpp"
#include "tests/datasets/files.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class DatasetsCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("ICBENCH_DATA");
    m_before = fs::current_path();
    fs::create_directories(m_directory.path() / "work");
    fs::current_path(m_directory.path() / "work");
  }

  void TearDown() override { fs::current_path(m_before); }

  /// What the command prints to stdout; its exit code is in m_code, its messages in m_messages.
  std::string run(std::vector<std::string> arguments) {
    CLI::App app;
    const auto command = find<CommandEntry>("datasets").setup(app);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(arguments);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    std::string output;
    try {
      m_code = command(m_common);
    } catch (...) {
      ::testing::internal::GetCapturedStdout();
      ::testing::internal::GetCapturedStderr();
      throw;
    }
    std::fflush(stdout);
    m_messages = ::testing::internal::GetCapturedStderr();
    return ::testing::internal::GetCapturedStdout();
  }

  testing::TemporaryDirectory m_directory;
  fs::path m_before;
  CommonOptions m_common;
  ExitCode m_code = ExitCode::done;
  std::string m_messages;
};

TEST_F(DatasetsCommand, ListsInThreeFormats) {
  EXPECT_THAT(run({"list"}), AllOf(HasSubstr("sipi-misc      39      0        absent"),
                                   HasSubstr("smoke          20      20       built in")));
  EXPECT_THAT(m_messages, HasSubstr("icbench datasets fetch"));
  m_common.format = Format::csv;
  EXPECT_THAT(run({"list"}),
              HasSubstr("sipi-aerials,22,0,absent,\"USC-SIPI Image Database, volume aerials\"\n"));
  m_common.format = Format::json;
  write_file_atomically("datasets/sipi/misc/4.2.03.tiff", "x");
  const auto rows = nlohmann::json::parse(run({"list"}));
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0]["present"], "1");
  EXPECT_EQ(rows[0]["where"], "datasets/sipi/misc");
  EXPECT_EQ(rows[1]["where"], "absent");
  m_common.out = "results";
  EXPECT_EQ(run({"list"}), "");
  EXPECT_EQ(nlohmann::json::parse(read_file("results/datasets.json")), rows);
}

TEST_F(DatasetsCommand, VerifyNamesWhatIsMissingAndAltered) {
  EXPECT_THROW(run({"verify"}), InputError);  // no directory
  EXPECT_THROW(run({"verify", "--data", "nowhere"}), InputError);
  write_file_atomically("data/misc/4.2.03.tiff", "x");
  const std::string output = run({"verify", "--data", "data"});
  EXPECT_EQ(m_code, ExitCode::check_failed);
  EXPECT_THAT(output, AllOf(HasSubstr("misc/4.2.03.tiff"), HasSubstr("altered"),
                            HasSubstr("misc/4.1.01.tiff"), HasSubstr("missing")));
  EXPECT_THAT(m_messages,
              HasSubstr("data: 106 files of the manifest: 0 ok, 105 missing, 1 altered"));
  run({"verify", "--data", "data", "--volume", "aerials"});
  EXPECT_THAT(m_messages, HasSubstr("22 files of the manifest: 0 ok, 22 missing"));
  EXPECT_THROW(run({"verify", "--data", "data", "--volume", "videos"}), UsageError);
}

TEST_F(DatasetsCommand, FetchSaysWhyItFails) {
  EXPECT_THROW(run({"fetch", "--volume", "videos"}), UsageError);
  try {
    run({"fetch", "--volume", "misc", "--url", "http://127.0.0.1:1/", "--to", "here"});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("http://127.0.0.1:1/misc.zip: "));
  }
  EXPECT_FALSE(fs::exists("here/misc"));
}

TEST_F(DatasetsCommand, NeedsASubcommand) {
  CLI::App app;
  find<CommandEntry>("datasets").setup(app);
  EXPECT_THROW(app.parse(std::vector<std::string>{}), CLI::RequiredError);
  EXPECT_THROW(run({"remove"}), CLI::ParseError);
}

}  // namespace
}  // namespace icb
