#include "core/units.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace icb {
namespace {

template <class T>
class UnitIntervals : public ::testing::Test {};

using Types = ::testing::Types<PValue, Alpha>;
TYPED_TEST_SUITE(UnitIntervals, Types);

TYPED_TEST(UnitIntervals, TakeTheClosedUnitInterval) {
  for (const double value : {0.0, -0.0, std::numeric_limits<double>::denorm_min(), 0.5, 1.0}) {
    EXPECT_EQ(TypeParam{value}.value(), value);
  }
}

TYPED_TEST(UnitIntervals, RefuseTheRest) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double value :
       {-std::numeric_limits<double>::denorm_min(), 1 + std::numeric_limits<double>::epsilon(),
        -1.0, 2.0, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(TypeParam{value}, std::invalid_argument) << value;
  }
}

TEST(Units, TypesDoNotMix) {
  static_assert(!std::is_convertible_v<double, PValue>);
  static_assert(!std::is_constructible_v<PValue, Alpha>);
  static_assert(!std::is_constructible_v<ByteCount, BitCount>);
  try {
    const PValue p{2};
    ADD_FAILURE() << p.value();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("p-value"), std::string::npos) << error.what();
  }
}

TEST(Units, AtLeastOneTest) {
  EXPECT_EQ(TestCount{1}.value, 1U);
  EXPECT_THROW(TestCount{0}, std::invalid_argument);
}

TEST(Units, RejectsBelowTheCorrectedLevelOnly) {
  EXPECT_TRUE(rejects(PValue{0.0099}, Alpha{0.01}, TestCount{1}));
  EXPECT_FALSE(rejects(PValue{0.01}, Alpha{0.01}, TestCount{1}));
  EXPECT_FALSE(rejects(PValue{0.0099}, Alpha{0.01}, TestCount{10}));
  EXPECT_TRUE(rejects(PValue{0.00099}, Alpha{0.01}, TestCount{10}));
  EXPECT_TRUE(rejects(PValue{0}, Alpha{0.01}, TestCount{1000}));
  EXPECT_FALSE(rejects(PValue{0}, Alpha{0}, TestCount{1}));
}

TEST(Units, BitsOfBytes) {
  EXPECT_EQ(to_bits(ByteCount{32}), BitCount{256});
  EXPECT_EQ(to_bits(ByteCount{0}), BitCount{0});
}

}  // namespace
}  // namespace icb
