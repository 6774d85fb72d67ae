/// The paper's cipher put together (docs/cipher.md, sections 6 and 7).
#pragma once

#include <string_view>

#include "cipher/khazaal2024/keygen_network.hpp"
#include "cipher/khazaal2024/networks.hpp"
#include "cipher/khazaal2024/sources.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// Where the public parameter comes from.
enum class Condensed {
  nothing,   ///< none in the header
  features,  ///< the CNN's features
  digest,    ///< SHA-256 of the image, for the ablation
};

/// What distinguishes a variant. The registered ones are those of `variants()`; experiments
/// (rounds table, training curve) make others.
struct Variant {
  std::string_view id;
  unsigned rounds = 2;
  Condensed condensed = Condensed::features;
  bool diffusion = true;
  bool network_outputs = true;  ///< false: every output of the feedback network is 0
  Sources sources = {};
  const FeedbackWeights* network = nullptr;  ///< null: the trained one
  const KeygenWeights* keygen = nullptr;     ///< null: the trained one
};

Variant full();
Variant confusion_only();
/// All of the table in docs/cipher.md, `full()` first.
const std::vector<Variant>& variants();

std::size_t header_bytes(const Variant& variant);

/// Threads of one encryption or decryption from now on, process-wide; 1 at first, 0 is all cores.
/// The bytes do not depend on it. Programs that work on many images at once leave it at 1.
void set_threads(unsigned threads);

/// plain and out have the same shape and may be the same bytes, but may not overlap otherwise; key
/// 32 bytes, nonce 16. Returns the header: nonce, then the public parameter if the variant has one.
Bytes encrypt(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
              Image out);

/// Inverse. Throws IntegrityError if the public parameter of the result is not that of the header
/// (wrong key or altered data; compared in constant time); `out` then holds zeros. Throws
/// std::invalid_argument if the header has the wrong size.
void decrypt(const Variant& variant, ConstImage cipher, ConstBytes key, ConstBytes header,
             Image out);

/// The public parameter of an image under a key and nonce.
PublicParameter public_parameter(const Variant& variant, ConstImage plain, ConstBytes key,
                                 ConstBytes nonce);

/// The cipher with the public parameter given instead of computed: what the rounds do by
/// themselves, for experiments on diffusion.
void encrypt_rounds(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
                    ConstBytes parameter, Image out);

/// The first bytes of the keystream of round 1, before it meets data, as for an image of one gray
/// pixel without public parameter, but as long as `out`.
void raw_keystream(const Variant& variant, ConstBytes key, ConstBytes nonce, MutableBytes out);

}  // namespace icb::khazaal2024
