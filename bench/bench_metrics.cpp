/// Speed of the metrics, in ns per byte of the image, beside memcpy and what bounds them on this
/// very machine.
///
///   bench_metrics [--benchmark_filter=REGEX] [--benchmark_min_time=SECONDS]
///
/// A random image of 512 x 512 x 3 samples of 8 bit. Each metric alone, on an image nothing has
/// been counted of yet, as are its plain and second image; then all that need one image together,
/// sharing their counts; then all of them. The limit of a metric is what its least work takes at
/// rates measured in the same run: bytes read, products added up, counters incremented (a last
/// place set is taken for one). It is a bound of the method used, not of every thinkable one.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/collector.hpp"
#include "bench/machine_rates.hpp"
#include "core/memory.hpp"
#include "metrics/distance.hpp"
#include "metrics/floating_frequency.hpp"
#include "metrics/image_counts.hpp"
#include "metrics/metric.hpp"

namespace icb {
namespace {

constexpr Shape shape{512, 512, 3};

OwnedImage random_image(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  OwnedImage image(shape);
  for (auto& byte : image.view().bytes()) byte = static_cast<std::uint8_t>(engine() >> 56);
  return image;
}

/// The least work for one byte of the image.
struct Work {
  double images = 1;  ///< read
  double products = 0;
  double increments = 0;
  const char* reason = "bytes read";
};

/// Share of the image that local entropy looks at.
constexpr double looked_at = 30.0 * 44 * 44 / (512 * 512);

Work work_of(const MetricEntry& metric) {
  const bool two = metric.needs != Needs::nothing;
  if (metric.name == "floating_frequency") {
    return {.increments = 1, .reason = "a last place"};
  }
  if (metric.name == "local_entropy") {
    return {.images = looked_at, .increments = looked_at, .reason = "a counter, in 30 blocks"};
  }
  if (metric.name.starts_with("correlation_")) {
    return {.products = 5, .reason = "a square, a product for each of four directions"};
  }
  if (metric.name == "plain_cipher_correlation") {
    return {.images = 2, .products = 3, .increments = 2, .reason = "two histograms"};
  }
  if (metric.name.starts_with("glcm_")) return {.increments = 1, .reason = "a counter"};
  if (!two && (metric.family == "histogram" || metric.name == "bit_plane_balance")) {
    return {.increments = 1, .reason = "a counter"};
  }
  return {.images = two ? 2.0 : 1.0};
}

double limit_ns(const Work& work, const MachineRates& rates) {
  return std::max({work.images * rates.ns_per_word / 8, work.products * rates.ns_per_product,
                   work.increments * rates.ns_per_increment});
}

/// Throws std::logic_error unless the fast counts are the plain ones.
void verify(ConstImage view, ConstImage second) {
  const CountedImage image(view);
  image.count_all();
  bool same = distance_sums(view, second) == plain_distance_sums(view, second);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    same = same && image.histogram(c) == histogram(view, c) &&
           image.cooccurrence(c, 256).counts == cooccurrence(view, c, 256).counts &&
           distance_sums(view, second, c) == plain_distance_sums(view, second, c);
    for (const PairOffset offset : neighbours) {
      same = same && image.adjacent(offset).at(c) == adjacent_pairs(view, c, offset);
    }
  }
  std::uint64_t distinct = 0;
  const ConstBytes bytes = view.bytes();
  std::vector<std::size_t> last(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) {  // see distinct_in_windows
    const std::size_t first = std::max(last[bytes[i]], i < 64 ? 0 : i - 63);
    last[bytes[i]] = i + 1;
    const std::size_t end = std::min(i + 1, bytes.size() - 63);
    if (end > first) distinct += end - first;
  }
  if (!same || distinct != distinct_in_windows(bytes)) {
    throw std::logic_error("the fast counts differ from the plain ones");
  }
}

template <class Work>
void add(const std::string& name, Work work) {
  benchmark::RegisterBenchmark(name.c_str(), [work](benchmark::State& state) {
    for (auto unused : state) work();
  })->Repetitions(5);
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const OwnedImage image = random_image(1);
  const OwnedImage plain = random_image(2);
  const OwnedImage second = random_image(3);
  verify(image.view(), second.view());
  const auto input = [&](bool three) {
    MetricInput in{.image = image.view()};
    if (three) in.plain = plain.view();
    if (three) in.second = second.view();
    return in;
  };
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    add(name, [&input, &metric = metric] {
      benchmark::DoNotOptimize(metric.compute(input(metric.needs != Needs::nothing)));
    });
  }
  for (const bool three : {false, true}) {
    add(three ? "all" : "single", [&input, three] {
      const MetricInput in = input(three);
      in.image.count_all();
      for (const auto& [name, metric] : registry<MetricEntry>()) {
        if (three || metric.needs == Needs::nothing) benchmark::DoNotOptimize(metric.compute(in));
      }
    });
  }
  Collector collector;
  const MachineRates before = measure_machine_rates();
  const double copy_before = memcpy_ns(shape.bytes());
  benchmark::RunSpecifiedBenchmarks(&collector);
  const MachineRates rates = best_of(before, measure_machine_rates());
  const double bytes = static_cast<double>(shape.bytes());
  const double copy = std::min(copy_before, memcpy_ns(shape.bytes())) / bytes;
  constexpr std::size_t large = std::size_t{1} << 28;
  const double large_copy = memcpy_ns(large) / static_cast<double>(large);

  fmt::print("random image of {}, {:.0f} bytes, one thread; {}\n", to_string(shape), bytes,
             rates.instruction_set);
  fmt::print(
      "rates of this run: memcpy {:.1f} GB/s (of 256 MiB {:.1f} GB/s), read in cache {:.1f} GB/s, "
      "{:.1f} G products/s, {:.2f} G increments/s\n\n",
      1 / copy, 1 / large_copy, 8 / rates.ns_per_word, 1 / rates.ns_per_product,
      1 / rates.ns_per_increment);
  fmt::print("{:<27} {:>10} {:>9} {:>9} {:>9} {:>9} {:>7}  {}\n", "metric", "us", "GB/s", "ns/byte",
             "memcpys", "limit", "times", "limit is");
  const auto row = [&](const std::string& name, double ns) {
    return fmt::format("{:<27} {:>10.1f} {:>9.2f} {:>9.4f} {:>9.1f}", name, ns * bytes / 1e3,
                       1 / ns, ns, ns / copy);
  };
  fmt::print("{}\n", row("memcpy", copy));
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    const double ns = collector.seconds(name + "/repeats:5") * 1e9 / bytes;
    if (ns == 0) continue;
    const Work work = work_of(metric);
    const double limit = limit_ns(work, rates);
    fmt::print("{} {:>9.4f} {:>7.1f}  {}\n", row(name, ns), limit, ns / limit, work.reason);
  }
  for (const auto& [name, title] :
       {std::pair{"single", "all of one image"}, {"all", "all, plain and second too"}}) {
    const double ns = collector.seconds(std::string(name) + "/repeats:5") * 1e9 / bytes;
    if (ns == 0) continue;
    // Of the image judged: a pair, a last place and what is in blocks, beside the products.
    const double limit = (2 + looked_at) * rates.ns_per_increment + 5 * rates.ns_per_product;
    fmt::print(
        "{} {:>9.4f} {:>7.1f}  a pair, a last place, blocks, five products; {:.1f} memcpys of "
        "256 MiB\n",
        row(title, ns), limit, ns / limit, ns / large_copy);
  }
  return 0;
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  icb::keep_freed_memory();
  try {
    return icb::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_metrics: %s\n", error.what());
    return 3;
  }
}
