/// Speed of the SP 800-22 tests, in ns per bit, beside what bounds them on this very machine.
///
///   bench_nist [--benchmark_filter=REGEX] [--benchmark_min_time=SECONDS]
///
/// 100 sequences of 10^6 bits of AES-256-CTR, in memory. The limit of a test is what its least work
/// takes at rates measured in the same run: words read, vector operations on bits, floating-point
/// operations, counters incremented. It is a bound of the method used, not of every thinkable one.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/collector.hpp"
#include "bench/machine_rates.hpp"
#include "core/build_info.hpp"
#include "nist_tests/battery.hpp"
#include "nist_tests/spectral.hpp"

namespace icb {
namespace {

constexpr std::uint64_t sequence_bits = 1'000'000;
constexpr std::size_t sequence_count = 100;
constexpr double all_bits = static_cast<double>(sequence_bits);

std::vector<BitSequence> make_sequences() {
  Bytes bytes(sequence_count * sequence_bits / 8);
  aes_256_ctr_keystream(bytes);
  std::vector<BitSequence> out;
  for (std::size_t i = 0; i < sequence_count; ++i) {
    out.push_back(BitSequence::from_bytes(bytes, i * sequence_bits, sequence_bits));
  }
  return out;
}

/// The least work for one bit.
struct Work {
  double words = 1.0 / 64;    ///< read
  double bit_operations = 0;  ///< on single bits, in vectors
  double flops = 0;
  double increments = 0;
  const char* reason;
};

// By test; parameters are the defaults.
const std::map<std::string, Work> work_of{
    {"frequency", {.bit_operations = 1, .reason = "a popcount"}},
    {"block-frequency", {.bit_operations = 1, .reason = "a popcount"}},
    {"runs", {.bit_operations = 4, .reason = "two shifts, xor, popcount"}},
    {"longest-run", {.bit_operations = 2 * 5, .reason = "five times and, shift"}},
    {"cumulative-sums", {.increments = 1.0 / 8, .reason = "a look-up for each byte"}},
    {"random-excursions", {.increments = 1.0 / 8, .reason = "a look-up for each byte"}},
    {"random-excursions-variant", {.increments = 1.0 / 8, .reason = "a look-up for each byte"}},
    {"binary-matrix-rank",
     {.bit_operations = 3.0 * 32 / 2, .reason = "and, xor, select for each row below a pivot"}},
    {"spectral", {.flops = 2.5 * std::log2(all_bits), .reason = "2.5 log2 n of a real transform"}},
    {"linear-complexity", {.bit_operations = 2.0 * 250, .reason = "and, xor for half a block"}},
    {"non-overlapping-template", {.increments = 1.0 / 4, .reason = "a counter for four windows"}},
    {"overlapping-template", {.bit_operations = 2 * 4, .reason = "four times and, shift"}},
    {"universal", {.increments = 2.0 / 7, .reason = "a last place and a counter for each block"}},
    {"approximate-entropy", {.increments = 1.0 / 4, .reason = "a counter for four windows"}},
    {"serial", {.increments = 1.0 / 3, .reason = "a counter for three windows"}},
};

double limit_ns(const Work& work, const MachineRates& rates) {
  return std::max({work.words * rates.ns_per_word, work.bit_operations * rates.ns_per_bit_operation,
                   work.flops * rates.ns_per_flop, work.increments * rates.ns_per_increment});
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const std::vector<BitSequence> sequences = make_sequences();
  const Battery battery({}, {});
  for (const RandomnessEntry* test : battery.tests()) {
    benchmark::RegisterBenchmark(test->name.c_str(), [&sequences, test](benchmark::State& state) {
      std::size_t i = 0;
      for (auto unused : state) {
        benchmark::DoNotOptimize(test->run(sequences[i++ % sequence_count].view(), {}));
      }
    })->Repetitions(3);
  }
  for (const unsigned threads : {1U, 2U}) {
    const std::string name = fmt::format("battery/{}", threads);
    benchmark::RegisterBenchmark(
        name.c_str(),
        [&battery, &sequences, threads](benchmark::State& state) {
          for (auto unused : state) {
            std::size_t i = 0;
            run_battery(
                battery,
                [&]() -> std::optional<BitSequence> {
                  return i < sequence_count ? std::optional(sequences[i++]) : std::nullopt;
                },
                [](std::uint64_t, BitView, const SequenceResults& results) {
                  benchmark::DoNotOptimize(results.size());
                },
                threads);
          }
        })
        ->Repetitions(3)
        ->UseRealTime();
  }
  Collector collector;
  const MachineRates before = measure_machine_rates();
  benchmark::RunSpecifiedBenchmarks(&collector);
  const MachineRates rates = best_of(before, measure_machine_rates());

  fmt::print("{} sequences of {} bits, in memory, one thread; {}; {}\n", sequence_count,
             sequence_bits, transform_library(), rates.instruction_set);
  fmt::print(
      "rates of this run: {:.1f} GB/s read in cache, {:.1f} GB/s read from memory, {:.2f} Tbit "
      "operations/s, {:.1f} Gflop/s, {:.2f} G increments/s, AES-256-CTR {:.2f} GB/s\n\n",
      8 / rates.ns_per_word, rates.memory_gb_per_second, 1e-3 / rates.ns_per_bit_operation,
      1 / rates.ns_per_flop, 1 / rates.ns_per_increment, rates.aes_gb_per_second);
  fmt::print("{:<27} {:>10} {:>10} {:>10} {:>7}  {}\n", "test", "ms", "ns/bit", "limit", "times",
             "limit is");
  double sum = 0;
  for (const RandomnessEntry* test : battery.tests()) {
    const double seconds = collector.seconds(test->name + "/repeats:3");
    if (seconds == 0) continue;
    const double ns = seconds * 1e9 / all_bits;
    const Work& work = work_of.at(test->name);
    const double limit = limit_ns(work, rates);
    sum += seconds;
    fmt::print("{:<27} {:>10.4f} {:>10.5f} {:>10.5f} {:>7.1f}  {}\n", test->name, seconds * 1e3, ns,
               limit, ns / limit, work.reason);
  }
  fmt::print("{:<27} {:>10.4f} {:>10.5f}\n", "sum of the above", sum * 1e3, sum * 1e9 / all_bits);
  const double one = collector.seconds("battery/1/repeats:3/real_time") / sequence_count;
  const double two = collector.seconds("battery/2/repeats:3/real_time") / sequence_count;
  if (one > 0 && two > 0) {
    fmt::print("{:<27} {:>10.4f} {:>10.5f}\n", "battery, 1 thread", one * 1e3,
               one * 1e9 / all_bits);
    fmt::print("{:<27} {:>10.4f} {:>10.5f} {:>10} {:>7.2f}  times the speed of one\n",
               "battery, 2 threads", two * 1e3, two * 1e9 / all_bits, "", one / two);
  }
  return 0;
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  try {
    return icb::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_nist: %s\n", error.what());
    return 3;
  }
}
