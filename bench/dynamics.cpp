#include "bench/dynamics.hpp"

#include <algorithm>
#include <cmath>

namespace icb::dynamics {
namespace {

Point henon(double a, double b, Point p) { return {1 - a * p.x * p.x + p.y, b * p.x}; }

}  // namespace

std::vector<double> logistic_orbit(double r, double x1, std::size_t steps) {
  std::vector<double> out;
  out.reserve(steps);
  double x = x1;
  for (std::size_t n = 0; n < steps; ++n) {
    out.push_back(x);
    x = r * x * (1 - x);
  }
  return out;
}

double logistic_lyapunov(double r, double x1, std::size_t transient, std::size_t steps) {
  double x = x1;
  for (std::size_t n = 0; n < transient; ++n) x = r * x * (1 - x);
  double sum = 0;
  for (std::size_t n = 0; n < steps; ++n) {
    sum += std::max(-20.0, std::log(std::abs(r * (1 - 2 * x))));
    x = r * x * (1 - x);
  }
  return sum / static_cast<double>(steps);
}

std::vector<Point> henon_orbit(double a, double b, Point start, std::size_t steps, double limit) {
  std::vector<Point> out;
  Point p = start;
  for (std::size_t n = 0; n < steps; ++n) {
    out.push_back(p);
    if (std::abs(p.x) > limit) break;
    p = henon(a, b, p);
  }
  return out;
}

std::optional<double> henon_lyapunov(double a, double b, Point start, std::size_t transient,
                                     std::size_t steps) {
  Point p = start;
  for (std::size_t n = 0; n < transient; ++n) {
    if (!(std::abs(p.x) <= 1e6)) return std::nullopt;
    p = henon(a, b, p);
  }
  constexpr std::size_t between =
      8;  // steps between normalisations: growth stays far below overflow
  Point tangent{1, 0};
  double sum = 0;
  for (std::size_t n = 1; n <= steps; ++n) {
    if (!(std::abs(p.x) <= 1e6)) return std::nullopt;
    tangent = {-2 * a * p.x * tangent.x + tangent.y, b * tangent.x};
    p = henon(a, b, p);
    if (n % between == 0 || n == steps) {
      const double length = std::hypot(tangent.x, tangent.y);
      tangent = {tangent.x / length, tangent.y / length};
      sum += std::log(length);
    }
  }
  return sum / static_cast<double>(steps);
}

}  // namespace icb::dynamics
