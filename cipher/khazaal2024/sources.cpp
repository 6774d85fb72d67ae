#include "cipher/khazaal2024/sources.hpp"

namespace icb::khazaal2024 {

constexpr std::array<std::int32_t, 1024> gaussian_table{
#include "cipher/khazaal2024/gaussian_table.inc"
};

static_assert(
    [] {
      for (std::size_t i = 0; i < 1024; ++i) {
        if (gaussian_table[i] != -gaussian_table[1023 - i]) return false;
        if (i > 0 && gaussian_table[i] <= gaussian_table[i - 1]) return false;
      }
      return true;
    }(),
    "quantiles rise and are odd about the median");

}  // namespace icb::khazaal2024
