/// SHA-256, hexadecimal, and seeds derived by hashing names. All through OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "core/image.hpp"

namespace icb {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(ConstBytes data);
Digest sha256(std::string_view text);

/// Lower-case hexadecimal.
std::string to_hex(ConstBytes data);
/// Throws std::invalid_argument unless an even number of hexadecimal digits.
Bytes from_hex(std::string_view text);

/// SHA-256 of a file as hexadecimal, read in pieces. Throws InputError with the path.
std::string sha256_of_file(const std::string& path);

/// Seed of a named thing under a master seed: the first 8 bytes, least significant first, of
/// SHA-256("icbench seed" 0 master 0 name). No clock, thread or address enters.
///
///   derive_seed(1, "table3/4.2.03/pairs")
std::uint64_t derive_seed(std::uint64_t master, std::string_view name);

/// 32 bytes of key for a label: SHA-256("icbench key" 0 master 0 label).
Digest derive_key(std::uint64_t master, std::string_view label);

/// Any number of bytes for a label: derive_key(master, label), then derive_key(master, label +
/// "/1") and so on.
Bytes derive_bytes(std::uint64_t master, std::string_view label, std::size_t count);

/// Uniform integer in [0, bound), bound > 0; the same on every library, unlike
/// std::uniform_int_distribution. Bias-free by rejection.
std::uint64_t uniform_below(std::mt19937_64& engine, std::uint64_t bound);

}  // namespace icb
