#include "core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace icb {
namespace {

TEST(OnThreads, CallsTheWorkOncePerThread) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    std::atomic<unsigned> calls{0};
    on_threads(threads, [&](const std::stop_token&) { ++calls; });
    EXPECT_EQ(calls, threads);
  }
  EXPECT_EQ(thread_count(3), 3U);
  EXPECT_GE(thread_count(0), 1U);
}

TEST(OnThreads, AnExceptionStopsTheOthersAndPasses) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    std::atomic<bool> thrown{false};
    const auto work = [&](const std::stop_token& stop) {
      if (!thrown.exchange(true)) throw std::out_of_range("first");
      while (!stop.stop_requested()) std::this_thread::yield();
    };
    EXPECT_THROW(on_threads(threads, work), std::out_of_range);
  }
}

}  // namespace
}  // namespace icb
