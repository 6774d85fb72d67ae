#include "core/csv.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tests/temporary_directory.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<std::vector<std::string>>;

// --- Numbers ------------------------------------------------------------------------------------

TEST(FormatDouble, ReadsBackToTheSameDouble) {
  std::mt19937_64 engine(1);
  std::vector<double> values{0.0,
                             -0.0,
                             0.1,
                             1.0 / 3.0,
                             std::numeric_limits<double>::min(),
                             std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()};
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(std::uint64_t{engine()});
    if (!std::isnan(value)) values.push_back(value);
  }
  for (const double value : values) {
    const std::string text = format_double(value);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(parse_double(text)), std::bit_cast<std::uint64_t>(value))
        << text;
  }
}

TEST(FormatDouble, SeventeenDigits) {
  EXPECT_EQ(format_double(0.1), "0.10000000000000001");
  EXPECT_EQ(format_double(255.0 / 256.0), "0.99609375");
  EXPECT_EQ(format_double(std::numeric_limits<double>::infinity()), "inf");
}

TEST(FormatDouble, NanIsRefused) {
  EXPECT_THROW(format_double(std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
  EXPECT_THROW(format_double(-std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
}

TEST(ParseDouble, RefusesWhatIsNotANumber) {
  for (const char* text : {"", " ", "x", "1x", "1 ", " 1", "1,5", "--1", "0x10", "1e999"}) {
    try {
      parse_double(text);
      ADD_FAILURE() << "accepted \"" << text << '"';
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  }
}

// --- Tables -------------------------------------------------------------------------------------

TEST(Csv, PlainFieldsAreNotQuoted) {
  CsvTable table({"a", "b"});
  table.add({"1", "two words"});
  table.add({"", ";"});
  EXPECT_EQ(table.text(), "a,b\n1,two words\n,;\n");
}

TEST(Csv, QuotesWhatRfc4180SaysMustBe) {
  CsvTable table({"a,b", "say \"hi\""});
  table.add({"line\nbreak", "return\r"});
  EXPECT_EQ(table.text(), "\"a,b\",\"say \"\"hi\"\"\"\n\"line\nbreak\",\"return\r\"\n");
}

TEST(Csv, RowsMustFitTheHeader) {
  CsvTable table({"a", "b"});
  EXPECT_THROW(table.add({"1"}), std::invalid_argument);
  EXPECT_THROW(table.add({"1", "2", "3"}), std::invalid_argument);
  EXPECT_THROW(table.add({}), std::invalid_argument);
  EXPECT_TRUE(table.rows().empty());
}

TEST(Csv, RoundTripOfAwkwardFields) {
  static const std::string alphabet = "ab,\"\n\r ;\xC3\xA4";
  std::mt19937_64 engine(2);
  for (int trial = 0; trial < 500; ++trial) {
    // Two fields or more: one empty field on a line is a blank line.
    const std::size_t fields = 2 + engine() % 4;
    const auto row = [&] {
      std::vector<std::string> out(fields);
      for (auto& field : out) {
        for (std::uint64_t left = engine() % 6; left > 0; --left) {
          field += alphabet[engine() % alphabet.size()];
        }
      }
      return out;
    };
    CsvTable table(row());
    for (int i = 0; i < 3; ++i) table.add(row());
    Rows expected{table.header()};
    expected.insert(expected.end(), table.rows().begin(), table.rows().end());
    ASSERT_EQ(parse_csv(table.text()), expected) << table.text();
  }
}

TEST(ParseCsv, LineEndsBlankLinesAndMissingLastBreak) {
  const Rows expected{{"a", "b"}, {"1", ""}};
  EXPECT_EQ(parse_csv("a,b\n1,\n"), expected);
  EXPECT_EQ(parse_csv("a,b\r\n1,\r\n"), expected);
  EXPECT_EQ(parse_csv("a,b\n\n1,"), expected);
  EXPECT_EQ(parse_csv("\"a\",\"b\"\n\"1\",\"\""), expected);
  EXPECT_TRUE(parse_csv("").empty());
  EXPECT_EQ(parse_csv("\"\"\n"), (Rows{{""}}));
}

TEST(ParseCsv, AnOpenQuoteIsRefused) {
  for (const char* text : {"\"", "a,\"b", "a,\"b\"\"", "a\n\"b\nc,d\n"}) {
    EXPECT_THROW(parse_csv(text), std::invalid_argument) << text;
  }
}

// --- Files --------------------------------------------------------------------------------------

class AtomicWrite : public ::testing::Test {
 protected:
  void SetUp() override { fs::permissions(m_directory.path(), fs::perms::all); }

  void TearDown() override {
    std::error_code ignored;
    fs::permissions(m_directory.path(), fs::perms::owner_all, ignored);
  }

  fs::path in(const std::string& name) const { return m_directory.path() / name; }

  /// Names present, so that nothing is left beside the target.
  std::size_t entries() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(m_directory.path()))
      if (!entry.path().empty()) ++count;
    return count;
  }

  static std::string failure(const fs::path& path, const std::string& content) {
    try {
      write_file_atomically(path, content);
    } catch (const InputError& error) {
      return error.what();
    }
    return {};
  }

 private:
  testing::TemporaryDirectory m_directory;
};

TEST_F(AtomicWrite, WritesReplacesAndLeavesNothingElse) {
  std::string bytes("a\0b\n", 4);
  write_file_atomically(in("x.csv"), bytes);
  EXPECT_EQ(read_file(in("x.csv")), bytes);
  write_file_atomically(in("x.csv"), "");
  EXPECT_EQ(read_file(in("x.csv")), "");
  const std::string large(3000000, 'z');
  write_file_atomically(in("x.csv"), large);
  EXPECT_EQ(read_file(in("x.csv")), large);
  EXPECT_EQ(read_file(in("x.csv"), large.size()), large);
  EXPECT_THROW(read_file(in("x.csv"), large.size() - 1), InputError);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicWrite, CreatesTheDirectory) {
  write_file_atomically(in("a/b/c.txt"), "deep");
  EXPECT_EQ(read_file(in("a/b/c.txt")), "deep");
}

TEST_F(AtomicWrite, TargetIsADirectory) {
  fs::create_directory(in("taken"));
  write_file_atomically(in("taken/inside"), "kept");
  const std::string message = failure(in("taken"), "new");
  EXPECT_TRUE(message.starts_with(in("taken").string())) << message;
  EXPECT_EQ(read_file(in("taken/inside")), "kept");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicWrite, ParentIsAFile) {
  write_file_atomically(in("file"), "kept");
  const std::string message = failure(in("file/x.csv"), "new");
  EXPECT_TRUE(message.starts_with(in("file").string())) << message;
  EXPECT_EQ(read_file(in("file")), "kept");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicWrite, UnwritableDirectory) {
  write_file_atomically(in("x.csv"), "old");
  fs::permissions(in(""), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                              fs::perms::others_exec);
  const bool superuser = ::geteuid() == 0;  // to whom permissions mean nothing
  constexpr ::uid_t nobody = 65534;
  if (superuser && ::seteuid(nobody) != 0) GTEST_SKIP() << "cannot become an ordinary user";
  const std::string message = failure(in("x.csv"), "new");
  if (superuser) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_TRUE(message.starts_with(in("x.csv").string())) << message;
  EXPECT_NE(message.find("Permission denied"), std::string::npos) << message;
  EXPECT_EQ(read_file(in("x.csv")), "old");
  EXPECT_EQ(entries(), 1U);
}

// The limit on file sizes stops a write half way, as a full disk does.
TEST_F(AtomicWrite, NoRoomHalfWayKeepsTheOldFile) {
  write_file_atomically(in("x.csv"), "old");
  ::rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string content(100000, 'z');
  const std::string present = failure(in("x.csv"), content);
  const std::string absent = failure(in("y.csv"), content);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(present.starts_with(in("x.csv").string())) << present;
  EXPECT_TRUE(absent.starts_with(in("y.csv").string())) << absent;
  EXPECT_NE(present.find("too large"), std::string::npos) << present;
  EXPECT_EQ(read_file(in("x.csv")), "old");
  EXPECT_EQ(entries(), 1U);
}

// The part file is made to be the device that is always full.
TEST_F(AtomicWrite, FullDeviceKeepsTheOldFile) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  write_file_atomically(in("x.csv"), "old");
  fs::create_symlink("/dev/full", in(".x.csv." + std::to_string(::getpid()) + ".part"));
  const std::string message = failure(in("x.csv"), "new");
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
  EXPECT_EQ(read_file(in("x.csv")), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicWrite, PiecesAreThereWhenCommitted) {
  write_file_atomically(in("x.csv"), "old");
  {
    AtomicFile file(in("x.csv"));
    file.write("one ");
    file.write("");
    file.write("two");
    EXPECT_EQ(read_file(in("x.csv")), "old");
    file.commit();
    EXPECT_EQ(read_file(in("x.csv")), "one two");
  }
  {
    AtomicFile file(in("x.csv"));
    file.write("never");
  }
  EXPECT_EQ(read_file(in("x.csv")), "one two");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicWrite, ReadRefusesWhatIsNotAReadableFile) {
  for (const auto& path : {in("absent"), in("")}) {
    try {
      read_file(path);
      ADD_FAILURE() << "read " << path;
    } catch (const InputError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path.string())) << error.what();
    }
  }
}

// Reading this file's first page is an I/O error for every process.
TEST_F(AtomicWrite, ReadErrorsNameThePath) {
  const fs::path path = "/proc/self/mem";
  if (!fs::exists(path)) GTEST_SKIP();
  EXPECT_THROW(read_file(path), InputError);
}

}  // namespace
}  // namespace icb
