/// SP 800-22 on many sequences: what the properties about images, patterns and keystream share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/properties/property.hpp"
#include "core/bits.hpp"
#include "nist_tests/assessment.hpp"

namespace icb::properties {

/// Sequences of one kind: tested by the whole battery, assessed together.
struct Sequences {
  std::string kind;  ///< "images", "zero", "keystream-long": part of cell names and quantities
  std::uint64_t count;
  std::uint64_t bits;  ///< of each
  /// Sequence number `index`. A pure function of it.
  std::function<BitSequence(std::uint64_t index)> make;
  std::string id = {};  ///< whatever else decides the bits, for the names of cells
};

/// A cell per sequence: a measurement per test, its p-values in `detail` with 17 digits, in the
/// order of the test's ids.
std::vector<Cell> sequence_cells(const Sequences& sequences);

/// Assessment of all sequences whose cells are there (nist_tests/assessment.hpp).
Assessment assess(const Sequences& sequences, const CellResults& results, double alpha);

/// A finding per test: p is that of the assessment (proportion, smallest p-value and uniformity of
/// every sub-test, Simes). The tests of a kind are one family.
std::vector<Finding> sequence_findings(const Sequences& sequences, const CellResults& results,
                                       double alpha);

}  // namespace icb::properties
