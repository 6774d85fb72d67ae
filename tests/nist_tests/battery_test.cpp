// The battery on several threads. A program of its own, labelled for the thread sanitizer, with one
// test more in the registry: it throws where the sequence starts with 64 ones.
#include "nist_tests/battery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// Where several threads must meet; none, or all tests called "throws-at-ones" wait there.
std::atomic<std::latch*> meeting{nullptr};

const RegisterRandomnessTest entry{{
    .name = "throws-at-ones",
    .title = "",
    .section = "9.10",
    .ids = [](const TestParameters&, std::uint64_t) -> std::vector<std::string> {
      return {"throws-at-ones"};
    },
    .run =
        [](BitView bits, const TestParameters&) {
          if (bits.words()[0] == ~std::uint64_t{0}) throw std::domain_error("ones");
          if (std::latch* const all = meeting.load(); all != nullptr) all->arrive_and_wait();
          return TestResult{std::vector{SubResult{"throws-at-ones", PValue{0.5}}}, {}, {}};
        },
    .vectors = {},
}};

std::vector<BitSequence> sequences(std::size_t count) {
  std::mt19937_64 engine(seed());
  std::vector<BitSequence> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(random_sequence(engine, 2000 + 61 * i));
  return out;
}

NextSequence each_of(const std::vector<BitSequence>& all, std::size_t& position) {
  return [&]() -> std::optional<BitSequence> {
    if (position == all.size()) return std::nullopt;
    return all[position++];
  };
}

// Everything a result holds.
std::string text_of(const SequenceResults& results) {
  std::string out;
  for (const TestResult& result : results) {
    if (const auto* reason = std::get_if<NotApplicable>(&result.outcome)) {
      out += reason->reason;
    } else {
      for (const auto& [id, p] : std::get<std::vector<SubResult>>(result.outcome)) {
        out += fmt::format("{} {:a} ", id, p.value());
      }
    }
    for (const auto& [name, value] : result.statistics) out += fmt::format("{} {:a} ", name, value);
    for (const auto& flag : result.flags) out += flag;
    out += '\n';
  }
  return out;
}

std::vector<std::string> texts(const Battery& battery, const std::vector<BitSequence>& all,
                               unsigned threads) {
  std::vector<std::string> out;
  std::size_t position = 0;
  run_battery(
      battery, each_of(all, position),
      [&](std::uint64_t index, BitView bits, const SequenceResults& results) {
        EXPECT_EQ(index, out.size());
        EXPECT_TRUE(std::ranges::equal(bits.words(), all[index].view().words()));
        out.push_back(text_of(results));
      },
      threads);
  return out;
}

TEST(Battery, AllTestsBySection) {
  const Battery battery({}, {});
  EXPECT_EQ(battery.tests().size(), registry<RandomnessEntry>().size());
  const auto place = [&](const std::string& name) {
    return std::ranges::find(battery.tests(), name, [](const auto* test) { return test->name; }) -
           battery.tests().begin();
  };
  EXPECT_EQ(place("frequency"), 0);
  EXPECT_LT(place("spectral"), place("linear-complexity"));  // 2.6, 2.10: not by text
  EXPECT_LT(place("approximate-entropy"), place("random-excursions"));
  EXPECT_EQ(battery.tests().back()->name, "throws-at-ones");
}

TEST(Battery, ChosenTestsInTheOrderGiven) {
  const Battery battery({"spectral", "frequency"}, {.dft_divisor = 3.8});
  ASSERT_EQ(battery.tests().size(), 2U);
  EXPECT_EQ(battery.tests()[0]->name, "spectral");
  EXPECT_EQ(battery.parameters().dft_divisor, 3.8);
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 5000);
  const auto results = battery.run(bits.view());
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(only_p(results[0]), only_p(run("spectral", bits.view(), {.dft_divisor = 3.8})));
  EXPECT_NE(only_p(results[0]), only_p(run("spectral", bits.view())));
  EXPECT_THROW(Battery({"frequency", "runs", "frequency"}, {}), std::invalid_argument);
  EXPECT_THROW(Battery({"coin"}, {}), UsageError);
}

TEST(RunBattery, SameResultsForEveryNumberOfThreads) {
  const Battery battery({}, {});
  const auto all = sequences(12);
  std::vector<std::string> expected;
  for (const auto& bits : all) expected.push_back(text_of(battery.run(bits.view())));
  for (const unsigned threads : {1U, 2U, 3U, 8U}) EXPECT_EQ(texts(battery, all, threads), expected);
}

TEST(RunBattery, NoSequenceAndFewerThanThreads) {
  const Battery battery({}, {});
  EXPECT_TRUE(texts(battery, {}, 4).empty());
  EXPECT_EQ(texts(battery, sequences(1), 8).size(), 1U);
  EXPECT_EQ(texts(battery, sequences(3), 0).size(), 3U);
}

TEST(RunBattery, CallbacksOneAtATimeAndFewSequencesInMemory) {
  const Battery battery({"frequency", "runs", "throws-at-ones"}, {});
  const auto all = sequences(40);
  for (const unsigned threads : {1U, 2U, 5U}) {
    std::atomic<int> inside{0};
    std::size_t fetched = 0;
    std::size_t most = 0;
    std::size_t delivered = 0;
    run_battery(
        battery,
        [&]() -> std::optional<BitSequence> {
          EXPECT_EQ(inside++, 0);
          std::optional<BitSequence> out;
          if (fetched < all.size()) out = all[fetched++];
          most = std::max(most, fetched - delivered);
          --inside;
          return out;
        },
        [&](std::uint64_t index, BitView, const SequenceResults&) {
          EXPECT_EQ(inside++, 0);
          if (index % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
          ++delivered;
          --inside;
        },
        threads);
    EXPECT_EQ(delivered, all.size());
    EXPECT_LE(most, threads + 1U);
  }
}

// Each of three tests under way waits for the other two: this ends only if three threads work.
TEST(RunBattery, AsManyThreadsAsAskedFor) {
  const Battery battery({"throws-at-ones"}, {});
  const auto all = sequences(3);
  std::latch three(3);
  meeting = &three;
  EXPECT_EQ(texts(battery, all, 3).size(), 3U);
  meeting = nullptr;
}

TEST(RunBattery, SeveralThreadsWorkOnOneSequence) {
  const Battery battery({}, {});
  std::mt19937_64 engine(seed());
  const std::vector<BitSequence> one{random_sequence(engine, 100000)};
  EXPECT_EQ(texts(battery, one, 8), texts(battery, one, 1));
}

TEST(RunBattery, AnExceptionOfATestIsThrown) {
  const Battery battery({}, {});
  auto all = sequences(20);
  all[6] = BitSequence::from_text(std::string(3000, '1'));
  for (const unsigned threads : {1U, 2U, 8U}) {
    std::vector<std::uint64_t> seen;
    std::size_t position = 0;
    EXPECT_THROW(
        run_battery(
            battery, each_of(all, position),
            [&](std::uint64_t index, BitView, const SequenceResults&) { seen.push_back(index); },
            threads),
        std::domain_error);
    EXPECT_LE(seen.size(), 6U);
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
    EXPECT_LE(position, 6 + threads + 2U);  // it did not go on
  }
}

TEST(RunBattery, ParametersOutOfRangeAreThrown) {
  const Battery battery({}, {.approximate_entropy_block = 99});
  const auto all = sequences(3);
  for (const unsigned threads : {1U, 3U}) {
    EXPECT_THROW(texts(battery, all, threads), std::invalid_argument);
  }
}

TEST(RunBattery, SinkAndNextMayStopIt) {
  const Battery battery({"frequency", "runs", "spectral"}, {});
  const auto all = sequences(30);
  for (const unsigned threads : {1U, 2U, 8U}) {
    std::size_t position = 0;
    std::uint64_t calls = 0;
    try {
      run_battery(
          battery, each_of(all, position),
          [&](std::uint64_t index, BitView, const SequenceResults&) {
            ++calls;
            if (index == 4) throw Interrupted(2, "asked to stop");
          },
          threads);
      FAIL();
    } catch (const Interrupted& interrupted) {
      EXPECT_EQ(interrupted.signal, 2);
    }
    EXPECT_EQ(calls, 5U);  // not called again
    calls = 0;
    EXPECT_THROW(run_battery(
                     battery,
                     [&]() -> std::optional<BitSequence> {
                       if (++calls == 3) throw Interrupted(15, "asked to stop");
                       return all[0];
                     },
                     [](std::uint64_t, BitView, const SequenceResults&) {}, threads),
                 Interrupted);
    EXPECT_EQ(calls, 3U);
  }
}

}  // namespace
}  // namespace icb::test
