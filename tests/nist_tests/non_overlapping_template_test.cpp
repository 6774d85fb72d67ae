#include "nist_tests/non_overlapping_template.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/statistics.hpp"
#include "tests/nist_tests/streams.hpp"

namespace icb::test {
namespace {

std::string text_of(std::uint32_t pattern, unsigned m) {
  std::string text;
  for (unsigned i = m; i-- > 0;) text += ((pattern >> i) & 1U) != 0 ? '1' : '0';
  return text;
}

// Aperiodic by the definition of 2.7: no copy of the template, moved by 1 ... m - 1 bits, agrees
// with it where both have bits. Increasing, as strings.
std::vector<std::string> plain_templates(unsigned m) {
  std::vector<std::string> out;
  for (std::uint32_t pattern = 0; pattern < std::uint32_t{1} << m; ++pattern) {
    const std::string text = text_of(pattern, m);
    bool aperiodic = true;
    for (std::size_t shift = 1; shift < m; ++shift) {
      aperiodic = aperiodic && text.substr(shift) != text.substr(0, m - shift);
    }
    if (aperiodic) out.push_back(text);
  }
  return out;
}

TEST(NonOverlappingTemplate, TemplatesAreAllThatAreAperiodic) {
  const std::size_t known[] = {2,   4,   6,    12,   20,   40,   74,   148,
                               284, 568, 1116, 2232, 4424, 8848, 17622};  // OEIS A003000
  for (unsigned m = 2; m <= 16; ++m) {
    const auto templates = sp80022::aperiodic_templates(m);
    EXPECT_EQ(templates.size(), known[m - 2]) << m;
    std::vector<std::string> texts;
    for (const auto pattern : templates) texts.push_back(text_of(pattern, m));
    EXPECT_EQ(texts, plain_templates(m)) << m;
  }
}

// The scan of 2.7.4: one bit on without a match, m bits on with one.
std::vector<std::uint64_t> plain_matches(const std::string& bits, const std::string& wanted,
                                         std::size_t blocks) {
  const std::size_t block = bits.size() / blocks;
  std::vector<std::uint64_t> w(blocks);
  for (std::size_t j = 0; j < blocks; ++j) {
    const std::string part = bits.substr(j * block, block);
    for (std::size_t i = 0; i + wanted.size() <= block;) {
      const bool match = part.compare(i, wanted.size(), wanted) == 0;
      w[j] += match ? 1 : 0;
      i += match ? wanted.size() : 1;
    }
  }
  return w;
}

void expect_scan(const std::string& text, unsigned m, unsigned blocks) {
  const auto sequence = BitSequence::from_text(text);
  const auto result = run("non-overlapping-template", sequence.view(),
                          {.non_overlapping_template = m, .non_overlapping_blocks = blocks});
  const std::size_t block = text.size() / blocks;
  ASSERT_EQ(applies(result), block >= m);
  if (block < m) return;
  const double mu = static_cast<double>(block - m + 1) / std::pow(2.0, m);
  const double sigma2 = static_cast<double>(block) *
                        (std::pow(2.0, -1.0 * m) - (2.0 * m - 1) * std::pow(2.0, -2.0 * m));
  EXPECT_DOUBLE_EQ(statistic(result, "mu"), mu);
  EXPECT_DOUBLE_EQ(statistic(result, "sigma2"), sigma2);
  // In the order of the statistics: N, M, mu, sigma2, then chi_square and W_j of each template.
  std::size_t next = 4;
  const auto& p_values = std::get<std::vector<SubResult>>(result.outcome);
  const auto templates = plain_templates(m);
  ASSERT_EQ(p_values.size(), templates.size());
  ASSERT_EQ(result.statistics.size(), 4 + templates.size() * (1 + blocks));
  for (std::size_t i = 0; i < templates.size(); ++i) {
    const auto w = plain_matches(text, templates[i], blocks);
    double chi_square = 0;
    for (const auto count : w) {
      chi_square += std::pow(static_cast<double>(count) - mu, 2) / sigma2;
    }
    const auto& [name, value] = result.statistics[next++];
    ASSERT_EQ(name, "chi_square/" + templates[i]);
    ASSERT_NEAR(value, chi_square, 1e-12 * (1 + chi_square));
    for (std::size_t j = 0; j < w.size(); ++j) {
      const auto& [w_name, w_value] = result.statistics[next++];
      ASSERT_EQ(w_name, "W_" + std::to_string(j + 1) + "/" + templates[i]);
      ASSERT_EQ(w_value, static_cast<double>(w[j])) << w_name;
    }
    ASSERT_EQ(p_values[i].id,
              "non-overlapping-template/m=" + std::to_string(m) + "/" + templates[i]);
    ASSERT_EQ(p_values[i].p, chi_square_upper_p(value, blocks));
  }
}

TEST(NonOverlappingTemplate, AgreesWithTheScanOfTheStandard) {
  std::mt19937_64 engine(seed());
  const auto check = [&](std::size_t n, unsigned m, unsigned blocks) {
    for (const auto& [name, plain] : streams(engine, n)) {
      SCOPED_TRACE(name + ", n = " + std::to_string(n) + ", m = " + std::to_string(m) +
                   ", N = " + std::to_string(blocks) + ", seed " + std::to_string(seed()));
      std::string text;
      for (const auto bit : plain) text += bit != 0 ? '1' : '0';
      expect_scan(text, m, blocks);
    }
  };
  for (std::size_t n = 1; n <= 2000; ++n) {
    check(n, static_cast<unsigned>(2 + n % 4), static_cast<unsigned>(1 + engine() % 9));
    if (n % 128 == 0) check(n, 9, 8);
    if (HasFailure()) return;
  }
  check(10007, 9, 8);
  check(65537, 9, 8);
  check(10007, 10, 3);
  check(3001, 12, 2);
}

TEST(NonOverlappingTemplate, LongTemplatesAndManyBlocks) {
  std::mt19937_64 engine(seed());
  const auto bits = random_sequence(engine, 131101);
  const auto long_ones =
      run("non-overlapping-template", bits.view(), {.non_overlapping_template = 16});
  EXPECT_EQ(std::get<std::vector<SubResult>>(long_ones.outcome).size(), 17622U);
  EXPECT_EQ(long_ones.statistics.size(), 4 + 17622U * 9);
  // Beyond 100 blocks the counts are not listed.
  const auto many = run("non-overlapping-template", bits.view(),
                        {.non_overlapping_template = 2, .non_overlapping_blocks = 101});
  EXPECT_EQ(many.statistics.size(), 4 + 2U);
  const auto hundred = run("non-overlapping-template", bits.view(),
                           {.non_overlapping_template = 2, .non_overlapping_blocks = 100});
  EXPECT_EQ(hundred.statistics.size(), 4 + 2U * 101);
}

TEST(NonOverlappingTemplate, Conditions) {
  const auto flags = [](std::size_t n, unsigned m, unsigned blocks) {
    const auto bits = BitSequence::from_text(std::string(n, '1'));
    return run("non-overlapping-template", bits.view(),
               {.non_overlapping_template = m, .non_overlapping_blocks = blocks})
        .flags.size();
  };
  EXPECT_EQ(flags(10000, 9, 8), 0U);
  EXPECT_EQ(flags(10000, 10, 99), 0U);
  EXPECT_EQ(flags(10000, 8, 8), 1U);
  EXPECT_EQ(flags(10000, 9, 100), 1U);  // M = 0.01 n
  EXPECT_EQ(flags(10000, 9, 101), 2U);
  const auto bits = BitSequence::from_text(std::string(71, '1'));
  const auto too_short = run("non-overlapping-template", bits.view());
  ASSERT_FALSE(applies(too_short));
  EXPECT_EQ(std::get<NotApplicable>(too_short.outcome).reason, "M = 8 bits per block, needs m = 9");
  for (const unsigned m : {0U, 1U, 17U}) {
    EXPECT_THROW(run("non-overlapping-template", bits.view(), {.non_overlapping_template = m}),
                 std::invalid_argument);
  }
  EXPECT_THROW(run("non-overlapping-template", bits.view(), {.non_overlapping_blocks = 0}),
               std::invalid_argument);
}

TEST(NonOverlappingTemplate, RejectsTooManyOfATemplate) {
  std::mt19937_64 engine(seed());
  auto plain = random_bits(engine, 100000);
  const std::string wanted = "000000001";
  for (std::size_t i = 0; i + 9 <= plain.size(); i += 400) {
    for (std::size_t j = 0; j < 9; ++j) plain[i + j] = wanted[j] == '1' ? 1 : 0;
  }
  const auto result = run("non-overlapping-template", pack(plain).view());
  EXPECT_LT(p_of(result, "non-overlapping-template/m=9/" + wanted), 1e-6);
}

}  // namespace
}  // namespace icb::test
