/// Speed of the cipher's keystream and chains, in GB/s and cycles per byte, beside memcpy and
/// ChaCha20 of OpenSSL on this very machine.
///
///   bench_cipher [--benchmark_filter=REGEX] [--benchmark_min_time=SECONDS]
///
/// One block of keystream, 128 KiB, and as much of an image; the best of many repetitions. Cycles
/// are those of a chain of dependent multiplications and additions, taken as 4 each, measured
/// before and after.
///
/// Limits with vectors of 512 bits of which two operations, among them at most one product and one
/// shift, start in a cycle (Zen 4):
///   keystream  76 operations for 128 bytes, of which 18 products and 25 shifts: 0.30 cycles/byte
///   chain      72 operations for a line of 512 bytes: 0.07 cycles/byte; but they wait for the
///              carry: mask (product, fold, addition), product, sum over the line, fold, product,
///              fold, at least 45 cycles from line to line: 0.09 cycles/byte
///   undo       the same operations; only the 8 cycles from carry to carry wait
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/collector.hpp"
#include "bench/machine_rates.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/keystream.hpp"

namespace icb {
namespace {

using namespace khazaal2024;

Bytes random_bytes(std::mt19937_64& engine, std::size_t size) {
  Bytes out(size);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine() >> 56);
  return out;
}

double cycle_ns() {
  double best = 1e9;
  std::uint64_t factor = 0x9E3779B97F4A7C15;
  std::uint64_t term = 0xD1B54A32D192ED03;
  benchmark::DoNotOptimize(factor);  // else compilers take several links at once
  benchmark::DoNotOptimize(term);
  for (int i = 0; i < 200; ++i) {
    constexpr int links = 10000;
    std::uint64_t x = 1;
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < links; ++k) x = x * factor + term;
    benchmark::DoNotOptimize(x);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count() / (4.0 * links));
  }
  return best;
}

class ChaCha20 {
 public:
  ChaCha20() : m_context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    const Bytes key(32, 1);
    const Bytes nonce(16, 2);
    if (m_context == nullptr || EVP_EncryptInit_ex(m_context.get(), EVP_chacha20(), nullptr,
                                                   key.data(), nonce.data()) != 1) {
      throw std::runtime_error("OpenSSL: ChaCha20 failed");
    }
  }

  void encrypt(MutableBytes data) {
    int done = 0;
    if (EVP_EncryptUpdate(m_context.get(), data.data(), &done, data.data(),
                          static_cast<int>(data.size())) != 1) {
      throw std::runtime_error("OpenSSL: ChaCha20 failed");
    }
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> m_context;
};

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  std::mt19937_64 engine(1);
  WorkingKeys keys = working_keys(random_bytes(engine, 600));
  const ChainKeys chain_keys = draw_chain_keys(keys.guide, keys.parameters, {});
  const Keystream keystream(keys.lanes, keys.parameters, {});
  Bytes image = random_bytes(engine, block_bytes);
  Bytes stream(block_bytes);
  const MutableBytes data(image);
  ChaCha20 chacha;

  struct Stage {
    std::string name;
    std::function<void()> work;
  };

  const auto chained = [&](Direction direction, bool undo) {
    return [&, direction, undo] {
      const auto lines = undo ? undo_lines : chain_lines;
      benchmark::DoNotOptimize(lines(direction, data, stream, chain_keys, chain_keys.carry));
    };
  };
  const std::vector<Stage> stages{
      {"chacha20", [&] { chacha.encrypt(data); }},
      {"keystream", [&] { keystream.fill(1, 0, stream); }},
      {"chain_forward", chained(Direction::forward, false)},
      {"chain_backward", chained(Direction::backward, false)},
      {"undo_forward", chained(Direction::forward, true)},
      {"undo_backward", chained(Direction::backward, true)},
      {"plain_keystream",
       [&] { plain::fill_keystream(keys.lanes, keys.parameters, {}, 1, 0, stream); }},
      {"plain_chain", [&] { plain::chain_image(Direction::forward, data, stream, chain_keys); }},
      {"plain_undo",
       [&] { plain::undo_chain_image(Direction::forward, data, stream, chain_keys); }},
  };
  for (const Stage& stage : stages) {
    benchmark::RegisterBenchmark(stage.name.c_str(),
                                 [&stage](benchmark::State& state) {
                                   for (auto unused : state) stage.work();
                                 })
        ->Repetitions(20)
        ->MinTime(0.02);
  }
  const double before = cycle_ns();
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  const double cycle = std::min(before, cycle_ns());
  const double copy = memcpy_ns(block_bytes) / block_bytes;

  fmt::print("{} bytes, one thread; {:.2f} GHz\n\n{:<17} {:>8} {:>12} {:>9}\n", block_bytes,
             1 / cycle, "stage", "GB/s", "cycles/byte", "chacha20s");
  const auto seconds = [&](const std::string& name) {
    return collector.seconds(name + "/min_time:0.020/repeats:20");
  };
  const double chacha_ns = seconds("chacha20") * 1e9 / block_bytes;
  const auto row = [&](const std::string& name, double ns) {
    fmt::print("{:<17} {:>8.2f} {:>12.4f} {:>9.2f}\n", name, 1 / ns, ns / cycle, ns / chacha_ns);
  };
  row("memcpy", copy);
  for (const Stage& stage : stages) {
    const double ns = seconds(stage.name) * 1e9 / block_bytes;
    if (ns > 0) row(stage.name, ns);
  }
  return 0;
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  try {
    return icb::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_cipher: %s\n", error.what());
    return 3;
  }
}
