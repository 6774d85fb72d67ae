/// What this machine does in a nanosecond, measured: the units in which the limits of benchmarks
/// are stated, so that a table from another machine can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace icb {

/// One thread. Every rate is the best of several rounds.
struct MachineRates {
  double ns_per_word;           ///< reading 64-bit words in order from the second cache
  double ns_per_bit_operation;  ///< a logical vector operation, per bit of the vector
  double ns_per_flop;           ///< a vector addition or multiplication of doubles, per lane
  double ns_per_product;        ///< a product of 16-bit samples, added up in 32 bits, in vectors
  double ns_per_increment;      ///< of one of 512 counters in the first cache, random order
  double memory_gb_per_second;  ///< reading 256 MiB in order
  double aes_gb_per_second;     ///< AES-256-CTR of OpenSSL over 1 MiB
  std::string instruction_set;  ///< e.g. "AVX3_DL"
};

/// Fills `out`, at most 2^30 bytes, with OpenSSL's AES-256-CTR keystream of a fixed key. Throws
/// std::runtime_error if OpenSSL fails.
void aes_256_ctr_keystream(std::span<std::uint8_t> out);

/// Takes about a second.
MachineRates measure_machine_rates();

/// Best nanoseconds of memcpy of that many bytes, between two buffers used over and over.
double memcpy_ns(std::size_t bytes);

/// The better one of each.
MachineRates best_of(const MachineRates& a, const MachineRates& b);

}  // namespace icb
