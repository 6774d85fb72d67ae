/// Strict avalanche: does each output bit flip with probability 1/2 whenever an input bit is
/// flipped?
///
/// Source:   Webster & Tavares, CRYPTO '85. Null model: every flip an independent fair coin.
/// Inputs:   every key bit (key_*), and ProtocolInput.positions seeded bits of the plain image
///           (plain_*); bit i is bit i % 8 of byte i / 8, bit 0 the least significant.
/// Outputs:  every bit of the cipher image, M of them.
/// Trials:   T, ProtocolInput.trials; each has a nonce of its own, the same for both encryptions of
///           a pair, or, for a cipher without nonce, a seeded random plain image of its own.
/// Size:     the middle 16 x 16 pixels of the plain image, or of the squares 32, 64, ... up to the
///           whole image the smallest that the cipher accepts; `detail` says which. If that were to
///           take more than 2^30 bytes, T falls, to 20 at the least.
/// Values:   with c_ij the flips of output bit j in T trials of input bit i, K input bits:
///           - flip_rate: sum c_ij / (K M T). Exact binomial p, two-sided.
///           - chi_square_worst: X_i = sum_j (c_ij - T/2)^2 / (T/4), of the input bit with the
///             smallest p. A term has mean 1 and variance 2 - 2/T (fourth central moment of
///             binomial(T, 1/2): T (3T - 2) / 16), so X_i has mean M and variance M (2 - 2/T),
///             exactly. p_i from the gamma law with these moments, two-sided; p = 1 - (1 - min
///             p)^K.
///           - rejected: share of input bits with p_i below alpha; exact binomial p, upper tail.
///           - deviation_max: largest |c_ij / T - 1/2| of the dependence matrix. Its law is exact:
///             the largest of K M independent |c - T/2|. p two-sided, conservative (few values).
/// Approximate: p_i, by 2 % at 0.01 from 64 output bits on; below by an eighth (8 bits, T = 20),
/// and
///           `detail` says so.
/// Cost:     T (K + 1) encryptions of the crop, for key and plain bits.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "bench/protocols/pairs.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"

namespace icb::protocols {
namespace {

std::vector<ProtocolQuantity> quantities(const std::string& prefix) {
  std::vector<ProtocolQuantity> out{
      {prefix + "_flip_rate", "1", "share of all output bits that flip", "1/2",
       "1 / (2 sqrt(K M T))"},
      {prefix + "_chi_square_worst", "1",
       "sum over output bits (c - T/2)^2 / (T/4) of the input bit with the smallest p",
       "of one input bit M, the number of output bits", "of one input bit sqrt(M (2 - 2/T))"},
      {prefix + "_rejected", "1", "share of input bits whose chi-square is rejected at alpha",
       "alpha", "sqrt(alpha (1 - alpha) / K)"},
      {prefix + "_deviation_max", "1", "largest |c/T - 1/2| of the dependence matrix",
       "of the largest of K M binomial counts, exact", "likewise"}};
  for (ProtocolQuantity& each : out) each.family = prefix;  // the same trials
  return out;
}

std::vector<ProtocolQuantity> all_quantities() {
  auto out = quantities("avalanche_key");
  for (ProtocolQuantity& each : quantities("avalanche_plain")) {
    each.changes_plain = true;
    out.push_back(std::move(each));
  }
  return out;
}

/// The middle of an image, at most side x side pixels.
OwnedImage middle(ConstImage image, std::size_t side) {
  const Shape& shape = image.shape();
  Shape small = shape;
  small.rows = std::min(shape.rows, side);
  small.cols = std::min(shape.cols, side);
  const std::size_t top = (shape.rows - small.rows) / 2;
  const std::size_t left = (shape.cols - small.cols) / 2;
  Bytes bytes;
  for (std::size_t row = 0; row < small.rows; ++row) {
    const ConstBytes line = image.bytes().subspan(
        ((top + row) * shape.cols + left) * shape.pixel_bytes(), small.cols * shape.pixel_bytes());
    bytes.insert(bytes.end(), line.begin(), line.end());
  }
  return {small, std::move(bytes)};
}

std::optional<OwnedImage> accepted_middle(const ProtocolInput& input) {
  const Shape& shape = input.plain.shape();
  for (std::size_t side = 16;; side *= 2) {
    OwnedImage crop = middle(input.plain, side);
    if (!input.cipher.refuses(crop.shape())) return crop;
    if (side >= shape.rows && side >= shape.cols) return std::nullopt;
  }
}

/// Flips seen in T trials of every input bit, reduced to what the rows need.
class Dependence {
 public:
  Dependence(std::uint64_t outputs, std::uint64_t trials) : m_outputs(outputs), m_trials(trials) {}

  void add(std::uint64_t input_bit, const std::vector<std::uint32_t>& flips) {
    std::uint64_t squares = 0;  // of 2c - T
    for (const std::uint32_t c : flips) {
      const std::uint64_t d = 2 * std::uint64_t{c} > m_trials ? 2 * c - m_trials : m_trials - 2 * c;
      squares += d * d;
      m_flips += c;
      m_deviation = std::max(m_deviation, d);
    }
    const double x = static_cast<double>(squares) / static_cast<double>(m_trials);
    const double p = gamma_tails(x, mean(), sd()).two_sided().value();
    if (m_p.empty() || p < m_worst_p) {
      m_worst_p = p;
      m_worst_x = x;
      m_worst_bit = input_bit;
    }
    m_p.push_back(p);
  }

  std::vector<Measurement> rows(const std::string& prefix, double alpha) const {
    const std::uint64_t inputs = m_p.size();
    const std::uint64_t entries = inputs * m_outputs;
    const std::uint64_t coins = entries * m_trials;
    Measurement rate = finding(prefix + "_flip_rate", "", "1", coins,
                               static_cast<double>(m_flips) / static_cast<double>(coins),
                               {0.5, 0.5 / std::sqrt(static_cast<double>(coins))});
    rate.p_value = std::min(1.0, 2 * std::min(binomial_lower_p(m_flips, coins, 0.5).value(),
                                              binomial_upper_p(m_flips, coins, 0.5).value()));
    Measurement worst;
    worst.quantity = prefix + "_chi_square_worst";
    worst.value = m_worst_x;
    worst.n = inputs;
    worst.p_value = at_least_one(m_worst_p, inputs);
    add_detail(worst, fmt::format("bit {}; mean and sd of one bit: {} and {:.4g}", m_worst_bit,
                                  m_outputs, sd()));
    const auto rejected = static_cast<std::uint64_t>(
        std::ranges::count_if(m_p, [alpha](double p) { return p < alpha; }));
    Measurement share = share_rejected(prefix + "_rejected", rejected, inputs, alpha);
    if (m_outputs < approximate_below) {
      add_detail(worst, "p is approximate: few output bits");
      add_detail(share, "p is approximate: few output bits");
    }
    return {rate, worst, share, deviation_row(prefix, entries)};
  }

 private:
  static constexpr std::uint64_t approximate_below = 64;

  double mean() const { return static_cast<double>(m_outputs); }

  double sd() const { return std::sqrt(mean() * (2 - 2 / static_cast<double>(m_trials))); }

  /// P(largest |c - T/2| of `entries` counts >= d).
  double reaches(std::uint64_t d, std::uint64_t entries) const {
    if (d == 0) return 1;
    const std::uint64_t half = m_trials / 2;
    if (d > half) return 0;
    const double one = std::min(1.0, 2 * binomial_upper_p(half + d, m_trials, 0.5).value());
    return at_least_one(one, entries);
  }

  Measurement deviation_row(const std::string& prefix, std::uint64_t entries) const {
    const std::uint64_t d = m_deviation / 2;
    const auto trials = static_cast<double>(m_trials);
    double sum = 0;
    double squares = 0;
    for (std::uint64_t k = 1; k <= m_trials / 2; ++k) {
      const double tail = reaches(k, entries);  // E D = sum P(D >= k), E D^2 = sum (2k - 1) P
      sum += tail;
      squares += static_cast<double>(2 * k - 1) * tail;
    }
    Measurement out =
        finding(prefix + "_deviation_max", "", "1", entries, static_cast<double>(d) / trials,
                {sum / trials, std::sqrt(std::max(0.0, squares - sum * sum)) / trials});
    const double lower = 1 - reaches(d + 1, entries);
    out.p_value = std::min(1.0, 2 * std::min(lower, reaches(d, entries)));
    return out;
  }

  std::uint64_t m_outputs;
  std::uint64_t m_trials;
  std::uint64_t m_flips = 0;
  std::uint64_t m_deviation = 0;  // of 2c from T
  std::vector<double> m_p;
  double m_worst_p = 1;
  double m_worst_x = 0;
  std::uint64_t m_worst_bit = 0;
};

void count_flips(ConstBytes a, ConstBytes b, std::vector<std::uint32_t>& flips) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (unsigned difference = a[i] ^ b[i]; difference != 0; difference &= difference - 1) {
      ++flips[8 * i + static_cast<std::size_t>(std::countr_zero(difference))];
    }
  }
}

struct Trial {
  OwnedImage plain;
  Bytes nonce;
  OwnedImage cipher;
};

std::vector<Measurement> run(const ProtocolInput& input) {
  const Shape& whole = input.plain.shape();
  const auto crop = accepted_middle(input);
  std::vector<Measurement> out;
  if (!crop) {
    out = not_applicable(all_quantities(), whole, *input.cipher.refuses(whole));
    for (Measurement& row : out) row.nonce_policy = "fixed";
    return out;
  }
  const Shape& shape = crop->shape();
  const std::uint64_t outputs = 8 * shape.bytes();
  const std::uint64_t key_bits =
      std::min<std::uint64_t>(input.cipher.key_bits.value, 8 * input.key.size());
  std::mt19937_64 engine(derive_seed(input.seed, "strict-avalanche/plain bits"));
  const auto plain_bits = distinct_below(engine, input.positions, outputs);

  const std::uint64_t inputs = key_bits + plain_bits.size() + 1;
  const std::uint64_t affordable = (std::uint64_t{1} << 30) / (inputs * shape.bytes());
  const std::uint64_t wanted = std::max<std::uint64_t>(2, input.trials / 2 * 2);
  const std::uint64_t trials = std::min(wanted, std::max<std::uint64_t>(20, affordable / 2 * 2));
  Steps steps(input, inputs * trials);
  const auto encrypt_step = [&](ConstImage plain, ConstBytes key, ConstBytes nonce) {
    steps.next();
    return encrypt(input.cipher, plain, key, nonce).image;
  };

  std::vector<Trial> baselines;
  for (std::uint64_t t = 0; t < trials; ++t) {
    const std::string label = fmt::format("strict-avalanche/{}", t);
    OwnedImage plain = *crop;
    if (input.cipher.nonce_bytes.value == 0) {
      plain = {shape, derive_bytes(input.seed, "plain/" + label, shape.bytes())};
    }
    Bytes nonce = nonce_of(input, label);
    OwnedImage cipher = encrypt_step(std::as_const(plain).view(), input.key, nonce);
    baselines.push_back({std::move(plain), std::move(nonce), std::move(cipher)});
  }

  Bytes key = input.key;
  Dependence on_key(outputs, trials);
  Dependence on_plain(outputs, trials);
  std::vector<std::uint32_t> flips(outputs);
  for (std::uint64_t bit = 0; bit < key_bits; ++bit) {
    std::ranges::fill(flips, 0U);
    key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    for (const Trial& each : baselines) {
      count_flips(each.cipher.bytes(), encrypt_step(each.plain.view(), key, each.nonce).bytes(),
                  flips);
    }
    key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    on_key.add(bit, flips);
  }
  for (const std::uint64_t bit : plain_bits) {
    std::ranges::fill(flips, 0U);
    for (Trial& each : baselines) {
      std::uint8_t& byte = each.plain.view().bytes()[bit / 8];
      byte ^= static_cast<std::uint8_t>(1U << (bit % 8));
      count_flips(each.cipher.bytes(),
                  encrypt_step(std::as_const(each.plain).view(), input.key, each.nonce).bytes(),
                  flips);
      byte ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    on_plain.add(bit, flips);
  }

  out = key_bits > 0 ? on_key.rows("avalanche_key", input.alpha)
                     : not_applicable(quantities("avalanche_key"), shape, "the cipher has no key");
  if (!plain_bits.empty()) {
    std::ranges::move(on_plain.rows("avalanche_plain", input.alpha), std::back_inserter(out));
  }
  for (Measurement& row : out) {
    row.channel = pooled_channel(shape);
    row.nonce_policy = "fixed";
    if (row.status == Status::not_applicable) continue;
    row.seed = input.seed;
    add_detail(row, fmt::format("{}{} trials of {} key bits and {} bits of {} x {} pixels",
                                input.cipher.nonce_bytes.value == 0 ? "random plain images: " : "",
                                trials, key_bits, plain_bits.size(), shape.rows, shape.cols));
  }
  return out;
}

const RegisterProtocol entry{
    {.name = "strict-avalanche",
     .summary = "every key bit and seeded plain bits: does each output bit flip half of the time?",
     .source = "Webster & Tavares, CRYPTO '85; null model exact, in the source file",
     .quantities = all_quantities(),
     .run = run}};

}  // namespace
}  // namespace icb::protocols
