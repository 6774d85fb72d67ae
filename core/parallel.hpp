/// One function on several threads.
#pragma once

#include <functional>
#include <stop_token>

namespace icb {

/// `wanted`, or all cores if it is 0.
unsigned thread_count(unsigned wanted);

/// Calls `work` on `threads` threads at once, the calling one among them, and returns when all have
/// ended. The first exception asks the others to stop, by the token, and is thrown here.
///
///   std::atomic<int> next{0};
///   on_threads(4, [&](const std::stop_token& stop) {
///     for (int n; !stop.stop_requested() && (n = next++) < 100;) compute(n);
///   });
void on_threads(unsigned threads, const std::function<void(const std::stop_token&)>& work);

}  // namespace icb
