// All tests at once on several threads, with several lengths: the results are those of one thread.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

using Results = std::vector<std::pair<std::string, double>>;

Results all_results(const std::vector<BitSequence>& sequences) {
  Results out;
  for (const auto& bits : sequences) {
    for (const auto& [name, entry] : registry<RandomnessEntry>()) {
      const auto result = entry.run(bits.view(), {});
      for (const auto& statistic : result.statistics) out.push_back(statistic);
      if (!applies(result)) continue;
      for (const auto& sub : std::get<std::vector<SubResult>>(result.outcome)) {
        out.emplace_back(sub.id, sub.p.value());
      }
    }
  }
  return out;
}

TEST(RandomnessThreads, SameResultsOnEveryThread) {
  std::mt19937_64 engine(seed());
  std::vector<BitSequence> sequences;
  for (const std::size_t n : {20000U, 8191U, 50021U, 20000U, 65536U}) {
    sequences.push_back(random_sequence(engine, n));
  }
  std::vector<Results> results(8);
  std::vector<std::thread> threads;
  for (auto& mine : results) {  // no length has a plan yet
    threads.emplace_back([&mine, &sequences] { mine = all_results(sequences); });
  }
  for (auto& thread : threads) thread.join();
  const Results expected = all_results(sequences);
  for (const auto& mine : results) EXPECT_EQ(mine, expected);
}

}  // namespace
}  // namespace icb::test
