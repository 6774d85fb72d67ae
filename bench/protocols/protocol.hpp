/// The interface of protocols: measurements that need the cipher itself, because they encrypt or
/// decrypt many times (differential, key sensitivity, strict avalanche, robustness of decryption).
/// One source file each, self-registered.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cipher/cipher.hpp"
#include "core/image.hpp"
#include "core/measurement.hpp"
#include "core/registry.hpp"

namespace icb {

struct ProtocolInput {
  const CipherEntry& cipher;
  ConstImage plain;
  Bytes key;                      ///< cipher.key_bits of it
  std::uint64_t seed = 1;         ///< of nonces, positions and damage; nothing else is random
  double alpha = 0.01;            ///< for shares rejected
  std::uint64_t positions = 100;  ///< seeded positions beside the named ones; plain bits flipped
  std::uint64_t trials = 100;     ///< of strict avalanche per input bit; even
  /// Called with the share done, 0 to 1, between encryptions; may throw Interrupted.
  std::function<void(double)> progress = [](double) {};
};

/// A number a protocol gives, for `list metrics` and the documentation.
struct ProtocolQuantity {
  std::string name;  ///< the CSV's quantity
  std::string unit;
  std::string formula;
  std::string expected;  ///< of an ideal cipher; "none" for a trade-off
  std::string sd;
  std::string family = {};  ///< as of metrics: counted once; empty: its own
  /// Changes the plain image. Under a fixed nonce that is misuse of a cipher that has nonces.
  bool changes_plain = false;
};

struct ProtocolEntry {
  static constexpr const char* kind = "protocol";

  std::string name;     ///< kebab-case id
  std::string summary;  ///< one sentence
  std::string source;
  std::vector<ProtocolQuantity> quantities;
  /// Measurements with nonce_policy, variant (what was changed or damaged) and the finding half
  /// filled; the runner fills the rest of the subject. A pure function of its input.
  std::function<std::vector<Measurement>(const ProtocolInput&)> run;
};

using RegisterProtocol = Register<ProtocolEntry>;

/// The quantity of that name of any registered protocol, or nullptr.
const ProtocolQuantity* find_quantity(std::string_view name);

/// Family of a quantity of any registered protocol or metric, for a verdict.
std::string family_of_quantity(const Measurement& measurement);

/// Whether the measurement shows what the cipher does under a repeated nonce: two plain images,
/// one nonce. Stream ciphers fail there and are none the worse for it as long as nonces are fresh,
/// so such measurements are reported and do not decide. A cipher without nonces has no excuse.
bool is_nonce_misuse(const Measurement& measurement, const CipherEntry& cipher);

}  // namespace icb
