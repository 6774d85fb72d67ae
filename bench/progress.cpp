#include "bench/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace icb {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string minutes(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string title, double total, double restored, bool quiet)
    : m_title(std::move(title)),
      m_total(total),
      m_restored(restored),
      m_quiet(quiet),
      m_terminal(::isatty(STDERR_FILENO) == 1),
      m_start(Clock::now()),
      m_drawn(m_start) {
  if (m_quiet) return;
  if (m_terminal) {
    draw();
  } else if (m_restored > 0 && m_total > 0) {
    fmt::print(stderr, "{}: {:.0f} % already done, going on\n", m_title,
               100 * m_restored / m_total);
  }
}

Progress::Progress(std::string title, std::string unit, bool quiet)
    : Progress(std::move(title), 0, 0, true) {
  m_unit = std::move(unit);
  m_quiet = quiet;
}

Progress::~Progress() {
  if (m_quiet) return;
  const bool complete =
      m_restored + m_done >= 0.999999 * m_total && std::uncaught_exceptions() == m_exceptions;
  fmt::print(stderr, "{}{}: {} in {}{}\n", m_terminal ? "\r" : "", m_title,
             complete ? "done" : "stopped", minutes(seconds_since(m_start)),
             m_terminal ? "                                        " : "");
}

void Progress::advance(double work) {
  const std::scoped_lock lock(m_mutex);
  m_done += work;
  if (!m_quiet && m_terminal && seconds_since(m_drawn) > 0.2) draw();
}

void Progress::draw() {
  m_drawn = Clock::now();
  if (!m_unit.empty()) {
    fmt::print(stderr, "\r{}: {:.0f} {}, {}   ", m_title, m_done, m_unit,
               minutes(seconds_since(m_start)));
    std::fflush(stderr);
    return;
  }
  const double elapsed = seconds_since(m_start);
  const double share = m_total > 0 ? std::min(1.0, (m_restored + m_done) / m_total) : 1.0;
  const double left = m_done > 0 ? elapsed * (m_total - m_restored - m_done) / m_done : 0;
  fmt::print(stderr, "\r{}: {:3.0f} %, {} left   ", m_title, 100 * share,
             m_done > 0 ? minutes(std::max(0.0, left)) : std::string("?"));
  std::fflush(stderr);
}

}  // namespace icb
