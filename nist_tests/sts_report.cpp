#include "nist_tests/sts_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace icb {
namespace {

struct Name {
  std::string_view ours;
  std::string_view nist;
};

// In NIST's order, which is not that of the sections.
constexpr Name names[] = {{"frequency", "Frequency"},
                          {"block-frequency", "BlockFrequency"},
                          {"cumulative-sums", "CumulativeSums"},
                          {"runs", "Runs"},
                          {"longest-run", "LongestRun"},
                          {"binary-matrix-rank", "Rank"},
                          {"spectral", "FFT"},
                          {"non-overlapping-template", "NonOverlappingTemplate"},
                          {"overlapping-template", "OverlappingTemplate"},
                          {"universal", "Universal"},
                          {"approximate-entropy", "ApproximateEntropy"},
                          {"random-excursions", "RandomExcursions"},
                          {"random-excursions-variant", "RandomExcursionsVariant"},
                          {"serial", "Serial"},
                          {"linear-complexity", "LinearComplexity"}};

// Fewer give no uniformity in NIST's program.
constexpr std::uint64_t uniformity_from = 10;

std::size_t place_of(const TestAssessment& test) {
  return static_cast<std::size_t>(std::ranges::find(names, test.name, &Name::ours) -
                                  std::begin(names));
}

std::string_view name_of(const TestAssessment& test) {
  const std::size_t place = place_of(test);
  return place < std::size(names) ? names[place].nist : std::string_view(test.name);
}

bool is_excursions(const TestAssessment& test) {
  return test.name.starts_with("random-excursions");
}

std::string line_of(const SubTestAssessment& sub, std::string_view name) {
  std::string line;
  for (const std::uint64_t count : sub.bins) line += fmt::format("{:3d} ", count);
  if (sub.applicable < uniformity_from) {
    line += "    ----    ";
  } else {
    const double p = sub.uniformity_p.value().value();
    line += fmt::format(" {:8.6f} {} ", p, p < 0.0001 ? '*' : ' ');
  }
  if (sub.applicable == 0) return line + fmt::format(" ------     {}\n", name);
  return line + fmt::format("{:4d}/{:<4d} {}  {}\n", sub.passed, sub.applicable,
                            sub.in_interval() ? ' ' : '*', name);
}

// NIST cuts the limit to an integer; a count below the limit itself is what gets a '*'.
std::uint64_t minimum_pass_count(const SubTestAssessment& sub) {
  return static_cast<std::uint64_t>(sub.interval_low * static_cast<double>(sub.applicable));
}

// Of those wanted, the sub-test with the most sequences.
std::optional<SubTestAssessment> largest(const Assessment& assessment, bool excursions) {
  std::optional<SubTestAssessment> out;
  for (const TestAssessment& test : assessment.tests) {
    if (is_excursions(test) != excursions) continue;
    for (const SubTestAssessment& sub : test.subtests) {
      if (!out || sub.applicable > out->applicable) out = sub;
    }
  }
  return out;
}

std::string pass_rate(const Assessment& assessment, bool excursions) {
  const auto sub = largest(assessment, excursions);
  if (!sub) return "";
  const std::string_view which = excursions ? "random excursion (variant) test"
                                            : "tests other than random excursion (variant)";
  if (sub->applicable == 0) return fmt::format("Minimum pass rate, {}: undefined.\n\n", which);
  return fmt::format(
      "Minimum pass rate, {},\n"
      "is approximately = {} for a sample size = {} binary sequences.\n\n",
      which, minimum_pass_count(*sub), sub->applicable);
}

}  // namespace

std::string sts_report(const Assessment& assessment, std::string_view generator) {
  const std::string rule(78, '-');
  std::string out = rule +
                    "\nRESULTS FOR THE UNIFORMITY OF P-VALUES AND THE PROPORTION OF PASSING "
                    "SEQUENCES\n" +
                    rule + fmt::format("\n   generator is <{}>\n", generator) + rule +
                    "\n C1  C2  C3  C4  C5  C6  C7  C8  C9 C10  P-VALUE  PROPORTION  STATISTICAL "
                    "TEST\n" +
                    rule + "\n";
  std::vector<const TestAssessment*> tests;
  for (const TestAssessment& test : assessment.tests) tests.push_back(&test);
  std::ranges::stable_sort(tests, {}, [](const auto* test) { return place_of(*test); });
  for (const auto* test : tests) {
    for (const SubTestAssessment& sub : test->subtests) out += line_of(sub, name_of(*test));
  }
  std::string dashes = "-";
  for (int i = 0; i < 40; ++i) dashes += " -";
  out += "\n\n" + dashes + "\n" + pass_rate(assessment, false) + pass_rate(assessment, true);
  out += fmt::format(
      "Counts are of {} sequences at alpha = {:g}. Expected counts are real numbers, and no\n"
      "p-value is rounded or left out; NIST's own program may therefore print others.\n",
      assessment.sequences, assessment.alpha.value());
  return out + dashes + "\n";
}

}  // namespace icb
