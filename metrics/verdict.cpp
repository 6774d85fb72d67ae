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

/// The test a row belongs to: family and channel.
std::string test_of(const JudgedMeasurement& row) {
  return row.family + '\0' + row.measurement.channel;
}

}  // namespace

std::string family_of(const Measurement& measurement) {
  const auto& metrics = registry<MetricEntry>();
  const auto found = metrics.find(measurement.quantity);
  return found == metrics.end() ? measurement.quantity : std::string(found->second.family_name());
}

Verdict judge(std::vector<Measurement> measurements, Alpha alpha,
              const std::function<std::string(const Measurement&)>& family) {
  Verdict out;
  for (Measurement& m : measurements) {
    std::string name = family(m);
    out.rows.push_back({std::move(m), std::move(name), std::nullopt, false});
  }
  std::vector<std::size_t> tested;
  std::vector<std::string> tests;
  std::vector<PValue> p_values;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    if (!has_p(out.rows[i].measurement)) continue;
    tested.push_back(i);
    tests.push_back(test_of(out.rows[i]));
    p_values.emplace_back(*out.rows[i].measurement.p_value);
  }
  const std::vector<PValue> corrected = holm_of_groups(tests, p_values);
  out.tests = std::set(tests.begin(), tests.end()).size();
  if (!corrected.empty()) out.p = std::ranges::min(corrected);
  std::set<std::string> rejected;
  for (std::size_t i = 0; i < tested.size(); ++i) {
    JudgedMeasurement& row = out.rows[tested[i]];
    Measurement& m = row.measurement;
    row.p_corrected = std::max(*m.p_value, corrected[i].value());
    row.extreme = *m.p_value < extreme_p;
    if (row.extreme) add_detail(m, "extreme: p below 1e-6, rejected whatever alpha");
    if (row.extreme || *row.p_corrected < alpha.value()) {
      m.status = Status::reject;
      rejected.insert(tests[i]);
      ++out.rows_rejected;
    }
  }
  out.tests_rejected = rejected.size();
  out.rejected = out.tests_rejected > 0;
  return out;
}

}  // namespace icb
