/// Progress on standard error: one rewritten line on a terminal, one line per stage elsewhere.
#pragma once

#include <chrono>
#include <exception>
#include <mutex>
#include <string>

namespace icb {

class Progress {
 public:
  /// `total`: work in any unit; `restored`: how much of it needs no time because it is in the
  /// store.
  Progress(std::string title, double total, double restored, bool quiet);
  /// Of a whole known only at its end: counts `unit` ("sequences").
  Progress(std::string title, std::string unit, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// Thread-safe.
  void advance(double work);

 private:
  void draw();

  std::string m_title;
  std::string m_unit;  ///< empty: shares of the total
  double m_total;
  double m_restored;
  double m_done = 0;
  bool m_quiet;
  bool m_terminal;
  int m_exceptions = std::uncaught_exceptions();  ///< more at the end: stopped
  std::chrono::steady_clock::time_point m_start;
  std::chrono::steady_clock::time_point m_drawn;
  std::mutex m_mutex;
};

}  // namespace icb
