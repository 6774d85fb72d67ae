#include "metrics/floating_frequency.hpp"

#include <cmath>
#include <set>

#include "core/statistics.hpp"
#include "tests/metrics/support.hpp"
#include "tests/nist_tests/targets.hpp"
#include "tests/sanitized.hpp"

namespace icb::testing {
namespace {

std::uint64_t distinct_slowly(ConstBytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t start = 0; start + 64 <= bytes.size(); ++start) {
    const ConstBytes window = bytes.subspan(start, 64);
    sum += std::set<std::uint8_t>(window.begin(), window.end()).size();
  }
  return sum;
}

TEST(FloatingFrequency, AgreesWithWindowsCountedOneByOne) {
  test::for_all_targets([] {
    std::mt19937_64 engine(test_seed() + 20);
    for (const std::size_t n :
         {0U, 1U, 63U, 64U, 65U, 66U, 67U, 68U, 127U, 128U, 129U, 200U, 1000U, 1027U}) {
      for (const unsigned values : {1U, 2U, 20U, 256U}) {
        Bytes bytes(n);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine() % values);
        EXPECT_EQ(distinct_in_windows(bytes), distinct_slowly(bytes)) << n << " of " << values;
      }
    }
  });
}

TEST(FloatingFrequency, LongRunsAreCountedInParts) {
  // Longer than the parts the kernel works in; a counter has 64 values in every window.
  Bytes bytes((std::size_t{1} << 22) + 999);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(distinct_in_windows(bytes), 64 * (bytes.size() - 63));
}

TEST(FloatingFrequency, BytesOfEveryScope) {
  for (const Shape& shape : awkward_shapes()) {
    const OwnedImage image = random_image(shape, 21);
    const auto found = measure("floating_frequency", {.image = image.view()});
    std::uint64_t pooled = 0;
    std::uint64_t windows = 0;
    for (std::size_t scope = 0; scope < found.size(); ++scope) {
      Bytes bytes;
      for (std::size_t i = 0; i < shape.bytes(); ++i) {
        const bool own = i / shape.sample_bytes % shape.channels == scope;
        if (own || scope == shape.channels) bytes.push_back(image.bytes()[i]);
      }
      EXPECT_EQ(found[scope].n, bytes.size());
      const bool all = scope == shape.channels;
      if (shape.bytes() / shape.channels < 64) {
        EXPECT_EQ(found[scope].status, Status::not_applicable);
        continue;
      }
      const std::uint64_t distinct = all ? pooled : distinct_slowly(bytes);
      const std::uint64_t places = all ? windows : bytes.size() - 63;
      EXPECT_EQ(found[scope].value, static_cast<double>(distinct) / static_cast<double>(places));
      pooled += distinct;
      windows += places;
    }
  }
}

TEST(FloatingFrequency, BrokenImagesAreRejected) {
  // Balanced blocks: every value once in 256 bytes, so the histogram is perfect.
  const OwnedImage counter = image_of({64, 64}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((64 * row + col) % 256);
  });
  const Measurement high = measure("floating_frequency", {.image = counter.view()}).at(0);
  EXPECT_EQ(high.value, 64.0);
  EXPECT_LT(*high.p_value, 1e-100);
  const OwnedImage flat({64, 64});
  const Measurement low = measure("floating_frequency", {.image = flat.view()}).at(0);
  EXPECT_EQ(low.value, 1.0);
  EXPECT_LT(*low.p_value, 1e-100);
  OwnedImage pairs = random_image({64, 64}, 22);  // each byte twice
  for (std::size_t i = 0; i < 4096; i += 2) pairs.view().bytes()[i + 1] = pairs.bytes()[i];
  EXPECT_LT(*measure("floating_frequency", {.image = pairs.view()}).at(0).p_value, 1e-100);
}

TEST(FloatingFrequencyNull, OneWindowIsTheOccupancyLaw) {
  // Distribution of the number of distinct values among 64, by recursion.
  std::vector<double> law(66);
  law[0] = 1;
  for (int byte = 0; byte < 64; ++byte) {
    for (std::size_t d = 65; d-- > 0;) {
      law[d + 1] += law[d] * (256 - static_cast<double>(d)) / 256;
      law[d] *= static_cast<double>(d) / 256;
    }
  }
  double mean = 0;
  double square = 0;
  for (std::size_t d = 0; d <= 64; ++d) {
    mean += law[d] * static_cast<double>(d);
    square += law[d] * static_cast<double>(d * d);
  }
  const NullModel null = floating_frequency_null(64);
  EXPECT_NEAR(null.mean, mean, 1e-12);
  EXPECT_NEAR(null.mean, 56.7246, 1e-4);
  EXPECT_NEAR(null.sd, std::sqrt(square - mean * mean), 1e-10);
  EXPECT_THROW(floating_frequency_null(63), std::invalid_argument);
}

TEST(FloatingFrequency, SimulationFindsMeanSdAndRejections) {
  for (const auto& [n, images] : std::vector<std::pair<std::size_t, int>>{
           {64, 40000}, {65, 40000}, {100, 40000}, {256, 40000}, {1024, 40000}, {4096, 20000}}) {
    SCOPED_TRACE(n);
    std::mt19937_64 engine(test_seed() + 23);
    OwnedImage image({1, n});
    Simulation simulation;
    const NullModel null = floating_frequency_null(n);
    for (int i = 0; i < (ICB_SANITIZED != 0 ? images / 10 : images); ++i) {
      fill_random(image, engine);
      const double value =
          static_cast<double>(distinct_in_windows(image.bytes())) / static_cast<double>(n - 63);
      simulation.add(value, two_sided_normal_p((value - null.mean) / null.sd).value());
    }
    simulation.expect_moments(null.mean, null.sd);
    simulation.expect_rejections(n == 64 ? 0.7 : n < 256 ? 0.3 : 0.1);
  }
}

TEST(FloatingFrequency, SimulationOfChannelsPooled) {
  std::mt19937_64 engine(test_seed() + 24);
  OwnedImage image({16, 20, 3});
  Simulation simulation;
  Measurement all;
  for (int i = 0; i < (ICB_SANITIZED != 0 ? 2000 : 20000); ++i) {
    fill_random(image, engine);
    all = measure("floating_frequency", {.image = image.view()}).back();
    simulation.add(*all.value, *all.p_value);
  }
  simulation.expect_moments(*all.expected, *all.sd);
  simulation.expect_rejections(0.1);
}

}  // namespace
}  // namespace icb::testing
