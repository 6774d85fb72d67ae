#include "bench/stop.hpp"

#include <atomic>
#include <csignal>

#include "core/error.hpp"

namespace icb {
namespace {

std::atomic<int> received{0};

}  // namespace

void stop_gracefully_on_signals() {
  struct sigaction action {};

  action.sa_handler = [](int signal) { received = signal; };
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int stop_signal() { return received; }

void throw_if_stopped(const char* message) {
  if (const int signal = received; signal != 0) throw Interrupted(signal, message);
}

}  // namespace icb
