/// The assessment as text in the layout of NIST's program, for scripts that read its
/// finalAnalysisReport.txt.
#pragma once

#include <string>
#include <string_view>

#include "nist_tests/assessment.hpp"

namespace icb {

/// The table of NIST's STS 2.1.2: one line per p-value id, in NIST's order of the tests and by its
/// names; counts C1 ... C10, the uniformity p-value, the proportion, '*' after a uniformity below
/// 0.0001 and after a proportion outside its interval. `generator` is what the heading names.
///
/// Departures: the numbers are those of the assessment (real expected counts, nothing rounded or
/// dropped), so they may differ from NIST's; "----" stands for a uniformity of fewer than ten
/// sequences as there. The sentences below the table are our own; the numbers in them stand as
/// "approximately = 96" and "sample size = 100 binary sequences".
/// A test NIST does not have keeps its own name and comes last.
std::string sts_report(const Assessment& assessment, std::string_view generator);

}  // namespace icb
