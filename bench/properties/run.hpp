/// Runs properties on a cipher and judges all findings together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cells.hpp"
#include "bench/properties/property.hpp"
#include "metrics/verdict.hpp"

namespace icb::properties {

/// A finding and what became of it among all others.
struct JudgedFinding {
  Finding finding;  ///< its measurement as judged
  std::optional<double> p_corrected;

  bool rejected() const { return finding.measurement.status == Status::reject; }
};

struct PropertyResult {
  std::string name;
  std::string summary;
  std::string null_model;
  std::optional<std::string> not_applicable;  ///< the reason
  std::vector<std::string> errors;
  std::vector<JudgedFinding> findings;

  /// A finding that decides is rejected.
  bool rejected() const;
  /// "ok", "reject", "error", or "not_applicable" where nothing that decides could be judged.
  std::string verdict() const;
};

struct Judgement {
  std::vector<PropertyResult> properties;
  std::size_t tests = 0;    ///< families and policies that decide and have p-values
  std::optional<PValue> p;  ///< of all of them, corrected
  std::size_t exact = 0;    ///< findings that decide without p-value

  bool rejected() const;
  bool failed() const;  ///< a cell ended in an error
};

using Properties = std::vector<const PropertyEntry*>;

/// All of them by name, or those named. Throws UsageError naming what exists.
Properties properties_named(const std::vector<std::string>& names);

/// Cells of all properties that the cipher does not refuse. The subject must outlive them.
std::vector<Cell> cells_of(const Subject& subject, const Properties& properties);

/// Judges finished cells: findings with p-values as metrics/verdict.hpp does (Simes within a family
/// and nonce policy, Holm over them; those that do not decide among themselves), the others by
/// their bounds. The probability that an ideal cipher is rejected is at most alpha, and 1e-6 for
/// each p-value where that is more.
Judgement judge_properties(const Subject& subject, const Properties& properties,
                           const CellResults& results);

/// What changes cells beside their names: program, seed, cipher.
std::string store_context(const Subject& subject);

}  // namespace icb::properties
