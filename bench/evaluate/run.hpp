/// Runs metrics and protocols on cases and hands on every image judged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cells.hpp"
#include "bench/evaluate/inputs.hpp"
#include "bench/protocols/protocol.hpp"
#include "cipher/cipher.hpp"
#include "metrics/metric.hpp"
#include "metrics/verdict.hpp"

namespace icb::evaluate {

/// What is done with every case.
struct Job {
  std::vector<const MetricEntry*> metrics;
  std::vector<const ProtocolEntry*> protocols;  ///< need a cipher
  const CipherEntry* cipher = nullptr;          ///< encrypts the plain image; none: files are given
  Bytes key = {};                               ///< of the cipher
  bool key_given = false;                       ///< else derived from the seed
  std::uint64_t pairs = 0;                      ///< sampled ones; 0: all
  std::uint64_t seed = 1;
  double alpha = 0.01;
};

/// Key of `icbench evaluate --cipher` under a seed.
Bytes derived_key(std::uint64_t seed, const CipherEntry& cipher);

/// Seed of a protocol's run on a case.
std::uint64_t protocol_seed(const Job& job, const Case& subject, std::string_view protocol);

struct JudgedImage {
  std::string name;
  std::string sha256;       ///< of the cipher image's file, or pixels if it was made here
  Verdict verdict;          ///< metrics first, then protocols
  std::size_t metrics = 0;  ///< rows of metrics
  bool raw = false;         ///< a file without image format was taken as raw samples
  std::vector<std::string> errors;
};

/// Program, seed, options: whatever changes cells beside the data, which is in their names. Alpha
/// judges finished cells; it changes those of protocols only.
std::string store_context(const Job& job);

/// Judged images in the order of the cases, one at a time. Throws as run_cells does.
void run(const std::vector<Case>& cases, const Job& job, CellStore& store,
         const RunOptions& options, const std::function<void(JudgedImage)>& consume);

}  // namespace icb::evaluate
