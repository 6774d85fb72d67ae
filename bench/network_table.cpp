/// What each network of the paper's cipher contributes: trained, with random weights, and left out.
///
///   network_table [--keys N] > results/properties/networks.csv
///
/// Columns: network (feedback, keygen), weights (trained, random, none), quantity, value, standard
/// error where there is one, expected of an ideal cipher where there is one, n. Generated images,
/// seeded keys: everything but the rows in us is the same on every machine. Needs no other data.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "core/memory.hpp"
#include "datasets/dataset.hpp"
#include "metrics/metric.hpp"

namespace {

using namespace icb;  // NOLINT: a program of one file
using khazaal2024::Condensed;
using khazaal2024::FeedbackWeights;
using khazaal2024::KeygenWeights;
using khazaal2024::Variant;

constexpr std::uint64_t seed = 1;

struct Samples {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }

  double error() const {
    double squares = 0;
    for (const double v : values) squares += (v - mean()) * (v - mean());
    const auto n = static_cast<double>(values.size());
    return std::sqrt(squares / (n - 1) / n);
  }
};

class Table {
 public:
  void add(const Samples& samples, const std::string& quantity, const std::string& expected) {
    m_csv.add({network, weights, quantity, format_double(samples.mean()),
               samples.values.size() > 1 ? format_double(samples.error()) : "", expected,
               std::to_string(samples.values.size())});
  }

  std::string network;
  std::string weights;

  std::string text() const { return m_csv.text(); }

 private:
  CsvTable m_csv{{"network", "weights", "quantity", "value", "standard_error", "expected", "n"}};
};

Digest key_of(std::size_t n) { return derive_key(seed, fmt::format("networks/key-{}", n)); }

Bytes nonce_of(std::size_t n) {
  return derive_bytes(seed, fmt::format("networks/nonce-{}", n), khazaal2024::nonce_bytes);
}

/// Of "all" or the only channel.
double value_of(const std::string& metric, const MetricInput& input) {
  return *registry<MetricEntry>().at(metric).compute(input).back().value;
}

void correlation_after_confusion(Table& table, Variant variant, std::size_t keys) {
  variant.condensed = Condensed::nothing;
  variant.diffusion = false;
  for (const char* direction : {"horizontal", "vertical", "diagonal"}) {
    const std::string metric = fmt::format("correlation_{}", direction);
    Samples samples;
    for (const ImageRef& image : smoke_set().images) {
      const OwnedImage plain = owned(image.load());
      OwnedImage out(plain.shape());
      for (std::size_t key = 0; key < keys; ++key) {
        khazaal2024::encrypt(variant, plain.view(), key_of(key), nonce_of(key), out.view());
        const double r = value_of(metric, {.image = CountedImage(std::as_const(out).view())});
        samples.values.push_back(std::abs(r) *
                                 std::sqrt(static_cast<double>(plain.shape().pixels())));
      }
    }
    // |Z| has mean sqrt(2 / pi); channels move together, so their number does not enter.
    table.add(samples, metric + " after confusion, |r| sqrt(pixels)", "");
  }
}

/// The public parameter held fixed: what the rounds do by themselves.
void differential(Table& table, const Variant& variant, std::size_t keys) {
  const OwnedImage plain = owned(smoke_set().images.front().load());
  const Bytes parameter = derive_bytes(seed, "networks/parameter", 32);
  for (const char* metric : {"npcr", "uaci"}) {
    Samples samples;
    for (std::size_t key = 0; key < keys; ++key) {
      OwnedImage changed = plain;
      const std::size_t at =
          derive_seed(seed, fmt::format("networks/position-{}", key)) % plain.shape().bytes();
      changed.view().bytes()[at] ^= 1;
      OwnedImage a(plain.shape());
      OwnedImage b(plain.shape());
      const auto encrypt = [&](const OwnedImage& in, OwnedImage& out) {
        khazaal2024::encrypt_rounds(variant, in.view(), key_of(key), nonce_of(key), parameter,
                                    out.view());
      };
      encrypt(plain, a);
      encrypt(changed, b);
      samples.values.push_back(value_of(metric, {.image = CountedImage(std::as_const(a).view()),
                                                 .second = CountedImage(std::as_const(b).view())}));
    }
    table.add(samples, fmt::format("{} of the rounds, one LSB, same public parameter", metric),
              format_double(metric == std::string("npcr") ? 255.0 / 256 : 257.0 / 768));
  }
}

/// Share of positions of the confusion that chosen images reveal under one key and nonce.
void chosen_images(Table& table, Variant variant) {
  variant.condensed = Condensed::nothing;
  variant.diffusion = false;
  const Shape shape{.rows = 64, .cols = 64};
  std::vector<std::size_t> source(shape.pixels());
  const auto ask = [&](auto value) {
    OwnedImage image(shape);
    for (std::size_t n = 0; n < shape.pixels(); ++n) image.view().bytes()[n] = value(n);
    khazaal2024::encrypt(variant, std::as_const(image).view(), key_of(0), nonce_of(0),
                         image.view());
    return image;
  };
  for (unsigned shift = 0; shift < 16; shift += 8) {
    const OwnedImage seen =
        ask([&](std::size_t n) { return static_cast<std::uint8_t>((n >> shift) & 0xFF); });
    for (std::size_t n = 0; n < source.size(); ++n) {
      source[n] |= std::size_t{seen.bytes()[n]} << shift;
    }
  }
  const auto secret = [](std::size_t n) { return static_cast<std::uint8_t>((n * n * 37) >> 7); };
  const OwnedImage seen = ask(secret);
  std::size_t right = 0;
  for (std::size_t n = 0; n < source.size(); ++n) right += seen.bytes()[n] == secret(source[n]);
  table.add({{static_cast<double>(right) / static_cast<double>(source.size())}},
            "share of pixels of the confusion variant read after 2 chosen images", "");
}

void time_of_encryption(Table& table, const Variant& variant) {
  const Shape shape{.rows = 512, .cols = 512, .channels = 3};
  const OwnedImage plain(shape, derive_bytes(seed, "networks/timing", shape.bytes()));
  OwnedImage out(shape);
  double best = 1e9;
  for (int run = 0; run < 50; ++run) {
    const auto start = std::chrono::steady_clock::now();
    khazaal2024::encrypt(variant, plain.view(), key_of(0), nonce_of(0), out.view());
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  table.add({{best}}, "us to encrypt 512 x 512 x 3, best of 50, this machine", "");
}

void public_parameters(Table& table, const Variant& variant) {
  const Shape shape{.rows = 128, .cols = 128};
  OwnedImage image(shape, derive_bytes(seed, "networks/parameters", shape.bytes()));
  std::set<khazaal2024::PublicParameter> seen;
  const auto parameter = [&] {
    return khazaal2024::public_parameter(variant, std::as_const(image).view(), key_of(0),
                                         nonce_of(0));
  };
  const auto first = parameter();
  seen.insert(first);
  Samples distance;
  for (std::size_t n = 0; n < shape.bytes(); ++n) {
    image.view().bytes()[n] ^= 1;
    const auto changed = parameter();
    image.view().bytes()[n] ^= 1;
    seen.insert(changed);
    int bits = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      bits += std::popcount(static_cast<unsigned>(first.at(i) ^ changed.at(i)));
    }
    distance.values.push_back(bits);
  }
  const std::size_t all = shape.bytes() + 1;
  table.add({{static_cast<double>(all - seen.size())}},
            "collisions of the public parameter, each LSB of 128 x 128 flipped", "0");
  table.add(distance, "bits of the public parameter changed by a flipped LSB", "128");
}

FeedbackWeights random_start() { return khazaal2024::training_snapshots().front().weights; }

KeygenWeights random_keygen() {
  KeygenWeights out = khazaal2024::trained_keygen();
  std::mt19937_64 engine(derive_seed(seed, "networks/random"));
  const auto weight = [&](int bound) {
    return static_cast<std::int8_t>(
        static_cast<int>(uniform_below(engine, static_cast<std::uint64_t>(2 * bound + 1))) - bound);
  };
  for (auto& row : out.predictor) std::ranges::generate(row, [&] { return weight(25); });
  for (auto& layer : out.layers) std::ranges::generate(layer.weight, [&] { return weight(64); });
  return out;
}

void run(std::size_t keys) {
  Table table;
  const FeedbackWeights feedback = random_start();
  const KeygenWeights keygen = random_keygen();
  table.network = "feedback";
  for (const char* weights : {"trained", "random", "none"}) {
    table.weights = weights;
    Variant variant = khazaal2024::full();
    if (table.weights == "random") variant.network = &feedback;
    if (table.weights == "none") variant.network_outputs = false;
    correlation_after_confusion(table, variant, keys);
    differential(table, variant, keys);
    chosen_images(table, variant);
    time_of_encryption(table, variant);
  }
  table.network = "keygen";
  for (const char* weights : {"trained", "random", "none"}) {
    table.weights = weights;
    Variant variant = khazaal2024::full();
    if (table.weights == "random") variant.keygen = &keygen;
    if (table.weights == "none") variant.condensed = Condensed::digest;
    public_parameters(table, variant);
    time_of_encryption(table, variant);
  }
  fmt::print("{}", table.text());
}

}  // namespace

int main(int argc, char** argv) {
  icb::keep_freed_memory();
  CLI::App app("What each network of the paper's cipher contributes, as CSV.");
  std::size_t keys = 20;
  app.add_option("--keys", keys, "keys per image")->check(CLI::Range(2, 10000));
  CLI11_PARSE(app, argc, argv);
  try {
    run(keys);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "network_table: {}\n", e.what());
    return 3;
  }
}
