/// Real-valued maps of the paper: orbits, Lyapunov exponents. Double precision on purpose: this is
/// what the paper's formulas give; no cipher uses it (docs/cipher.md has the integer maps).
#pragma once

#include <optional>
#include <vector>

namespace icb::dynamics {

/// Orbit of x' = r x (1 - x), `steps` values, the first being x1 (Eq. 1).
std::vector<double> logistic_orbit(double r, double x1, std::size_t steps);

/// Mean of ln |r (1 - 2 x)| over `steps` steps after `transient` steps; minus infinity is cut at
/// -20.
double logistic_lyapunov(double r, double x1, std::size_t transient, std::size_t steps);

struct Point {
  double x;
  double y;
};

/// Orbit of x' = 1 - a x^2 + y, y' = b x (Eq. 2, 3), the first point being `start`; ends early once
/// |x| > limit.
std::vector<Point> henon_orbit(double a, double b, Point start, std::size_t steps, double limit);

/// Largest Lyapunov exponent by a tangent vector renormalised every 8 steps; absent if the orbit
/// leaves |x| <= 1e6.
std::optional<double> henon_lyapunov(double a, double b, Point start, std::size_t transient,
                                     std::size_t steps);

}  // namespace icb::dynamics
