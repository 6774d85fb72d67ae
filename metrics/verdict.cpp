#include "metrics/verdict.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/statistics.hpp"
#include "metrics/finding.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

bool has_p(const Measurement& m) {
  return m.p_value && m.status != Status::error && m.status != Status::not_applicable;
}

/// Family and channel. An ordered map of them: the order of tests does not depend on addresses.
using TestName = std::pair<std::string, std::string>;

TestName test_of(const JudgedMeasurement& row) { return {row.family, row.measurement.channel}; }

/// Corrected p-value of every test.
std::map<TestName, PValue> corrected(const std::vector<JudgedMeasurement>& rows) {
  std::map<TestName, std::vector<PValue>> members;
  for (const JudgedMeasurement& row : rows) {
    if (has_p(row.measurement)) members[test_of(row)].emplace_back(*row.measurement.p_value);
  }
  std::vector<PValue> combined;
  for (const auto& [test, p_values] : members) combined.push_back(simes(p_values));
  const std::vector<PValue> adjusted = holm(combined);
  std::map<TestName, PValue> out;
  std::size_t next = 0;
  for (const auto& [test, p_values] : members) out.emplace(test, adjusted[next++]);
  return out;
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
  const auto tests = corrected(out.rows);
  out.tests = tests.size();
  std::map<TestName, bool> rejected;
  for (JudgedMeasurement& row : out.rows) {
    Measurement& m = row.measurement;
    if (!has_p(m)) continue;
    const PValue of_test = tests.at(test_of(row));
    row.p_corrected = std::max(*m.p_value, of_test.value());
    row.extreme = *m.p_value < extreme_p;
    if (row.extreme) add_detail(m, "extreme: p below 1e-6, rejected whatever alpha");
    if (row.extreme || *row.p_corrected < alpha.value()) {
      m.status = Status::reject;
      rejected[test_of(row)] = true;
      ++out.rows_rejected;
    }
  }
  for (const auto& [test, p] : tests) out.p = out.p ? std::min(*out.p, p) : p;
  out.tests_rejected = rejected.size();
  out.rejected = out.tests_rejected > 0;
  return out;
}

}  // namespace icb
