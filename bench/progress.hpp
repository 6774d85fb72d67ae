/// Progress on standard error: one rewritten line on a terminal, one line per stage elsewhere.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace icb {

class Progress {
 public:
  /// `total`: work in any unit; `restored`: how much of it needs no time because it is in the
  /// store.
  Progress(std::string title, double total, double restored, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// Thread-safe.
  void advance(double work);

 private:
  void draw();

  std::string m_title;
  double m_total;
  double m_restored;
  double m_done = 0;
  bool m_quiet;
  bool m_terminal;
  std::chrono::steady_clock::time_point m_start;
  std::chrono::steady_clock::time_point m_drawn;
  std::mutex m_mutex;
};

}  // namespace icb
