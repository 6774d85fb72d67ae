#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/machine_rates.cpp"
#include "hwy/foreach_target.h"  // must come before highway.h
//
#include <cstddef>
#include <cstdint>

#include "bench/machine_rates.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace icb::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// All return something that depends on every step, so that none is left out.

std::uint64_t read_words(const std::uint64_t* HWY_RESTRICT from, std::size_t count) {
  const hn::ScalableTag<std::uint64_t> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d);
  auto b = a;
  auto e = a;
  auto f = a;
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, from + i));
    b = hn::Add(b, hn::LoadU(d, from + i + lanes));
    e = hn::Add(e, hn::LoadU(d, from + i + 2 * lanes));
    f = hn::Add(f, hn::LoadU(d, from + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(e, f))));
}

// Eight independent chains; returns the number of single operations.
double bit_operations(std::size_t rounds, std::uint64_t seed, std::uint64_t& sink) {
  const hn::ScalableTag<std::uint64_t> d;
  const auto x = hn::Set(d, seed);
  auto a = hn::Set(d, seed + 1);
  auto b = hn::Set(d, seed + 2);
  auto c = hn::Set(d, seed + 3);
  auto e = hn::Set(d, seed + 4);
  auto f = hn::Set(d, seed + 5);
  auto g = hn::Set(d, seed + 6);
  auto h = hn::Set(d, seed + 7);
  auto i = hn::Set(d, seed + 8);
  for (std::size_t round = 0; round < rounds; ++round) {
    a = hn::Add(a, x);  // additions: compilers fold chains of exclusive or
    b = hn::Add(b, a);
    c = hn::Add(c, x);
    e = hn::Add(e, c);
    f = hn::Add(f, x);
    g = hn::Add(g, f);
    h = hn::Add(h, x);
    i = hn::Add(i, h);
  }
  sink += hn::GetLane(hn::Add(hn::Add(b, e), hn::Add(g, i)));
  return 8.0 * static_cast<double>(rounds) * 64.0 * static_cast<double>(hn::Lanes(d));
}

// As many additions as multiplications; returns the number of single operations.
double flops(std::size_t rounds, double seed, double& sink) {
  const hn::ScalableTag<double> d;
  const auto m = hn::Set(d, seed);
  auto a = hn::Set(d, seed);
  auto b = hn::Set(d, seed + 1);
  auto c = hn::Set(d, seed + 2);
  auto e = hn::Set(d, seed + 3);
  auto f = a;
  auto g = b;
  auto h = c;
  auto i = e;
  for (std::size_t round = 0; round < rounds; ++round) {
    a = hn::Add(a, m);
    b = hn::Add(b, m);
    c = hn::Add(c, m);
    e = hn::Add(e, m);
    f = hn::Mul(f, m);
    g = hn::Mul(g, m);
    h = hn::Mul(h, m);
    i = hn::Mul(i, m);
  }
  sink += hn::GetLane(
      hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i))));
  return 8.0 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
}

// Four independent chains; returns the number of products.
double products(std::size_t rounds, std::int16_t seed, std::uint64_t& sink) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Repartition<std::int32_t, decltype(d16)> d32;
  const auto x = hn::Set(d16, seed);
  auto y = hn::Set(d16, seed);
  auto a = hn::Zero(d32);
  auto b = a;
  auto c = a;
  auto e = a;
  auto a_odd = a;
  auto b_odd = a;
  auto c_odd = a;
  auto e_odd = a;
  for (std::size_t round = 0; round < rounds; ++round) {
    y = hn::Xor(y, x);  // else compilers multiply once
    a = hn::ReorderWidenMulAccumulate(d32, x, y, a, a_odd);
    b = hn::ReorderWidenMulAccumulate(d32, y, y, b, b_odd);
    y = hn::Add(y, x);
    c = hn::ReorderWidenMulAccumulate(d32, x, y, c, c_odd);
    e = hn::ReorderWidenMulAccumulate(d32, y, y, e, e_odd);
  }
  const auto all = hn::Add(hn::Add(hn::Add(a, a_odd), hn::Add(b, b_odd)),
                           hn::Add(hn::Add(c, c_odd), hn::Add(e, e_odd)));
  sink += static_cast<std::uint32_t>(hn::GetLane(all));
  return 4.0 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d16));
}

}  // namespace
}  // namespace icb::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace icb {
namespace {

HWY_EXPORT(read_words);
HWY_EXPORT(bit_operations);
HWY_EXPORT(flops);
HWY_EXPORT(products);

constexpr int rounds_of_each = 15;

// Best nanoseconds of several rounds.
template <class Work>
double best_ns(Work work) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < rounds_of_each; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(
        best,
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

double increment_ns() {
  std::mt19937_64 engine(1);
  std::vector<std::uint16_t> places(1 << 12);
  for (auto& place : places) place = static_cast<std::uint16_t>(engine() >> 55);
  std::array<std::array<std::uint32_t, 512>, 4> counters{};
  constexpr int passes = 50;
  const double ns = best_ns([&] {
    for (int pass = 0; pass < passes; ++pass) {
      for (std::size_t i = 0; i < places.size(); i += 4) {
        ++counters[0][places[i]];
        ++counters[1][places[i + 1]];
        ++counters[2][places[i + 2]];
        ++counters[3][places[i + 3]];
      }
    }
  });
  volatile std::uint32_t keep = counters[0][0] + counters[1][1] + counters[2][2] + counters[3][3];
  static_cast<void>(keep);
  return ns / (passes * static_cast<double>(places.size()));
}

}  // namespace

void aes_256_ctr_keystream(std::span<std::uint8_t> out) {
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };

  const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
  constexpr std::uint8_t key[32] = {1};
  constexpr std::uint8_t counter[16] = {};
  int written = 0;
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key, counter) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &written, out.data(),
                        static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("AES-256-CTR of OpenSSL failed");
  }
}

MachineRates measure_machine_rates() {
  MachineRates rates{};
  // The best one is the lowest bit.
  const auto targets = hwy::SupportedTargets();
  rates.instruction_set = hwy::TargetName(targets & -targets);
  std::vector<std::uint64_t> memory(std::size_t{1} << 25, 1);
  volatile std::uint64_t keep = 0;
  constexpr std::size_t in_cache = 15625;  // 10^6 bits
  constexpr int passes = 50;
  rates.ns_per_word = best_ns([&] {
                        for (int i = 0; i < passes; ++i) {
                          keep = keep + HWY_DYNAMIC_DISPATCH(read_words)(memory.data(), in_cache);
                        }
                      }) /
                      (passes * static_cast<double>(in_cache));
  rates.memory_gb_per_second =
      8.0 * static_cast<double>(memory.size()) / best_ns([&] {
        keep = keep + HWY_DYNAMIC_DISPATCH(read_words)(memory.data(), memory.size());
      });
  std::uint64_t sink = 0;
  double done = 0;
  double ns = best_ns([&] { done = HWY_DYNAMIC_DISPATCH(bit_operations)(100000, 3, sink); });
  rates.ns_per_bit_operation = ns / done;
  ns = best_ns([&] { done = HWY_DYNAMIC_DISPATCH(products)(100000, 3, sink); });
  rates.ns_per_product = ns / done;
  double sum = 0;
  ns = best_ns([&] { done = HWY_DYNAMIC_DISPATCH(flops)(100000, 1.0 + 1e-9, sum); });
  rates.ns_per_flop = ns / done;
  keep = keep + sink + (sum > 1 ? 1U : 0U);
  rates.ns_per_increment = increment_ns();
  std::vector<std::uint8_t> keystream(1 << 20);
  rates.aes_gb_per_second =
      static_cast<double>(keystream.size()) / best_ns([&] { aes_256_ctr_keystream(keystream); });
  return rates;
}

double memcpy_ns(std::size_t bytes) {
  const std::vector<std::uint8_t> from(bytes, 1);
  std::vector<std::uint8_t> to(bytes);
  // At least 64 MiB per round, so that a round is long for the clock.
  const std::size_t passes = std::max(std::size_t{1}, (std::size_t{1} << 26) / bytes);
  volatile std::uint8_t keep = 0;
  return best_ns([&] {
           for (std::size_t pass = 0; pass < passes; ++pass) {
             std::memcpy(to.data(), from.data(), bytes);
             keep = to[pass % bytes];
           }
         }) /
         static_cast<double>(passes);
}

MachineRates best_of(const MachineRates& a, const MachineRates& b) {
  return {.ns_per_word = std::min(a.ns_per_word, b.ns_per_word),
          .ns_per_bit_operation = std::min(a.ns_per_bit_operation, b.ns_per_bit_operation),
          .ns_per_flop = std::min(a.ns_per_flop, b.ns_per_flop),
          .ns_per_product = std::min(a.ns_per_product, b.ns_per_product),
          .ns_per_increment = std::min(a.ns_per_increment, b.ns_per_increment),
          .memory_gb_per_second = std::max(a.memory_gb_per_second, b.memory_gb_per_second),
          .aes_gb_per_second = std::max(a.aes_gb_per_second, b.aes_gb_per_second),
          .instruction_set = a.instruction_set};
}

}  // namespace icb

#endif  // HWY_ONCE
