#include "metrics/entropy.hpp"

#include <cmath>
#include <numbers>

#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

TEST(Entropy, ByHand) {
  EXPECT_EQ(shannon_entropy({4, 0}), 0.0);
  EXPECT_FALSE(std::signbit(shannon_entropy({4, 0})));
  EXPECT_EQ(shannon_entropy({2, 2}), 1.0);
  EXPECT_EQ(shannon_entropy({2, 1, 1}), 1.5);
  EXPECT_EQ(shannon_entropy(Histogram(256, 7)), 8.0);
  EXPECT_EQ(shannon_entropy(Histogram(65536, 1)), 16.0);
  EXPECT_THROW(shannon_entropy({0, 0}), std::invalid_argument);
}

/// Multinomial moments by the plain double sum over two counts.
NullModel slow_null(int n, int k) {
  const auto log_mass = [](int c, int trials, double p) {
    return std::lgamma(trials + 1.0) - std::lgamma(c + 1.0) - std::lgamma(trials - c + 1.0) +
           c * std::log(p) + (trials - c) * std::log1p(-p);
  };
  const auto mass = [&](int c, int trials, double p) {
    if (p == 1) return c == trials ? 1.0 : 0.0;
    return std::exp(log_mass(c, trials, p));
  };
  const auto g = [n](int c) {
    return c == 0 ? 0.0 : -c / double{1.0 * n} * std::log2(c / double{1.0 * n});
  };
  double mean = 0;
  double second = 0;
  double cross = 0;
  for (int a = 0; a <= n; ++a) {
    const double pa = mass(a, n, 1.0 / k);
    mean += pa * g(a);
    second += pa * g(a) * g(a);
    for (int b = 0; b <= n - a; ++b) cross += pa * mass(b, n - a, 1.0 / (k - 1)) * g(a) * g(b);
  }
  return {k * mean, std::sqrt(k * second + 1.0 * k * (k - 1) * cross - k * mean * k * mean)};
}

TEST(EntropyNull, AgreesWithTheDoubleSum) {
  for (const auto& [n, k] : std::vector<std::pair<int, int>>{
           {2, 256}, {5, 256}, {64, 256}, {300, 256}, {2000, 256}, {50, 16}, {400, 16}}) {
    const NullModel fast = entropy_null(static_cast<std::uint64_t>(n), static_cast<std::size_t>(k));
    const NullModel slow = slow_null(n, k);
    EXPECT_NEAR(fast.mean, slow.mean, 1e-10) << n << " samples, " << k << " bins";
    EXPECT_NEAR(fast.sd / slow.sd, 1, 0.5 / ((k - 1.0) * (k - 1.0)) + 1e-7) << n << ", " << k;
  }
}

TEST(EntropyNull, AgreesWithPublishedBlockOf1936) {
  // Mean of one 44 x 44 block: Wu et al., Information Sciences 222 (2013), to the nine digits
  // printed.
  const NullModel null = entropy_null(1936, 256);
  EXPECT_NEAR(null.mean, 7.902469317, 5e-10);
  EXPECT_NEAR(null.sd, 0.00869423, 1e-7);
}

TEST(EntropyNull, TendsToTheAsymptoticForm) {
  for (const std::uint64_t n : {std::uint64_t{1} << 18, std::uint64_t{1} << 24}) {
    const double size = static_cast<double>(n);
    const NullModel null = entropy_null(n, 256);
    EXPECT_NEAR((8 - null.mean) * 2 * size * std::numbers::ln2 / 255, 1, 100 / size);
    EXPECT_NEAR(null.sd * size * std::numbers::ln2 / std::sqrt(127.5), 1, 300 / size);
  }
}

TEST(EntropyNull, OneSampleIsCertain) {
  const Measurement m = measure("entropy", {.image = row_of({9}).view()}).at(0);
  EXPECT_EQ(m.value, 0.0);
  EXPECT_EQ(m.expected, 0.0);
  EXPECT_FALSE(m.z || m.p_value);
  EXPECT_THROW(entropy_null(0, 256), std::invalid_argument);
}

TEST(Entropy, RoughAndOverUniformImagesAreFlagged) {
  const OwnedImage flat = image_of({64, 64}, [](std::size_t row, std::size_t col, std::size_t) {
    return static_cast<std::uint16_t>((64 * row + col) % 256);
  });
  const Measurement over = measure("entropy", {.image = flat.view()}).at(0);
  EXPECT_EQ(over.value, 8.0);
  EXPECT_LT(*over.p_value, 1e-50);
  EXPECT_EQ(over.detail, "more uniform than chance");
  const Measurement under = measure("entropy", {.image = OwnedImage({64, 64}).view()}).at(0);
  EXPECT_EQ(under.value, 0.0);
  EXPECT_LT(*under.p_value, 1e-300);
  EXPECT_EQ(under.detail, "less uniform than chance");
}

TEST(Entropy, FewSamplesForTheBins) {
  const Measurement m = measure("entropy", {.image = random_image({64, 64, 1, 2}, 1).view()}).at(0);
  EXPECT_LT(*m.value, 12.0);  // log2 4096
  EXPECT_LT(std::abs(*m.z), 5);
  EXPECT_NE(m.detail.find("p is approximate: 4096 samples in 65536 bins"), std::string::npos);
}

TEST(Entropy, SimulationFindsMeanSdAndRejections) {
  struct Case {
    Shape shape;
    int images;
    double slack;
  };

  for (const auto& [shape, images, slack] :
       {Case{{16, 16}, 40000, 0.3}, Case{{37, 36}, 40000, 0}, Case{{64, 64}, 20000, 0},
        Case{{16, 16, 1, 2}, 2000, -1}, Case{{512, 512, 1, 2}, 200, 0}}) {
    SCOPED_TRACE(to_string(shape));
    std::mt19937_64 engine(test_seed() + 2);
    OwnedImage image(shape);
    Simulation simulation;
    const NullModel null = entropy_null(shape.samples(), shape.sample_bytes == 1 ? 256 : 65536);
    for (int i = 0; i < images; ++i) {
      fill_random(image, engine);
      const double value = shannon_entropy(histogram(image.view()));
      const double bits = shape.sample_bytes == 1 ? 8 : 16;
      simulation.add(value,
                     gamma_tails(bits - value, bits - null.mean, null.sd).two_sided().value());
    }
    simulation.expect_moments(null.mean, null.sd);
    if (slack >= 0) simulation.expect_rejections(slack);
  }
}

}  // namespace
}  // namespace icb::testing
