/// Key sensitivity: every key bit flipped once, encrypting and decrypting.
///
/// Source:   customary in the field; Alvarez & Li, Int. J. Bifurcation Chaos 16(8), 2006, rules on
///           keys.
/// Bits:     bit i of the key is bit i % 8 of byte i / 8, bit 0 the least significant.
/// key_encrypt_*: the plain image under the key and under the key with that bit flipped, the nonce
///           the same for both and new for each bit. NPCR, UACI, bit change rate between the two.
/// key_decrypt_*: the first of those cipher images decrypted under the flipped key, compared with
/// the
///           plain image: an ideal cipher gives a uniform image, whatever the plain image is. NPCR
///           and bit change rate (their law is the same against any image). A stream cipher that
///           XORs gives exactly the numbers of key_encrypt.
/// key_decrypt_refused: keys the cipher refused (IntegrityError): a good outcome, no expectation.
/// key_inert_bits: bits whose flip leaves cipher image and header as they are, or still decrypts to
///           the plain image. Expected: an image of B bits does either by chance with probability
///           2^-B; above 64 bits that is 0. p: exact binomial upper tail.
/// Cost:     2 encryptions and a decryption for each key bit.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/protocols/pairs.hpp"
#include "core/error.hpp"
#include "core/statistics.hpp"

namespace icb::protocols {
namespace {

const std::vector<std::string> encrypt_metrics{"npcr", "uaci", "bit_change_rate"};
const std::vector<std::string> decrypt_metrics{"npcr", "bit_change_rate"};

const ProtocolQuantity refused_quantity{
    "key_decrypt_refused", "1", "keys, wrong in one bit, that decryption refuses", "none", "none"};
const ProtocolQuantity inert_quantity{
    "key_inert_bits", "1", "key bits whose flip changes no cipher image or still decrypts", "0",
    "0 (images of a few bytes: binomial)"};

std::vector<ProtocolQuantity> all_quantities() {
  auto out = PairSummary::quantities("key_encrypt", encrypt_metrics);
  std::ranges::move(PairSummary::quantities("key_decrypt", decrypt_metrics),
                    std::back_inserter(out));
  out.push_back(refused_quantity);
  out.push_back(inert_quantity);
  return out;
}

/// "0-7, 12" of ascending numbers.
std::string ranges(const std::vector<std::uint64_t>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!out.empty()) out += ", ";
    out +=
        last == i ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[last]);
    i = last + 1;
  }
  return out;
}

Measurement inert_row(const std::vector<std::uint64_t>& inert, std::uint64_t bits,
                      const Shape& shape) {
  const double once = std::exp2(-8 * static_cast<double>(shape.bytes()));
  const double by_chance = once * (2 - once);
  const auto n = static_cast<double>(bits);
  const std::uint64_t count = inert.size();
  Measurement out =
      finding(inert_quantity.name, pooled_channel(shape), "1", bits, static_cast<double>(count),
              {n * by_chance, std::sqrt(n * by_chance * (1 - by_chance))});
  if (shape.bytes() > 8) {
    out.expected = out.sd = 0;
    out.z.reset();
    out.p_value = count == 0 ? 1 : 0;
  } else {
    out.p_value = binomial_upper_p(count, bits, by_chance).value();
  }
  if (count > 0) add_detail(out, "bits " + ranges(inert));
  return out;
}

std::vector<Measurement> run(const ProtocolInput& input) {
  const Shape& shape = input.plain.shape();
  const auto refused_shape = input.cipher.refuses(shape);
  const std::uint64_t bits =
      std::min<std::uint64_t>(input.cipher.key_bits.value, 8 * input.key.size());
  if (refused_shape || bits == 0) {
    auto out = not_applicable(all_quantities(), shape,
                              refused_shape ? *refused_shape : "the cipher has no key");
    for (Measurement& row : out) row.nonce_policy = "fixed";
    return out;
  }
  const bool has_nonce = input.cipher.nonce_bytes.value > 0;
  PairSummary encrypting("key_encrypt", encrypt_metrics, input.alpha, !has_nonce);
  PairSummary decrypting("key_decrypt", decrypt_metrics, input.alpha, false);
  std::vector<std::uint64_t> inert;
  std::uint64_t refused = 0;
  std::optional<Encrypted> right;
  Bytes key = input.key;
  Steps steps(input, (has_nonce ? 3 : 2) * bits + 1);
  for (std::uint64_t bit = 0; bit < bits; ++bit) {
    const std::string name = fmt::format("key bit {}", bit);
    const Bytes nonce = nonce_of(input, fmt::format("key-sensitivity/{}", bit));
    if (has_nonce || !right) {
      steps.next();
      right = encrypt(input.cipher, input.plain, input.key, nonce);
    }
    const auto flip = static_cast<std::uint8_t>(1U << (bit % 8));
    key[bit / 8] ^= flip;
    steps.next();
    const Encrypted wrong = encrypt(input.cipher, input.plain, key, nonce);
    const ConstImage image = std::as_const(right->image).view();
    encrypting.add(image, wrong.image.view(), name);
    bool same = wrong.header == right->header &&
                std::ranges::equal(wrong.image.bytes(), right->image.bytes());
    steps.next();
    try {
      const OwnedImage plain = decrypt(input.cipher, image, key, right->header);
      decrypting.add(input.plain, plain.view(), name);
      same |= std::ranges::equal(plain.bytes(), input.plain.bytes());
    } catch (const IntegrityError&) {
      ++refused;
    }
    key[bit / 8] ^= flip;
    if (same) inert.push_back(bit);
  }

  std::vector<Measurement> out = encrypting.rows(has_nonce ? "" : shared_image);
  const std::string refusals =
      fmt::format("{} of {} refused: a wrong key is detected", refused, bits);
  std::ranges::move(
      refused == bits
          ? not_applicable(PairSummary::quantities("key_decrypt", decrypt_metrics), shape, refusals)
          : decrypting.rows(refused > 0 ? refusals : ""),
      std::back_inserter(out));
  Measurement count;
  count.quantity = refused_quantity.name;
  count.channel = pooled_channel(shape);
  count.n = bits;
  count.value = static_cast<double>(refused);
  add_detail(count, refused > 0 ? refusals : "no wrong key is detected");
  out.push_back(count);
  out.push_back(inert_row(inert, bits, shape));
  for (Measurement& row : out) {
    row.nonce_policy = "fixed";
    row.seed = input.seed;
  }
  return out;
}

const RegisterProtocol entry{
    {.name = "key-sensitivity",
     .summary = "every key bit flipped, encrypting and decrypting",
     .source = "customary; Alvarez & Li 2006; null models in bench/protocols/pairs.hpp",
     .quantities = all_quantities(),
     .run = run}};

}  // namespace
}  // namespace icb::protocols
