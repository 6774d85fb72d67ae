#include "metrics/changed_share.hpp"

#include <cmath>

#include "core/statistics.hpp"

namespace icb {

NullModel changed_share_null(std::uint64_t n, double same) {
  return {1 - same, std::sqrt(same * (1 - same) / static_cast<double>(n))};
}

Measurement changed_share(std::string_view quantity, const std::string& channel, std::uint64_t n,
                          std::uint64_t changed, double same) {
  const double value = static_cast<double>(changed) / static_cast<double>(n);
  Measurement out = finding(quantity, channel, "1", n, value, changed_share_null(n, same));
  const Tails unchanged{binomial_lower_p(n - changed, n, same).value(),
                        binomial_upper_p(n - changed, n, same).value()};
  out.p_value = unchanged.two_sided().value();
  if (*out.p_value < 0.01) {
    add_detail(out, unchanged.lower < unchanged.upper ? "upper side: more changed than by chance"
                                                      : "lower side: fewer changed than by chance");
  }
  return out;
}

}  // namespace icb
