#include "bench/properties/sequences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <variant>

#include "core/csv.hpp"

namespace icb::properties {
namespace {

const Battery& battery() {
  static const Battery all({}, {});
  return all;
}

std::string cell_name(const Sequences& of, std::uint64_t index) {
  return fmt::format("sp80022/{}/{} bits{}/{}", of.kind, of.bits, of.id, index);
}

std::vector<Measurement> test(const Sequences& of, std::uint64_t index) {
  const BitSequence bits = of.make(index);
  const SequenceResults results = battery().run(bits.view());
  std::vector<Measurement> out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    Measurement m;
    m.quantity = battery().tests()[i]->name;
    m.channel = "all";
    m.n = bits.size();
    if (const auto* reason = std::get_if<NotApplicable>(&results[i].outcome)) {
      m.status = Status::not_applicable;
      m.detail = reason->reason;
    } else {
      for (const SubResult& sub : std::get<std::vector<SubResult>>(results[i].outcome)) {
        if (!m.detail.empty()) m.detail += ' ';
        m.detail += format_double(sub.p.value());
      }
    }
    out.push_back(std::move(m));
  }
  return out;
}

/// What `test` stored, read back.
SequenceResults results_of(std::span<const Measurement> stored, std::uint64_t bits) {
  SequenceResults out;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    TestResult result;
    if (stored[i].status == Status::not_applicable) {
      result.outcome = NotApplicable{stored[i].detail};
    } else {
      std::vector<SubResult> subs;
      std::istringstream in(stored[i].detail);
      std::string number;
      for (const std::string& id : battery().tests()[i]->ids({}, bits)) {
        in >> number;
        subs.push_back({id, PValue{parse_double(number)}});
      }
      result.outcome = std::move(subs);
    }
    out.push_back(std::move(result));
  }
  return out;
}

Finding finding_of(const Sequences& of, const TestAssessment& test, const Assessment& all) {
  Finding out{
      .measurement = measurement_of(fmt::format("{}_{}", of.kind, test.name), 0, all.sequences),
      .family = fmt::format("sp80022/{}", of.kind),
      .null_model =
          "proportion binomial, p-values uniform, within the tests' own "
          "approximation (docs/sp80022.md)"};
  Measurement& m = out.measurement;
  if (!test.combined_p) {
    m.value.reset();
    m.status = Status::not_applicable;
    m.detail = test.not_applicable.empty() ? "no sequence" : test.not_applicable.front().example;
    return out;
  }
  const auto worst = std::ranges::min_element(test.subtests, {}, [](const SubTestAssessment& s) {
    return s.combined_p ? s.combined_p->value() : 2.0;
  });
  m.value = worst->proportion();
  m.n = worst->applicable;
  m.p_value = test.combined_p->value();
  out.low = worst->interval_low;
  out.high = worst->interval_high;
  m.detail = all.sequences == 1
                 ? fmt::format("{}: p = {:.4g}, 1 sequence of {} bits", worst->id, worst->smallest,
                               all.sequence_bits)
                 : fmt::format("{}: {} of {} sequences pass, KS p = {:.3g}", worst->id,
                               worst->passed, worst->applicable, worst->ks_p->value());
  return out;
}

}  // namespace

std::vector<Cell> sequence_cells(const Sequences& sequences) {
  std::vector<Cell> out;
  for (std::uint64_t index = 0; index < sequences.count; ++index) {
    out.push_back({cell_name(sequences, index),
                   [sequences, index] { return test(sequences, index); },
                   1e-5 * static_cast<double>(sequences.bits)});
  }
  return out;
}

Assessment assess(const Sequences& sequences, const CellResults& results, double alpha) {
  Assessor assessor(battery(), sequences.bits, Alpha{alpha});
  for (std::uint64_t index = 0; index < sequences.count; ++index) {
    const auto stored = found(results, cell_name(sequences, index));
    if (!stored.empty()) assessor.add(results_of(stored, sequences.bits));
  }
  return assessor.result();
}

std::vector<Finding> sequence_findings(const Sequences& sequences, const CellResults& results,
                                       double alpha) {
  const Assessment assessed = assess(sequences, results, alpha);
  std::vector<Finding> out;
  if (assessed.sequences == 0) return out;
  for (const TestAssessment& test : assessed.tests) {
    out.push_back(finding_of(sequences, test, assessed));
  }
  return out;
}

}  // namespace icb::properties
