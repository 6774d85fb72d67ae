/// Table 2 of the paper: nine tests of SP 800-22 on the bits of encrypted images.
#pragma once

#include <vector>

#include "bench/reproduce/run.hpp"
#include "nist_tests/assessment.hpp"

namespace icb::reproduce {

/// One cell per subject and sequence. A key's stream is the misc volume, encrypted image by image
/// in the manifest's order and concatenated; sequence s is its bits from s * 10^6 on; further keys
/// give further sequences. Plain images have one stream only.
std::vector<Cell> table2_cells(const Run& run);

/// One row: a test on a subject.
struct RowAssessment {
  std::size_t row;  ///< 1 to 9, as in the paper
  std::string test;
  double paper_p;
  double paper_s;
  std::string subject;
  std::size_t sequences = 0;
  std::size_t failed_cells = 0;
  std::vector<SubTestAssessment> subs = {};
  std::vector<bool> sub_rejected = {};  ///< of each
  std::string reason = {};              ///< of sequences to which the test does not apply, if any

  std::size_t applicable() const;          ///< sequences the test applies to
  std::size_t judged() const;              ///< p-values, over sequences and sub-tests
  double proportion() const;               ///< of all p-values
  const SubTestAssessment& worst() const;  ///< smallest proportion
  /// Smallest over the p-values times their number, at most 1 (Bonferroni). None below the 55
  /// sequences that SP 800-22 sec. 4.2.2 asks for.
  std::optional<double> uniformity() const;
  /// "ok", "reject" or "not_applicable", at alpha corrected for all checks of the subject
  /// (Bonferroni: each p-value's proportion and uniformity). The table keeps this rule of its own
  /// beside the library's: it is the one stated with the published results, and its limit is one
  /// number for each row, `corrected_low`.
  std::string verdict() const;
};

/// Smallest proportion of `sequences` that a verdict accepts: binomial tail not below
/// alpha / checks. Lower than the standard's three-sigma limit, which is for one check alone.
double smallest_accepted_proportion(std::size_t sequences, double alpha);

std::vector<RowAssessment> assess_table2(const Run& run, const CellResults& results);

CsvTable table2_csv(const Run& run, const std::vector<RowAssessment>& rows);
CsvTable table2_subtests_csv(const std::vector<RowAssessment>& rows);

/// p-values of one test and subject in the order of the sequences.
std::vector<double> p_values(const Run& run, const CellResults& results, std::string_view subject,
                             std::string_view id);

}  // namespace icb::reproduce
