/// Differential: how far two cipher images lie apart whose plain images differ in one bit, the
/// least significant one of one sample.
///
/// Source:   Wu, Noonan & Agaian, JSAT, April 2011, for NPCR and UACI of ideal images; one pair
///           proves nothing, so there are many and a share rejected.
/// Where:    first, middle and last sample, and ProtocolInput.positions others, seeded; each sample
///           once, so small images give fewer pairs.
/// Nonces:   `fixed`: one nonce for both encryptions of a pair, a new one for each pair, so pairs
///           are independent. `fresh`: a nonce for each encryption. A cipher without nonce has one
///           image to compare all others with, and no `fresh`.
/// Values:   NPCR, UACI and bit change rate over all channels: smallest, mean, largest, share
///           rejected at alpha. Null models and p: `PairSummary`.
/// Detail:   where the extreme is; under `fixed`, what the places of the changes betray: a
/// keystream
///           that ignores the plain image, a permutation alone, chaining in one direction.
/// Cost:     4 (positions + 3) encryptions; half without nonce.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bench/protocols/pairs.hpp"
#include "core/hash.hpp"

namespace icb::protocols {
namespace {

const std::vector<std::string> metrics{"npcr", "uaci", "bit_change_rate"};

std::vector<std::uint64_t> places(const ProtocolInput& input) {
  const std::uint64_t samples = input.plain.shape().samples();
  std::vector<std::uint64_t> out;
  for (const std::uint64_t named : {std::uint64_t{0}, samples / 2, samples - 1}) {
    if (std::ranges::find(out, named) == out.end()) out.push_back(named);
  }
  std::mt19937_64 engine(derive_seed(input.seed, "differential/positions"));
  const auto seeded = distinct_below(engine, input.positions, samples, out);
  out.insert(out.end(), seeded.begin(), seeded.end());
  return out;
}

/// What the places of the changes have in common over all pairs.
class Places {
 public:
  void add(ConstImage a, ConstImage b, std::uint64_t touched) {
    const std::size_t size = a.shape().sample_bytes;
    const std::uint64_t samples = a.shape().samples();
    const ConstBytes x = a.bytes();
    const ConstBytes y = b.bytes();
    const auto forwards = std::ranges::mismatch(x, y).in1;
    m_any = samples > 1;
    if (forwards == x.end()) {
      m_in_place = m_alone = false;
      return;
    }
    const auto first = static_cast<std::uint64_t>(forwards - x.begin()) / size;
    const auto backwards = std::mismatch(x.rbegin(), x.rend(), y.rbegin()).first;
    const auto last = static_cast<std::uint64_t>(x.rend() - backwards - 1) / size;
    m_alone &= first == last;
    m_in_place &= first == last && first == touched;
    // 16 samples unchanged by chance: at most 2^-128.
    m_room_before |= touched >= 16;
    m_room_after |= touched + 16 < samples;
    m_never_before &= first >= touched;
    m_never_after &= last <= touched;
  }

  std::string note(bool has_nonce) const {
    if (!m_any) return "";
    if (m_in_place) {
      return has_nonce ? "only the touched sample changes: keystream independent of the plain "
                         "image under a fixed nonce: expected of a stream cipher, fatal only if "
                         "nonces repeat"
                       : "only the touched sample changes: nothing depends on the plain image, "
                         "and without nonce the same key always gives the same keystream";
    }
    if (m_alone) return "one sample changes, elsewhere: samples are moved, not chained";
    if (m_room_before && m_never_before) {
      return "nothing before the touched sample changes: chained in one direction only";
    }
    if (m_room_after && m_never_after) {
      return "nothing after the touched sample changes: chained in one direction only";
    }
    return "";
  }

 private:
  bool m_any = false;
  bool m_in_place = true;
  bool m_alone = true;
  bool m_room_before = false;
  bool m_room_after = false;
  bool m_never_before = true;
  bool m_never_after = true;
};

std::vector<ProtocolQuantity> all_quantities() {
  auto out = PairSummary::quantities("differential", metrics);
  for (ProtocolQuantity& each : out) each.changes_plain = true;
  return out;
}

std::vector<Measurement> run(const ProtocolInput& input) {
  const Shape& shape = input.plain.shape();
  const std::vector<ProtocolQuantity> quantities = all_quantities();
  const auto as_policy = [](std::vector<Measurement> rows, const char* policy) {
    for (Measurement& row : rows) row.nonce_policy = policy;
    return rows;
  };
  const auto refused = input.cipher.refuses(shape);
  const bool has_nonce = input.cipher.nonce_bytes.value > 0;
  const std::vector<std::uint64_t> where = places(input);
  Steps steps(input, (has_nonce ? 4 : 1) * where.size() + 1);
  OwnedImage touched(shape, Bytes(input.plain.bytes().begin(), input.plain.bytes().end()));
  const auto encrypt_with = [&](ConstImage plain, const std::string& nonce) {
    steps.next();
    return encrypt(input.cipher, plain, input.key, nonce_of(input, nonce)).image;
  };

  std::vector<Measurement> out;
  for (const char* policy : {"fixed", "fresh"}) {
    const bool fixed = policy == std::string_view("fixed");
    if (refused || (!fixed && !has_nonce)) {
      const std::string reason = refused ? *refused : "the cipher has no nonce";
      std::ranges::move(as_policy(not_applicable(quantities, shape, reason), policy),
                        std::back_inserter(out));
      continue;
    }
    PairSummary summary("differential", metrics, input.alpha, !has_nonce);
    Places changes;
    std::optional<OwnedImage> baseline;
    for (const std::uint64_t sample : where) {
      const std::string nonce = fmt::format("differential/{}/{}", policy, sample);
      if (has_nonce || !baseline) baseline = encrypt_with(input.plain, nonce);
      std::uint8_t& low = touched.view().bytes()[sample * shape.sample_bytes];
      low ^= 1U;
      const OwnedImage other =
          encrypt_with(std::as_const(touched).view(), fixed ? nonce : nonce + "/other");
      low ^= 1U;
      const ConstImage first = std::as_const(*baseline).view();
      summary.add(first, other.view(), place_name(shape, sample));
      changes.add(first, other.view(), sample);
    }
    std::string note = has_nonce ? "" : shared_image;
    if (const std::string seen = changes.note(has_nonce); fixed && !seen.empty()) {
      note += (note.empty() ? "" : "; ") + seen;
    }
    std::ranges::move(as_policy(summary.rows(note), policy), std::back_inserter(out));
  }
  for (Measurement& row : out) row.seed = input.seed;
  return out;
}

const RegisterProtocol entry{
    {.name = "differential",
     .summary = "cipher images of plain images that differ in one least significant bit",
     .source = "Wu, Noonan & Agaian, JSAT, April 2011; null models in bench/protocols/pairs.hpp",
     .quantities = all_quantities(),
     .run = run}};

}  // namespace
}  // namespace icb::protocols
