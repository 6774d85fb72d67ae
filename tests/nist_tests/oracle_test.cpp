// Every record of the reference p-values, in both modes. The data is not part of the repository:
// the directory is $ICB_ORACLES, or ../shared/oracles beside the sources.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

namespace fs = std::filesystem;

fs::path oracle_directory() {
  const char* given = std::getenv("ICB_ORACLES");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const fs::path root =
      given != nullptr ? fs::path(given) : fs::path(ICB_SOURCE_DIR) / "../shared/oracles";
  return root / "sp80022";
}

const std::map<std::string, std::string> our_name{
    {"Frequency", "frequency"},
    {"BlockFrequency", "block-frequency"},
    {"CumulativeSums", "cumulative-sums"},
    {"Universal", "universal"},
    {"Runs", "runs"},
    {"LongestRun", "longest-run"},
    {"Rank", "binary-matrix-rank"},
    {"FFT", "spectral"},
    {"LinearComplexity", "linear-complexity"},
    {"NonOverlappingTemplate", "non-overlapping-template"},
    {"OverlappingTemplate", "overlapping-template"},
    {"Serial", "serial"},
    {"ApproximateEntropy", "approximate-entropy"},
    {"RandomExcursions", "random-excursions"},
    {"RandomExcursionsVariant", "random-excursions-variant"}};

class Oracle : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path file = oracle_directory() / "pvalues.json";
    if (!fs::exists(file)) GTEST_SKIP() << file << " is not there; set ICB_ORACLES";
    m_data = nlohmann::json::parse(std::ifstream(file));
    for (const auto& [name, about] : m_data["files"].items()) {
      std::ifstream in(oracle_directory() / name, std::ios::binary);
      const Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      m_streams.emplace(name,
                        BitSequence::from_bytes(bytes, 0, about["bits"].get<std::uint64_t>()));
    }
  }

  nlohmann::json m_data;
  std::map<std::string, BitSequence> m_streams;
};

// log10 of a p-value printed with an exponent a double may not have.
double log10_of(const std::string& text) {
  const auto e = text.find('e');
  const double mantissa = std::stod(text.substr(0, e));
  return std::log10(mantissa) + (e == std::string::npos ? 0 : std::stod(text.substr(e + 1)));
}

// L by n where all blocks are counted; a smaller K is had by leaving the rest of the bits away.
TestResult run_universal(BitView bits, const nlohmann::json& given, TestParameters parameters) {
  const std::uint64_t l = given["L"];
  const std::uint64_t used =
      (given["Q"].get<std::uint64_t>() + given["K"].get<std::uint64_t>()) * l;
  if (used == bits.size() / l * l) return run("universal", bits, parameters);
  parameters.universal_block = given["L"];
  parameters.universal_initial = given["Q"];
  std::string text;
  for (std::uint64_t i = 0; i < used; ++i) text += bits[i] != 0 ? '1' : '0';
  return run("universal", BitSequence::from_text(text).view(), parameters);
}

TEST_F(Oracle, PValuesOfBothFamilies) {
  std::map<std::string, double> largest_error;
  std::size_t compared = 0;
  for (const auto& record : m_data["records"]) {
    const std::string impl = record["impl"];
    const auto name = our_name.find(record["test"].get<std::string>());
    if (name == our_name.end() || (impl != "ref-exact" && impl != "ref-nist")) continue;
    const std::string file = record["file"];
    SCOPED_TRACE(file + ", " + name->second + ", " + impl);
    TestParameters parameters{.constants = impl == "ref-nist" ? Constants::nist : Constants::exact};
    const auto& given = record["params"];
    if (name->second == "linear-complexity") parameters.linear_complexity_block = given["M"];
    if (name->second == "non-overlapping-template") {
      parameters.non_overlapping_template = given["m"];
      parameters.non_overlapping_blocks = given["N"];
    }
    if (name->second == "overlapping-template") {
      parameters.overlapping_template = given["m"];
      parameters.overlapping_block = given["M"];
    }
    if (name->second == "serial") parameters.serial_block = given["m"];
    if (name->second == "approximate-entropy") parameters.approximate_entropy_block = given["m"];
    if (name->second == "block-frequency") parameters.block_frequency_block = given["M"];
    const auto result = name->second == "universal"
                            ? run_universal(m_streams.at(file).view(), given, parameters)
                            : run(name->second, m_streams.at(file).view(), parameters);
    ASSERT_EQ(applies(result), !record["p"].is_null());
    ++compared;
    if (record["p"].is_null()) continue;
    const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
    ASSERT_EQ(p_values.size(), record["p"].size());
    for (std::size_t i = 0; i < p_values.size(); ++i) {
      const double expected = record["p"][i];
      const double p = p_values[i].p.value();
      if (expected >= 1e-14) {
        const double error = std::abs(p - expected) / expected;
        EXPECT_LE(error, 1e-8) << p_values[i].id;
        largest_error[name->second] = std::max(largest_error[name->second], error);
      } else if (expected > 0) {
        EXPECT_NEAR(std::log10(p), log10_of(record["p_str"][i]), 1e-8) << p_values[i].id;
      } else {
        EXPECT_EQ(p, 0.0) << p_values[i].id;
      }
    }
  }
  // Nine streams, fifteen tests, two modes; block frequency and universal have another set of
  // parameters in one of them.
  EXPECT_EQ(compared, 9 * (15 * 2 + 2U));
  for (const auto& [name, error] : largest_error) {
    std::cout << "largest relative error of p, " << name << ": " << error << '\n';
  }
}

TEST_F(Oracle, IntegerStatistics) {
  for (const auto& [file, about] : m_data["files"].items()) {
    SCOPED_TRACE(file);
    const BitView bits = m_streams.at(file).view();
    const auto& expected = about["statistics"];
    const auto value = [&](const char* test, const std::string& name) {
      return statistic(run(test, bits), name);
    };
    EXPECT_EQ(value("frequency", "S_n"), expected["S_n"].get<double>());
    const auto runs = run("runs", bits);
    EXPECT_EQ(statistic(runs, "V_n"), expected["V_n"].get<double>());
    EXPECT_EQ(!runs.flags.empty(), expected.value("runs_prereq_failed", false));
    EXPECT_EQ(value("block-frequency", "chi_square"), expected["bf_chi2"].get<double>());
    EXPECT_EQ(value("cumulative-sums", "z_forward"), expected["cusum_z"][0].get<double>());
    EXPECT_EQ(value("cumulative-sums", "z_backward"), expected["cusum_z"][1].get<double>());
    const double f_n = expected["universal_fn"];
    EXPECT_NEAR(value("universal", "f_n"), f_n, 1e-15 * f_n);
    EXPECT_EQ(value("binary-matrix-rank", "F_32"), expected["rank_F"][0].get<double>());
    EXPECT_EQ(value("binary-matrix-rank", "F_31"), expected["rank_F"][1].get<double>());
    EXPECT_EQ(value("binary-matrix-rank", "F_below"), expected["rank_F"][2].get<double>());
    EXPECT_EQ(value("spectral", "N_1"), expected["dft_N1"].get<double>());
    EXPECT_EQ(value("random-excursions", "J"), expected["J"].get<double>());
    EXPECT_EQ(value("random-excursions-variant", "J"), expected["J"].get<double>());
    for (std::size_t i = 0; i < 7; ++i) {
      const std::string nu = "nu_" + std::to_string(i);
      EXPECT_EQ(value("longest-run", nu), expected["longest_nu"][i].get<double>());
      EXPECT_EQ(value("linear-complexity", nu), expected["lc_nu"][i].get<double>());
    }
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(value("overlapping-template", "nu_" + std::to_string(i)),
                expected["overlap_nu"][i].get<double>());
    }
    const auto serial = run("serial", bits);
    EXPECT_DOUBLE_EQ(statistic(serial, "delta_1"), expected["serial_del"][0].get<double>());
    EXPECT_DOUBLE_EQ(statistic(serial, "delta_2"), expected["serial_del"][1].get<double>());
    const double entropy = expected["apen_chi2"];
    EXPECT_NEAR(value("approximate-entropy", "chi_square"), entropy, 1e-12 * entropy);
  }
}

// The templates and their order.
TEST_F(Oracle, TemplateLabels) {
  std::vector<std::string> expected;
  for (const auto& label : m_data["labels"]["NonOverlappingTemplate"]) {
    expected.push_back("non-overlapping-template/m=9/" + label.get<std::string>());
  }
  EXPECT_EQ(find<RandomnessEntry>("non-overlapping-template").ids({}, 1000000), expected);
}

// The expansion of e made in the tests is the stream of the standard's examples.
TEST_F(Oracle, BitsOfE) {
  const auto made = bits_of_e(1000000);
  const auto words = m_streams.at("e.bin").view().words();
  EXPECT_TRUE(std::equal(words.begin(), words.end(), made.view().words().begin()));
}

}  // namespace
}  // namespace icb::test
