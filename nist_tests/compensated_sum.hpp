/// A sum of doubles that keeps what rounding loses.
#pragma once

#include <cmath>

namespace icb::sp80022 {

/// Neumaier's sum (ZAMM 54, 1974).
class CompensatedSum {
 public:
  void add(double term) {
    const double next = m_sum + term;
    m_lost += std::abs(m_sum) >= std::abs(term) ? (m_sum - next) + term : (term - next) + m_sum;
    m_sum = next;
  }

  double value() const { return m_sum + m_lost; }

 private:
  double m_sum = 0;
  double m_lost = 0;
};

}  // namespace icb::sp80022
