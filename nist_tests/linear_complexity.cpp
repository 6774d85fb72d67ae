/// Linear complexity test, SP 800-22 rev. 1a, section 2.10.
///
/// Statistic:  chi-square, in seven classes of T, of the linear complexities L of floor(n / M)
///             blocks, T = (-1)^M (L - mu) + 2/9; p = igamc(3, chi-square / 2).
/// Conditions: n >= 10^6, 500 <= M <= 5000 and N >= 200 are recommended (2.10.7): flags. No block:
///             not applicable.
/// Departures: T is classed in integers. With mu of 2.10.4 step 3, T is L - M/2 (M even) or
///             (M + 1)/2 - L (M odd) give or take (M/3 + 2/9) / 2^M < 0.3, so it never crosses a
///             class edge, which are at halves. NIST's program has the sign of (-1)^(M+1)
///             inverted in mu
///             (250.2778 for 250.2222 at M = 500): a shift of T by 1/18, harmless for the same
///             reason. Constants::exact has 1/96 and 1/48 for the outer classes. The standard and
///             NIST's program print 0.01047 for 1/96 = 0.0104167, so that their seven sum to
///             1.000053; p moves by up to 4 per cent. Constants::nist has 0.01047 and 0.020833. The
///             probabilities are those of long blocks; at M = 500 they equal the exact ones to all
///             digits of a double.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <optional>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

// Arrays of vectors are used, which scalable vectors cannot be in.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nist_tests/linear_complexity.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

// Berlekamp-Massey without the polynomials. Only the length L is wanted, so of the connection
// polynomials C and B nothing is kept but what they make of the sequence S: c, the coefficients of
// C S from the step N on, and b, those of B S from its first one on. Then c[0] is the discrepancy
// d, b[0] is 1, and a step is
//
//   c'[t] = c[t + 1] + d b[t + 1],   b' = c if d = 1 and 2 L <= N, else b,
//
// with c = S and b = 1 + x S at the start: Massey's B = 1 before the first step, with a 1 in front
// of S that every C of degree <= L leaves alone. The work does not depend on the data. Several
// steps depend on as many leading coefficients alone, so they are decided first and then applied
// to the rest together. D = N - 2 L goes to D + 1, and where the length changes to -(D + 1).
HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<std::uint64_t>;
using Vec = hn::Vec<Tag>;

constexpr std::size_t max_lanes = HWY_MAX_BYTES / 8;

// Vector i of an array.
HWY_INLINE Vec load(const std::uint64_t* from, std::size_t i) {
  return hn::Load(Tag(), from + (i * hn::Lanes(Tag())));
}

HWY_INLINE void store(Vec v, std::uint64_t* to, std::size_t i) {
  hn::Store(v, Tag(), to + (i * hn::Lanes(Tag())));
}

// One of six rounds: swaps the two off-diagonal squares of side kSide in all squares twice as wide.
template <int kSide>
HWY_INLINE void swap_squares(std::uint64_t* rows, std::uint64_t low_columns) {
  const Vec mask = hn::Set(Tag(), low_columns);
  for (std::size_t i = 0; i < 64; i += 2 * kSide) {
    for (std::size_t j = i; j < i + kSide; ++j) {
      const Vec upper = load(rows, j);
      const Vec lower = load(rows, j + kSide);
      const Vec changed = hn::And(hn::Xor(hn::ShiftRight<kSide>(upper), lower), mask);
      store(hn::Xor(upper, hn::ShiftLeft<kSide>(changed)), rows, j);
      store(hn::Xor(lower, changed), rows, j + kSide);
    }
  }
}

// Of 64 vectors: in every lane bit j of word i becomes bit i of word j.
void transpose(std::uint64_t* rows) {
  swap_squares<32>(rows, 0x00000000FFFFFFFF);
  swap_squares<16>(rows, 0x0000FFFF0000FFFF);
  swap_squares<8>(rows, 0x00FF00FF00FF00FF);
  swap_squares<4>(rows, 0x0F0F0F0F0F0F0F0F);
  swap_squares<2>(rows, 0x3333333333333333);
  swap_squares<1>(rows, 0x5555555555555555);
}

// A group of blocks in lock step. Block i of the group is bit i % 64 of lane i / 64.
class Group {
 public:
  explicit Group(std::uint64_t block)
      : m_block(block),
        m_digits(static_cast<std::size_t>(std::bit_width(block)) + 1),
        m_c(hwy::AllocateAligned<std::uint64_t>(block * hn::Lanes(Tag()))),
        m_b(hwy::AllocateAligned<std::uint64_t>(block * hn::Lanes(Tag()))),
        m_difference(hwy::AllocateAligned<std::uint64_t>(64 * hn::Lanes(Tag()))) {
    if (!m_c || !m_b || !m_difference) throw std::bad_alloc();
  }

  static std::size_t size() { return 64 * hn::Lanes(Tag()); }

  // Contract: out.size() <= size().
  void run(BitView bits, std::uint64_t first, std::span<std::uint64_t> out) {
    fetch(bits, first, out.size());
    for (std::size_t i = 0; i < m_digits; ++i) store(hn::Zero(Tag()), m_difference.get(), i);
    std::uint64_t length = m_block;
    for (; length >= steps_at_once; length -= steps_at_once) advance<steps_at_once>(length);
    for (; length > 0; --length) advance<1>(length);
    // The difference of each block, out of its digits.
    const Vec sign = load(m_difference.get(), m_digits - 1);
    for (std::size_t i = m_digits; i < 64; ++i) store(sign, m_difference.get(), i);
    transpose(m_difference.get());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = (m_block - m_difference.get()[(i % 64 * hn::Lanes(Tag())) + (i / 64)]) / 2;
    }
  }

 private:
  // Three registers each; with fewer than 32 registers some are read from memory.
  static constexpr std::size_t steps_at_once = 8;

  // The sequences, bit t of all blocks as vector t.
  void fetch(BitView bits, std::uint64_t first, std::size_t blocks) {
    const std::size_t lanes = hn::Lanes(Tag());
    HWY_ALIGN std::uint64_t rows[64 * max_lanes] = {};
    store(hn::Set(Tag(), ~std::uint64_t{0}), m_b.get(), 0);
    for (std::uint64_t done = 0; done < m_block; done += 64) {
      const auto length = static_cast<unsigned>(std::min<std::uint64_t>(64, m_block - done));
      for (std::size_t i = 0; i < blocks; ++i) {
        rows[(i % 64 * lanes) + (i / 64)] =
            sp80022::bits_at(bits, first + (i * m_block) + done, length);
      }
      for (std::size_t i = blocks; i < size(); ++i) rows[(i % 64 * lanes) + (i / 64)] = 0;
      transpose(rows);
      for (std::size_t t = 0; t < length; ++t) {
        const Vec v = load(rows, 63 - t);  // the first bit is the most significant
        store(v, m_c.get(), done + t);
        if (done + t + 1 < m_block) store(v, m_b.get(), done + t + 1);
      }
    }
  }

  // Where the length changes at a step with this discrepancy. Takes D to the next step.
  HWY_INLINE Vec lengthen(Vec discrepancy) {
    std::uint64_t* const difference = m_difference.get();
    const std::size_t digits = m_digits;  // the stores below could change the member
    const Vec negative = load(difference, digits - 1);
    const Vec longer = hn::AndNot(negative, discrepancy);
    Vec carry = hn::Not(longer);
    for (std::size_t i = 0; i < digits; ++i) {
      const Vec digit = load(difference, i);
      store(hn::Xor(digit, hn::Or(carry, longer)), difference, i);
      carry = hn::And(carry, digit);
    }
    return longer;
  }

  // kSteps steps; `length` coefficients are left before, kSteps fewer after. The steps are stages
  // of a pipeline: at time t the stage k takes the coefficients t - k.
  template <std::size_t kSteps>
  void advance(std::uint64_t length) {
    std::uint64_t* c = m_c.get();
    std::uint64_t* b = m_b.get();
    Vec discrepancy[kSteps];
    Vec longer[kSteps];
    Vec delayed[kSteps];  // b of the next stage, at the next time
    HWY_UNROLL(8)
    for (std::size_t t = 0; t < kSteps; ++t) {
      Vec x = load(c, t);
      Vec y = load(b, t);
      HWY_UNROLL(8)
      for (std::size_t k = 0; k < t; ++k) {
        x = hn::Xor(x, hn::And(discrepancy[k], y));
        const Vec next = hn::Xor(y, hn::And(longer[k], x));  // x was c + b where longer
        y = delayed[k];
        delayed[k] = next;
      }
      discrepancy[t] = x;
      longer[t] = lengthen(x);
      delayed[t] = load(b, 0);  // ones
    }
    const Vec ones = load(b, 0);
    for (std::uint64_t t = kSteps; t < length; ++t) {
      Vec x = load(c, t);
      Vec y = load(b, t);
      HWY_UNROLL(8)
      for (std::size_t k = 0; k < kSteps; ++k) {
        x = hn::Xor(x, hn::And(discrepancy[k], y));
        const Vec next = hn::Xor(y, hn::And(longer[k], x));
        y = delayed[k];
        delayed[k] = next;
      }
      store(x, c, t - kSteps);
      store(y, b, t - kSteps);
    }
    store(ones, b, 0);
  }

  std::uint64_t m_block;
  std::size_t m_digits;
  hwy::AlignedFreeUniquePtr<std::uint64_t[]> m_c;
  hwy::AlignedFreeUniquePtr<std::uint64_t[]> m_b;
  hwy::AlignedFreeUniquePtr<std::uint64_t[]> m_difference;
};

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_EMU128

// Measured: whether the blocks are done sooner as a group than one by one.
bool are_a_group(std::uint64_t blocks, std::uint64_t /*block*/) { return blocks >= 20; }

// No carry-less product: Massey's polynomials, shifted by one bit per step.
std::uint64_t one_complexity(BitView bits, std::uint64_t first, std::uint64_t count) {
  const std::size_t words = (count / 64) + 1;
  // Polynomials: bit i of word i / 64, counted from the least significant, is the coefficient of
  // x^i.
  std::vector<std::uint64_t> connection(words);  // C
  std::vector<std::uint64_t> earlier(words);     // B x^(N - m): C before the last change of length
  std::vector<std::uint64_t> window(words);      // coefficient i is bit N - i of the sequence
  std::vector<std::uint64_t> saved(words);
  connection[0] = earlier[0] = 1;
  std::uint64_t length = 0;  // L
  for (std::uint64_t step = 0; step < count; ++step) {
    const std::size_t used = ((step + 1) / 64) + 1;  // no polynomial has a degree above step + 1
    std::uint64_t window_carry = bits[first + step];
    std::uint64_t earlier_carry = 0;
    std::uint64_t products = 0;
    for (std::size_t i = 0; i < used; ++i) {
      const std::uint64_t w = window[i];
      const std::uint64_t e = earlier[i];
      window[i] = (w << 1) | window_carry;
      earlier[i] = (e << 1) | earlier_carry;
      window_carry = w >> 63;
      earlier_carry = e >> 63;
      products ^= connection[i] & window[i];
    }
    if (std::popcount(products) % 2 == 0) continue;  // discrepancy 0
    const bool longer = 2 * length <= step;
    if (longer) std::copy_n(connection.begin(), used, saved.begin());
    for (std::size_t i = 0; i < used; ++i) connection[i] ^= earlier[i];
    if (longer) {
      length = step + 1 - length;
      earlier.swap(saved);
    }
  }
  return length;
}

#else

// Measured: whether the blocks are done sooner as a group than one by one. A group takes a time
// like M^2, a block one like M (5500 + M), apart from what is the same for each M.
bool are_a_group(std::uint64_t blocks, std::uint64_t block) {
  return blocks >= 32 && blocks * (5500 + block) >= 700 * block;
}

std::uint64_t reversed(std::uint64_t word) {
  word = ((word >> 1) & 0x5555555555555555) | ((word & 0x5555555555555555) << 1);
  word = ((word >> 2) & 0x3333333333333333) | ((word & 0x3333333333333333) << 2);
  word = ((word >> 4) & 0x0F0F0F0F0F0F0F0F) | ((word & 0x0F0F0F0F0F0F0F0F) << 4);
  word = ((word >> 8) & 0x00FF00FF00FF00FF) | ((word & 0x00FF00FF00FF00FF) << 8);
  word = ((word >> 16) & 0x0000FFFF0000FFFF) | ((word & 0x0000FFFF0000FFFF) << 16);
  return (word >> 32) | (word << 32);
}

// 64 steps are decided in registers, as a matrix of polynomials:
// c' = (p c + q b) / x^64, b' = (r c + s b) / x^63.
std::uint64_t one_complexity(BitView bits, std::uint64_t first, std::uint64_t count) {
  const hn::FixedTag<std::uint64_t, 2> tag;
  if (count == 0) return 0;
  std::size_t words = (count + 63) / 64;
  // Words of c and b in turn; the coefficient of x^i is bit i, counted from the least significant.
  const auto series = hwy::AllocateAligned<std::uint64_t>(2 * words);
  if (!series) throw std::bad_alloc();
  std::uint64_t before = std::uint64_t{1} << 63;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t done = 64 * i;
    const auto length = static_cast<unsigned>(std::min<std::uint64_t>(64, count - done));
    const std::uint64_t word = reversed(sp80022::bits_at(bits, first + done, length));
    series.get()[2 * i] = word;
    series.get()[(2 * i) + 1] = (word << 1) | (before >> 63);
    before = word;
  }
  std::uint64_t difference = 0;  // D, modulo 2^64
  for (std::uint64_t left = count; left > 0; --words) {
    std::uint64_t c = series.get()[0];
    std::uint64_t b = series.get()[1];
    std::uint64_t p = 1;
    std::uint64_t q = 0;
    std::uint64_t r = 0;
    std::uint64_t s = 1;
    std::uint64_t r_x = 0;  // r x, s x: one step behind
    std::uint64_t s_x = 1;
    const std::uint64_t steps = std::min<std::uint64_t>(64, left);
    for (std::uint64_t i = 0; i < steps; ++i) {
      const std::uint64_t discrepancy = 0 - (c & 1);
      const std::uint64_t longer = discrepancy & ((difference >> 63) - 1);
      const std::uint64_t sum = c ^ (discrepancy & b);
      b ^= longer & (b ^ c);
      c = sum >> 1;
      r = r_x ^ (longer & (r_x ^ p));
      s = s_x ^ (longer & (s_x ^ q));
      p ^= discrepancy & r_x;
      q ^= discrepancy & s_x;
      r_x = r << 1;
      s_x = s << 1;
      difference = (difference + 1) ^ longer;
      difference -= longer;  // negated where longer
    }
    left -= steps;
    if (left == 0) break;
    const std::uint64_t rows[] = {p, q, r, s};
    const auto p_q = hn::LoadU(tag, rows);
    const auto r_s = hn::LoadU(tag, rows + 2);
    auto carry = hn::Zero(tag);
    auto earlier = hn::Zero(tag);
    for (std::size_t i = 0; i < words; ++i) {
      const auto c_b = hn::Load(tag, series.get() + (2 * i));
      const auto new_c = hn::Xor(hn::CLMulLower(c_b, p_q), hn::CLMulUpper(c_b, p_q));
      const auto new_b = hn::Xor(hn::CLMulLower(c_b, r_s), hn::CLMulUpper(c_b, r_s));
      const auto product = hn::Xor(carry, hn::InterleaveLower(tag, new_c, new_b));
      carry = hn::InterleaveUpper(tag, new_c, new_b);
      if (i > 0) {
        const auto shifted = hn::Or(hn::ShiftRight<63>(earlier), hn::ShiftLeft<1>(product));
        hn::Store(hn::OddEven(shifted, product), tag, series.get() + (2 * (i - 1)));
      }
      earlier = product;
    }
  }
  return (count - difference) / 2;
}

#endif

void all_complexities(BitView bits, std::uint64_t first, std::uint64_t block,
                      std::span<std::uint64_t> out) {
  std::optional<Group> group;
  while (!out.empty()) {
    const auto now = out.first(std::min(Group::size(), out.size()));
    if (are_a_group(now.size(), block)) {
      if (!group) group.emplace(block);
      group->run(bits, first, now);
    } else {
      for (std::size_t i = 0; i < now.size(); ++i) {
        now[i] = one_complexity(bits, first + (i * block), block);
      }
    }
    first += now.size() * block;
    out = out.subspan(now.size());
  }
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb {

HWY_EXPORT(one_complexity);
HWY_EXPORT(all_complexities);

std::uint64_t sp80022::linear_complexity(BitView bits, std::uint64_t first, std::uint64_t count) {
  return HWY_DYNAMIC_DISPATCH(one_complexity)(bits, first, count);
}

void sp80022::linear_complexities(BitView bits, std::uint64_t first, std::uint64_t block,
                                  std::span<std::uint64_t> out) {
  HWY_DYNAMIC_DISPATCH(all_complexities)(bits, first, block, out);
}

namespace {

// T <= -2.5, (-2.5, -1.5], ..., (1.5, 2.5], > 2.5.
// Made by scripts/constants/sp80022_probabilities.py.
constexpr double exact[] = {0.010416666666666666, 0.03125, 0.125, 0.5, 0.25, 0.0625,
                            0.020833333333333332};
static_assert(sp80022::sums_to_one(exact));

constexpr double nist[] = {0.01047, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833};  // sum 1.000053

std::size_t class_of(std::uint64_t complexity, std::uint64_t block) {
  const auto l = static_cast<std::int64_t>(complexity);
  const auto m = static_cast<std::int64_t>(block);
  const std::int64_t t = m % 2 == 0 ? l - (m / 2) : ((m + 1) / 2) - l;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(t, -3, 3) + 3);
}

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  return {fmt::format("linear-complexity/M={}", parameters.linear_complexity_block)};
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const std::uint64_t n = bits.size();
  const std::uint64_t m = parameters.linear_complexity_block;
  if (m == 0)
    throw std::invalid_argument("linear complexity needs a block of 1 bit or more, got 0");
  const std::uint64_t blocks = n / m;
  std::array<std::uint64_t, 7> nu{};
  std::vector<std::uint64_t> complexities(std::min<std::uint64_t>(blocks, 4096));
  for (std::uint64_t done = 0; done < blocks; done += complexities.size()) {
    complexities.resize(std::min<std::uint64_t>(blocks - done, complexities.size()));
    sp80022::linear_complexities(bits, done * m, m, complexities);
    for (const std::uint64_t complexity : complexities) ++nu.at(class_of(complexity, m));
  }
  TestResult result{
      .outcome = NotApplicable{fmt::format("n = {} bits, needs {} for a block", n, m)},
      .statistics = {{"M", static_cast<double>(m)}, {"N", static_cast<double>(blocks)}},
      .flags = {}};
  for (std::size_t i = 0; i < nu.size(); ++i) {
    result.statistics.emplace_back(fmt::format("nu_{}", i), static_cast<double>(nu.at(i)));
  }
  if (blocks == 0) return result;
  if (n < 1000000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000000 recommended (2.10.7)", n));
  }
  if (m < 500 || m > 5000) {
    result.flags.push_back(fmt::format("M = {}, 500 to 5000 recommended (2.10.7)", m));
  }
  if (blocks < 200) {
    result.flags.push_back(fmt::format("N = {} blocks, 200 recommended (2.10.7)", blocks));
  }
  const bool is_exact = parameters.constants == Constants::exact;
  const double chi_square = sp80022::chi_square(nu, is_exact ? exact : nist);
  result.statistics.emplace_back("chi_square", chi_square);
  result.outcome = std::vector{SubResult{ids(parameters, n)[0], chi_square_upper_p(chi_square, 6)}};
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "linear-complexity",
    .title = "Linear Complexity Test",
    .section = "2.10",
    .ids = ids,
    .run = run,
    // The example of 2.10.8 needs 10^6 bits of e; it is in the tests.
    .vectors =
        {
            // L = 4, T = 2.999444: the last class, chi-square = 48 - 1 = 47.
            {"SP 800-22 rev. 1a, sec. 2.10.4, as a test of one block",
             "1101011110001",
             {.linear_complexity_block = 13},
             {{"linear-complexity/M=13", 1.87113347726e-8}},
             1e-17},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"linear-complexity/M=500", 0.0772725705673}},
             1e-10},
            {"the same, with the constants of NIST's program",
             sp80022::splitmix64_text(5, 2048),
             {.constants = Constants::nist},
             {{"linear-complexity/M=500", 0.0769349421516}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb

#endif  // HWY_ONCE
