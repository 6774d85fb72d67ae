#include "metrics/finding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/log1p.hpp>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <tuple>
#include <utility>

#include "core/statistics.hpp"

namespace icb {
namespace {

/// Tails of the gamma law of that shape a at x = a (1 + mu), by N. M. Temme's uniform expansion
/// (Math. Comp. 29, 1975; DLMF 8.12), with u^2/2 = mu - log(1 + mu):
///   Q = erfc(u sqrt(a/2)) / 2 + R,  R = exp(-a u^2/2) / sqrt(2 pi a) sum c_k(u) / a^k.
/// Right to 1e-13 for a >= 3000 within 8 sd; Boost takes sqrt(a) steps above the mean.
Tails large_gamma_tails(double shape, double mu) {
  constexpr std::array<double, 9> c0{-1.0 / 3,    1.0 / 12,           -2.0 / 135,
                                     1.0 / 864,   1.0 / 2835,         -139.0 / 777600,
                                     1.0 / 25515, -571.0 / 261273600, -281.0 / 151559100};
  constexpr std::array<double, 5> c1{-1.0 / 540, -1.0 / 288, 1.0 / 378, -77.0 / 77760, 1.0 / 4860};
  constexpr std::array<double, 3> c2{25.0 / 6048, -139.0 / 51840, 1.0 / 1296};
  const double half_square = -boost::math::log1pmx(mu);
  const double u = std::copysign(std::sqrt(2 * half_square), mu);
  const auto at_u = [u](const auto& coefficients) {
    double sum = 0;
    for (std::size_t i = coefficients.size(); i-- > 0;) sum = sum * u + coefficients[i];
    return sum;
  };
  const double r = std::exp(-shape * half_square) / std::sqrt(2 * std::numbers::pi * shape) *
                   (at_u(c0) + (at_u(c1) + at_u(c2) / shape) / shape);
  const double y = u * std::sqrt(shape / 2);
  return {std::erfc(-y) / 2 - r, std::erfc(y) / 2 + r};
}

}  // namespace

template <class Null>
Null remembered(Null (*null)(std::uint64_t, std::size_t), std::uint64_t n, std::size_t k) {
  static std::mutex mutex;
  static std::map<std::tuple<decltype(null), std::uint64_t, std::size_t>, Null> known;
  const std::lock_guard lock(mutex);
  const auto key = std::tuple(null, n, k);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  return known[key] = null(n, k);
}

template NullModel remembered(NullModel (*)(std::uint64_t, std::size_t), std::uint64_t,
                              std::size_t);
template SkewedNull remembered(SkewedNull (*)(std::uint64_t, std::size_t), std::uint64_t,
                               std::size_t);

std::string scope_name(const Shape& shape, std::optional<std::size_t> channel) {
  return channel ? channel_name(shape, *channel) : "all";
}

std::vector<std::optional<std::size_t>> scopes(const Shape& shape) {
  std::vector<std::optional<std::size_t>> out;
  for (std::size_t channel = 0; channel < shape.channels; ++channel) out.emplace_back(channel);
  if (shape.channels > 1) out.emplace_back(std::nullopt);
  return out;
}

std::vector<Measurement> each_scope(
    const Shape& shape,
    const std::function<Measurement(std::optional<std::size_t> scope, const std::string& channel)>&
        measure) {
  std::vector<Measurement> out;
  for (const auto scope : scopes(shape)) out.push_back(measure(scope, scope_name(shape, scope)));
  return out;
}

Measurement finding(std::string_view quantity, std::string channel, std::string_view unit,
                    std::uint64_t n, double value, const NullModel& null) {
  Measurement out;
  out.quantity = quantity;
  out.channel = std::move(channel);
  out.unit = unit;
  out.n = n;
  out.value = value;
  out.expected = null.mean;
  out.sd = null.sd;
  if (null.sd > 0) out.z = (value - null.mean) / null.sd;
  return out;
}

Measurement finding_of_mean(std::string_view quantity, std::string channel, std::string_view unit,
                            std::uint64_t n, double value, const NullModel& null) {
  Measurement out = finding(quantity, std::move(channel), unit, n, value, null);
  if (out.z) out.p_value = two_sided_normal_p(*out.z).value();
  if (n < normal_from_terms) add_detail(out, fmt::format("normal p is rough: {} samples", n));
  return out;
}

Measurement no_finding(std::string_view quantity, std::string channel, std::string_view unit,
                       std::uint64_t n, std::string reason) {
  Measurement out;
  out.quantity = quantity;
  out.channel = std::move(channel);
  out.unit = unit;
  out.n = n;
  out.status = Status::not_applicable;
  out.detail = std::move(reason);
  return out;
}

void add_detail(Measurement& measurement, std::string_view text) {
  if (!measurement.detail.empty()) measurement.detail += "; ";
  measurement.detail += text;
}

PValue Tails::two_sided() const { return PValue{std::min(1.0, 2 * std::min(lower, upper))}; }

Tails gamma_tails(double x, double mean, double sd) {
  using boost::math::policies::ignore_error;
  using boost::math::policies::overflow_error;  // of a factor's reciprocal: a tail of 0
  using boost::math::policies::underflow_error;
  const double shape = mean * mean / (sd * sd);
  if (shape >= 3000 && std::abs(x - mean) <= 8 * sd) {
    return large_gamma_tails(shape, (x - mean) / mean);
  }
  const double scaled = x * mean / (sd * sd);
  const double lower = boost::math::gamma_p(
      shape, scaled,
      boost::math::policies::policy<underflow_error<ignore_error>, overflow_error<ignore_error>>{});
  return {std::clamp(lower, 0.0, 1.0), std::clamp(upper_gamma_q(shape, scaled), 0.0, 1.0)};
}

Tails skewed_tails(double x, const SkewedNull& null) {
  const double z = (x - null.moments.mean) / null.moments.sd;
  const double skewness = std::abs(null.skewness);
  if (skewness < 1e-4) {
    return {std::erfc(-z / std::numbers::sqrt2) / 2, std::erfc(z / std::numbers::sqrt2) / 2};
  }
  const double reach = 2 / skewness;  // from the law's end to its mean, in sd
  if (null.skewness > 0) return gamma_tails(std::max(0.0, reach + z), reach, 1);
  const Tails mirrored = gamma_tails(std::max(0.0, reach - z), reach, 1);
  return {mirrored.upper, mirrored.lower};
}

}  // namespace icb
