/// The interface of ciphers. A cipher knows no metric and no file: it sees an image view, a key and
/// a nonce, and gives a cipher image of the same shape and a public header.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/image.hpp"
#include "core/registry.hpp"
#include "core/units.hpp"

namespace icb {

/// How far the implementation can be trusted to be the published cipher.
enum class CipherStatus {
  exact,     ///< matches the authors' own output byte for byte
  proxy,     ///< built from a description
  own,       ///< specified by this project
  control,   ///< a reference point, good or bad, that every table carries
  external,  ///< brought by the user
};

std::string_view to_string(CipherStatus status);

/// A cipher whose number of rounds can be set, for experiments on diffusion.
struct RoundsHook {
  unsigned default_rounds = 0;  ///< of the cipher as it is; 0: no such experiment
  /// Encrypts with `rounds` >= 1 rounds and the public parameter given (`parameter`, 32 bytes)
  /// instead of computed, so that it hides nothing of what the rounds do by themselves.
  std::function<void(unsigned rounds, ConstImage plain, ConstBytes key, ConstBytes nonce,
                     ConstBytes parameter, Image out)>
      encrypt = {};
};

struct CipherEntry {
  static constexpr const char* kind = "cipher";

  std::string name;    ///< kebab-case id, also the CSV value
  std::string source;  ///< paper, standard or document
  CipherStatus status;
  BitCount key_bits;
  ByteCount nonce_bytes;  ///< 0: none
  ByteCount header_bytes;
  /// Empty if the shape is accepted, else the reason.
  std::function<std::optional<std::string>(const Shape&)> refuses;
  /// plain and out have the same shape and may be the same bytes. Returns the public header.
  std::function<Bytes(ConstImage plain, ConstBytes key, ConstBytes nonce, Image out)> encrypt;
  /// Inverse. Throws IntegrityError if the cipher can tell that key or data are wrong; `out` then
  /// holds zeros.
  std::function<void(ConstImage cipher, ConstBytes key, ConstBytes header, Image out)> decrypt;
  /// Known answers: empty if all hold, else what differs. Run by `verify` before anything is
  /// measured.
  std::function<std::string()> verify;

  // What only some ciphers offer, for `icbench properties`; empty: not offered.

  /// decrypt refuses wrong keys and altered data (IntegrityError).
  bool has_integrity = false;
  /// The part of the header that is computed from the image, under key and nonce. A cipher with one
  /// is meant to survive a repeated nonce.
  std::function<Bytes(ConstImage plain, ConstBytes key, ConstBytes nonce)> public_parameter = {};
  /// The first bytes of keystream under key and nonce, as they are before they meet data.
  std::function<void(ConstBytes key, ConstBytes nonce, MutableBytes out)> keystream = {};
  RoundsHook rounds = {};  ///< the number is kept in encrypted files
};

using RegisterCipher = Register<CipherEntry>;

/// Encrypts into a new image after checking key and nonce sizes and the shape.
/// Throws std::invalid_argument naming what was expected and what came.
struct Encrypted {
  OwnedImage image;
  Bytes header;
};

Encrypted encrypt(const CipherEntry& cipher, ConstImage plain, ConstBytes key, ConstBytes nonce);
OwnedImage decrypt(const CipherEntry& cipher, ConstImage image, ConstBytes key, ConstBytes header);

}  // namespace icb
