#include "metrics/verdict.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/statistics.hpp"
#include "metrics/finding.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

bool has_p(const Measurement& m) {
  return m.p_value && m.status != Status::error && m.status != Status::not_applicable;
}

/// The test a row belongs to: family, channel and nonce policy.
std::string test_of(const JudgedMeasurement& row) {
  return row.family + '\0' + row.measurement.channel + '\0' + row.measurement.nonce_policy;
}

/// Corrects the p-values of these rows for each other.
void judge_block(const std::vector<JudgedMeasurement*>& rows, Alpha alpha, Verdict& out) {
  std::vector<std::string> tests;
  std::vector<PValue> p_values;
  for (const JudgedMeasurement* row : rows) {
    tests.push_back(test_of(*row));
    p_values.emplace_back(*row->measurement.p_value);
  }
  const std::vector<PValue> corrected = holm_of_groups(tests, p_values);
  std::set<std::string> rejected;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    JudgedMeasurement& row = *rows[i];
    Measurement& m = row.measurement;
    row.p_corrected = std::max(*m.p_value, corrected[i].value());
    row.extreme = *m.p_value < extreme_p;
    if (row.extreme) add_detail(m, "extreme: p below 1e-6, rejected whatever alpha");
    if (row.extreme || *row.p_corrected < alpha.value()) {
      m.status = Status::reject;
      rejected.insert(tests[i]);
      ++(row.decides ? out.rows_rejected : out.aside_rejected);
    }
  }
  if (rows.empty() || !rows.front()->decides) return;
  out.tests = std::set(tests.begin(), tests.end()).size();
  out.tests_rejected = rejected.size();
  out.p = std::ranges::min(corrected);
  out.rejected = out.tests_rejected > 0;
}

}  // namespace

std::string family_of(const Measurement& measurement) {
  const auto& metrics = registry<MetricEntry>();
  const auto found = metrics.find(measurement.quantity);
  return found == metrics.end() ? measurement.quantity : std::string(found->second.family_name());
}

bool always(const Measurement& /*measurement*/) { return true; }

Verdict judge(std::vector<Measurement> measurements, Alpha alpha,
              const std::function<std::string(const Measurement&)>& family,
              const std::function<bool(const Measurement&)>& decides) {
  Verdict out;
  for (Measurement& m : measurements) {
    std::string name = family(m);
    const bool decisive = decides(m);
    out.rows.push_back({std::move(m), std::move(name), std::nullopt, false, decisive});
  }
  for (const bool decisive : {true, false}) {
    std::vector<JudgedMeasurement*> block;
    for (JudgedMeasurement& row : out.rows) {
      if (has_p(row.measurement) && row.decides == decisive) block.push_back(&row);
    }
    judge_block(block, alpha, out);
  }
  return out;
}

}  // namespace icb
