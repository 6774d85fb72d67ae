/// Structural similarity of plain and cipher image.
///
/// Source:   Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, IEEE Trans. Image Processing 13,
///           2004; windows as there, 11 x 11, Gaussian, and wholly inside the image, as in the
///           authors' program (which first halves large images; this one does not).
/// Value:    mean SSIM, -1 to 1; per channel, then the mean of the channels. n counts windows.
/// Null:     plain image given, cipher samples i.i.d. uniform: `ssim_null`. Not 0: C2 alone makes
///           about 0.01 for a smooth plain image.
/// p:        two-sided, normal. The skewness is about 7 / (side of the image) for a constant plain
///           image, 16 / side for a black one, less for all others; below 4096 windows `detail`
///           says that p is approximate. No p where the plain image is nearly black: 0.0025 of
///           ideal images would have one below 0.001.
/// Shapes:   both the same, otherwise std::invalid_argument, as without a plain image. A side below
///           11 pixels: not_applicable.
#include "metrics/ssim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/statistics.hpp"
#include "metrics/metric.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "metrics/ssim.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

// The compiler makes vectors of these loops over j. Sums are added up in the same order whatever
// their length.

// out[j] = sum over i < 11 of taps[i] rows[i][j].
void filter_down(const double* const* rows, const double* HWY_RESTRICT taps, std::size_t n,
                 double* HWY_RESTRICT out) {
  const double* from[11];
  for (std::size_t i = 0; i < 11; ++i) from[i] = rows[i];
  for (std::size_t j = 0; j < n; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 11; ++i) sum += taps[i] * from[i][j];
    out[j] = sum;
  }
}

// out[j] = sum over i < 11 of taps[i] row[j + 10 - i].
void filter_along(const double* HWY_RESTRICT row, const double* HWY_RESTRICT taps, std::size_t n,
                  double* HWY_RESTRICT out) {
  for (std::size_t j = 0; j < n; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 11; ++i) sum += taps[i] * row[j + 10 - i];
    out[j] = sum;
  }
}

double dot(const double* a, const double* b, std::size_t n) {
  double sums[8] = {};
  std::size_t j = 0;
  for (; j + 8 <= n; j += 8) {
    for (std::size_t k = 0; k < 8; ++k) sums[k] += a[j + k] * b[j + k];
  }
  for (; j < n; ++j) sums[0] += a[j] * b[j];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Sums over 15 nodes of weight l, weight l z, weight l (z^2 - 1), l the luminance term of plain[j]
// and mu.
void luminance(const double* HWY_RESTRICT plain, std::size_t n, double c1,
               const double* HWY_RESTRICT z, const double* HWY_RESTRICT mu,
               const double* HWY_RESTRICT weight, double* HWY_RESTRICT l0, double* HWY_RESTRICT l1,
               double* HWY_RESTRICT l2) {
  for (std::size_t j = 0; j < n; ++j) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    for (std::size_t i = 0; i < 15; ++i) {
      const double l =
          weight[i] * (2 * plain[j] * mu[i] + c1) / (plain[j] * plain[j] + mu[i] * mu[i] + c1);
      sum0 += l;
      sum1 += l * z[i];
      sum2 += l * (z[i] * z[i] - 1);
    }
    l0[j] = sum0;
    l1[j] = sum1;
    l2[j] = sum2;
  }
}

// E H, E H^2, E H^3 with H = 1 / (d + q - E q): series of 10 terms in 1/d.
void inverse_powers(const double* HWY_RESTRICT d, std::size_t n, const double* HWY_RESTRICT moments,
                    double* HWY_RESTRICT h1, double* HWY_RESTRICT h2, double* HWY_RESTRICT h3) {
  for (std::size_t j = 0; j < n; ++j) {
    const double inverse = 1 / d[j];
    double power = inverse;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    for (std::size_t k = 0; k < 10; ++k) {
      const double term = moments[k] * power;
      sum1 += term;
      sum2 += static_cast<double>(k + 1) * term;
      sum3 += static_cast<double>((k + 1) * (k + 2)) / 2 * term;
      power *= -inverse;
    }
    h1[j] = sum1;
    h2[j] = sum2 * inverse;
    h3[j] = sum3 * inverse * inverse;
  }
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(filter_down);
HWY_EXPORT(filter_along);
HWY_EXPORT(dot);
HWY_EXPORT(luminance);
HWY_EXPORT(inverse_powers);

namespace {

constexpr const char* quantity = "ssim";

/// Below this expected value the sd is up to 4 per cent too small.
constexpr double nearly_black = 1e-4;

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

using Row = std::vector<double>;

Row row_of(std::size_t size) { return Row(size); }

/// Convolution of a row with the taps; as many sums as `out` has room for.
void along(const double* row, const Window& taps, Row& out) {
  HWY_DYNAMIC_DISPATCH(filter_along)(row, taps.data(), out.size(), out.data());
}

double dot(const double* a, const Row& b) {
  return HWY_DYNAMIC_DISPATCH(dot)(a, b.data(), b.size());
}

/// Sums under each window whose first row is `top`; taps symmetric.
void gather(const std::vector<double>& plane, std::size_t cols, std::size_t top, const Window& taps,
            Row& down, Row& out) {
  std::array<const double*, ssim_window> rows{};
  for (std::size_t i = 0; i < ssim_window; ++i) rows[i] = &plane[(top + i) * cols];
  HWY_DYNAMIC_DISPATCH(filter_down)(rows.data(), taps.data(), cols, down.data());
  along(down.data(), taps, out);
}

double channel_ssim(ConstImage a, ConstImage b, std::size_t channel) {
  const Shape& shape = a.shape();
  const std::size_t cols = shape.cols;
  const std::vector<double> x = plane(a, channel);
  const std::vector<double> y = plane(b, channel);
  std::vector<double> squares(x.size());
  std::vector<double> products(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares[i] = x[i] * x[i] + y[i] * y[i];
    products[i] = x[i] * y[i];
  }
  const Window weights = gaussian();
  const double peak = std::ldexp(1.0, shape.depth_bits()) - 1;
  const double c1 = 0.01 * peak * (0.01 * peak);
  const double c2 = 0.03 * peak * (0.03 * peak);
  Row down = row_of(cols);
  Row sx = row_of(cols - ssim_window + 1);
  Row sy = sx;
  Row ss = sx;
  Row sp = sx;
  double total = 0;
  for (std::size_t top = 0; top + ssim_window <= shape.rows; ++top) {
    gather(x, cols, top, weights, down, sx);
    gather(y, cols, top, weights, down, sy);
    gather(squares, cols, top, weights, down, ss);
    gather(products, cols, top, weights, down, sp);
    for (std::size_t j = 0; j < sx.size(); ++j) {
      const double mm = sx[j] * sy[j];
      const double m2 = sx[j] * sx[j] + sy[j] * sy[j];
      total += (2 * mm + c1) * (2 * (sp[j] - mm) + c2) / ((m2 + c1) * (ss[j] - m2 + c2));
    }
  }
  const std::size_t windows = (shape.rows - ssim_window + 1) * (cols - ssim_window + 1);
  return total / static_cast<double>(windows);
}

/// The last 11 rows of something there is one of per window; zero outside. Every row has 10 zeros
/// on either side.
class Rows {
 public:
  static constexpr std::size_t margin = ssim_window - 1;

  explicit Rows(std::size_t cols)
      : m_width(cols + 2 * margin), m_data(ssim_window * m_width), m_down(m_width) {}

  /// The next row, zero; the oldest is forgotten.
  double* next() {
    m_newest = (m_newest + 1) % ssim_window;
    double* const row = at(m_newest);
    std::fill(row, row + m_width, 0.0);
    return row + margin;
  }

  const double* newest() const { return &m_data[m_newest * m_width + margin]; }

  /// Sum of taps[i] times the row i rows ago, margins included; valid until the next call.
  const double* down(const Window& taps) {
    std::array<const double*, ssim_window> rows{};
    for (std::size_t i = 0; i < ssim_window; ++i) {
      rows[i] = at((m_newest + ssim_window - i) % ssim_window);
    }
    HWY_DYNAMIC_DISPATCH(filter_down)(rows.data(), taps.data(), m_width, m_down.data());
    return m_down.data();
  }

  /// What each sample of the row gets from all windows that hold it: those of the last 11 rows.
  void spread(const Window& taps, Row& out) { along(down(taps), taps, out); }

 private:
  double* at(std::size_t row) { return &m_data[row * m_width]; }

  std::size_t m_width;
  std::size_t m_newest = 0;
  std::vector<double> m_data;
  Row m_down;
};

/// Sum over pairs of windows x, y of f(x) f(y) R(x - y)^2, R(d) = sum_j w_j w_(j + d): what the
/// newest row of f adds.
class Overlap {
 public:
  explicit Overlap(const Window& w) {
    for (std::size_t d = 0; d < ssim_window; ++d) {
      for (std::size_t j = 0; j + d < ssim_window; ++j) m_left.at(d) += w.at(j) * w.at(j + d);
      m_left.at(d) *= m_left.at(d);
      m_down.at(d) = (d == 0 ? 1 : 2) * m_left.at(d);  // earlier rows stand for later ones too
    }
    for (std::size_t d = 1; d < ssim_window; ++d) m_right.at(ssim_window - 1 - d) = m_left.at(d);
  }

  double operator()(Rows& f, Row& scratch) const {
    const double* const h = f.down(m_down);
    along(h, m_left, scratch);
    double sum = dot(f.newest(), scratch);
    along(h + Rows::margin, m_right, scratch);
    sum += dot(f.newest(), scratch);
    return sum;
  }

 private:
  Window m_down{};
  Window m_left{};   // of this column and those before
  Window m_right{};  // of those after
};

/// What the noise in one window is like, whatever the plain image is.
struct Noise {
  double s2 = 0;       ///< variance of a sample
  double spread = 0;   ///< m4 - s2^2, the variance of e^2
  double third = 0;    ///< third cumulant of e^2
  double overlap = 0;  ///< sum of squared weights
  double mean_q = 0;   ///< mean of the window's variance q
  double var_q = 0;
  double mu_q = 0;                   ///< covariance of (mu - F/2)^2 and q
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
  out.mu_q = out.spread * p3 - 2 * m2 * m2 * p2 * p2 - k4 * p4;
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

  void operator()(const Row& plain, Row& l0, Row& l1, Row& l2) const {
    HWY_DYNAMIC_DISPATCH(luminance)
    (plain.data(), plain.size(), m_c1, m_z.data(), m_mu.data(), m_weight.data(), l0.data(),
     l1.data(), l2.data());
    for (double& each : l1) each /= m_sd;
    for (double& each : l2) each /= m_sd * m_sd;
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

  const std::vector<double> p = plane(image, channel);
  std::vector<double> pp = p;
  for (double& each : pp) each *= each;
  const std::size_t rows = shape.rows - ssim_window + 1;  // of windows
  const std::size_t cols = shape.cols - ssim_window + 1;
  Rows by_cov(cols);       // coefficient of cov
  Rows by_cov_own(cols);   // its change by the sample's own e^2, under w^2
  Rows by_one(cols);       // coefficient of mu, less what `by_cov` takes off with the mean
  Rows by_one_own(cols);   // what `by_cov_own` takes off
  Rows by_q(cols);         // of q
  Rows by_square(cols);    // of e^2 under w^2
  Rows by_products(cols);  // of e_i e_j
  Rows by_qq(cols);
  Rows wobble(cols);  // sd of the factor of cov that comes with q
  Rows level(cols);   // times the mean
  const Overlap overlapping(w);
  Row down = row_of(shape.cols);
  Row m = row_of(cols);
  Row square = m;
  Row tilt = m;
  Row l0 = m;
  Row l1 = m;
  Row l2 = m;
  Row h = m;
  Row h_2 = m;
  Row h_3 = m;
  Row scratch = m;
  Row linear = row_of(shape.cols);
  Row quadratic = linear;
  Row part = linear;
  Row factor = linear;
  double mean = 0;
  double variance_linear = 0;
  double variance_quadratic = 0;
  double products = 0;
  double curvature = 0;
  double own = 0;  // i = j is in `quadratic`
  double variance_qq = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    double* const cov = by_cov.next();
    double* const cov_own = by_cov_own.next();
    double* const one = by_one.next();
    double* const one_own = by_one_own.next();
    double* const q = by_q.next();
    double* const sq = by_square.next();
    double* const prod = by_products.next();
    double* const qq = by_qq.next();
    double* const wob = wobble.next();
    double* const lev = level.next();
    if (row < rows) {  // the windows that start here
      gather(p, shape.cols, row, w, down, m);
      gather(pp, shape.cols, row, w, down, square);
      gather(p, shape.cols, row, ww, down, tilt);
      luminance(m, l0, l1, l2);
      for (std::size_t j = 0; j < cols; ++j) {
        scratch[j] = std::max(0.0, square[j] - m[j] * m[j]) + noise.mean_q + c2;
      }
      HWY_DYNAMIC_DISPATCH(inverse_powers)
      (scratch.data(), cols, noise.moments.data(), h.data(), h_2.data(), h_3.data());
      for (std::size_t j = 0; j < cols; ++j) {
        const double t = tilt[j] - m[j] * noise.overlap;
        mean += c2 * (l0[j] * h[j] - l2[j] * h_2[j] * noise.mu_q / 2) + 2 * s2 * t * l1[j] * h[j];
        cov[j] = 2 * l0[j] * h[j];
        cov_own[j] = -2 * l0[j] * h_2[j] * noise.spread / s2;
        const double mu =
            c2 * l1[j] * h[j] + 2 * s2 * t * l2[j] * h[j] + 4 * s2 * t * l0[j] * h_2[j];
        one[j] = mu - cov[j] * m[j];
        one_own[j] = -cov_own[j] * m[j];
        q[j] = -c2 * l0[j] * h_2[j];
        prod[j] = c2 * (l2[j] * h[j] / 2 + l0[j] * h_2[j]);
        qq[j] = 2 * c2 * l0[j] * h_3[j];
        sq[j] = prod[j] + qq[j] * noise.third / (2 * noise.spread);
        wob[j] = 2 * l0[j] * std::sqrt(std::max(0.0, h_2[j] - h[j] * h[j]));
        lev[j] = wob[j] * m[j];
      }
      curvature += overlapping(by_products, scratch);
      variance_qq += overlapping(by_qq, scratch);
    }
    // This row of samples: all windows that hold them are known.
    const double* const here = &p[row * shape.cols];
    const auto add = [](Row& to, const Row& from) {
      for (std::size_t j = 0; j < to.size(); ++j) to[j] += from[j];
    };
    by_cov.spread(w, linear);
    by_cov_own.spread(ww, part);
    for (std::size_t j = 0; j < linear.size(); ++j) linear[j] = here[j] * (linear[j] + part[j]);
    by_one.spread(w, part);
    add(linear, part);
    by_one_own.spread(ww, part);
    add(linear, part);
    variance_linear += dot(linear.data(), linear);

    by_q.spread(w, quadratic);
    by_square.spread(ww, part);
    add(quadratic, part);
    variance_quadratic += dot(quadratic.data(), quadratic);

    by_products.spread(ww, part);
    own += dot(part.data(), part);

    for (std::size_t n = 0; n < modes.size(); ++n) {
      const double* const factor_down = wobble.down(modes[n]);
      const double* const level_down = level.down(modes[n]);
      for (std::size_t k = 0; n + k < modes.size(); ++k) {
        along(factor_down, modes[k], factor);
        along(level_down, modes[k], part);
        for (std::size_t j = 0; j < part.size(); ++j) part[j] = here[j] * factor[j] - part[j];
        products += dot(part.data(), part);
      }
    }
  }
  const double variance = s2 * variance_linear + noise.spread * variance_quadratic +
                          2 * s2 * s2 * (curvature - own) +
                          noise.spread * noise.spread / 2 * variance_qq + s2 * products;
  const std::size_t windows = rows * cols;
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
    const bool black =
        scope ? null.mean < nearly_black : std::ranges::any_of(nulls, [](const NullModel& each) {
          return each.mean < nearly_black;
        });
    if (black) {
      add_detail(out, "no p: the plain image is nearly black, and the sd some per cent too small");
      return out;
    }
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

#endif  // HWY_ONCE
