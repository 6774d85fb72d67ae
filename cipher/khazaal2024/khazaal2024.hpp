/// The paper's cipher put together (docs/cipher.md, sections 6 and 7).
#pragma once

#include <string_view>

#include "cipher/khazaal2024/networks.hpp"
#include "core/image.hpp"

namespace icb::khazaal2024 {

/// What distinguishes a variant. The registered ones are `full` and `confusion_only`; experiments
/// (rounds table, training curve) make others.
struct Variant {
  std::string_view id;
  unsigned rounds;
  bool public_parameter;  ///< carried in the header and mixed into the working keys
  bool diffusion;
  const FeedbackWeights* network;
};

Variant full();
Variant confusion_only();

std::size_t header_bytes(const Variant& variant);

/// plain and out have the same shape and may be the same bytes; key 32 bytes, nonce 16. Returns the
/// header: nonce, then the public parameter if the variant has one.
Bytes encrypt(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
              Image out);

/// Inverse. Throws IntegrityError if the public parameter of the result is not that of the header
/// (wrong key or altered data; compared in constant time); `out` then holds zeros. Throws
/// std::invalid_argument if the header has the wrong size.
void decrypt(const Variant& variant, ConstImage cipher, ConstBytes key, ConstBytes header,
             Image out);

/// The public parameter of an image under a key and nonce.
PublicParameter public_parameter(ConstImage plain, ConstBytes key, ConstBytes nonce);

/// The cipher with the public parameter given instead of computed: what the rounds do by
/// themselves, for experiments on diffusion.
void encrypt_rounds(const Variant& variant, ConstImage plain, ConstBytes key, ConstBytes nonce,
                    ConstBytes parameter, Image out);

}  // namespace icb::khazaal2024
