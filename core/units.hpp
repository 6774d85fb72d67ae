/// Numbers that say what they are. Construction checks the range; NaN is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace icb {

namespace detail {

/// A double in [0, 1]; the tag makes p-values, significance levels and fractions distinct types.
template <class Tag>
class UnitInterval {
 public:
  explicit UnitInterval(double value) : m_value(value) {
    if (!(value >= 0.0 && value <= 1.0)) {  // false for NaN too
      throw std::invalid_argument(std::string(Tag::name) + " must be in [0, 1], got " +
                                  std::to_string(value));
    }
  }

  double value() const { return m_value; }

  friend auto operator<=>(UnitInterval, UnitInterval) = default;

 private:
  double m_value;
};

struct PValueTag {
  static constexpr const char* name = "p-value";
};

struct AlphaTag {
  static constexpr const char* name = "alpha";
};

}  // namespace detail

/// Probability, under the null hypothesis, of a statistic at least as extreme as the one seen.
using PValue = detail::UnitInterval<detail::PValueTag>;

/// Significance level of a decision.
using Alpha = detail::UnitInterval<detail::AlphaTag>;

/// Number of tests a decision is corrected for, at least 1.
struct TestCount {
  explicit TestCount(std::size_t count) : value(count) {
    if (count == 0) throw std::invalid_argument("number of tests must be at least 1, got 0");
  }

  std::size_t value;
};

/// True if p is below alpha / m (Bonferroni).
inline bool rejects(PValue p, Alpha alpha, TestCount m) {
  return p.value() < alpha.value() / static_cast<double>(m.value);
}

struct BitCount {
  std::uint64_t value;
  friend auto operator<=>(BitCount, BitCount) = default;
};

struct ByteCount {
  std::uint64_t value;
  friend auto operator<=>(ByteCount, ByteCount) = default;
};

inline BitCount to_bits(ByteCount bytes) { return BitCount{bytes.value * 8}; }

}  // namespace icb
