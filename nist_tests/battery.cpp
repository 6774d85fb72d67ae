#include "nist_tests/battery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <utility>

#include "core/parallel.hpp"

namespace icb {
namespace {

// Slowest first at 10^6 bits and default parameters; the others take less than these, in any order.
// It is for the schedule alone: a test that starts last should be short.
constexpr std::array<std::string_view, 5> slowest{"spectral", "linear-complexity", "serial",
                                                  "non-overlapping-template", "universal"};

std::size_t cost_rank(const RandomnessEntry& test) {
  return static_cast<std::size_t>(std::ranges::find(slowest, test.name) - slowest.begin());
}

// "2.10" as 2, 10.
std::pair<unsigned long, unsigned long> section_of(const RandomnessEntry& test) {
  const std::size_t dot = test.section.find('.');
  return {std::stoul(test.section), std::stoul(test.section.substr(dot + 1))};
}

std::vector<const RandomnessEntry*> chosen(const std::vector<std::string>& names) {
  std::vector<const RandomnessEntry*> tests;
  if (names.empty()) {
    for (const auto& [name, entry] : registry<RandomnessEntry>()) tests.push_back(&entry);
    std::ranges::sort(tests, {}, [](const auto* test) { return section_of(*test); });
  }
  for (const std::string& name : names) {
    const auto* test = &find<RandomnessEntry>(name);
    if (std::ranges::find(tests, test) != tests.end()) {
      throw std::invalid_argument(fmt::format("randomness test \"{}\" is listed twice", name));
    }
    tests.push_back(test);
  }
  return tests;
}

// A sequence and its results so far.
struct Job {
  std::uint64_t index;
  BitSequence bits;
  SequenceResults results;
  std::size_t started = 0;  // tests, in the order of cost
  std::size_t finished = 0;
};

// All threads call `work`. What to do next is decided under the lock, done without it.
class Run {
 public:
  Run(const Battery& battery, const NextSequence& next, const ResultSink& sink, unsigned threads)
      : m_battery(battery), m_next(next), m_sink(sink), m_most(std::size_t{threads} + 1) {
    m_order.resize(battery.tests().size());
    std::iota(m_order.begin(), m_order.end(), std::size_t{0});
    std::ranges::stable_sort(m_order, {},
                             [&](std::size_t i) { return cost_rank(*battery.tests()[i]); });
  }

  void work(const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested() && !done()) {
      if (!step(lock)) {
        m_changed.wait(lock, stop, [&] { return done() || can_step(); });
      }
    }
  }

 private:
  bool done() const { return m_ended && m_jobs.empty() && m_in_memory == 0; }

  // Delivery comes first, since it frees memory; fetching last, since it takes some.
  bool can_deliver() const {
    return !m_calling && !m_jobs.empty() && m_jobs.front().finished == m_order.size();
  }

  auto waiting() {
    return std::ranges::find_if(m_jobs,
                                [&](const Job& job) { return job.started < m_order.size(); });
  }

  bool can_fetch() const { return !m_calling && !m_ended && m_in_memory < m_most; }

  bool can_step() { return can_deliver() || waiting() != m_jobs.end() || can_fetch(); }

  // One piece of work; false if there is none now. An exception leaves it with the lock released
  // or held, and the state of no further use.
  bool step(std::unique_lock<std::mutex>& lock) {
    if (can_deliver()) {
      m_calling = true;
      Job job = std::move(m_jobs.front());
      m_jobs.pop_front();
      lock.unlock();
      m_sink(job.index, job.bits.view(), std::move(job.results));
      job = {};
      lock.lock();
      m_calling = false;
      --m_in_memory;
    } else if (const auto job = waiting(); job != m_jobs.end()) {
      const std::size_t test = m_order[job->started++];
      Job& mine = *job;  // stays where it is: a deque, and it is not finished
      lock.unlock();
      TestResult result = m_battery.tests()[test]->run(mine.bits.view(), m_battery.parameters());
      lock.lock();
      mine.results[test] = std::move(result);
      if (++mine.finished < m_order.size()) return true;  // nobody waits for that
    } else if (can_fetch()) {
      m_calling = true;
      ++m_in_memory;
      lock.unlock();
      std::optional<BitSequence> bits = m_next();
      lock.lock();
      m_calling = false;
      if (bits) {
        m_jobs.push_back({m_fetched++, std::move(*bits), SequenceResults(m_order.size())});
      } else {
        m_ended = true;
        --m_in_memory;
      }
    } else {
      return false;
    }
    m_changed.notify_all();
    return true;
  }

  const Battery& m_battery;
  const NextSequence& m_next;
  const ResultSink& m_sink;
  std::size_t m_most;                // sequences in memory
  std::vector<std::size_t> m_order;  // of the tests, by cost
  std::mutex m_mutex;                // of all below
  std::condition_variable_any m_changed;
  std::deque<Job> m_jobs;
  std::size_t m_in_memory = 0;  // m_jobs, and the one a callback has
  std::uint64_t m_fetched = 0;
  bool m_calling = false;  // `next` or `sink` is running
  bool m_ended = false;    // `next` has no more
};

}  // namespace

Battery::Battery(const std::vector<std::string>& names, TestParameters parameters)
    : m_tests(chosen(names)), m_parameters(parameters) {}

SequenceResults Battery::run(BitView bits) const {
  SequenceResults results;
  results.reserve(m_tests.size());
  for (const auto* test : m_tests) results.push_back(test->run(bits, m_parameters));
  return results;
}

void run_battery(const Battery& battery, const NextSequence& next, const ResultSink& sink,
                 unsigned threads) {
  const unsigned count = thread_count(threads);
  Run run(battery, next, sink, count);
  on_threads(count, [&](const std::stop_token& stop) { run.work(stop); });
}

}  // namespace icb
