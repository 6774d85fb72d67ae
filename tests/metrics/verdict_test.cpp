#include "metrics/verdict.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Alpha alpha{0.01};

Measurement with_p(const std::string& quantity, const std::string& channel, double p) {
  Measurement m;
  m.quantity = quantity;
  m.channel = channel;
  m.value = 1;
  m.p_value = p;
  return m;
}

/// "a1" and "a2" are of family "a".
std::string first_letter(const Measurement& m) { return m.quantity.substr(0, 1); }

Verdict judged(std::vector<Measurement> measurements, double level = 0.01) {
  return judge(std::move(measurements), Alpha{level}, first_letter);
}

std::vector<double> corrected(const Verdict& verdict) {
  std::vector<double> out;
  for (const auto& row : verdict.rows) out.push_back(row.p_corrected.value_or(-1));
  return out;
}

// --- Arithmetic

TEST(Verdict, OneTestIsItsPValue) {
  const Verdict verdict = judged({with_p("a", "gray", 0.02)});
  EXPECT_EQ(verdict.tests, 1U);
  EXPECT_EQ(verdict.p, PValue{0.02});
  EXPECT_FALSE(verdict.rejected);
  EXPECT_THAT(corrected(verdict), ElementsAre(0.02));
  EXPECT_TRUE(judged({with_p("a", "gray", 0.02)}, 0.03).rejected);
}

TEST(Verdict, NoncePoliciesAreTestsOfTheirOwn) {
  Measurement fixed = with_p("a", "gray", 0);
  fixed.nonce_policy = "fixed";
  Measurement fresh = with_p("a", "gray", 0.008);
  fresh.nonce_policy = "fresh";
  const Verdict verdict = judged({fixed, fresh, with_p("b", "gray", 0.5)});
  EXPECT_EQ(verdict.tests, 3U);
  EXPECT_THAT(corrected(verdict), ElementsAre(0, 0.016, 0.5));  // not lent the p of the other
}

TEST(Verdict, WhatDoesNotDecideIsJudgedAside) {
  const auto decides = [](const Measurement& m) { return m.quantity != "aside"; };
  const Verdict verdict = judge({with_p("a", "gray", 0.02), with_p("aside", "r", 1e-9),
                                 with_p("b", "gray", 0.5), with_p("aside", "g", 0.4)},
                                Alpha{0.01}, first_letter, decides);
  EXPECT_EQ(verdict.tests, 2U);
  EXPECT_EQ(verdict.p, PValue{0.04});
  EXPECT_FALSE(verdict.rejected);
  EXPECT_EQ(verdict.rows_rejected, 0U);
  EXPECT_EQ(verdict.aside_rejected, 1U);
  EXPECT_EQ(verdict.rows[1].measurement.status, Status::reject);
  EXPECT_FALSE(verdict.rows[1].decides);
  EXPECT_THAT(corrected(verdict), ElementsAre(0.04, 2e-9, 0.5, 0.4));
}

TEST(Verdict, SimesWithinAndHolmBetween) {
  // a: Simes of 0.004 and 0.006 is 0.006; b 0.01; c 0.5. Holm: 0.018, 0.02, 0.5.
  const Verdict verdict = judged({with_p("a1", "gray", 0.004), with_p("b", "gray", 0.01),
                                  with_p("c", "gray", 0.5), with_p("a2", "gray", 0.006)},
                                 0.019);
  EXPECT_EQ(verdict.tests, 3U);
  EXPECT_EQ(verdict.p, PValue{3 * 0.006});
  EXPECT_THAT(corrected(verdict), ElementsAre(3 * 0.006, 0.02, 0.5, 3 * 0.006));
  EXPECT_EQ(verdict.tests_rejected, 1U);
  EXPECT_EQ(verdict.rows_rejected, 2U);
  EXPECT_EQ(verdict.rows[0].measurement.status, Status::reject);
  EXPECT_EQ(verdict.rows[1].measurement.status, Status::ok);
  EXPECT_EQ(verdict.rows[3].family, "a");
}

TEST(Verdict, AMemberIsNotRejectedForItsFamily) {
  const Verdict verdict = judged({with_p("a1", "gray", 1e-5), with_p("a2", "gray", 0.4)});
  EXPECT_THAT(corrected(verdict), ElementsAre(2e-5, 0.4));
  EXPECT_EQ(verdict.rows[1].measurement.status, Status::ok);
}

TEST(Verdict, ChannelsAreTestsOfTheirOwn) {
  const Verdict verdict = judged({with_p("a", "b", 0.001), with_p("a", "g", 0.9),
                                  with_p("a", "r", 0.8), with_p("a", "all", 0.7)});
  EXPECT_EQ(verdict.tests, 4U);
  EXPECT_THAT(corrected(verdict), ElementsAre(0.004, 1, 1, 1));
}

TEST(Verdict, SayingTheSameThingThriceCostsNothing) {
  const std::vector<Measurement> once{with_p("a", "gray", 0.003), with_p("b", "gray", 0.002)};
  auto thrice = once;
  for (const char* again : {"a2", "a3"}) thrice.push_back(with_p(again, "gray", 0.003));
  const Verdict before = judged(once);
  const Verdict after = judged(thrice);
  EXPECT_EQ(before.tests, after.tests);
  EXPECT_EQ(before.p, after.p);
  EXPECT_EQ(corrected(before)[0], corrected(after)[0]);
  EXPECT_EQ(corrected(before)[1], corrected(after)[1]);
}

TEST(Verdict, RowsWithoutPValuePassThrough) {
  auto error = with_p("c", "gray", 1e-9);
  error.status = Status::error;
  auto none = with_p("b", "gray", 0);
  none.p_value.reset();
  none.status = Status::not_applicable;
  const Verdict verdict = judged({none, with_p("a", "gray", 0.5), error});
  EXPECT_EQ(verdict.tests, 1U);
  EXPECT_EQ(verdict.rows[0].measurement, none);
  EXPECT_EQ(verdict.rows[2].measurement, error);
  EXPECT_FALSE(verdict.rows[2].p_corrected);
  EXPECT_FALSE(verdict.rejected);
  const Verdict nothing = judged({none});
  EXPECT_EQ(nothing.tests, 0U);
  EXPECT_FALSE(nothing.p);
  EXPECT_FALSE(nothing.rejected);
  EXPECT_TRUE(judged({}).rows.empty());
}

TEST(Verdict, ExtremePValuesAreRejectedWhateverAlpha) {
  for (const double p : {9e-7, 0.0}) {
    std::vector<Measurement> many{with_p("a", "gray", p)};
    for (char letter = 'b'; letter <= 'z'; ++letter) {
      many.push_back(with_p(std::string(1, letter), "gray", 0.5));
    }
    const Verdict verdict = judged(many, 1e-12);
    EXPECT_TRUE(verdict.rejected);
    EXPECT_TRUE(verdict.rows[0].extreme);
    EXPECT_EQ(verdict.rows[0].measurement.status, Status::reject);
    EXPECT_THAT(verdict.rows[0].measurement.detail, HasSubstr("whatever alpha"));
    EXPECT_EQ(verdict.tests_rejected, 1U);
  }
  const Verdict verdict = judged({with_p("a", "gray", 1e-6)}, 1e-12);
  EXPECT_FALSE(verdict.rejected);
  EXPECT_FALSE(verdict.rows[0].extreme);
}

TEST(Verdict, RejectsExactlyWhenItsPIsBelowAlpha) {
  std::mt19937_64 engine(test_seed());
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<Measurement> rows;
    for (std::uint64_t i = uniform_below(engine, 12) + 1; i > 0; --i) {
      const double u = (static_cast<double>(uniform_below(engine, 1000)) + 0.5) / 1000;
      rows.push_back(with_p(std::string(1, static_cast<char>('a' + uniform_below(engine, 5))),
                            uniform_below(engine, 2) == 0 ? "b" : "all", u * u));
    }
    const Verdict verdict = judged(rows, 0.05);
    EXPECT_EQ(verdict.rejected, verdict.p < PValue{0.05});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_GE(*verdict.rows[i].p_corrected, *rows[i].p_value);
      EXPECT_EQ(verdict.rows[i].measurement.status == Status::reject,
                *verdict.rows[i].p_corrected < 0.05);
    }
  }
}

TEST(Verdict, FamiliesComeFromTheRegistry) {
  EXPECT_EQ(family_of(with_p("chi_square", "gray", 1)),
            find<MetricEntry>("chi_square").family_name());
  EXPECT_EQ(family_of(with_p("entropy", "gray", 1)), find<MetricEntry>("entropy").family_name());
  EXPECT_EQ(family_of(with_p("of no metric", "gray", 1)), "of no metric");
}

// --- Images

Verdict verdict_on(ConstImage cipher, ConstImage plain, ConstImage second) {
  const MetricInput input{cipher, CountedImage(plain), 0, 0, CountedImage(second)};
  std::vector<Measurement> found;
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    for (Measurement& m : metric.compute(input)) found.push_back(std::move(m));
  }
  return judge(std::move(found), alpha);
}

/// A smooth picture.
OwnedImage plain_image(Shape shape) {
  return image_of(shape, [&](std::size_t row, std::size_t col, std::size_t channel) {
    const double x = static_cast<double>(col) / static_cast<double>(shape.cols);
    const double y = static_cast<double>(row) / static_cast<double>(shape.rows);
    return static_cast<std::uint16_t>(128 + 60 * std::sin(5 * x + static_cast<double>(channel)) +
                                      50 * std::cos(7 * y));
  });
}

TEST(VerdictOnImages, IdealImagesAreRejectedAtAlphaAndNotFarBelow) {
  constexpr std::uint64_t scale = ICB_SANITIZED ? 10 : 1;
  for (const Shape shape : {Shape{32, 32, 1}, Shape{24, 32, 3}}) {
    SCOPED_TRACE(to_string(shape) + ", ICB_SEED=" + std::to_string(test_seed()));
    std::mt19937_64 engine(test_seed());
    const OwnedImage plain = plain_image(shape);
    const std::uint64_t n = (shape.channels == 1 ? 4000 : 2000) / scale;
    std::uint64_t rejected = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      OwnedImage cipher(shape);
      OwnedImage second(shape);
      fill_random(cipher, engine);
      fill_random(second, engine);
      rejected += verdict_on(cipher.view(), plain.view(), second.view()).rejected ? 1U : 0U;
    }
    EXPECT_GT(binomial_upper_p(rejected, n, alpha.value()).value(), 1e-6)
        << rejected << " of " << n << " ideal images rejected";
    // Dependent tests are rejected less often than alpha, not many times less.
    EXPECT_GT(binomial_lower_p(rejected, n, alpha.value() / 2).value(), 1e-4)
        << rejected << " of " << n << " ideal images rejected";
    RecordProperty("rejected_" + std::to_string(shape.channels), static_cast<int>(rejected));
  }
}

class VerdictOnBrokenImages : public ::testing::Test {
 protected:
  void expect_rejected(const OwnedImage& cipher) const {
    const OwnedImage ideal = random_image(shape, 2);
    const Verdict verdict = verdict_on(cipher.view(), m_plain.view(), ideal.view());
    EXPECT_TRUE(verdict.rejected);
    ASSERT_TRUE(verdict.p);
    EXPECT_LT(verdict.p->value(), 1e-6);
  }

  static constexpr Shape shape{64, 64, 3};
  OwnedImage m_plain = plain_image(shape);
};

TEST_F(VerdictOnBrokenImages, IdealOnesPass) {
  const OwnedImage cipher = random_image(shape, 1);
  const OwnedImage second = random_image(shape, 2);
  EXPECT_FALSE(verdict_on(cipher.view(), m_plain.view(), second.view()).rejected);
}

TEST_F(VerdictOnBrokenImages, Identity) { expect_rejected(m_plain); }

TEST_F(VerdictOnBrokenImages, PermutedPlain) {
  Bytes bytes(m_plain.bytes().begin(), m_plain.bytes().end());
  std::mt19937_64 engine(test_seed());
  for (std::size_t i = bytes.size(); i > 1; --i) {
    std::swap(bytes[i - 1], bytes[uniform_below(engine, i)]);
  }
  expect_rejected({shape, bytes});
}

TEST_F(VerdictOnBrokenImages, ShortKeyRepeated) {
  const auto key = from_hex("9d1c04f7a3528e6b");
  Bytes bytes(m_plain.bytes().begin(), m_plain.bytes().end());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= key[i % key.size()];
  expect_rejected({shape, bytes});
}

TEST_F(VerdictOnBrokenImages, MoreUniformThanChance) {
  // Every value equally often, in random order.
  Bytes bytes(shape.bytes());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i & 0xFF);
  std::mt19937_64 engine(test_seed());
  for (std::size_t i = bytes.size(); i > 1; --i) {
    std::swap(bytes[i - 1], bytes[uniform_below(engine, i)]);
  }
  expect_rejected({shape, bytes});
}

TEST_F(VerdictOnBrokenImages, Constant) { expect_rejected(OwnedImage(shape)); }

}  // namespace
}  // namespace icb::testing
