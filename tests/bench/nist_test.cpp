/// `icbench nist` as a program, and the streams of ciphers it shares with Table 2.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "bench/cipher_stream.hpp"
#include "core/csv.hpp"
#include "core/descriptor.hpp"
#include "nist_tests/battery.hpp"
#include "tests/bench/support.hpp"
#include "tests/sanitized.hpp"

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

Bytes random_bytes(std::size_t count, std::uint64_t seed = 1) {
  std::mt19937_64 engine(seed);
  Bytes out(count);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(engine() & 0xFF);
  return out;
}

std::string as_text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

/// In a directory without any images around, so that ciphers run on the generated set.
class Nist : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(start().directory); }

  Start start() const {
    Start out;
    out.directory = m_directory.path() / "empty" / "work";
    return out;
  }

  fs::path path(const std::string& name) const { return start().directory / name; }

  void put(const std::string& name, const std::string& content) const {
    write_file_atomically(path(name), content);
  }

  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"nist", "--quiet"});
    return icbench(arguments, start());
  }

  /// With everything below out/, whatever the verdict.
  std::map<std::string, std::string> results(std::vector<std::string> arguments,
                                             const std::string& out = "out") const {
    arguments.insert(arguments.end(), {"--out", out});
    const Outcome outcome = run(arguments);
    EXPECT_LE(outcome.exit_code, 1) << outcome.err;
    EXPECT_EQ(outcome.out, out + "\n");
    EXPECT_THAT(outcome.err, IsEmpty());
    std::map<std::string, std::string> files;
    for (const char* extension : {".txt", ".csv", ".json", ".part"}) {
      files.merge(files_below(path(out), extension));
    }
    return files;
  }

  /// What the shell makes of it, `icbench` standing for the program.
  Outcome shell(const std::string& command) const {
    return testing::run_program(
        {"/bin/sh", "-c", fmt::format("icbench() {{ \"{}\" \"$@\"; }}; {}", ICB_PROGRAM, command)},
        start());
  }

  void expect_failure(const std::vector<std::string>& arguments, int exit_code,
                      const std::string& message) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }

  TemporaryDirectory m_directory;
};

// --- Verdicts

TEST_F(Nist, AesPasses) {
  const Outcome outcome = run({"--cipher", "aes-256-ctr", "--length", "100000", "--sequences", "60",
                               "--serial-block", "10"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("cipher aes-256-ctr on "), HasSubstr("smoke"),
                                 HasSubstr("60 of 100000 bits"), HasSubstr("rejected: 0 of"),
                                 HasSubstr("It does not mean secure.")));
}

TEST_F(Nist, BiasedAndAlternatingAreRejected) {
  std::mt19937_64 engine(2);
  std::string biased;
  for (int i = 0; i < 1'000'000; ++i) biased += engine() % 1000 < 505 ? '1' : '0';
  put("biased", biased);
  put("alternating", std::string(125'000, '\x55'));
  for (const char* file : {"biased", "alternating"}) {
    const Outcome outcome = run({file});
    EXPECT_EQ(outcome.exit_code, 1) << file;
    EXPECT_THAT(outcome.out, HasSubstr("\nreject ")) << file;
    EXPECT_THAT(outcome.err, IsEmpty());
  }
  // Five per mille of bias need their sample size.
  EXPECT_EQ(run({"biased", "--length", "1000", "--sequences", "1"}).exit_code, 0);
}

TEST_F(Nist, RandomBytesPassAsOneSequenceAndAsMany) {
  put("random", as_text(random_bytes(250'000)));
  for (const char* length : {"2000000", "1000000", "100003"}) {
    const Outcome outcome = run({"random", "--length", length, "--serial-block", "10"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("msb (detected)"), HasSubstr("frequency"),
                                   HasSubstr("constants exact, dft divisor 4, alpha 0.01"),
                                   HasSubstr("icbench 0.")));
  }
}

TEST_F(Nist, AlphaDecides) {
  // 5050 ones of 10,000: p = erfc(1 / sqrt 2) = 0.3173.
  put("ones", std::string(5050, '1') + std::string(4950, '0'));
  EXPECT_EQ(run({"ones", "--tests", "frequency", "--alpha", "0.31"}).exit_code, 0);
  EXPECT_EQ(run({"ones", "--tests", "frequency", "--alpha", "0.32"}).exit_code, 1);
}

// --- Numbers

TEST_F(Nist, PValuesAreThoseOfTheTests) {
  constexpr std::uint64_t n = 10'007;  // not a multiple of 8
  const Bytes bytes = random_bytes(10'000, 7);
  put("random", as_text(bytes));
  TestParameters parameters;
  parameters.constants = Constants::nist;
  parameters.approximate_entropy_block = 5;
  const auto files = results({"random", "--length", std::to_string(n), "--constants", "nist",
                              "--approximate-entropy-block", "5"});
  ASSERT_EQ(files.size(), 5U);
  const Battery battery({}, parameters);
  std::string expected = "sequence,test,id,p_value,status,detail\n";
  std::size_t rows = 0;
  const auto found = csv_rows(files.at("nist_p_values.csv"));
  for (std::uint64_t s = 0; s < 8 * bytes.size() / n; ++s) {
    const BitSequence bits = BitSequence::from_bytes(bytes, s * n, n);
    const SequenceResults sequence = battery.run(bits.view());
    for (std::size_t t = 0; t < sequence.size(); ++t) {
      const auto ids = battery.tests()[t]->ids(parameters, n);
      const auto* subs = std::get_if<std::vector<SubResult>>(&sequence[t].outcome);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        ASSERT_LT(rows, found.size());
        const auto& row = found[rows++];
        EXPECT_EQ(row.at("sequence"), std::to_string(s));
        EXPECT_EQ(row.at("test"), battery.tests()[t]->name);
        EXPECT_EQ(row.at("id"), ids[i]);
        if (subs == nullptr) {
          EXPECT_EQ(row.at("p_value"), "");
          EXPECT_EQ(row.at("status"), "not_applicable");
          EXPECT_EQ(row.at("detail"), std::get<NotApplicable>(sequence[t].outcome).reason);
        } else {
          EXPECT_EQ(row.at("p_value"), format_double(subs->at(i).p.value()));
          EXPECT_EQ(row.at("status"), subs->at(i).p.value() < 0.01 ? "below_alpha" : "ok");
        }
      }
    }
  }
  EXPECT_EQ(rows, found.size());
}

TEST_F(Nist, OptionsThatCannotBeMeantAreRefused) {
  put("random", as_text(random_bytes(5'000)));
  const auto bits = run({"random", "--float-bits", "8"});
  EXPECT_EQ(bits.exit_code, 2);
  EXPECT_THAT(bits.err, HasSubstr("--input float64"));
  const auto block = run({"random", "--overlapping-template", "9", "--overlapping-block", "8"});
  EXPECT_EQ(block.exit_code, 2);
  EXPECT_THAT(block.err, HasSubstr("M >= m = 9, got 8"));
}

TEST_F(Nist, ARejectionAtAnotherLengthIsQualified) {
  put("zeros", std::string(10'000, '\0'));
  EXPECT_THAT(run({"zeros", "--input", "msb"}).out, HasSubstr("may say more of a test"));
  EXPECT_THAT(run({"zeros", "--input", "msb", "--length", "1000", "--tests", "frequency"}).out,
              HasSubstr("rejected: 1 of the 1 tests that applied"));
}

TEST_F(Nist, JsonHoldsEverything) {
  put("random", as_text(random_bytes(5'000)));
  const auto json =
      nlohmann::json::parse(run({"random", "--length", "10001", "--skip", "3", "--format", "json",
                                 "--serial-block", "5", "--dft-divisor", "3.8"})
                                .out);
  EXPECT_EQ(json.at("input").at("source"), "random");
  EXPECT_EQ(json.at("input").at("format"), "msb (detected)");
  EXPECT_EQ(json.at("input").at("skipped_bits"), 3);
  EXPECT_EQ(json.at("input").at("sequence_bits"), 10'001);
  EXPECT_EQ(json.at("input").at("sequences"), 3);
  EXPECT_EQ(json.at("input").at("leftover_bits"), 40'000 - 3 - 3 * 10'001);
  EXPECT_EQ(json.at("parameters").at("serial-block"), 5);
  EXPECT_EQ(json.at("parameters").at("dft-divisor"), 3.8);
  EXPECT_EQ(json.at("parameters").size(), 15U);
  EXPECT_TRUE(json.at("program").contains("commit"));
  EXPECT_EQ(json.at("tests").size(), registry<RandomnessEntry>().size());
  ASSERT_EQ(json.at("sequences").size(), 3U);
  std::size_t p_values = 0;
  std::size_t below = 0;
  std::map<std::string, std::size_t> applicable;
  for (const auto& sequence : json.at("sequences")) {
    for (const auto& [name, test] : sequence.at("tests").items()) {
      EXPECT_TRUE(test.contains("statistics"));
      EXPECT_TRUE(test.contains("flags"));
      EXPECT_NE(test.contains("p_values"), test.contains("not_applicable")) << name;
      if (!test.contains("p_values")) continue;
      ++applicable[name];
      for (const double p : test.at("p_values")) {
        ++p_values;
        below += p < 0.01 ? 1U : 0U;
      }
    }
  }
  EXPECT_EQ(json.at("p_values"), p_values);
  EXPECT_EQ(json.at("below_alpha"), below);
  for (const auto& test : json.at("tests")) {
    for (const auto& sub : test.at("sub_tests")) {
      EXPECT_EQ(sub.at("applicable"), applicable[test.at("name").get<std::string>()]);
    }
  }
  const auto brief =
      nlohmann::json::parse(run({"random", "--format", "json", "--no-statistics"}).out);
  EXPECT_FALSE(brief.at("sequences").at(0).at("tests").at("runs").contains("statistics"));
  EXPECT_EQ(brief.at("input").at("sequence_bits"), 40'000);  // the whole, shorter than 10^6
}

TEST_F(Nist, EveryThreadCountGivesTheSameBytes) {
  put("random", as_text(random_bytes(40'000)));
  const auto with = [&](const char* threads) {
    return results({"random", "--length", "10003", "--threads", threads}, threads);
  };
  const auto one = with("1");
  ASSERT_EQ(one.size(), 5U);
  EXPECT_TRUE(one == with("2"));
  EXPECT_TRUE(one == with("7"));
}

// --- Input

TEST_F(Nist, EveryFormatGivesTheSameBits) {
  const Bytes bytes = random_bytes(30'000);
  put("msb", as_text(bytes));
  std::string mirrored;
  std::string ascii;
  std::vector<double> values;
  for (const std::uint8_t byte : bytes) {
    unsigned mirror = 0;
    for (unsigned i = 0; i < 8; ++i) {
      mirror |= (byte >> i & 1U) << (7 - i);
      ascii += (byte >> (7 - i) & 1) != 0 ? '1' : '0';
    }
    ascii += '\n';
    mirrored += static_cast<char>(mirror);
    values.push_back(byte / 256.0 + 1.0 / 1000);
  }
  put("lsb", mirrored);
  put("ascii", ascii);
  std::string packed(8 * values.size(), '\0');
  std::memcpy(packed.data(), values.data(), packed.size());
  put("doubles", packed);
  save_png(path("image"), ConstImage({.rows = 100, .cols = 100, .channels = 3}, bytes));
  put("first", as_text({bytes.begin(), bytes.begin() + 11'111}));
  put("second", as_text({bytes.begin() + 11'111, bytes.end()}));
  const std::string options = "--length 12345 --skip 77 --format csv --tests frequency,runs";
  const auto numbers = [&](const std::string& input, const std::string& format) {
    const Outcome outcome = shell(fmt::format("icbench nist {} {}", input, options));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("format      " + format));
    auto rows = csv_rows(outcome.out);
    EXPECT_EQ(rows.size(), 2U);
    for (auto& row : rows) row.erase("source");
    return rows;
  };
  const auto expected = numbers("msb", "msb (detected); 77 bits skipped");
  EXPECT_EQ(expected.at(0).at("sequences"), "19");
  EXPECT_EQ(numbers("lsb --input lsb", "lsb;"), expected);
  EXPECT_EQ(numbers("ascii", "ascii (detected)"), expected);
  EXPECT_EQ(numbers("ascii --input ascii", "ascii;"), expected);
  EXPECT_EQ(numbers("doubles --input float64 --float-bits 8", "float64, 8 bits each"), expected);
  EXPECT_EQ(numbers("image", "image (detected)"), expected);
  EXPECT_EQ(numbers("first second", "msb (detected)"), expected);
  EXPECT_EQ(numbers("- < msb", "msb (detected)"), expected);
  EXPECT_EQ(numbers("first - < second", "msb (detected)"), expected);
  for (const char* file : {"msb", "ascii", "image"}) {
    const std::string command = fmt::format("cat {} | icbench nist - {} --quiet", file, options);
    auto rows = csv_rows(shell(command).out);
    for (auto& row : rows) row.erase("source");
    EXPECT_EQ(rows, expected) << file;
  }
}

TEST_F(Nist, StandardInputBeginsWhereItStands) {
  put("file", as_text(random_bytes(30'000)));
  const auto after = [&](int skip) {
    return shell(
        fmt::format("{{ dd bs=1000 count=1 of=/dev/null 2> /dev/null; icbench nist - "
                    "--quiet --tests frequency --skip {}; }} < file",
                    skip));
  };
  EXPECT_THAT(after(0).out, HasSubstr("1 of 232000 bits"));
  EXPECT_THAT(after(231'000).out, HasSubstr("1 of 1000 bits"));
  EXPECT_THAT(after(236'000).err, HasSubstr("the 236000 bits to skip, got 232000"));
}

TEST_F(Nist, ShortLastSequenceIsReported) {
  put("random", as_text(random_bytes(1000)));
  const auto heading = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"random", "--tests", "frequency"});
    return run(arguments).out;
  };
  EXPECT_THAT(heading({}), HasSubstr("1 of 8000 bits; 0 bits left over"));
  EXPECT_THAT(heading({"--length", "999"}), HasSubstr("8 of 999 bits; 8 bits left over"));
  EXPECT_THAT(heading({"--length", "999", "--sequences", "9"}),
              HasSubstr("8 of 999 bits (9 asked for); 8 bits left over"));
  EXPECT_THAT(heading({"--length", "999", "--sequences", "7"}),
              HasSubstr("7 of 999 bits; the input was not read to its end"));
  put("cut", std::string(27, '\0'));
  EXPECT_THAT(run({"cut", "--input", "float64", "--tests", "frequency", "--length", "50"}).out,
              HasSubstr("1 of 50 bits; 46 bits left over and 3 bytes that are no whole double"));
}

TEST_F(Nist, InputThatCannotBeUsedIsNamed) {
  put("empty", "");
  put("short", std::string(100, 'x'));
  put("text", "0101x");
  fs::create_directories(path("folder"));
  expect_failure({"none"}, 3, "icbench: none: cannot be opened: No such file");
  expect_failure({"empty"}, 3, "icbench: empty: the file is empty");
  expect_failure({"folder"}, 3, "icbench: folder: expected a file, got a directory");
  expect_failure({"short", "--length", "801"}, 3,
                 "icbench: short: expected at least 801 bits for one sequence, got 800");
  expect_failure({"short", "--length", "801", "--skip", "10"}, 3,
                 "expected at least 801 bits for one sequence after those skipped, got 790");
  expect_failure({"short", "--skip", "801"}, 3, "the 801 bits to skip, got 800");
  expect_failure({"short", "--skip", "800"}, 3, "expected at least 1 bits");
  expect_failure({"text", "--input", "ascii"}, 3, "icbench: text: byte 4: expected '0'");
  expect_failure({"short", "--input", "image"}, 3, "icbench: short: not an image");
  expect_failure({"short", "--out", "short/below"}, 3, "icbench: short/below");
  // Found in the middle of the work: nothing is written.
  put("late", std::string(300'000, '1') + "2");
  expect_failure({"late", "--length", "1000", "--out", "out"}, 3, "icbench: late: byte 300000: ");
  EXPECT_FALSE(fs::exists(path("out/nist.json")));
  EXPECT_THAT(files_below(path("out"), ".part"), IsEmpty());
}

TEST_F(Nist, WrongUsageIsNamed) {
  put("file", as_text(random_bytes(100)));
  expect_failure({}, 2, "expected FILE");
  expect_failure({"file", "--cipher", "identity"}, 2, "--cipher");
  expect_failure({"--cipher", "identity", "--skip", "8"}, 2, "--cipher");
  expect_failure({"--cipher", "rot13"}, 2, "unknown cipher \"rot13\"");
  expect_failure({"file", "--data", "x"}, 2, "--data");
  expect_failure({"-", "-"}, 2, "standard input can be read once");
  expect_failure({"/dev/zero"}, 2, "expected --sequences");
  expect_failure({"file", "--tests", "frequency,poker"}, 2, "unknown randomness test \"poker\"");
  expect_failure({"file", "--tests", "runs,runs"}, 2, "runs");
  EXPECT_EQ(run({"--tests", "runs,frequency", "file"}).exit_code, 0);
  expect_failure({"file", "--input", "hex"}, 2, "--input");
  expect_failure({"file", "--constants", "other"}, 2, "--constants");
  expect_failure({"file", "--format", "xml"}, 2, "--format");
  for (const auto& [option, values] : std::map<std::string, std::vector<std::string>>{
           {"--length", {"0", "-1", "1e6", "18446744073709551616", ""}},
           {"--sequences", {"0", "-1", "x"}},
           {"--skip", {"-1", "1.5"}},
           {"--float-bits", {"0", "53"}},
           {"--dft-divisor", {"0", "nan", "5", "-4"}},
           {"--serial-block", {"1", "25", "-1"}},
           {"--rank-rows", {"0", "65", "4294967297"}},
           {"--block-frequency-block", {"0", "4294967296"}},
           {"--approximate-entropy-block", {"0", "25"}}}) {
    for (const std::string& value : values) expect_failure({"file", option, value}, 2, option);
  }
  expect_failure({"file", "--longest-run-block", "9"}, 2, "--longest-run-block");
}

// --- Output

TEST_F(Nist, LayoutOfNistHasALineForEveryPValue) {
  put("random", as_text(random_bytes(20'000)));
  const Outcome outcome = run({"random", "--length", "10000", "--format", "sts"});
  EXPECT_LE(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("generator is <random>"), HasSubstr("16/16"),
                                 HasSubstr("LongestRun"), HasSubstr("FFT\n")));
  std::size_t ids = 0;
  for (const auto& [name, test] : registry<RandomnessEntry>()) ids += test.ids({}, 10'000).size();
  const auto rows = csv_rows(run({"random", "--length", "10000", "--format", "csv"}).out);
  EXPECT_EQ(rows.size(), ids);
  // Nothing but this command has that layout.
  EXPECT_EQ(icbench({"verify", "--format", "sts"}, start()).exit_code, 2);
}

TEST_F(Nist, EveryCipherHasItsBlock) {
  const std::vector<std::string> options{"--cipher", "all",    "--tests",     "frequency,runs",
                                         "--length", "100000", "--sequences", "5"};
  const Outcome outcome = run(options);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;  // plain images are among them
  auto with = [&](const char* format) {
    auto arguments = options;
    arguments.insert(arguments.end(), {"--format", format});
    return run(arguments).out;
  };
  const auto json = nlohmann::json::parse(with("json"));
  ASSERT_EQ(json.size(), registry<CipherEntry>().size());
  std::size_t i = 0;
  for (const auto& [name, cipher] : registry<CipherEntry>()) {
    EXPECT_THAT(outcome.out, HasSubstr(fmt::format("cipher {} on ", name)));
    EXPECT_THAT(json.at(i++).at("input").at("source").get<std::string>(),
                StartsWith(fmt::format("cipher {} on ", name)));
  }
  EXPECT_EQ(csv_rows(with("csv")).size(), 2 * registry<CipherEntry>().size());
  const auto files = results(options);
  EXPECT_EQ(files.size(), 5 * registry<CipherEntry>().size());
  EXPECT_TRUE(files.contains("aes-256-ctr/nist.json"));
}

TEST_F(Nist, FullDiskAndClosedOutput) {
  put("random", as_text(random_bytes(10'000)));
  Start limited = start();
  limited.file_size = 2000;
  Outcome outcome =
      icbench({"nist", "random", "--length", "1000", "--quiet", "--out", "out"}, limited);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("icbench: "));
  EXPECT_THAT(files_below(path("out"), ".csv"), IsEmpty());
  EXPECT_THAT(files_below(path("out"), ".part"), IsEmpty());
  for (const char* format : {"table", "csv", "json", "sts"}) {
    Start full = start();
    full.standard_output = "/dev/full";
    outcome = icbench({"nist", "random", "--length", "1000", "--format", format}, full);
    EXPECT_EQ(outcome.exit_code, 3) << format;
    EXPECT_THAT(outcome.err, HasSubstr("standard output")) << format;
  }
}

TEST_F(Nist, MemoryDoesNotGrowWithTheInput) {
#if ICB_SANITIZED
  GTEST_SKIP() << "sanitizers need more address space than the limit";
#else
  Start limited = start();
  limited.address_space = 256ULL << 20;
  const Outcome outcome = testing::run_program(
      {"/bin/sh", "-c",
       fmt::format("head -c 400000000 /dev/zero | \"{}\" nist - --quiet --tests frequency "
                   "--skip 1600000001 --length 1000003",
                   ICB_PROGRAM)},
      limited);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1599 of 1000003 bits"));
#endif
}

// --- Signals

TEST_F(Nist, SignalsStopWithoutOutput) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Child child({ICB_PROGRAM, "nist", "/dev/zero", "--sequences", "100000000", "--length", "10000",
                 "--tests", "frequency", "--out", "out"},
                start());
    while (child.runs() && files_below(path("out"), ".part").empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    child.send(signal);
    const Outcome outcome = child.wait();
    EXPECT_EQ(outcome.signal, signal) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("interrupted; nothing is written"));
    for (const char* extension : {".part", ".csv", ".json", ".txt"}) {
      EXPECT_THAT(files_below(path("out"), extension), IsEmpty());
    }
  }
}

TEST_F(Nist, SignalsStopAWaitForInput) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const int signal : {SIGINT, SIGTERM}) {
    Start patient = start();
    patient.seconds = 60;
    Child child({ICB_PROGRAM, "nist", "pipe", "--length", "1000", "--threads", "3"}, patient);
    const Descriptor writer{::open(path("pipe").c_str(), O_WRONLY)};  // until the child reads
    const std::string some(5000, '\x3C');
    ASSERT_EQ(::write(writer.get(), some.data(), some.size()), 5000);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_TRUE(child.runs());
    child.send(signal);
    const Outcome outcome = child.wait();
    EXPECT_FALSE(outcome.too_slow);
    EXPECT_EQ(outcome.signal, signal) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

// --- Streams of ciphers

TEST(CipherStreams, SequencesAreCutFromTheImagesOfAKey) {
  const ImageSet& set = smoke_set();
  constexpr std::uint64_t seed = 11;
  constexpr std::string_view cipher = "aes-256-ctr";
  std::vector<Bytes> streams(2);
  for (std::size_t key = 0; key < streams.size(); ++key) {
    for (const ImageRef& image : set.images) {
      const OwnedImage encrypted = encrypt_for(seed, cipher, owned(image.load()).view(),
                                               fmt::format("table2/key-{}", key), image.name);
      const ConstBytes bytes = encrypted.bytes();
      streams[key].insert(streams[key].end(), bytes.begin(), bytes.end());
    }
  }
  EXPECT_NE(streams[0], streams[1]);
  KeptImage kept;
  for (const std::uint64_t n : {1'000'000U, 100'003U, 8U * 1000U}) {
    const std::uint64_t per_stream = sequences_per_stream(set, n);
    ASSERT_EQ(per_stream, 8 * streams[0].size() / n);
    for (const std::uint64_t s : {std::uint64_t{0}, std::uint64_t{1}, per_stream / 2,
                                  per_stream - 1, per_stream, 2 * per_stream - 1}) {
      const BitSequence found = cipher_sequence(seed, set, cipher, n, s, kept);
      const BitSequence expected =
          BitSequence::from_bytes(streams.at(s / per_stream), s % per_stream * n, n);
      EXPECT_TRUE(std::ranges::equal(found.view().words(), expected.view().words()))
          << n << ", sequence " << s;
    }
  }
}

TEST_F(Nist, CipherAndFileOfItsImagesAgree) {
  const ImageSet& set = smoke_set();
  std::vector<std::string> arguments{"--length", "200001",  "--format",
                                     "csv",      "--tests", "frequency,runs"};
  auto of_cipher = arguments;
  of_cipher.insert(of_cipher.end(), {"--cipher", "khazaal2024", "--seed", "5"});
  for (const ImageRef& image : set.images) {
    const OwnedImage encrypted =
        encrypt_for(5, "khazaal2024", owned(image.load()).view(), stream_key_label(0), image.name);
    Bytes bytes(encrypted.bytes().begin(), encrypted.bytes().end());
    put(image.name, as_text(bytes));
    arguments.push_back(image.name);
  }
  arguments.insert(arguments.end(), {"--input", "msb"});
  auto a = csv_rows(run(of_cipher).out);
  auto b = csv_rows(run(arguments).out);
  ASSERT_FALSE(a.empty());
  for (auto* rows : {&a, &b}) {
    for (auto& row : *rows) row.erase("source");
  }
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace icb
