#include "nist_tests/sts_report.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

/// What scripts that read the program's report find in it.
struct Line {
  std::vector<int> counts;
  std::string uniformity;  // "----" or a number
  bool uniformity_star;
  std::string proportion;  // "96/100" or "------"
  bool proportion_star;
  std::string name;
};

struct Report {
  std::string generator;
  std::vector<Line> lines;
  std::vector<std::pair<int, int>> pass_rates;  // approximately, sample size
};

Report parse(const std::string& text) {
  Report out;
  static const std::regex generator("   generator is <(.*)>");
  static const std::regex line(
      R"(^((?: *\d+){10}) +(\d\.\d{6}|----) (\*| ) +(\d+/\d+|------) +(\* +)?(\w[\w-]*)$)");
  static const std::regex rate(
      R"(approximately = (\d+) for a\s+sample size = (\d+) binary sequences)");
  std::istringstream in(text);
  for (std::string row; std::getline(in, row);) {
    std::smatch match;
    if (std::regex_match(row, match, generator)) out.generator = match[1];
    if (std::regex_match(row, match, line)) {
      Line found{{}, match[2], match[3] == "*", match[4], match[5].matched, match[6]};
      std::istringstream counts(match[1]);
      for (int count = 0; counts >> count;) found.counts.push_back(count);
      out.lines.push_back(found);
    }
  }
  for (std::sregex_iterator i(text.begin(), text.end(), rate), end; i != end; ++i) {
    out.pass_rates.emplace_back(std::stoi((*i)[1]), std::stoi((*i)[2]));
  }
  return out;
}

SubTestAssessment sub_test(const std::string& id, const std::vector<double>& p,
                           std::uint64_t sequences) {
  return assess_subtest(id, sequences, p, Alpha{0.01});
}

Assessment made_up() {
  std::vector<double> even;
  for (int i = 0; i < 100; ++i) even.push_back((i + 0.5) / 100);
  auto failing = even;
  for (std::size_t i = 0; i < 5; ++i) failing[i] = 0.0001;
  Assessment out;
  out.sequences = 100;
  out.sequence_bits = 1000000;
  // By section of the standard, as a battery has them.
  const auto add = [&](const std::string& name, std::vector<SubTestAssessment> subs) {
    TestAssessment test;
    test.name = name;
    test.subtests = std::move(subs);
    out.tests.push_back(std::move(test));
  };
  add("coin", {sub_test("coin", even, 100)});
  add("frequency", {sub_test("frequency", even, 100)});
  add("linear-complexity", {sub_test("linear-complexity/M=500", {}, 100)});
  add("serial", {sub_test("serial/m=16/delta-1", failing, 100),
                 sub_test("serial/m=16/delta-2", std::vector<double>(100, 0.55), 100)});
  add("cumulative-sums", {sub_test("cumulative-sums/forward", even, 100)});
  add("random-excursions", {sub_test("random-excursions/x=-4", std::vector<double>(55, 0.5), 100)});
  add("random-excursions-variant",
      {sub_test("random-excursions-variant/x=-9", {0.5, 0.6, 0.7}, 100)});
  return out;
}

TEST(StsReport, IsReadBack) {
  const Report report = parse(sts_report(made_up(), "data/some file.bin"));
  EXPECT_EQ(report.generator, "data/some file.bin");
  std::vector<std::string> names;
  for (const Line& line : report.lines) names.push_back(line.name);
  EXPECT_EQ(names, (std::vector<std::string>{"Frequency", "CumulativeSums", "RandomExcursions",
                                             "RandomExcursionsVariant", "Serial", "Serial",
                                             "LinearComplexity", "coin"}));
  EXPECT_EQ(report.lines[0].counts, std::vector<int>(10, 10));
  EXPECT_EQ(report.lines[0].uniformity, "1.000000");
  EXPECT_EQ(report.lines[0].proportion, "99/100");
  EXPECT_FALSE(report.lines[0].proportion_star);
  EXPECT_EQ(report.lines[3].uniformity, "----");
  EXPECT_EQ(report.lines[3].proportion, "3/3");
  EXPECT_EQ(report.lines[4].proportion, "95/100");
  EXPECT_TRUE(report.lines[4].proportion_star);
  EXPECT_FALSE(report.lines[4].uniformity_star);
  EXPECT_EQ(report.lines[5].uniformity, "0.000000");
  EXPECT_TRUE(report.lines[5].uniformity_star);
  EXPECT_EQ(report.lines[5].counts, (std::vector<int>{0, 0, 0, 0, 0, 100, 0, 0, 0, 0}));
  EXPECT_FALSE(report.lines[5].proportion_star);
  EXPECT_EQ(report.lines[6].proportion, "------");
  // NIST's program prints 96 of 100 and 52 of 55, too.
  EXPECT_EQ(report.pass_rates, (std::vector<std::pair<int, int>>{{96, 100}, {52, 55}}));
}

// Columns, character by character.
TEST(StsReport, Columns) {
  const std::string text = sts_report(made_up(), "x");
  for (const char* line :
       {"------------------------------------------------------------------------------\n"
        "RESULTS FOR THE UNIFORMITY OF P-VALUES AND THE PROPORTION OF PASSING SEQUENCES\n"
        "------------------------------------------------------------------------------\n"
        "   generator is <x>\n"
        "------------------------------------------------------------------------------\n"
        " C1  C2  C3  C4  C5  C6  C7  C8  C9 C10  P-VALUE  PROPORTION  STATISTICAL TEST\n"
        "------------------------------------------------------------------------------\n"
        " 10  10  10  10  10  10  10  10  10  10  1.000000     99/100     Frequency\n",
        "  0   0   0   0   0 100   0   0   0   0  0.000000 *  100/100     Serial\n",
        "  95/100  *  Serial\n",
        "  0   0   0   0   0   1   1   1   0   0     ----       3/3       "
        "RandomExcursionsVariant\n",
        "  0   0   0   0   0   0   0   0   0   0     ----     ------     LinearComplexity\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

// Chi-square 30 and 43.2 of ten bins: 4e-4 and 2e-6, on either side of 0.0001.
TEST(StsReport, StarOfTheUniformity) {
  for (const auto& [last, star] : {std::pair{std::size_t{5}, false}, {4, true}}) {
    std::vector<double> p(25 + 3 * (5 - last), 0.05);
    for (int bin = 1; bin < 10; ++bin)
      p.insert(p.end(), bin < 7 ? std::size_t{10} : last, bin / 10.0 + 0.05);
    ASSERT_EQ(p.size(), 100U);
    Assessment assessment;
    assessment.tests.resize(1);
    assessment.tests[0].name = "runs";
    assessment.tests[0].subtests = {sub_test("runs", p, 100)};
    const Report report = parse(sts_report(assessment, "x"));
    ASSERT_EQ(report.lines.size(), 1U);
    EXPECT_EQ(report.lines[0].uniformity_star, star) << report.lines[0].uniformity;
  }
}

TEST(StsReport, OfEveryTestOfTheRegistry) {
  const Battery battery({}, {});
  Assessor assessor(battery, 1000, Alpha{0.01});
  std::size_t ids = 0;
  for (const auto* test : battery.tests()) ids += test->ids({}, 1000).size();
  const Report report = parse(sts_report(assessor.result(), "nothing"));
  EXPECT_EQ(report.lines.size(), ids);
  for (const Line& line : report.lines) {
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(line.name[0])) != 0) << line.name;
  }
}

}  // namespace
}  // namespace icb::test
