#include "bench/properties/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "core/hash.hpp"

namespace icb::properties {
namespace {

/// Distinct errors of the property's cells.
std::vector<std::string> errors_of(const std::vector<Cell>& cells, const CellResults& results) {
  std::set<std::string> out;
  for (const Cell& cell : cells) {
    for (const Measurement& m : results.at(cell.name)) {
      if (m.status == Status::error) out.insert(m.detail);
    }
  }
  return {out.begin(), out.end()};
}

PropertyResult result_of(const Subject& subject, const PropertyEntry& property,
                         const CellResults& results) {
  PropertyResult out{.name = property.name,
                     .summary = property.summary,
                     .null_model = property.null_model,
                     .not_applicable = property.refuses(subject),
                     .errors = {},
                     .findings = {}};
  if (out.not_applicable) return out;
  out.errors = errors_of(property.cells(subject), results);
  for (Finding& each : property.findings(subject, results)) {
    Measurement& m = each.measurement;
    m.cipher = subject.cipher.name;
    m.seed = subject.seed;
    out.findings.push_back({std::move(each), std::nullopt});
  }
  return out;
}

using Key = std::pair<std::string, std::string>;

Key key_of(const Measurement& m) { return {m.quantity, m.nonce_policy}; }

}  // namespace

bool PropertyResult::rejected() const {
  return std::ranges::any_of(
      findings, [](const JudgedFinding& each) { return each.finding.decides && each.rejected(); });
}

std::string PropertyResult::verdict() const {
  if (rejected()) return "reject";
  if (!errors.empty()) return "error";
  const bool judged = std::ranges::any_of(findings, [](const JudgedFinding& each) {
    return each.finding.decides && each.finding.measurement.status == Status::ok;
  });
  return judged ? "ok" : "not_applicable";
}

bool Judgement::rejected() const {
  return std::ranges::any_of(properties,
                             [](const PropertyResult& each) { return each.rejected(); });
}

bool Judgement::failed() const {
  return std::ranges::any_of(properties,
                             [](const PropertyResult& each) { return !each.errors.empty(); });
}

Properties properties_named(const std::vector<std::string>& names) {
  for (const std::string& name : names) find<PropertyEntry>(name);  // names what exists
  Properties out;
  for (const auto& [name, property] : registry<PropertyEntry>()) {
    if (names.empty() || std::ranges::count(names, name) > 0) out.push_back(&property);
  }
  return out;
}

std::vector<Cell> cells_of(const Subject& subject, const Properties& properties) {
  std::vector<Cell> out;
  for (const PropertyEntry* property : properties) {
    if (property->refuses(subject)) continue;
    for (Cell& cell : property->cells(subject)) out.push_back(std::move(cell));
  }
  // The longest first, so that no thread waits for one of them at the end.
  std::ranges::stable_sort(out, [](const Cell& a, const Cell& b) { return a.cost > b.cost; });
  return out;
}

Judgement judge_properties(const Subject& subject, const Properties& properties,
                           const CellResults& results) {
  Judgement out;
  std::vector<Measurement> measurements;
  std::map<Key, const Finding*> by_key;
  for (const PropertyEntry* property : properties) {
    out.properties.push_back(result_of(subject, *property, results));
  }
  for (const PropertyResult& property : out.properties) {
    for (const JudgedFinding& each : property.findings) {
      const Measurement& m = each.finding.measurement;
      if (!by_key.emplace(key_of(m), &each.finding).second) {
        throw std::logic_error(fmt::format("two findings are called {}", m.quantity));
      }
      measurements.push_back(m);
      const bool bound = !m.p_value && (m.status == Status::ok || m.status == Status::reject);
      out.exact += each.finding.decides && bound ? 1U : 0U;
    }
  }
  const Verdict verdict = judge(
      std::move(measurements), Alpha{subject.alpha},
      [&](const Measurement& m) { return by_key.at(key_of(m))->family; },
      [&](const Measurement& m) { return by_key.at(key_of(m))->decides; });
  out.tests = verdict.tests;
  out.p = verdict.p;
  std::size_t next = 0;
  for (PropertyResult& property : out.properties) {
    for (JudgedFinding& each : property.findings) {
      const JudgedMeasurement& judged = verdict.rows[next++];
      each.finding.measurement = judged.measurement;
      each.p_corrected = judged.p_corrected;
    }
  }
  return out;
}

std::string store_context(const Subject& subject) {
  return fmt::format("properties {} seed {} cipher {}", sha256_of_file("/proc/self/exe"),
                     subject.seed, subject.cipher.name);
}

}  // namespace icb::properties
