#include "nist_tests/universal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

// f_n of 2.9.4, as printed, in long double.
double plain_f(const PlainBits& plain, unsigned l, std::uint64_t q) {
  std::map<std::string, std::uint64_t> last;  // T_j, 0 for blocks not seen
  const std::uint64_t blocks = plain.size() / l;
  long double sum = 0;
  for (std::uint64_t i = 1; i <= blocks; ++i) {
    const auto from = plain.begin() + static_cast<std::ptrdiff_t>((i - 1) * l);
    std::uint64_t& seen = last[std::string(from, from + static_cast<std::ptrdiff_t>(l))];
    if (i > q) sum += std::log2(static_cast<long double>(i - seen));
    seen = i;
  }
  return static_cast<double>(sum / static_cast<long double>(blocks - q));
}

// Reads the words a kernel reads, and no others: the sequence ends where the words end.
TEST(Universal, AgreesWithTheFormulaForEveryLength) {
  std::mt19937_64 engine(seed());
  for (std::size_t n = 1; n <= 2000; ++n) {
    for (const auto& [name, plain] : streams(engine, n)) {
      if (name != "random" && n > 200 && n % 29 != 0) continue;
      const auto packed = pack(plain);
      for (const unsigned l : {1 + static_cast<unsigned>(n % 16), 7U}) {
        for (const unsigned q : {1U, 10U, 40U}) {
          SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", L = " + std::to_string(l) +
                       ", Q = " + std::to_string(q) + ", seed " + std::to_string(seed()));
          const auto result =
              run("universal", packed.view(), {.universal_block = l, .universal_initial = q});
          const bool enough = n / l > q;
          EXPECT_EQ(statistic(result, "K"), enough ? static_cast<double>(n / l - q) : 0);
          if (!enough) {
            EXPECT_FALSE(applies(result));
            continue;
          }
          const double f_n = plain_f(plain, l, q);
          EXPECT_NEAR(statistic(result, "f_n"), f_n, 1e-15 * (1 + f_n));
        }
      }
      if (HasFailure()) return;
    }
  }
}

TEST(Universal, LongSequences) {
  std::mt19937_64 engine(seed());
  for (const std::size_t n : {99991U, 524287U}) {
    for (const auto& [name, plain] : streams(engine, n)) {
      const auto packed = pack(plain);
      for (const unsigned l : {2U, 5U, 6U, 7U, 8U, 13U, 16U}) {
        SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", L = " + std::to_string(l) +
                     ", seed " + std::to_string(seed()));
        const double f_n = plain_f(plain, l, 1000);
        const auto result =
            run("universal", packed.view(), {.universal_block = l, .universal_initial = 1000});
        EXPECT_NEAR(statistic(result, "f_n"), f_n, 1e-15 * (1 + f_n));
      }
    }
  }
}

// Values that come back after more than 16 2^L blocks, beyond the table of distances.
TEST(Universal, FarRepetitions) {
  for (const std::size_t gap : {29U, 30U, 31U, 32U, 33U, 63U, 64U, 65U, 66U, 1000U, 5000U}) {
    for (const unsigned l : {1U, 2U}) {
      SCOPED_TRACE("gap " + std::to_string(gap) + ", L = " + std::to_string(l));
      PlainBits plain(20011);
      for (std::size_t i = 0; i < plain.size(); i += gap * l) plain[i] = 1;
      const auto packed = pack(plain);
      const double f_n = plain_f(plain, l, 3);
      EXPECT_NEAR(sp80022::universal_statistic(packed.view(), l, 3, plain.size() / l - 3), f_n,
                  1e-15 * (1 + f_n));
    }
  }
}

// L = 2, Q = 4, K = 6: f_n = 1.1949875. The p printed, 0.767189, leaves out c and K.
TEST(Universal, ExampleOfSection294) {
  const auto result = run("universal", BitSequence::from_text("01011010011101010111").view(),
                          {.universal_block = 2, .universal_initial = 4});
  EXPECT_EQ(statistic(result, "K"), 6);
  EXPECT_NEAR(statistic(result, "f_n"), 1.1949875002403854, 1e-15);
  const double z = (statistic(result, "f_n") - 1.5374383) / std::sqrt(1.338);
  EXPECT_NEAR(two_sided_normal_p(z).value(), 0.767189, 1e-6);
}

// n = 1048576: the sum printed, its data not to be had.
TEST(Universal, ExampleOfSection298) {
  EXPECT_EQ(sp80022::universal_block_for(1048576), 7U);
  const std::uint64_t k = 1048576 / 7 - 1280;
  EXPECT_EQ(k, 148516U);
  EXPECT_NEAR(sp80022::universal_p(919924.038020 / 148516, 7, k).value(), 0.427733, 1e-6);
}

TEST(Universal, TableOfSection297) {
  const std::uint64_t least[] = {387840,   904960,    2068480,   4654080,   10342400,  22753280,
                                 49643520, 107560960, 231669760, 496435200, 1059061760};
  for (unsigned l = 6; l <= 16; ++l) {
    EXPECT_EQ(sp80022::universal_block_for(least[l - 6]), l);
    EXPECT_EQ(sp80022::universal_block_for(least[l - 6] - 1), l == 6 ? 0 : l - 1);
  }
  EXPECT_EQ(sp80022::universal_block_for(0), 0U);
}

// Sums of the series of 3.9, and the last digit printed (variances are cut, not all rounded).
TEST(Universal, ConstantsAreThoseOfTheSeries) {
  for (unsigned l = 1; l <= 12; ++l) {
    const long double q = std::exp2(-static_cast<long double>(l));
    long double share = q;
    long double mean = 0;
    long double square = 0;
    for (int i = 1; share > 1e-22L * q; ++i, share *= 1 - q) {
      const long double value = std::log2(static_cast<long double>(i));
      mean += share * value;
      square += share * value * value;
    }
    const auto [expected, variance] = sp80022::universal_constants(l);
    const double digits = l < 6 ? 2e-15 : l < 11 ? 0.51e-7 : 0.51e-6;
    EXPECT_NEAR(expected, static_cast<double>(mean), digits) << "L = " << l;
    EXPECT_NEAR(variance, static_cast<double>(square - mean * mean), l < 6 ? 5e-15 : 1e-3)
        << "L = " << l;
  }
}

TEST(Universal, Conditions) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 387840);
  const auto by_n = run("universal", bits.view());
  EXPECT_TRUE(applies(by_n));
  EXPECT_TRUE(by_n.flags.empty());
  EXPECT_EQ(statistic(by_n, "L"), 6);
  EXPECT_EQ(statistic(by_n, "Q"), 640);
  EXPECT_EQ(statistic(by_n, "K"), 64000);

  const auto short_one = random_sequence(engine, 387839);
  const auto none = run("universal", short_one.view());
  ASSERT_FALSE(applies(none));
  EXPECT_EQ(std::get<NotApplicable>(none.outcome).reason, "n = 387839 bits, needs 387840 (2.9.7)");
  EXPECT_EQ(run("universal", short_one.view(), {.universal_block = 6}).flags,
            std::vector<std::string>{"K = 63999, at least 64000 recommended (2.9.7)"});
  EXPECT_EQ(run("universal", bits.view(), {.universal_block = 5}).flags,
            std::vector<std::string>{"L = 5, 6 to 16 recommended (2.9.7)"});
  EXPECT_EQ(run("universal", bits.view(), {.universal_initial = 639}).flags,
            std::vector<std::string>{"Q = 639, at least 640 recommended (2.9.7)"});

  const auto few = random_sequence(engine, 1604);
  const auto no_block = run("universal", few.view(), {.universal_block = 5});
  ASSERT_FALSE(applies(no_block));
  EXPECT_EQ(std::get<NotApplicable>(no_block.outcome).reason,
            "n = 1604 bits, needs 1605 for L = 5 and Q = 320");
  EXPECT_TRUE(
      applies(run("universal", random_sequence(engine, 1605).view(), {.universal_block = 5})));

  // c = 0.7 - 0.8 + (4 + 32) / 15 / K^3
  const auto one_bit = run("universal", few.view(), {.universal_block = 1});
  ASSERT_FALSE(applies(one_bit));
  EXPECT_EQ(std::get<NotApplicable>(one_bit.outcome).reason,
            "c = -0.1 for L = 1 and K = 1584, needs a positive one (2.9.4)");
  EXPECT_TRUE(std::isfinite(statistic(one_bit, "f_n")));

  EXPECT_THROW(run("universal", few.view(), {.universal_block = 17}), std::invalid_argument);
}

TEST(Universal, IdsNameTheBlock) {
  const auto& ids = find<RandomnessEntry>("universal").ids;
  EXPECT_EQ(ids({}, 1000000), std::vector<std::string>{"universal/L=7"});
  EXPECT_EQ(ids({}, 1000), std::vector<std::string>{"universal"});
  EXPECT_EQ(ids({.universal_block = 3}, 1000), std::vector<std::string>{"universal/L=3"});
}

TEST(Universal, BothModesAreTheSame) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 400000);
  EXPECT_EQ(only_p(run("universal", bits.view(), {.constants = Constants::exact})),
            only_p(run("universal", bits.view(), {.constants = Constants::nist})));
}

// One block of six bits in sixteen repeats the one before: compressible.
TEST(Universal, RejectsRepeatedBlocks) {
  std::mt19937_64 engine(seed());
  PlainBits bits = random_bits(engine, 400002);
  for (std::size_t i = 6; i < bits.size(); i += 6) {
    if (engine() % 16 != 0) continue;
    for (std::size_t j = i; j < i + 6; ++j) bits[j] = bits[j - 6];
  }
  EXPECT_LT(only_p(run("universal", pack(bits).view())), 1e-6);
}

}  // namespace
}  // namespace icb::test
