/// Khazaal, Falih, Majeed, "Design a new scheme for image security using a deep learning technique
/// of hierarchical parameters", Open Engineering 2024, doi 10.1515/eng-2024-0016, completed to the
/// bit in docs/cipher.md.
///
/// Source:   the paper for the parts P1-P13; docs/cipher.md for everything it leaves open.
/// Shapes:   8 or 16 bit, 1 to 4 channels, sides 1 to 65535, at most 2^32 - 1 pixels.  Key: 32
/// bytes. Nonce: 16 bytes. Aliasing: in and out may be the same pixels. Errors:   IntegrityError
/// from decrypt of `khazaal2024`; `khazaal2024-confusion` cannot tell.
#include "cipher/khazaal2024/khazaal2024.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cipher/cipher.hpp"
#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/vectors.hpp"
#include "core/error.hpp"

namespace icb::khazaal2024 {
namespace {

/// Secrets of one round, in the order they are drawn.
struct RoundKeys {
  Box forward;
  Box backward;
  ChainState forward_state;
  ChainState backward_state;
  PositionMap map;
};

class Schedule {
 public:
  Schedule(const Variant& variant, const Shape& shape, ConstBytes key, ConstBytes nonce,
           ConstBytes parameter)
      : m_variant(variant),
        m_shape(shape),
        m_keys(working_keys(
            working_key_bytes(key, nonce, parameter, variant.id, variant.rounds, shape))) {}

  RoundKeys next_round() {
    Lane& guide = m_keys.guide;
    Box forward{};
    Box backward{};
    ChainState forward_state{};
    ChainState backward_state{};
    if (m_variant.diffusion) {
      forward = make_box(guide, m_keys.parameters);
      backward = make_box(guide, m_keys.parameters);
      forward_state = make_chain_state(guide, m_keys.parameters);
      backward_state = make_chain_state(guide, m_keys.parameters);
    }
    return {forward, backward, forward_state, backward_state,
            confusion_map(m_shape.rows, m_shape.cols, *m_variant.network,
                          {m_keys.parameters, guide, m_keys.feedback, m_keys.offsets})};
  }

  /// Keystream of the next round.
  Bytes next_keystream() {
    Bytes out(m_variant.diffusion ? m_shape.bytes() : 0);
    fill_keystream(m_keys.lanes, m_keys.parameters, out);
    return out;
  }

 private:
  const Variant& m_variant;
  Shape m_shape;
  WorkingKeys m_keys;
};

void check_header(const Variant& variant, ConstBytes header) {
  if (header.size() != header_bytes(variant)) {
    throw std::invalid_argument(fmt::format("header of {} must have {} bytes, got {}", variant.id,
                                            header_bytes(variant), header.size()));
  }
}

/// Keystream of the first round of a one-pixel image's schedule, public parameter all zero.
void first_keystream(const Variant& variant, ConstBytes key, ConstBytes nonce, MutableBytes out) {
  const PublicParameter none{};
  WorkingKeys keys = working_keys(
      working_key_bytes(key, nonce, none, variant.id, variant.rounds, Shape{.rows = 1, .cols = 1}));
  fill_keystream(keys.lanes, keys.parameters, out);
}

RoundsHook rounds_hook(const Variant& variant) {
  return {.default_rounds = variant.rounds,
          .encrypt = [variant](unsigned rounds, ConstImage plain, ConstBytes key, ConstBytes nonce,
                               ConstBytes parameter, Image out) {
            Variant changed = variant;
            changed.rounds = rounds;
            encrypt_rounds(changed, plain, key, nonce, parameter, out);
          }};
}

CipherEntry entry_for(const Variant& variant) {
  CipherEntry entry{
      .name = std::string(variant.id),
      .source = "Khazaal, Falih, Majeed 2024, doi 10.1515/eng-2024-0016; docs/cipher.md",
      .status = CipherStatus::own,
      .key_bits = BitCount{8 * key_bytes},
      .nonce_bytes = ByteCount{nonce_bytes},
      .header_bytes = ByteCount{header_bytes(variant)},
      .refuses = [](const Shape& shape) -> std::optional<std::string> {
        if (shape.rows > 65535 || shape.cols > 65535) return "a side is longer than 65535";
        if (shape.pixels() > 0xFFFFFFFF) return "more than 2^32 - 1 pixels";
        return std::nullopt;
      },
      .encrypt = [variant](ConstImage plain, ConstBytes key, ConstBytes nonce,
                           Image out) { return encrypt(variant, plain, key, nonce, out); },
      .decrypt = [variant](ConstImage cipher, ConstBytes key, ConstBytes header,
                           Image out) { decrypt(variant, cipher, key, header, out); },
      .verify = [variant] { return check_vectors(variant); },
  };
  entry.has_integrity = variant.public_parameter;
  if (variant.public_parameter) {
    entry.public_parameter = [](ConstImage plain, ConstBytes key, ConstBytes nonce) {
      const PublicParameter parameter = public_parameter(plain, key, nonce);
      return Bytes(parameter.begin(), parameter.end());
    };
  }
  if (variant.diffusion) {
    entry.keystream = [variant](ConstBytes key, ConstBytes nonce, MutableBytes bytes) {
      first_keystream(variant, key, nonce, bytes);
    };
    entry.rounds = rounds_hook(variant);
  }
  return entry;
}

// The tables are parsed when first needed, not while programs start.
const RegisterCipher full_entry{entry_for(full())};
const RegisterCipher confusion_entry{entry_for(confusion_only())};

const FeedbackWeights& network_of(const Variant& variant) {
  return variant.network != nullptr ? *variant.network : trained_feedback();
}

}  // namespace

Variant full() {
  return {.id = "khazaal2024",
          .rounds = 2,
          .public_parameter = true,
          .diffusion = true,
          .network = nullptr};
}

Variant confusion_only() {
  return {.id = "khazaal2024-confusion",
          .rounds = 1,
          .public_parameter = false,
          .diffusion = false,
          .network = nullptr};
}

std::size_t header_bytes(const Variant& variant) {
  return nonce_bytes + (variant.public_parameter ? public_parameter_bytes : 0);
}

PublicParameter public_parameter(ConstImage plain, ConstBytes key, ConstBytes nonce) {
  return condense(features(trained_keygen(), plain), CondensingKeys(key, nonce, plain.shape()));
}

void encrypt_rounds(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
                    ConstBytes parameter, Image out) {
  Variant resolved = variant;
  resolved.network = &network_of(variant);
  Schedule schedule(resolved, plain.shape(), key, nonce, parameter);
  OwnedImage moved(plain.shape());
  ConstImage source = plain;
  for (unsigned round = 0; round < variant.rounds; ++round) {
    const RoundKeys keys = schedule.next_round();
    permute_pixels(source, keys.map, moved.view());
    std::copy(moved.bytes().begin(), moved.bytes().end(), out.bytes().begin());
    if (variant.diffusion) {
      forward_chain(out.bytes(), schedule.next_keystream(), keys.forward, keys.forward_state);
      backward_chain(out.bytes(), keys.backward, keys.backward_state);
    }
    source = out;
  }
}

Bytes encrypt(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
              Image out) {
  Bytes header(nonce.begin(), nonce.end());
  if (variant.public_parameter) {
    const PublicParameter parameter = public_parameter(plain, key, nonce);
    header.insert(header.end(), parameter.begin(), parameter.end());
  }
  encrypt_rounds(variant, plain, key, nonce, ConstBytes{header}.subspan(nonce_bytes), out);
  return header;
}

void decrypt(const Variant& variant, ConstImage cipher, ConstBytes key, ConstBytes header,
             Image out) {
  check_header(variant, header);
  OwnedImage work(cipher.shape(), Bytes(cipher.bytes().begin(), cipher.bytes().end()));
  const ConstBytes nonce = header.first(nonce_bytes);
  const ConstBytes parameter = header.subspan(nonce_bytes);
  Variant resolved = variant;
  resolved.network = &network_of(variant);
  Schedule schedule(resolved, cipher.shape(), key, nonce, parameter);
  // The sources run forwards only: all rounds' secrets first, then the rounds from the last.
  std::vector<std::pair<RoundKeys, Bytes>> rounds;
  for (unsigned round = 0; round < variant.rounds; ++round) {
    RoundKeys keys = schedule.next_round();
    rounds.emplace_back(std::move(keys), schedule.next_keystream());
  }
  // Nothing unverified reaches `out`.
  std::fill(out.bytes().begin(), out.bytes().end(), std::uint8_t{0});
  OwnedImage restored(cipher.shape());
  while (!rounds.empty()) {
    const auto& [keys, keystream] = rounds.back();
    if (variant.diffusion) {
      undo_backward_chain(work.view().bytes(), inverse(keys.backward), keys.backward_state);
      undo_forward_chain(work.view().bytes(), keystream, inverse(keys.forward), keys.forward_state);
    }
    unpermute_pixels(std::as_const(work).view(), keys.map, restored.view());
    std::swap(work, restored);
    rounds.pop_back();
  }
  if (variant.public_parameter) {
    const PublicParameter found = public_parameter(std::as_const(work).view(), key, nonce);
    if (CRYPTO_memcmp(found.data(), parameter.data(), found.size()) != 0) {
      throw IntegrityError("wrong key, or the cipher image or its header was altered");
    }
  }
  std::copy(work.bytes().begin(), work.bytes().end(), out.bytes().begin());
}

}  // namespace icb::khazaal2024
