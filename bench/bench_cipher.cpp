/// Speed of the paper's cipher, as ratios to OpenSSL's ChaCha20 on the same buffers in the same
/// process, and where the time goes, stage by stage, beside what the machine allows.
///
///   bench_cipher [--runs N] [--quick]
///
/// Everything is timed in turns, a run of each after the other, and the best of N runs counts, so
/// that a slow moment of the machine does not fall on one of them alone. Verified before it is
/// timed: decryption gives the image back, two threads give the same bytes. Header, public
/// parameter and key schedule are included in `encrypt` and `decrypt`.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/machine_rates.hpp"
#include "cipher/khazaal2024/confusion.hpp"
#include "cipher/khazaal2024/diffusion.hpp"
#include "cipher/khazaal2024/keystream.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "cipher/khazaal2024/move_pixels.hpp"
#include "core/hash.hpp"
#include "core/memory.hpp"

namespace icb {
namespace {

using namespace khazaal2024;  // NOLINT: a program of one file

constexpr std::uint64_t seed = 1;

struct Timed {
  std::string name;
  std::function<void()> work;
  double best_ns = 1e18;
};

void time_in_turns(std::span<Timed> all, int runs) {
  for (int run = 0; run < runs; ++run) {
    for (Timed& timed : all) {
      const auto start = std::chrono::steady_clock::now();
      timed.work();
      const std::chrono::duration<double, std::nano> spent =
          std::chrono::steady_clock::now() - start;
      timed.best_ns = std::min(timed.best_ns, spent.count());
    }
  }
}

/// GHz of this core, from a chain of multiplications and additions, 3 cycles and 1 on x86.
double core_ghz() {
  double best = 1e18;
  constexpr int steps = 1'000'000;
  volatile std::uint64_t keep = 1;
  for (int run = 0; run < 20; ++run) {
    std::uint64_t x = keep;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < steps; ++i) x = x * 0x9E3779B97F4A7C15 + 1;
    keep = x;
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  return 4 * steps / best;
}

void chacha20(ConstBytes in, MutableBytes out) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  constexpr std::uint8_t key[32] = {1};
  constexpr std::uint8_t iv[16] = {};
  int written = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_chacha20(), nullptr, key, iv) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(),
                        static_cast<int>(in.size())) != 1) {
    throw std::runtime_error("ChaCha20 of OpenSSL failed");
  }
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Buffers and secrets of one size.
struct Setting {
  Shape shape;
  OwnedImage plain;
  OwnedImage cipher;
  OwnedImage other;
  Digest key = derive_key(seed, "bench/key");
  Bytes nonce = derive_bytes(seed, "bench/nonce", nonce_bytes);
  Bytes header;

  explicit Setting(std::size_t side)
      : shape{.rows = side, .cols = side, .channels = 3},
        plain(shape),
        cipher(shape),
        other(shape) {
    std::ranges::copy(derive_bytes(seed, "bench/image", shape.bytes()),
                      plain.view().bytes().begin());
  }

  ConstImage plain_view() const { return plain.view(); }

  ConstImage cipher_view() const { return std::as_const(cipher).view(); }
};

void verify(Setting& s) {
  set_threads(1);
  s.header = encrypt(full(), s.plain_view(), s.key, s.nonce, s.cipher.view());
  set_threads(2);
  encrypt(full(), s.plain_view(), s.key, s.nonce, s.other.view());
  if (!std::ranges::equal(s.cipher.bytes(), s.other.bytes())) {
    throw std::logic_error("two threads make other bytes");
  }
  decrypt(full(), s.cipher_view(), s.key, s.header, s.other.view());
  if (!std::ranges::equal(s.plain.bytes(), s.other.bytes())) {
    throw std::logic_error("decryption does not give the image back");
  }
  set_threads(1);
}

void whole(Setting& s, int runs, double ghz) {
  const auto bytes = static_cast<double>(s.shape.bytes());
  const auto encrypt_on = [&s](unsigned threads) {
    return [&s, threads] {
      set_threads(threads);
      encrypt(full(), s.plain_view(), s.key, s.nonce, s.other.view());
    };
  };
  const auto decrypt_on = [&s](unsigned threads) {
    return [&s, threads] {
      set_threads(threads);
      decrypt(full(), s.cipher_view(), s.key, s.header, s.other.view());
    };
  };
  std::vector<Timed> all{
      {"memcpy", [&s] { std::ranges::copy(s.plain.bytes(), s.other.view().bytes().begin()); }},
      {"ChaCha20", [&s] { chacha20(s.plain.bytes(), s.other.view().bytes()); }},
      {"encrypt", encrypt_on(1)},
      {"decrypt", decrypt_on(1)},
      {"encrypt, 2 threads", encrypt_on(2)},
      {"decrypt, 2 threads", decrypt_on(2)},
  };
  // By themselves: a second thread leaves half of the buffers in another core's caches.
  const std::span<Timed> timed(all);
  time_in_turns(timed.first(4), runs);
  time_in_turns(timed.subspan(4), runs);
  set_threads(1);
  fmt::print("\n{}, best of {} runs in turns\n", to_string(s.shape), runs);
  fmt::print("{:<22} {:>10} {:>8} {:>12} {:>14} {:>14}\n", "", "us", "GB/s", "cycles/byte",
             "of ChaCha20", "of one thread");
  for (std::size_t n = 0; n < all.size(); ++n) {
    const Timed& t = all[n];
    fmt::print("{:<22} {:>10.1f} {:>8.3f} {:>12.3f} {:>14.3f} {:>14}\n", t.name, t.best_ns / 1e3,
               bytes / t.best_ns, t.best_ns * ghz / bytes, all[1].best_ns / t.best_ns,
               n >= 4 ? fmt::format("{:.2f}", all[n - 2].best_ns / t.best_ns) : "");
  }
}

/// What a byte costs at least, and why.
struct Limit {
  double ns_per_byte;
  std::string reason;
};

void stages(Setting& s, int runs, double ghz, const MachineRates& rates) {
  const std::size_t rows = s.shape.rows;
  const std::size_t cols = s.shape.cols;
  const std::size_t pixel = s.shape.pixel_bytes();
  const Bytes parameter = derive_bytes(seed, "bench/parameter", public_parameter_bytes);
  const CondensingKeys condensing(s.key, s.nonce, s.shape);
  const WorkingKeys keys =
      working_keys(working_key_bytes(s.key, s.nonce, parameter, "khazaal2024", 2, s.shape));
  const auto plan_with = [&](WorkingKeys& drawn) {
    return plan_confusion(rows, cols, &trained_feedback(),
                          {keys.parameters, drawn.guide, drawn.feedback, drawn.offsets, {}});
  };
  WorkingKeys drawn = keys;
  const ConfusionPlan plan = plan_with(drawn);
  const ChainKeys chain = draw_chain_keys(drawn.guide, keys.parameters, {});
  const Keystream keystream(keys.lanes, keys.parameters, {});
  const MutableBytes out = s.other.view().bytes();
  // Pieces of a unit each, as the passes have them.
  std::vector<std::uint8_t> piece_keystream(block_bytes);
  const auto pieces = [&](const auto& work) {
    for (std::size_t first = 0; first < out.size(); first += block_bytes) {
      work(first, out.subspan(first, std::min<std::size_t>(block_bytes, out.size() - first)));
    }
  };
  const auto chained = [&](auto function, Direction direction) {
    return [&pieces, &piece_keystream, &chain, function, direction] {
      std::uint64_t carry = chain.carry;
      pieces([&](std::size_t, MutableBytes piece) {
        carry = function(direction, piece, ConstBytes{piece_keystream}.first(piece.size()), chain,
                         carry);
      });
    };
  };
  std::vector<Timed> all{
      {"memcpy", [&] { std::ranges::copy(s.plain.bytes(), out.begin()); }},
      {"Poly1305 alone", [&] { poly1305(condensing.poly1305_key(1), s.plain.bytes()); }},
      {"features, Poly1305",
       [&] { condense_features(trained_keygen(), s.plain_view(), condensing, 1); }},
      {"key schedule",
       [&] {
         CondensingKeys(s.key, s.nonce, s.shape);
         working_keys(working_key_bytes(s.key, s.nonce, parameter, "khazaal2024", 2, s.shape));
       }},
      {"network, plan",
       [&] {
         WorkingKeys again = keys;
         plan_with(again);
       }},
      {"chain keys, 2 rounds",
       [&] {
         WorkingKeys again = keys;
         draw_chain_keys(again.guide, keys.parameters, {});
         draw_chain_keys(again.guide, keys.parameters, {});
       }},
      {"keystream, 2 rounds",
       [&] {
         for (const unsigned round : {1U, 2U}) {
           pieces([&](std::size_t first, MutableBytes piece) {
             keystream.fill(round, first, MutableBytes{piece_keystream}.first(piece.size()));
           });
         }
       }},
      {"rows moved",
       [&] {
         gather_lines(plan.rows, pixel, 0, rows, s.plain.bytes().data(), cols * pixel, out.data());
       }},
      {"chain forward", chained(chain_lines, Direction::forward)},
      {"chain backward", chained(chain_lines, Direction::backward)},
      {"transposition",
       [&] {
         for (std::size_t first = 0; first < rows; first += 64) {
           transpose(std::min<std::size_t>(64, rows - first), cols, pixel,
                     s.plain.bytes().data() + first * cols * pixel, cols * pixel,
                     out.data() + first * pixel, rows * pixel);
         }
       }},
      {"columns moved",
       [&] {
         gather_lines(plan.columns, pixel, 0, cols, s.plain.bytes().data(), rows * pixel,
                      out.data());
       }},
      {"undo chain forward", chained(undo_lines, Direction::forward)},
      {"undo chain backward", chained(undo_lines, Direction::backward)},
  };
  time_in_turns(all, runs);
  const auto bytes = static_cast<double>(s.shape.bytes());
  const double copy = all[0].best_ns / bytes;
  const double mac = all[1].best_ns / bytes;
  const double word_operation = 64 * rates.ns_per_bit_operation;
  const auto limit_of = [&](const std::string& name) -> Limit {
    if (name.starts_with("features")) {
      return {1.29 * mac + 11.5 * rates.ns_per_product,
              "Poly1305 of 1.29 bytes, 11.5 products of weights"};
    }
    if (name.starts_with("keystream")) {
      return {2 * 76.0 / 16 * word_operation, "76 operations on words for 16 bytes"};
    }
    if (name.find("chain ") != std::string::npos && name.find("keys") == std::string::npos) {
      return {9.0 / 8 * word_operation, "9 operations on words for 8 bytes; and the carry waits"};
    }
    if (name == "rows moved" || name == "columns moved" || name == "transposition") {
      return {copy, "memcpy"};
    }
    return {0, ""};
  };
  fmt::print("\nstages, {}, one thread, each by itself; {}\n", to_string(s.shape),
             rates.instruction_set);
  fmt::print("{:<22} {:>10} {:>12} {:>12} {:>7}  {}\n", "", "us", "cycles/byte", "limit", "times",
             "limit is");
  double sum = 0;
  for (std::size_t n = 0; n < all.size(); ++n) {
    const Timed& t = all[n];
    const Limit limit = limit_of(t.name);
    const double ns = t.best_ns / bytes;
    if (n >= 2 && !t.name.starts_with("undo")) sum += t.best_ns;
    fmt::print("{:<22} {:>10.1f} {:>12.4f} {:>12} {:>7}  {}\n", t.name, t.best_ns / 1e3, ns * ghz,
               limit.ns_per_byte > 0 ? fmt::format("{:.4f}", limit.ns_per_byte * ghz) : "",
               limit.ns_per_byte > 0 ? fmt::format("{:.1f}", ns / limit.ns_per_byte) : "",
               limit.reason);
  }
  fmt::print("{:<22} {:>10.1f} {:>12.4f}\n", "sum of encryption", sum / 1e3, sum * ghz / bytes);
}

/// Before anything else needs memory: what the first encryption adds to the peak is what it needs.
void memory() {
  const Shape shape{.rows = 4096, .cols = 4096, .channels = 3};
  const OwnedImage plain(shape);
  OwnedImage cipher(shape);
  const Bytes nonce(nonce_bytes);
  const double before = peak_megabytes();
  encrypt(full(), plain.view(), derive_key(seed, "bench/key"), nonce, cipher.view());
  const double added = peak_megabytes() - before;
  const auto image = static_cast<double>(shape.bytes()) / 1048576;
  fmt::print(
      "encrypting {}: {:.1f} MiB beside plain and cipher image of {:.1f} MiB each: {:.2f} images "
      "in all\n",
      to_string(shape), added, image, 2 + added / image);
}

void run(int runs, bool quick) {
  if (!quick) memory();
  const double ghz = core_ghz();
  const MachineRates rates = measure_machine_rates();
  fmt::print("core at {:.2f} GHz\n", ghz);
  for (const std::size_t side : {512U, 4096U}) {
    if (quick && side > 512) break;
    const int count = side > 512 ? std::max(5, runs / 20) : runs;
    Setting setting(side);
    verify(setting);
    whole(setting, count, ghz);
    stages(setting, count, ghz, rates);
  }
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  icb::keep_freed_memory();
  CLI::App app("Speed of the paper's cipher beside OpenSSL's ChaCha20.");
  int runs = 200;
  bool quick = false;
  app.add_option("--runs", runs, "runs of each at 512 x 512; a twentieth at 4096 x 4096")
      ->check(CLI::Range(1, 100000));
  app.add_flag("--quick", quick, "512 x 512 alone");
  CLI11_PARSE(app, argc, argv);
  try {
    icb::run(runs, quick);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_cipher: %s\n", error.what());
    return 3;
  }
}
