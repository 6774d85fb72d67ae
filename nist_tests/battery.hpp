/// Several randomness tests on many sequences, on any number of threads, with the same result for
/// each number.
///
///   const Battery battery({}, {});                       // all tests, default parameters
///   const SequenceResults results = battery.run(bits.view());
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/bits.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb {

/// One result per test of the battery, in its order.
using SequenceResults = std::vector<TestResult>;

class Battery {
 public:
  /// `names`: of the registry, in the order wanted; empty: all, by section of the standard. Throws
  /// UsageError for a name that is not there, std::invalid_argument for one that comes twice.
  explicit Battery(const std::vector<std::string>& names, TestParameters parameters);

  const std::vector<const RandomnessEntry*>& tests() const { return m_tests; }

  const TestParameters& parameters() const { return m_parameters; }

  /// On the calling thread. Throws what a test throws: std::invalid_argument for a parameter.
  SequenceResults run(BitView bits) const;

 private:
  std::vector<const RandomnessEntry*> m_tests;
  TestParameters m_parameters;
};

/// The next sequence, or none after the last.
using NextSequence = std::function<std::optional<BitSequence>()>;

/// Receives the results of sequence `index`, counted from 0. The view ends with the call.
using ResultSink = std::function<void(std::uint64_t index, BitView bits, SequenceResults results)>;

/// Fetches sequences by `next` until it gives none, tests each, and hands the results to `sink` in
/// the order of the sequences. Calls of `next` and `sink` are serialised, on any of the threads.
/// The unit of work is one test of one sequence, the slowest tests first, so one long sequence
/// occupies several threads too; at most threads + 1 sequences are in memory. `threads` 0: all
/// cores. An exception of `next`, `sink` or a test ends the run when the tests under way have
/// ended, and is thrown here; `sink` has then had the results of the first sequences, without a
/// gap. That is also how to stop early.
///
///   run_battery(battery, next, [&](auto, auto, auto results) { assessor.add(results); }, 0);
void run_battery(const Battery& battery, const NextSequence& next, const ResultSink& sink,
                 unsigned threads);

}  // namespace icb
