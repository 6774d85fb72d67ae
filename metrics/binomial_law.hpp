/// The binomial law as numbers, and moments of what lies beyond a threshold: what exact null models
/// of counts are made of.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace icb {

/// Binomial(n, p), 0 < p < 1, from `first` on, as far as probabilities reach 1e-40 of the largest.
struct BinomialLaw {
  std::uint64_t first = 0;
  std::vector<double> mass;  ///< adds up to 1
};

BinomialLaw binomial_law(std::uint64_t n, double p);

/// Moments of r = max(0, side (c - n p - t)), c binomial(n, p) and d = c - n p.
struct Excess {
  double r = 0;    ///< E r
  double rr = 0;   ///< E r^2
  double rd = 0;   ///< E r d
  double rdd = 0;  ///< E r d^2
};

/// Excess for any threshold in constant time.
///
///   BinomialExcess(4, 0.5).beyond(1, +1).r == 1.0 / 16  // c = 4 alone lies more than 1 above 2
class BinomialExcess {
 public:
  BinomialExcess(std::uint64_t n, double p);

  /// Above the mean plus t if side > 0, else below it.
  Excess beyond(double t, int side) const;

  const BinomialLaw& law() const { return m_law; }

 private:
  using Sums = std::array<double, 4>;  // of mass d^k, k = 0 to 3

  BinomialLaw m_law;
  double m_mean;
  std::vector<Sums> m_from;   // index i: over c >= first + i
  std::vector<Sums> m_below;  // index i: over c < first + i
};

}  // namespace icb
