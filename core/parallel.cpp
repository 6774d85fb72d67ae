#include "core/parallel.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace icb {

unsigned thread_count(unsigned wanted) {
  return wanted == 0 ? std::max(1U, std::thread::hardware_concurrency()) : wanted;
}

void on_threads(unsigned threads, const std::function<void(const std::stop_token&)>& work) {
  std::stop_source stop;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto guarded = [&](const std::function<void()>& call) {
    try {
      call();
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!failure) failure = std::current_exception();
      stop.request_stop();
    }
  };
  const auto piece = [&] { guarded([&] { work(stop.get_token()); }); };
  {
    std::vector<std::jthread> pool;  // joined at the end of the block
    guarded([&] {                    // the system may have no further thread
      for (unsigned i = 1; i < threads; ++i) pool.emplace_back(piece);
    });
    piece();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace icb
