/// Inputs and small helpers of the tests of nist_tests/. Bits are one per byte here, as plain as
/// the references they are for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb::test {

using PlainBits = std::vector<std::uint8_t>;

/// ICB_SEED of the environment, or a fixed one.
inline std::uint64_t seed() {
  const char* text = std::getenv("ICB_SEED");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return text == nullptr ? 20260301 : std::stoull(text);
}

/// How often each pattern of m bits occurs, the sequence closed to a ring, as '0' and '1'.
inline std::map<std::string, std::uint64_t> plain_pattern_counts(const PlainBits& bits,
                                                                 std::size_t m) {
  std::map<std::string, std::uint64_t> counts;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    std::string pattern;
    for (std::size_t j = 0; j < m; ++j) pattern += bits[(i + j) % bits.size()] != 0 ? '1' : '0';
    ++counts[pattern];
  }
  return counts;
}

inline BitSequence pack(const PlainBits& bits) {
  std::string text;
  text.reserve(bits.size());
  for (const std::uint8_t bit : bits) text += bit != 0 ? '1' : '0';
  return BitSequence::from_text(text);
}

/// Each bit is 1 with probability ones_of_256 / 256.
inline PlainBits random_bits(std::mt19937_64& engine, std::size_t n, unsigned ones_of_256 = 128) {
  PlainBits bits(n);
  for (auto& bit : bits) bit = (engine() >> 56) < ones_of_256 ? 1 : 0;
  return bits;
}

/// Packed at once: n unbiased bits.
inline BitSequence random_sequence(std::mt19937_64& engine, std::size_t n) {
  Bytes bytes((n + 7) / 8);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) word = engine();
    bytes[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
  }
  return BitSequence::from_bytes(bytes, 0, n);
}

struct Stream {
  std::string name;
  PlainBits bits;
};

/// Random, biased, periodic, all zero, all one, alternating; n bits each.
inline std::vector<Stream> streams(std::mt19937_64& engine, std::size_t n) {
  PlainBits periodic(n);
  PlainBits alternating(n);
  for (std::size_t i = 0; i < n; ++i) {
    periodic[i] = "1101000"[i % 7] == '1' ? 1 : 0;
    alternating[i] = i % 2;
  }
  return {{"random", random_bits(engine, n)}, {"biased", random_bits(engine, n, 200)},
          {"periodic", std::move(periodic)},  {"zeros", PlainBits(n, 0)},
          {"ones", PlainBits(n, 1)},          {"alternating", std::move(alternating)}};
}

/// 1 to 300, and odd, prime, not multiples of 64, around the edges of the longest-run layouts.
inline std::vector<std::size_t> lengths() {
  std::vector<std::size_t> out;
  for (std::size_t n = 1; n <= 300; ++n) out.push_back(n);
  for (const std::size_t n : {1021U, 2048U, 4097U, 6271U, 6272U, 10007U}) out.push_back(n);
  return out;
}

/// Calls check(bits one per byte, the same packed) for every length and stream.
template <class Check>
void for_all_streams(Check check) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : lengths()) {
    for (const auto& [name, bits] : streams(engine, n)) {
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", seed " + std::to_string(seed()));
      const BitSequence packed = pack(bits);
      check(bits, packed.view());
      if (::testing::Test::HasFailure()) return;
    }
  }
}

inline TestResult run(std::string_view test, BitView bits, const TestParameters& parameters = {}) {
  return find<RandomnessEntry>(test).run(bits, parameters);
}

inline bool applies(const TestResult& result) {
  return std::holds_alternative<std::vector<SubResult>>(result.outcome);
}

/// p-value of an id. Throws if the test did not apply or the id is not there.
inline double p_of(const TestResult& result, std::string_view id) {
  for (const auto& sub : std::get<std::vector<SubResult>>(result.outcome)) {
    if (sub.id == id) return sub.p.value();
  }
  throw std::out_of_range("no p-value " + std::string(id));
}

/// The p-value of a test that has one. Throws if there are more.
inline double only_p(const TestResult& result) {
  const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
  if (p_values.size() != 1) throw std::out_of_range("not a single p-value");
  return p_values[0].p.value();
}

inline double statistic(const TestResult& result, std::string_view name) {
  for (const auto& [key, value] : result.statistics) {
    if (key == name) return value;
  }
  throw std::out_of_range("no statistic " + std::string(name));
}

/// First n bits of e = 10.101101..., the data of the standard's long examples.
inline BitSequence bits_of_e(std::size_t n) {
  __extension__ using Wide = unsigned __int128;
  // e = 1 + (1 + (1 + (1 + ...) / 3) / 2) / 1 in fixed point: fraction[0] is the most significant
  // word. The tail is divided by (k - 1)! later on, so its words beyond the precision left are
  // skipped.
  const std::size_t words = n / 64 + 3;
  std::uint64_t terms = 2;
  double log2_factorial = 1;
  std::vector<double> log2_of{0, 0, 1};  // log2 k!
  while (log2_factorial < 64.0 * static_cast<double>(words)) {
    ++terms;
    log2_factorial += std::log2(static_cast<double>(terms));
    log2_of.push_back(log2_factorial);
  }
  std::vector<std::uint64_t> fraction(words);
  std::uint64_t whole = 0;
  for (std::uint64_t k = terms; k >= 2;) {
    // Several steps x <- (x + 1) / k in one: x <- (x + added) / divisor.
    std::uint64_t added = 0;
    std::uint64_t divisor = 1;
    for (; k >= 2 && divisor < (std::uint64_t{1} << 62) / k; --k) {
      added += divisor;
      divisor *= k;
    }
    const std::size_t kept = words - std::min(words - 1, static_cast<std::size_t>(log2_of[k] / 64));
    Wide remainder = whole + added;
    whole = static_cast<std::uint64_t>(remainder / divisor);
    remainder -= Wide{whole} * divisor;
    for (std::size_t i = 0; i < kept; ++i) {
      const Wide dividend = (remainder << 64) | fraction[i];
      fraction[i] = static_cast<std::uint64_t>(dividend / divisor);
      remainder = dividend - Wide{fraction[i]} * divisor;
    }
  }
  // fraction = e - 2 now; two bits of integer part, "10".
  Bytes bytes;
  std::uint64_t previous = 2;
  for (const std::uint64_t word : fraction) {
    const std::uint64_t shifted = (previous << 62) | (word >> 2);
    for (int i = 56; i >= 0; i -= 8) bytes.push_back(static_cast<std::uint8_t>(shifted >> i));
    previous = word & 3;
  }
  return BitSequence::from_bytes(bytes, 0, n);
}

}  // namespace icb::test
