/// Khazaal, Falih, Majeed, "Design a new scheme for image security using a deep learning technique
/// of hierarchical parameters", Open Engineering 2024, doi 10.1515/eng-2024-0016, completed to the
/// bit in docs/cipher.md.
///
/// Source:   the paper for the parts P1-P13; docs/cipher.md for everything it leaves open.
/// Shapes:   8 or 16 bit, 1 to 4 channels, sides 1 to 65535, at most 2^32 - 1 pixels.
/// Key:      32 bytes. Nonce: 16 bytes.
/// Aliasing: in and out may be the same pixels.
/// Memory:   one image beside in and out; two if these are the same.
/// Errors:   IntegrityError from decrypt of variants with a public parameter.
#include "cipher/khazaal2024/khazaal2024.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cipher/cipher.hpp"
#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/keystream.hpp"
#include "cipher/khazaal2024/passes.hpp"
#include "cipher/khazaal2024/vectors.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/memory.hpp"
#include "core/parallel.hpp"

namespace icb::khazaal2024 {
namespace {

std::atomic<unsigned> wanted_threads{1};

/// What the guide lane gives for the rounds of one image, in the order it is drawn.
class Schedule {
 public:
  Schedule(const Variant& variant, const Shape& shape, ConstBytes key, ConstBytes nonce,
           ConstBytes parameter)
      : m_variant(variant),
        m_shape(shape),
        m_keys(working_keys(
            working_key_bytes(key, nonce, parameter, variant.id, variant.rounds, shape))),
        m_keystream(m_keys.lanes, m_keys.parameters, variant.sources),
        m_threads(thread_count(wanted_threads)) {
    WorkingKeys drawn = m_keys;
    const FeedbackWeights& weights =
        variant.network != nullptr ? *variant.network : trained_feedback();
    for (unsigned round = 1; round <= variant.rounds; ++round) {
      if (is_odd(round)) {
        m_plans.push_back(plan_confusion(
            shape.rows, shape.cols, variant.network_outputs ? &weights : nullptr,
            {m_keys.parameters, drawn.guide, drawn.feedback, drawn.offsets, variant.sources}));
      }
      if (variant.diffusion) {
        m_chains.push_back(draw_chain_keys(drawn.guide, m_keys.parameters, variant.sources));
      }
    }
  }

  static bool is_odd(unsigned round) { return round % 2 == 1; }

  /// Rounds count from 1.
  RoundInput round(unsigned round) const {
    return {.shape = m_shape,
            .plan = m_plans[(round - 1) / 2],
            .keystream = m_keystream,
            .round = round,
            .chain = m_variant.diffusion ? &m_chains[round - 1] : nullptr,
            .threads = m_threads};
  }

 private:
  const Variant& m_variant;
  Shape m_shape;
  WorkingKeys m_keys;
  Keystream m_keystream;
  unsigned m_threads;
  std::vector<ConfusionPlan> m_plans;  ///< one for two rounds
  std::vector<ChainKeys> m_chains;
};

/// Memory a pass will overwrite before it reads it. It begins a cache line, as the passes like it.
class Scratch {
 public:
  explicit Scratch(std::size_t size)
      : m_memory(static_cast<std::uint8_t*>(::operator new(size, alignment))), m_size(size) {
    prefer_huge_pages(m_memory.get(), size);
  }

  MutableBytes bytes() const { return {m_memory.get(), m_size}; }

 private:
  static constexpr std::align_val_t alignment{64};

  struct Free {
    void operator()(std::uint8_t* memory) const { ::operator delete(memory, alignment); }
  };

  std::unique_ptr<std::uint8_t, Free> m_memory;
  std::size_t m_size;
};

/// `bytes` themselves, or a copy if they are those of `out`.
struct Apart {
  Bytes copy;
  ConstBytes bytes;

  Apart(ConstBytes in, ConstBytes out)
      : copy(in.data() == out.data() ? Bytes(in.begin(), in.end()) : Bytes{}),
        bytes(copy.empty() ? in : ConstBytes{copy}) {}
};

void check_header(const Variant& variant, ConstBytes header) {
  if (header.size() != header_bytes(variant)) {
    throw std::invalid_argument(fmt::format("header of {} must have {} bytes, got {}", variant.id,
                                            header_bytes(variant), header.size()));
  }
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
  entry.has_integrity = variant.condensed != Condensed::nothing;
  if (variant.condensed != Condensed::nothing) {
    entry.public_parameter = [variant](ConstImage plain, ConstBytes key, ConstBytes nonce) {
      const PublicParameter parameter = public_parameter(variant, plain, key, nonce);
      return Bytes(parameter.begin(), parameter.end());
    };
  }
  if (variant.diffusion) {
    entry.keystream = [variant](ConstBytes key, ConstBytes nonce, MutableBytes bytes) {
      raw_keystream(variant, key, nonce, bytes);
    };
    entry.rounds = rounds_hook(variant);
  }
  return entry;
}

/// Registers all variants. The tables are parsed when first needed, not while programs start.
struct RegisterVariants {
  std::vector<RegisterCipher> entries;

  RegisterVariants() {
    for (const Variant& variant : variants()) entries.emplace_back(entry_for(variant));
  }
};

const RegisterVariants registered;

}  // namespace

Variant full() { return {.id = "khazaal2024"}; }

Variant confusion_only() {
  return {.id = "khazaal2024-confusion", .condensed = Condensed::nothing, .diffusion = false};
}

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all{
      full(),
      confusion_only(),
      {.id = "khazaal2024-no-cnn", .condensed = Condensed::digest},
      {.id = "khazaal2024-no-dnn", .network_outputs = false},
      {.id = "khazaal2024-no-gauss", .sources = {.gauss = false}},
      {.id = "khazaal2024-no-henon", .sources = {.henon = false}},
      {.id = "khazaal2024-no-logistic", .sources = {.logistic = false}},
  };
  return all;
}

std::size_t header_bytes(const Variant& variant) {
  return nonce_bytes + (variant.condensed == Condensed::nothing ? 0 : public_parameter_bytes);
}

void set_threads(unsigned threads) { wanted_threads = threads; }

PublicParameter public_parameter(const Variant& variant, ConstImage plain, ConstBytes key,
                                 ConstBytes nonce) {
  const CondensingKeys keys(key, nonce, plain.shape());
  if (variant.condensed == Condensed::digest) {
    return hmac_sha256(keys.hmac_key(), sha256(plain.bytes()));
  }
  const KeygenWeights& weights = variant.keygen != nullptr ? *variant.keygen : trained_keygen();
  return condense(condense_features(weights, plain, keys, thread_count(wanted_threads)), keys);
}

void encrypt_rounds(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
                    ConstBytes parameter, Image out) {
  const Schedule schedule(variant, plain.shape(), key, nonce, parameter);
  const Apart apart(plain.bytes(), out.bytes());
  const Scratch scratch(plain.shape().cols * transposed_step(plain.shape()));
  ConstBytes source = apart.bytes;
  for (unsigned round = 1; round <= variant.rounds; ++round) {
    if (Schedule::is_odd(round)) {
      if (round > 1) {  // an experiment: it may take a copy
        std::ranges::copy(out.bytes(), scratch.bytes().begin());
        source = scratch.bytes().first(out.bytes().size());
      }
      rows_pass(schedule.round(round), source, out.bytes());
    } else {
      columns_pass(schedule.round(round), out.bytes(), scratch.bytes());
    }
  }
}

Bytes encrypt(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
              Image out) {
  Bytes header(nonce.begin(), nonce.end());
  if (variant.condensed != Condensed::nothing) {
    const PublicParameter parameter = public_parameter(variant, plain, key, nonce);
    header.insert(header.end(), parameter.begin(), parameter.end());
  }
  encrypt_rounds(variant, plain, key, nonce, ConstBytes{header}.subspan(nonce_bytes), out);
  return header;
}

void decrypt(const Variant& variant, ConstImage cipher, ConstBytes key, ConstBytes header,
             Image out) {
  check_header(variant, header);
  const ConstBytes nonce = header.first(nonce_bytes);
  const ConstBytes parameter = header.subspan(nonce_bytes);
  const Schedule schedule(variant, cipher.shape(), key, nonce, parameter);
  const Apart apart(cipher.bytes(), out.bytes());
  const Scratch scratch(out.bytes().size());
  ConstBytes source = apart.bytes;
  MutableBytes result = scratch.bytes();  // of the next pass; two rounds end in `out`
  MutableBytes other = out.bytes();
  for (unsigned round = variant.rounds; round >= 1; --round) {
    if (!Schedule::is_odd(round)) {
      undo_columns_pass(schedule.round(round), source, other, result);
    } else {
      if (round == variant.rounds) std::ranges::copy(source, result.begin());
      undo_rows_pass(schedule.round(round), result, other);
      std::swap(result, other);
    }
    source = result;
  }
  if (result.data() != out.bytes().data()) std::ranges::copy(result, out.bytes().begin());
  if (variant.condensed == Condensed::nothing) return;
  const PublicParameter found = public_parameter(variant, out, key, nonce);
  if (CRYPTO_memcmp(found.data(), parameter.data(), found.size()) != 0) {
    OPENSSL_cleanse(out.bytes().data(), out.bytes().size());  // nothing unverified leaves
    throw IntegrityError("wrong key, or the cipher image or its header was altered");
  }
}

void raw_keystream(const Variant& variant, ConstBytes key, ConstBytes nonce, MutableBytes out) {
  const Shape shape{.rows = 1, .cols = 1};
  const WorkingKeys keys =
      working_keys(working_key_bytes(key, nonce, {}, variant.id, variant.rounds, shape));
  Keystream(keys.lanes, keys.parameters, variant.sources).fill(1, 0, out);
}

}  // namespace icb::khazaal2024
