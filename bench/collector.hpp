/// Takes what Google Benchmark measures and keeps the best of all repetitions: time of the
/// processor, or of the clock for benchmarks that ask for it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace icb {

/// Collects seconds per iteration; prints nothing but progress.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*unused*/) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) throw std::runtime_error(run.error_message);
      auto& best = m_seconds[run.benchmark_name()];
      const bool real = run.run_name.time_type == "real_time";
      const double seconds = (real ? run.real_accumulated_time : run.cpu_accumulated_time) /
                             static_cast<double>(run.iterations);
      best = best == 0 ? seconds : std::min(best, seconds);
    }
  }

  /// 0 if filtered out.
  double seconds(const std::string& name) const {
    const auto found = m_seconds.find(name);
    return found == m_seconds.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, double> m_seconds;
};

}  // namespace icb
