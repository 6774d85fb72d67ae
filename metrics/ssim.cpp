/// Structural similarity of plain and cipher image.
///
/// Source:   Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, IEEE Trans. Image Processing 13,
///           2004; windows as there, 11 x 11, Gaussian, and wholly inside the image, as in the
///           authors' program (which first halves large images; this one does not).
/// Value:    mean SSIM, -1 to 1; per channel, then the mean of the channels. n counts windows.
/// Null:     plain image given, cipher samples i.i.d. uniform: `ssim_null`. Not 0: C2 alone makes
///           about 0.01 for a smooth plain image.
/// p:        two-sided, normal. The skewness is at most about 7 / (side of the image), for a
///           constant plain image; below 4096 windows `detail` says that p is approximate.
/// Shapes:   both the same, otherwise std::invalid_argument, as without a plain image. A side below
///           11 pixels: not_applicable.
#include "metrics/ssim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr const char* quantity = "ssim";

using Window = std::array<double, ssim_window>;

/// One side of the separable window.
Window gaussian() {
  Window out{};
  double sum = 0;
  for (std::size_t i = 0; i < ssim_window; ++i) {
    const double d = static_cast<double>(i) - 5;
    sum += out.at(i) = std::exp(-d * d / (2 * 1.5 * 1.5));
  }
  for (double& weight : out) weight /= sum;
  return out;
}

std::vector<double> plane(ConstImage image, std::size_t channel) {
  const Shape& shape = image.shape();
  std::vector<double> out;
  out.reserve(shape.pixels());
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      out.push_back(image.sample(row, col, channel));
    }
  }
  return out;
}

/// Weighted sums of x, y, x^2, y^2 and xy.
enum Sum : std::size_t { sum_x, sum_y, sum_xx, sum_yy, sum_xy, sums };

double channel_ssim(ConstImage a, ConstImage b, std::size_t channel) {
  const Shape& shape = a.shape();
  const std::size_t cols = shape.cols;
  const std::vector<double> x = plane(a, channel);
  const std::vector<double> y = plane(b, channel);
  const auto weights = gaussian();
  const double peak = std::ldexp(1.0, shape.depth_bits()) - 1;
  const double c1 = 0.01 * peak * (0.01 * peak);
  const double c2 = 0.03 * peak * (0.03 * peak);
  std::array<std::vector<double>, sums> columns;  // each column's sum down the window
  double total = 0;
  for (std::size_t top = 0; top + ssim_window <= shape.rows; ++top) {
    for (auto& each : columns) each.assign(cols, 0);
    for (std::size_t i = 0; i < ssim_window; ++i) {
      const double w = weights.at(i);
      const double* u = &x[(top + i) * cols];
      const double* v = &y[(top + i) * cols];
      for (std::size_t col = 0; col < cols; ++col) {
        const double wu = w * u[col];
        const double wv = w * v[col];
        columns[sum_x][col] += wu;
        columns[sum_y][col] += wv;
        columns[sum_xx][col] += wu * u[col];
        columns[sum_yy][col] += wv * v[col];
        columns[sum_xy][col] += wu * v[col];
      }
    }
    for (std::size_t left = 0; left + ssim_window <= cols; ++left) {
      std::array<double, sums> s{};
      for (std::size_t i = 0; i < ssim_window; ++i) {
        for (std::size_t k = 0; k < sums; ++k) s[k] += weights[i] * columns[k][left + i];
      }
      const double mm = s[sum_x] * s[sum_y];
      const double m2 = s[sum_x] * s[sum_x] + s[sum_y] * s[sum_y];
      const double variances = s[sum_xx] - s[sum_x] * s[sum_x] + (s[sum_yy] - s[sum_y] * s[sum_y]);
      total += (2 * mm + c1) * (2 * (s[sum_xy] - mm) + c2) / ((m2 + c1) * (variances + c2));
    }
  }
  const std::size_t windows = (shape.rows - ssim_window + 1) * (cols - ssim_window + 1);
  return total / static_cast<double>(windows);
}

/// A matrix of doubles and the separable filters of the null model.
struct Plane {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> at;
};

using Taps = std::span<const double>;

Plane make(std::size_t rows, std::size_t cols) {
  return {rows, cols, std::vector<double>(rows * cols)};
}

/// Element by element.
template <class Function>
Plane map(const Plane& a, const Plane& b, Function&& function) {
  Plane out = make(a.rows, a.cols);
  for (std::size_t i = 0; i < a.at.size(); ++i) out.at[i] = function(a.at[i], b.at[i]);
  return out;
}

double inner(const Plane& a, const Plane& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.at.size(); ++i) sum += a.at[i] * b.at[i];
  return sum;
}

/// Sums under every window wholly inside, down columns or along rows.
Plane gather_down(const Plane& from, Taps taps) {
  Plane out = make(from.rows - taps.size() + 1, from.cols);
  for (std::size_t row = 0; row < out.rows; ++row) {
    double* to = &out.at[row * out.cols];
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const double* source = &from.at[(row + i) * from.cols];
      for (std::size_t col = 0; col < out.cols; ++col) to[col] += taps[i] * source[col];
    }
  }
  return out;
}

Plane gather_along(const Plane& from, Taps taps) {
  Plane out = make(from.rows, from.cols - taps.size() + 1);
  for (std::size_t row = 0; row < out.rows; ++row) {
    double* to = &out.at[row * out.cols];
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const double* source = &from.at[row * from.cols + i];
      for (std::size_t col = 0; col < out.cols; ++col) to[col] += taps[i] * source[col];
    }
  }
  return out;
}

Plane gather(const Plane& from, Taps taps) { return gather_along(gather_down(from, taps), taps); }

/// The adjoint: what each sample gets from all windows that hold it.
Plane spread_down(const Plane& from, Taps taps) {
  Plane out = make(from.rows + taps.size() - 1, from.cols);
  for (std::size_t row = 0; row < from.rows; ++row) {
    const double* source = &from.at[row * from.cols];
    for (std::size_t i = 0; i < taps.size(); ++i) {
      double* to = &out.at[(row + i) * out.cols];
      for (std::size_t col = 0; col < from.cols; ++col) to[col] += taps[i] * source[col];
    }
  }
  return out;
}

Plane spread_along(const Plane& from, Taps taps) {
  Plane out = make(from.rows, from.cols + taps.size() - 1);
  for (std::size_t row = 0; row < from.rows; ++row) {
    const double* source = &from.at[row * from.cols];
    for (std::size_t i = 0; i < taps.size(); ++i) {
      double* to = &out.at[row * out.cols + i];
      for (std::size_t col = 0; col < from.cols; ++col) to[col] += taps[i] * source[col];
    }
  }
  return out;
}

Plane spread(const Plane& from, Taps taps) { return spread_along(spread_down(from, taps), taps); }

/// Sum over pairs of windows x, y of f(x) f(y) R(x - y)^2, R(d) = sum_j w_j w_(j + d).
double overlapping(const Plane& f, const Window& w) {
  std::array<double, 2 * ssim_window - 1> squares{};
  for (std::size_t i = 0; i < ssim_window; ++i) {
    for (std::size_t j = 0; j < ssim_window; ++j) squares.at(i + 10 - j) += w.at(i) * w.at(j);
  }
  for (double& each : squares) each *= each;
  const Plane wide = spread(f, squares);
  double sum = 0;
  for (std::size_t row = 0; row < f.rows; ++row) {
    for (std::size_t col = 0; col < f.cols; ++col) {
      sum += f.at[row * f.cols + col] * wide.at[(row + 10) * wide.cols + col + 10];
    }
  }
  return sum;
}

/// What the noise in one window is like, whatever the plain image is.
struct Noise {
  double s2 = 0;       ///< variance of a sample
  double spread = 0;   ///< m4 - s2^2, the variance of e^2
  double third = 0;    ///< third cumulant of e^2
  double overlap = 0;  ///< sum of squared weights
  double mean_q = 0;   ///< mean of the window's variance q
  double var_q = 0;
  std::array<double, 10> moments{};  ///< central moments of q
};

/// q = sum A_ij e_i e_j, A = diag(w) - w w^T. Its second and third cumulant, by those of e (k2, k4,
/// k6; odd ones are 0): 2 k2^2 tr A^2 + k4 sum A_ii^2, and 8 k2^3 tr A^3 + 12 k4 k2 sum A_ii
/// (A^2)_ii + k6 sum A_ii^3.
Noise noise_of(int depth_bits, const Window& weights) {
  const double l2 = std::ldexp(1.0, 2 * depth_bits);
  const double m2 = (l2 - 1) / 12;
  const double m4 = (l2 - 1) * (3 * l2 - 7) / 240;
  const double m6 = (l2 - 1) * (3 * l2 * l2 - 18 * l2 + 31) / 1344;
  std::array<double, 7> powers{};  // sums of w^k
  for (const double a : weights) {
    for (std::size_t k = 1; k < powers.size(); ++k)
      powers.at(k) += std::pow(a, static_cast<double>(k));
  }
  for (double& each : powers) each *= each;
  const double p2 = powers[2];
  const double p3 = powers[3];
  const double p4 = powers[4];
  const double p5 = powers[5];
  const double p6 = powers[6];
  const double k4 = m4 - 3 * m2 * m2;
  const double k6 = m6 - 15 * m4 * m2 + 30 * m2 * m2 * m2;
  const double diagonal_2 = p2 - 2 * p3 + p4;  // sum A_ii^2, A_ii = w_i - w_i^2
  const double diagonal_3 = p3 - 3 * p4 + 3 * p5 - p6;
  const double trace_2 = p2 - 2 * p3 + p2 * p2;
  const double trace_3 = p3 - 3 * p4 + 3 * p2 * p3 - p2 * p2 * p2;
  // (A^2)_ii = w_i^2 - 2 w_i^3 + w_i^2 p2.
  const double mixed = (1 + p2) * p3 - 2 * p4 - (1 + p2) * p4 + 2 * p5;
  Noise out;
  out.s2 = m2;
  out.spread = m4 - m2 * m2;
  out.third = m6 - 3 * m4 * m2 + 2 * m2 * m2 * m2;
  out.overlap = p2;
  out.mean_q = m2 * (1 - p2);
  out.var_q = 2 * m2 * m2 * trace_2 + k4 * diagonal_2;
  const double third_q = 8 * m2 * m2 * m2 * trace_3 + 12 * k4 * m2 * mixed + k6 * diagonal_3;
  // A gamma law of that variance and skewness, shifted: moment n + 1 is n (scale moment n +
  // variance moment n-1).
  const double scale = third_q / (2 * out.var_q);
  out.moments[0] = 1;
  for (std::size_t n = 1; n + 1 < out.moments.size(); ++n) {
    out.moments[n + 1] =
        static_cast<double>(n) * (scale * out.moments[n] + out.var_q * out.moments[n - 1]);
  }
  return out;
}

/// E H, E H^2, E H^3 with H = 1 / (d + q - E q): series in 1/d.
std::array<double, 3> inverse_powers(double d, const Noise& noise) {
  std::array<double, 3> out{};
  double power = 1 / d;
  for (std::size_t j = 0; j < noise.moments.size(); ++j) {
    const double term = noise.moments[j] * power;
    const double n = static_cast<double>(j);
    out[0] += term;
    out[1] += (n + 1) * term;
    out[2] += (n + 1) * (n + 2) / 2 * term;
    power /= -d;
  }
  return {out[0], out[1] / d, out[2] / (d * d)};
}

/// E L, E L', E L'' of the luminance term, mu normal.
class Luminance {
 public:
  Luminance(double mean, double sd, double c1) : m_c1(c1), m_sd(sd) {
    double sum = 0;
    for (std::size_t i = 0; i < m_z.size(); ++i) {
      m_z.at(i) = 0.75 * (static_cast<double>(i) - 7);  // the trapezoidal rule is exact to 1e-7
      m_mu.at(i) = mean + sd * m_z.at(i);
      sum += m_weight.at(i) = std::exp(-m_z.at(i) * m_z.at(i) / 2);
    }
    for (double& each : m_weight) each /= sum;
  }

  std::array<double, 3> operator()(double plain) const {
    std::array<double, 3> out{};
    for (std::size_t i = 0; i < m_z.size(); ++i) {
      const double mu = m_mu[i];
      const double l = m_weight[i] * (2 * plain * mu + m_c1) / (plain * plain + mu * mu + m_c1);
      out[0] += l;
      out[1] += l * m_z[i];
      out[2] += l * (m_z[i] * m_z[i] - 1);
    }
    return {out[0], out[1] / m_sd, out[2] / (m_sd * m_sd)};
  }

 private:
  double m_c1;
  double m_sd;
  std::array<double, 15> m_z{};
  std::array<double, 15> m_mu{};
  std::array<double, 15> m_weight{};
};

NullModel channel_null(ConstImage image, std::size_t channel) {
  const Shape& shape = image.shape();
  const Window w = gaussian();
  Window ww = w;
  for (double& each : ww) each *= each;
  const double peak = std::ldexp(1.0, shape.depth_bits()) - 1;
  const double c1 = 0.01 * peak * (0.01 * peak);
  const double c2 = 0.03 * peak * (0.03 * peak);
  const Noise noise = noise_of(shape.depth_bits(), w);
  const double s2 = noise.s2;
  const Luminance luminance(peak / 2, std::sqrt(s2 * noise.overlap), c1);

  const Plane p{shape.rows, shape.cols, plane(image, channel)};
  const Plane mean_p = gather(p, w);
  const Plane squares = gather(map(p, p, [](double a, double b) { return a * b; }), w);
  const Plane tilt = gather(p, ww);
  const std::size_t windows = mean_p.at.size();
  const auto blank = [&] { return make(mean_p.rows, mean_p.cols); };
  Plane by_cov = blank();       // coefficient of cov
  Plane by_cov_own = blank();   // its change by the sample's own e^2, under w^2
  Plane by_mu = blank();        // of mu
  Plane by_q = blank();         // of q
  Plane by_square = blank();    // of e^2 under w^2
  Plane by_products = blank();  // of e_i e_j
  Plane by_qq = blank();
  Plane wobble = blank();  // sd of the factor of cov that comes with q
  double mean = 0;
  for (std::size_t i = 0; i < windows; ++i) {
    const double m = mean_p.at[i];
    const auto [l0, l1, l2] = luminance(m);
    const double v = std::max(0.0, squares.at[i] - m * m);
    const auto [h, h_2, h_3] = inverse_powers(v + noise.mean_q + c2, noise);
    const double t = tilt.at[i] - m * noise.overlap;
    mean += c2 * l0 * h + 2 * s2 * t * l1 * h;
    by_cov.at[i] = 2 * l0 * h;
    by_cov_own.at[i] = -2 * l0 * h_2 * noise.spread / s2;
    by_mu.at[i] = c2 * l1 * h + 2 * s2 * t * l2 * h + 4 * s2 * t * l0 * h_2;
    by_q.at[i] = -c2 * l0 * h_2;
    by_products.at[i] = c2 * (l2 * h / 2 + l0 * h_2);
    by_qq.at[i] = 2 * c2 * l0 * h_3;
    by_square.at[i] = by_products.at[i] + by_qq.at[i] * noise.third / (2 * noise.spread);
    wobble.at[i] = 2 * l0 * std::sqrt(std::max(0.0, h_2 - h * h));
  }
  const auto times = [](double a, double b) { return a * b; };
  const auto add = [](Plane& to, const Plane& from) {
    for (std::size_t i = 0; i < to.at.size(); ++i) to.at[i] += from.at[i];
  };
  // Sum over windows of f(x) w (p - m_p(x)), at each sample.
  const auto centred = [&](const Plane& f, Taps taps) {
    const Plane level = spread(map(f, mean_p, times), taps);
    Plane out = map(p, spread(f, taps), times);
    for (std::size_t i = 0; i < out.at.size(); ++i) out.at[i] -= level.at[i];
    return out;
  };

  Plane linear = centred(by_cov, w);
  add(linear, centred(by_cov_own, ww));
  add(linear, spread(by_mu, w));
  double variance = s2 * inner(linear, linear);

  Plane quadratic = spread(by_q, w);
  add(quadratic, spread(by_square, ww));
  variance += noise.spread * inner(quadratic, quadratic);

  const Plane own = spread(by_products, ww);  // i = j is in `quadratic`
  variance += 2 * s2 * s2 * (overlapping(by_products, w) - inner(own, own));
  variance += noise.spread * noise.spread / 2 * overlapping(by_qq, w);

  // exp(-(a - b)^2 / 9) = sum_n g_n(a) g_n(b), g_n(a) = exp(-a^2 / 9) a^n sqrt((2/9)^n / n!), in
  // rows and in columns.
  std::array<Window, 4> modes{};
  for (std::size_t n = 0; n < modes.size(); ++n) {
    for (std::size_t i = 0; i < ssim_window; ++i) {
      const double a = static_cast<double>(i) - 5;
      modes[n][i] = w[i] * std::exp(-a * a / 9) *
                    std::sqrt(std::pow(2.0 / 9, static_cast<double>(n)) /
                              std::tgamma(static_cast<double>(n) + 1)) *
                    std::pow(a, static_cast<double>(n));
    }
  }
  const Plane level = map(wobble, mean_p, times);
  double products = 0;
  for (std::size_t n = 0; n < modes.size(); ++n) {
    const Plane factor_down = spread_down(wobble, modes[n]);
    const Plane level_down = spread_down(level, modes[n]);
    for (std::size_t k = 0; n + k < modes.size(); ++k) {
      const Plane factor = spread_along(factor_down, modes[k]);
      const Plane part = spread_along(level_down, modes[k]);
      for (std::size_t i = 0; i < p.at.size(); ++i) {
        const double c = p.at[i] * factor.at[i] - part.at[i];
        products += c * c;
      }
    }
  }
  variance += s2 * products;
  const double n = static_cast<double>(windows);
  return {mean / n, std::sqrt(variance) / n};
}

NullModel pooled(const std::vector<NullModel>& channels) {
  NullModel out;
  double variance = 0;
  for (const NullModel& each : channels) {
    out.mean += each.mean;
    variance += each.sd * each.sd;
  }
  const double n = static_cast<double>(channels.size());
  return {out.mean / n, std::sqrt(variance) / n};
}

bool too_small(const Shape& shape) { return shape.rows < ssim_window || shape.cols < ssim_window; }

void check(const Shape& shape, std::optional<std::size_t> channel) {
  if (channel && *channel >= shape.channels) {
    throw std::invalid_argument(
        fmt::format("ssim: channel must be below {}, got {}", shape.channels, *channel));
  }
  if (too_small(shape)) {
    throw std::invalid_argument(
        fmt::format("ssim: expected at least 11 x 11 pixels, got {}", to_string(shape)));
  }
}

std::vector<Measurement> compute(const MetricInput& input) {
  const CountedImage& plain = plain_of(input, quantity);
  const Shape& shape = input.image.shape();
  std::vector<NullModel> nulls;
  double sum = 0;
  return each_scope(shape, [&](auto scope, const std::string& channel) {
    if (too_small(shape)) {
      return no_finding(quantity, channel, "1", 0,
                        fmt::format("no window of 11 x 11 pixels in {}", to_string(shape)));
    }
    std::uint64_t windows = (shape.rows - ssim_window + 1) * (shape.cols - ssim_window + 1);
    double value = 0;
    NullModel null;
    if (scope) {
      value = channel_ssim(plain, input.image, *scope);
      null = channel_null(plain, *scope);
      sum += value;
      nulls.push_back(null);
    } else {
      value = sum / static_cast<double>(shape.channels);
      null = pooled(nulls);
      windows *= shape.channels;
    }
    Measurement out = finding(quantity, channel, "1", windows, value, null);
    if (out.z) out.p_value = two_sided_normal_p(*out.z).value();
    if (windows < 4096) {
      add_detail(out, fmt::format("normal p is approximate: {} windows", windows));
    }
    return out;
  });
}

const RegisterMetric entry{
    {.name = quantity,
     .unit = "1",
     .formula =
         "mean of (2 m_p m_c + C1)(2 s_pc + C2) / ((m_p^2 + m_c^2 + C1)(s_p^2 + s_c^2 + C2))",
     .expected = "mean of C2 E L E H over the windows and a term of the window's skew",
     .sd = "from the covariances of overlapping windows of this plain image",
     .source = "Wang et al. 2004, Eq. 13-17; null model derived, see metrics/ssim.hpp",
     .needs = Needs::plain,
     .compute = compute}};

}  // namespace

double ssim(ConstImage a, ConstImage b, std::optional<std::size_t> channel) {
  if (b.shape() != a.shape()) {
    throw std::invalid_argument(fmt::format("ssim: expected two images of {}, got one of {}",
                                            to_string(a.shape()), to_string(b.shape())));
  }
  check(a.shape(), channel);
  if (channel) return channel_ssim(a, b, *channel);
  double sum = 0;
  for (std::size_t c = 0; c < a.shape().channels; ++c) sum += channel_ssim(a, b, c);
  return sum / static_cast<double>(a.shape().channels);
}

NullModel ssim_null(ConstImage plain, std::optional<std::size_t> channel) {
  check(plain.shape(), channel);
  if (channel) return channel_null(plain, *channel);
  std::vector<NullModel> nulls;
  for (std::size_t c = 0; c < plain.shape().channels; ++c) nulls.push_back(channel_null(plain, c));
  return pooled(nulls);
}

}  // namespace icb
