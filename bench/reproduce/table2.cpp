#include "bench/reproduce/table2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <variant>

#include "bench/cipher_stream.hpp"
#include "core/statistics.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb::reproduce {
namespace {

struct PaperRow {
  const char* test;
  double p;
  double s;
};

constexpr PaperRow paper_rows[] = {
    {"runs", 0.92, 0.96},
    {"binary-matrix-rank", 0.95, 0.98},
    {"longest-run", 0.72, 0.89},
    {"frequency", 0.96, 0.98},
    {"spectral", 0.59, 0.86},
    {"linear-complexity", 0.85, 0.99},
    {"approximate-entropy", 0.96, 0.99},
    {"random-excursions", 0.96, 0.99},
    {"random-excursions-variant", 0.95, 0.98},
};

std::size_t sequences_per_key(const Run& run) {
  return static_cast<std::size_t>(sequences_per_stream(run.volume, sequence_bits));
}

std::size_t sequences_of(const Run& run, std::string_view subject) {
  const std::size_t one_key = sequences_per_key(run);
  if (subject == "identity") return std::min(one_key, run.sequences_per_subject);
  return one_key == 0 ? 0 : run.sequences_per_subject;
}

std::string cell_name(std::string_view subject, std::size_t sequence) {
  return fmt::format("table2/{}/sequence-{}", subject, sequence);
}

std::vector<Measurement> test_sequence(const Run& run, std::string_view subject,
                                       std::size_t sequence) {
  thread_local KeptImage kept;
  const BitSequence bits =
      cipher_sequence(run.seed, run.volume, subject, sequence_bits, sequence, kept);
  std::vector<Measurement> out;
  for (const PaperRow& row : paper_rows) {
    const auto& test = find<RandomnessEntry>(row.test);
    const TestResult result = test.run(bits.view(), {});
    Measurement m;
    m.cipher = subject;
    m.nonce_policy = "fresh";
    m.key_id = stream_key_label(sequence / sequences_per_key(run));
    m.image = fmt::format("{} bits {}", run.volume.name, sequence % sequences_per_key(run));
    m.channel = "all";
    m.n = bits.size();
    if (const auto* reason = std::get_if<NotApplicable>(&result.outcome)) {
      m.quantity = test.name;
      m.status = Status::not_applicable;
      m.detail = reason->reason;
      out.push_back(m);
      continue;
    }
    for (const SubResult& sub : std::get<std::vector<SubResult>>(result.outcome)) {
      m.quantity = sub.id;
      m.value = m.p_value = sub.p.value();
      out.push_back(m);
    }
  }
  return out;
}

void add_cell(RowAssessment& row, const RandomnessEntry& test,
              const std::vector<Measurement>& measurements,
              std::map<std::string, std::vector<double>>& collected) {
  const auto ids = test.ids({}, sequence_bits);
  for (const Measurement& m : measurements) {
    if (m.status == Status::not_applicable && m.quantity == test.name) row.reason = m.detail;
    if (m.p_value && std::find(ids.begin(), ids.end(), m.quantity) != ids.end()) {
      collected[m.quantity].push_back(*m.p_value);
    }
  }
}

/// Two checks (proportion, uniformity) for each p-value of the nine tests.
TestCount checks_per_subject() {
  std::size_t count = 0;
  for (const PaperRow& row : paper_rows)
    count += 2 * find<RandomnessEntry>(row.test).ids({}, sequence_bits).size();
  return TestCount{count};
}

bool proportion_rejected(std::size_t passed, std::size_t sequences, double alpha) {
  return rejects(binomial_lower_p(passed, sequences, 1 - alpha), Alpha{alpha},
                 checks_per_subject());
}

std::optional<PValue> uniformity_of(const SubTestAssessment& sub) {
  return sub.enough_for_uniformity() ? sub.uniformity_p : std::nullopt;
}

bool rejected(const SubTestAssessment& sub, double alpha) {
  if (sub.applicable == 0) return false;
  const auto uniformity = uniformity_of(sub);
  return proportion_rejected(sub.passed, sub.applicable, alpha) ||
         (uniformity && rejects(*uniformity, Alpha{alpha}, checks_per_subject()));
}

}  // namespace

std::size_t RowAssessment::applicable() const {
  std::size_t most = 0;
  for (const SubTestAssessment& sub : subs) most = std::max(most, sub.applicable);
  return most;
}

std::size_t RowAssessment::judged() const {
  std::size_t all = 0;
  for (const SubTestAssessment& sub : subs) all += sub.applicable;
  return all;
}

double RowAssessment::proportion() const {
  std::size_t passed = 0;
  for (const SubTestAssessment& sub : subs) passed += sub.passed;
  return judged() == 0 ? 0 : static_cast<double>(passed) / static_cast<double>(judged());
}

const SubTestAssessment& RowAssessment::worst() const {
  return *std::ranges::min_element(subs, {}, &SubTestAssessment::proportion);
}

std::optional<double> RowAssessment::uniformity() const {
  std::optional<double> smallest;
  for (const SubTestAssessment& sub : subs) {
    if (const auto p = uniformity_of(sub)) smallest = std::min(smallest.value_or(1), p->value());
  }
  if (smallest) smallest = std::min(1.0, *smallest * static_cast<double>(subs.size()));
  return smallest;
}

std::string RowAssessment::verdict() const {
  if (applicable() == 0) return "not_applicable";
  return std::ranges::count(sub_rejected, true) > 0 ? "reject" : "ok";
}

double smallest_accepted_proportion(std::size_t sequences, double alpha) {
  std::size_t passed = sequences;
  while (passed > 0 && !proportion_rejected(passed - 1, sequences, alpha)) --passed;
  return static_cast<double>(passed) / static_cast<double>(sequences);
}

std::vector<Cell> table2_cells(const Run& run) {
  std::vector<Cell> cells;
  for (const std::string_view subject : subjects) {
    for (std::size_t s = 0; s < sequences_of(run, subject); ++s) {
      cells.push_back({cell_name(subject, s),
                       [&run, subject, s] { return test_sequence(run, subject, s); }, 10});
    }
  }
  return cells;
}

std::vector<RowAssessment> assess_table2(const Run& run, const CellResults& results) {
  std::vector<RowAssessment> rows;
  for (const std::string_view subject : subjects) {
    for (std::size_t r = 0; r < std::size(paper_rows); ++r) {
      const PaperRow& paper = paper_rows[r];
      const auto& test = find<RandomnessEntry>(paper.test);
      RowAssessment row{.row = r + 1,
                        .test = paper.test,
                        .paper_p = paper.p,
                        .paper_s = paper.s,
                        .subject = std::string(subject)};
      std::map<std::string, std::vector<double>> collected;
      for (std::size_t s = 0; s < sequences_of(run, subject); ++s) {
        const auto& measurements = results.at(cell_name(subject, s));
        if (measurements.front().status == Status::error) {
          ++row.failed_cells;
          continue;
        }
        ++row.sequences;
        add_cell(row, test, measurements, collected);
      }
      for (const std::string& id : test.ids({}, sequence_bits)) {
        row.subs.push_back(assess_subtest(id, row.sequences, collected[id], Alpha{run.alpha}));
        row.sub_rejected.push_back(rejected(row.subs.back(), run.alpha));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

CsvTable table2_csv(const Run& run, const std::vector<RowAssessment>& rows) {
  CsvTable table({"row", "test", "paper_p", "paper_s", "subject", "sequences", "applicable",
                  "p_values", "proportion", "worst_subtest", "worst_proportion", "proportion_low",
                  "proportion_high", "corrected_low", "uniformity_p", "verdict", "detail"});
  for (const RowAssessment& row : rows) {
    std::string detail;
    if (row.failed_cells > 0) detail += fmt::format("{} sequences failed; ", row.failed_cells);
    if (row.applicable() < row.sequences) {
      detail += fmt::format("does not apply to {} sequences, e.g. {}",
                            row.sequences - row.applicable(), row.reason);
    }
    std::vector<std::string> numbers(7);
    if (row.applicable() > 0) {
      const auto uniformity = row.uniformity();
      // Every sub-test of a row applies to the same sequences.
      const SubTestAssessment& worst = row.worst();
      numbers = {format_double(row.proportion()),
                 worst.id,
                 format_double(worst.proportion()),
                 format_double(worst.interval_low),
                 format_double(worst.interval_high),
                 format_double(smallest_accepted_proportion(row.applicable(), run.alpha)),
                 uniformity ? format_double(*uniformity) : ""};
    }
    std::vector<std::string> fields{std::to_string(row.row),
                                    row.test,
                                    format_double(row.paper_p),
                                    format_double(row.paper_s),
                                    row.subject,
                                    std::to_string(row.sequences),
                                    std::to_string(row.applicable()),
                                    std::to_string(row.subs.size())};
    fields.insert(fields.end(), numbers.begin(), numbers.end());
    fields.push_back(row.verdict());
    fields.push_back(detail);
    table.add(fields);
  }
  return table;
}

CsvTable table2_subtests_csv(const std::vector<RowAssessment>& rows) {
  CsvTable table({"subject", "test", "subtest", "sequences", "applicable", "passed", "proportion",
                  "proportion_low", "proportion_high", "uniformity_p", "status"});
  for (const RowAssessment& row : rows) {
    for (std::size_t i = 0; i < row.subs.size(); ++i) {
      const SubTestAssessment& sub = row.subs[i];
      if (sub.applicable == 0) {
        table.add({row.subject, row.test, sub.id, std::to_string(row.sequences), "0", "", "", "",
                   "", "", "not_applicable"});
        continue;
      }
      const auto uniformity = uniformity_of(sub);
      table.add({row.subject, row.test, sub.id, std::to_string(row.sequences),
                 std::to_string(sub.applicable), std::to_string(sub.passed),
                 format_double(sub.proportion()), format_double(sub.interval_low),
                 format_double(sub.interval_high),
                 uniformity ? format_double(uniformity->value()) : "",
                 row.sub_rejected[i] ? "reject" : "ok"});
    }
  }
  return table;
}

std::vector<double> p_values(const Run& run, const CellResults& results, std::string_view subject,
                             std::string_view id) {
  std::vector<double> out;
  for (std::size_t s = 0; s < sequences_of(run, subject); ++s) {
    for (const Measurement& m : results.at(cell_name(subject, s))) {
      if (m.quantity == id && m.p_value) out.push_back(*m.p_value);
    }
  }
  return out;
}

}  // namespace icb::reproduce
