/// The spectral test's transform by FFTW3, in double precision.
///
/// Most lengths are split: n = R C, bit r C + c in row r and column c of a matrix. Column c is
/// transformed over r, multiplied by w_n^(c k) and gives column c of row k of a second matrix,
/// whose rows are then transformed over c; |X_(k + R q)|^2 is at q of row k. Three things make it
/// cheaper than a transform of n reals. The first matrix is never there: it is read as bits. Two
/// real columns share one complex transform, and of its R rows only 0 ... R / 2 are needed, because
/// X_(n - k) is the conjugate of X_k. The peaks of a row are counted while they are in the
/// first cache, so the second matrix is written once and read once, and no spectrum is stored.
///
/// Single precision would halve the time, but its proven bound on the error of a peak (a few units
/// at n = 10^6, where |X_k| is about 1000) leaves hundreds of peaks undecided.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/spectral_fftw.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
//
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hwy/highway.h"
#include "nist_tests/kernels.hpp"
#include "nist_tests/spectral.hpp"

#ifndef ICB_SPECTRAL_FFTW_SHARED
#define ICB_SPECTRAL_FFTW_SHARED

namespace icb::sp80022 {

/// Columns that are transformed together: four complex transforms of two columns each. Column c and
/// column c + 4 share one.
constexpr std::size_t group = 8;

/// What one group needs to go from transformed pairs of columns to rows of the second matrix.
struct Untangling {
  std::size_t transform;  ///< R
  std::size_t first;      ///< rows first ... last - 1 of the second matrix
  std::size_t last;
  const double* near_twiddles;  ///< w_n^(v k), v = 0 ... 7, complex, for row k from k = 0 on
  const double* coarse;         ///< w_n^(2^shift i), complex
  const double* fine;           ///< w_n^i, complex, i < 2^shift
  unsigned shift;
  std::uint64_t n;
  std::size_t stride;  ///< of the rows of the second matrix, in complex numbers
};

struct Below {
  std::uint64_t low;   ///< how many |x|^2 < low
  std::uint64_t high;  ///< how many |x|^2 <= high
};

/// Eight signs -1, +1 for each byte, in the order of the pairs: columns 0, 4, 1, 5, 2, 6, 3, 7.
constexpr auto signs_of_byte = [] {
  std::array<std::array<double, group>, 256> out{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t column = 0; column < group; ++column) {
      const bool one = ((byte >> (7 - column)) & 1U) != 0;
      out[byte][column < 4 ? 2 * column : 2 * column - 7] = one ? 1.0 : -1.0;
    }
  }
  return out;
}();

}  // namespace icb::sp80022
#endif

HWY_BEFORE_NAMESPACE();

namespace icb::sp80022::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Complex numbers in memory order, real part first: as many as a vector holds, at most four.
#if HWY_TARGET == HWY_SCALAR

struct Vector {
  double re;
  double im;
};

constexpr std::size_t lanes() { return 2; }

HWY_INLINE Vector load(const double* from) { return {from[0], from[1]}; }

HWY_INLINE void store(Vector v, double* to) {
  to[0] = v.re;
  to[1] = v.im;
}

HWY_INLINE Vector add(Vector a, Vector b) { return {a.re + b.re, a.im + b.im}; }

HWY_INLINE Vector subtract(Vector a, Vector b) { return {a.re - b.re, a.im - b.im}; }

HWY_INLINE Vector conjugate(Vector a) { return {a.re, -a.im}; }

HWY_INLINE Vector times_minus_i(Vector a) { return {a.im, -a.re}; }

// v times root times (re + i im).
HWY_INLINE Vector times(Vector v, Vector root, double re, double im) {
  const double c = root.re * re - root.im * im;
  const double d = root.re * im + root.im * re;
  return {v.re * c - v.im * d, v.re * d + v.im * c};
}

HWY_INLINE Below count_below(Vector v, double low, double high) {
  const double square = v.re * v.re + v.im * v.im;
  return {square < low ? 1U : 0U, square <= high ? 1U : 0U};
}

#else

using Doubles = hn::CappedTag<double, group>;
using Vector = hn::Vec<Doubles>;

HWY_INLINE std::size_t lanes() { return hn::Lanes(Doubles()); }

HWY_INLINE Vector load(const double* from) { return hn::LoadU(Doubles(), from); }

HWY_INLINE void store(Vector v, double* to) { hn::StoreU(v, Doubles(), to); }

HWY_INLINE Vector add(Vector a, Vector b) { return hn::Add(a, b); }

HWY_INLINE Vector subtract(Vector a, Vector b) { return hn::Sub(a, b); }

HWY_INLINE Vector conjugate(Vector a) {
  const Doubles d;
  return hn::Xor(a, hn::OddEven(hn::Set(d, -0.0), hn::Zero(d)));
}

HWY_INLINE Vector times_minus_i(Vector a) { return conjugate(hn::Reverse2(Doubles(), a)); }

HWY_INLINE Vector times_i(Vector a) { return hn::Reverse2(Doubles(), conjugate(a)); }

// v times root times (re + i im). Rounding differs between instruction sets with and without a
// fused multiply-add, within the bound of the error; no count can tell.
HWY_INLINE Vector times(Vector v, Vector root, double re, double im) {
  const Doubles d;
  const Vector root_re = hn::DupEven(root);
  const Vector root_im = hn::DupOdd(root);
  const Vector re_v = hn::Set(d, re);
  const Vector im_v = hn::Set(d, im);
  const Vector c = hn::NegMulAdd(root_im, im_v, hn::Mul(root_re, re_v));  // real, in both lanes
  const Vector e = hn::MulAdd(root_re, im_v, hn::Mul(root_im, re_v));     // imaginary
  return hn::MulAdd(times_i(v), e, hn::Mul(v, c));
}

HWY_INLINE Below count_below(Vector v, double low, double high) {
  const Doubles d;
  const Vector square = hn::Mul(v, v);
  const Vector magnitude = hn::Add(square, hn::Reverse2(d, square));  // in both lanes
  return {hn::CountTrue(d, hn::Lt(magnitude, hn::Set(d, low))) / 2,
          hn::CountTrue(d, hn::Le(magnitude, hn::Set(d, high))) / 2};
}

#endif

// `out`: rows * 8 doubles, the group of columns from `first` on as pairs.
void fill_group(BitView bits, std::size_t rows, std::size_t columns, std::size_t first,
                double* HWY_RESTRICT out) {
  const auto count = static_cast<unsigned>(columns - first < group ? columns - first : group);
  std::uint64_t at = first;
  for (std::size_t row = 0; row < rows; ++row, at += columns, out += group) {
    const auto& signs = signs_of_byte[bits_at(bits, at, count) >> 56];
    for (std::size_t i = 0; i < group; i += lanes()) store(load(signs.data() + i), out + i);
  }
}

// `in`: R transformed pairs of the group; `rows`: the group's first place in row `first`.
void untangle_group(const Untangling& u, std::uint64_t first_column, const double* HWY_RESTRICT in,
                    double* HWY_RESTRICT rows) {
  const std::uint64_t mask = (std::uint64_t{1} << u.shift) - 1;
  std::uint64_t turn = (first_column * u.first) % u.n;  // of w_n^(first_column k)
  for (std::size_t k = u.first; k < u.last; ++k) {
    const double* a = u.coarse + 2 * (turn >> u.shift);
    const double* b = u.fine + 2 * (turn & mask);
    const double re = a[0] * b[0] - a[1] * b[1];
    const double im = a[0] * b[1] + a[1] * b[0];
    turn += first_column;
    if (turn >= u.n) turn -= u.n;
    const double* here = in + group * k;
    const double* mirror = in + group * (k == 0 ? 0 : u.transform - k);
    const double* twiddles = u.near_twiddles + 2 * group * k;
    double* out = rows + 2 * u.stride * (k - u.first);
    for (std::size_t i = 0; i < group; i += lanes()) {
      const Vector z = load(here + i);
      const Vector other = conjugate(load(mirror + i));
      const Vector first = add(z, other);                       // 2 X of columns 0 ... 3
      const Vector second = times_minus_i(subtract(z, other));  // 2 X of columns 4 ... 7
      store(times(first, load(twiddles + i), re, im), out + i);
      store(times(second, load(twiddles + group + i), re, im), out + group + i);
    }
  }
}

// Of `count` complex numbers, a multiple of four.
Below count_row_below(const double* HWY_RESTRICT x, std::size_t count, double low, double high) {
  Below out{0, 0};
  for (std::size_t i = 0; i < 2 * count; i += lanes()) {
    const Below here = count_below(load(x + i), low, high);
    out.low += here.low;
    out.high += here.high;
  }
  return out;
}

}  // namespace
}  // namespace icb::sp80022::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <fftw3.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <stdexcept>

namespace icb {
namespace sp80022 {
namespace {

HWY_EXPORT(fill_group);
HWY_EXPORT(untangle_group);
HWY_EXPORT(count_row_below);

// Bound of the error of a computed X_k. It is a sum of n terms -1, +1 along paths through the
// transform. A level of radix 2 multiplies a path by a root (sqrt 5 units of rounding, and one for
// the root) and adds (one unit): below 5 units, and FFTW's other codelets, up to 16, have fewer
// roundings for the same levels. 4 epsilon = 8 units for each of log2 n levels, and five levels
// more for untangling and twiddles. At n = 10^6 one sequence in 10^5 has a peak that near to the
// threshold.
constexpr double two_step_units = 8;

// In one step there may be any prime factor: sums of up to 173 terms without a codelet, and
// convolutions (Rader, Bluestein) of three transforms each. 128 units a level are more than either.
constexpr double one_step_units = 128;

double error_bound(double n, double units) {
  return units / 2 * std::numeric_limits<double>::epsilon() * n * (std::log2(n) + 5);
}

struct Band {
  double low;
  double high;
};

// Squares outside are on the side of the threshold where they are. `scale`: of X.
Band undecided(std::uint64_t n, double threshold, double scale, double units) {
  const double error = error_bound(static_cast<double>(n), units);
  const double width = error * (2 * std::sqrt(threshold) + error);
  return {(threshold - width) * scale * scale, (threshold + width) * scale * scale};
}

struct DestroyPlan {
  void operator()(fftw_plan plan) const {
    const std::scoped_lock lock(planner_mutex());
    fftw_destroy_plan(plan);
  }

  // FFTW may plan in one thread only, and execute in all. A plan may be destroyed while its owner
  // is made, by an exception.
  static std::recursive_mutex& planner_mutex() {
    static std::recursive_mutex mutex;
    return mutex;
  }
};

using Plan = std::unique_ptr<fftw_plan_s, DestroyPlan>;

// Aligned memory, at least `count` doubles, contents undefined.
class Buffer {
 public:
  double* of(std::size_t count) {
    if (m_capacity < count) {
      m_memory.reset();
      m_capacity = 0;
      const std::size_t bytes = (count * sizeof(double) + page - 1) / page * page;
      m_memory.reset(static_cast<double*>(std::aligned_alloc(page, bytes)));
      if (m_memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
      // Columns are written with a stride of a small page and more. Advice: failing costs time
      // only.
      static_cast<void>(madvise(m_memory.get(), bytes, MADV_HUGEPAGE));
#endif
      m_capacity = count;
    }
    return m_memory.get();
  }

  // Does not hold on to what one long sequence needed.
  void shrink_below(std::size_t count) {
    if (m_capacity > count) *this = Buffer();
  }

 private:
  struct Free {
    void operator()(double* memory) const { std::free(memory); }
  };

  static constexpr std::size_t page = std::size_t{2} << 20;  // a huge one; more than FFTW asks for

  std::unique_ptr<double, Free> m_memory;
  std::size_t m_capacity = 0;
};

fftw_complex* complex_at(double* memory) { return reinterpret_cast<fftw_complex*>(memory); }

constexpr std::size_t kept_doubles = std::size_t{1} << 25;     // 256 MiB
constexpr std::size_t largest_doubles = std::size_t{1} << 28;  // of the second matrix, 2 GiB

Plan checked(fftw_plan plan, std::uint64_t n) {
  if (plan == nullptr) throw std::runtime_error(fmt::format("FFTW has no plan for n = {}", n));
  return Plan(plan);
}

// --- In one step.

PeakCounts count_in_one_step(BitView bits, double threshold) {
  static std::map<std::uint64_t, Plan> plans;
  thread_local Buffer buffer;
  const std::uint64_t n = bits.size();
  double* const data = buffer.of(2 * (n / 2 + 1));
  fftw_plan plan = nullptr;
  {
    const std::scoped_lock lock(DestroyPlan::planner_mutex());
    Plan& known = plans[n];
    if (known == nullptr) {  // in place: n reals in, n / 2 + 1 complex numbers out
      known = checked(
          fftw_plan_dft_r2c_1d(static_cast<int>(n), data, complex_at(data), FFTW_ESTIMATE), n);
    }
    plan = known.get();
  }
  for (std::uint64_t i = 0; i < n; ++i) data[i] = bits[i] != 0 ? 1.0 : -1.0;
  fftw_execute_dft_r2c(plan, data, complex_at(data));
  const Band band = undecided(n, threshold, 1, one_step_units);
  PeakCounts counts;
  for (std::uint64_t k = 0; k < n / 2; ++k) {
    const double square = data[2 * k] * data[2 * k] + data[2 * k + 1] * data[2 * k + 1];
    if (square < band.low) {
      ++counts.below;
    } else if (square <= band.high) {
      counts.near.push_back(k);
    }
  }
  buffer.shrink_below(kept_doubles);
  return counts;
}

// --- In two.

// w_n^exponent, n and exponent below 2^63, to the last digit of a double.
void put_root(std::uint64_t exponent, std::uint64_t n, std::vector<double>& out) {
  const long double angle = -2 * std::numbers::pi_v<long double> *
                            static_cast<long double>(exponent % n) / static_cast<long double>(n);
  out.push_back(static_cast<double>(std::cos(angle)));
  out.push_back(static_cast<double>(std::sin(angle)));
}

// All that depends on n alone.
class TwoSteps {
 public:
  TwoSteps(std::uint64_t n, TransformSplit split) : m_n(n), m_split(split) {
    const auto rows = static_cast<int>(split.rows);
    const auto columns = static_cast<int>(split.columns);
    Buffer in;
    Buffer out;
    fftw_complex* a = complex_at(in.of(std::max(group * split.rows, 2 * stride())));
    fftw_complex* b = complex_at(out.of(std::max(group * split.rows, 2 * stride())));
    m_columns = checked(fftw_plan_many_dft(1, &rows, 4, a, nullptr, 4, 1, b, nullptr, 4, 1,
                                           FFTW_FORWARD, FFTW_ESTIMATE),
                        n);
    m_rows = checked(fftw_plan_dft_1d(columns, a, b, FFTW_FORWARD, FFTW_ESTIMATE), n);
    while ((std::uint64_t{1} << (2 * m_shift)) < n) ++m_shift;
    for (std::uint64_t k = 0; k <= split.rows / 2; ++k) {
      for (std::uint64_t v = 0; v < group; ++v) put_root(v * k, n, m_near);
    }
    for (std::uint64_t i = 0; i <= n >> m_shift; ++i) put_root(i << m_shift, n, m_coarse);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << m_shift; ++i) put_root(i, n, m_fine);
  }

  PeakCounts count(BitView bits, double threshold) const {
    thread_local Buffer pairs;
    thread_local Buffer transformed;
    thread_local Buffer matrix;
    PeakCounts counts;
    const std::size_t rows = m_split.rows / 2 + 1;
    const std::size_t at_once = std::clamp<std::size_t>(largest_doubles / (2 * stride()), 1, rows);
    double* const in = pairs.of(std::max(group * m_split.rows, 2 * stride()));
    double* const out = transformed.of(std::max(group * m_split.rows, 2 * stride()));
    double* const second = matrix.of(at_once * 2 * stride());
    for (std::size_t first = 0; first < rows; first += at_once) {
      const std::size_t last = std::min(rows, first + at_once);
      const Untangling untangling{.transform = m_split.rows,
                                  .first = first,
                                  .last = last,
                                  .near_twiddles = m_near.data(),
                                  .coarse = m_coarse.data(),
                                  .fine = m_fine.data(),
                                  .shift = m_shift,
                                  .n = m_n,
                                  .stride = stride()};
      for (std::size_t column = 0; column < m_split.columns; column += group) {
        HWY_DYNAMIC_DISPATCH(fill_group)(bits, m_split.rows, m_split.columns, column, in);
        fftw_execute_dft(m_columns.get(), complex_at(in), complex_at(out));
        HWY_DYNAMIC_DISPATCH(untangle_group)(untangling, column, out, second + 2 * column);
      }
      for (std::size_t row = first; row < last; ++row) {
        // FFTW reads with a stride; a copy in order meets the memory at its best.
        std::copy_n(second + (row - first) * 2 * stride(), 2 * stride(), in);
        fftw_execute_dft(m_rows.get(), complex_at(in), complex_at(out));
        count_row(row, out, undecided(m_n, threshold, 2, two_step_units), counts);
      }
    }
    for (Buffer* buffer : {&pairs, &transformed, &matrix}) buffer->shrink_below(kept_doubles);
    return counts;
  }

 private:
  // Room for whole groups; an even number of complex numbers keeps FFTW's alignment.
  std::size_t stride() const { return (m_split.columns + group - 1) / group * group; }

  // Peak at q of row k, or nothing where X_(k + R q) is the conjugate of a peak counted elsewhere.
  void count_row(std::uint64_t row, const double* x, Band band, PeakCounts& counts) const {
    const std::uint64_t peaks = m_n / 2;
    // A row that is its own mirror image has every peak twice, and for even n the middle of the
    // spectrum, which is no peak. All others have each of their peaks once; for odd n one has the
    // middle, but then the columns are odd too, and are looked at one by one.
    const bool mirrors_itself = row == 0 || 2 * row == m_split.rows;
    const bool counted = !mirrors_itself && m_split.columns % 4 == 0;
    if (counted) {
      const auto below =
          HWY_DYNAMIC_DISPATCH(count_row_below)(x, m_split.columns, band.low, band.high);
      counts.below += below.low;
      if (below.low == below.high) return;
    }
    for (std::uint64_t q = 0; q < m_split.columns; ++q) {
      const std::uint64_t place = row + m_split.rows * q;
      const std::uint64_t k = mirrors_itself ? place : std::min(place, m_n - place);
      const double square = x[2 * q] * x[2 * q] + x[2 * q + 1] * x[2 * q + 1];
      if (k >= peaks || square > band.high) continue;
      if (square >= band.low) {
        counts.near.push_back(k);
      } else if (!counted) {
        ++counts.below;
      }
    }
  }

  std::uint64_t m_n;
  TransformSplit m_split;
  Plan m_columns;
  Plan m_rows;
  unsigned m_shift = 0;
  std::vector<double> m_near;
  std::vector<double> m_coarse;
  std::vector<double> m_fine;
};

}  // namespace

std::optional<TransformSplit> split_of(std::uint64_t n) {
  if (n < 4096) return std::nullopt;
  std::uint64_t rest = n;
  for (const std::uint64_t p : {2U, 3U, 5U, 7U, 11U, 13U}) {
    while (rest % p == 0) rest /= p;
  }
  if (rest != 1) return std::nullopt;
  // A group of columns should fit the first cache, a row the second or at least the third.
  const std::uint64_t wanted = n <= 10'000'000 ? 256 : 1024;
  std::uint64_t best = 1;
  for (std::uint64_t rows = wanted / 4; rows <= wanted; ++rows) {
    if (n % rows == 0) best = rows;
  }
  if (best == 1) return std::nullopt;
  return TransformSplit{best, n / best};
}

PeakCounts count_peaks(BitView bits, double threshold) {
  const auto split = split_of(bits.size());
  if (!split) return count_in_one_step(bits, threshold);
  static std::map<std::uint64_t, std::shared_ptr<const TwoSteps>> known;
  std::shared_ptr<const TwoSteps> steps;
  {
    const std::scoped_lock lock(DestroyPlan::planner_mutex());
    auto& place = known[bits.size()];
    if (place == nullptr) place = std::make_shared<const TwoSteps>(bits.size(), *split);
    steps = place;
  }
  return steps->count(bits, threshold);
}

}  // namespace sp80022

std::string transform_library() { return fftw_version; }

}  // namespace icb

#endif  // HWY_ONCE
