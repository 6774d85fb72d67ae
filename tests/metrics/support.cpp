#include "tests/metrics/support.hpp"

#include <cmath>
#include <cstdlib>

#include "core/statistics.hpp"

namespace icb::testing {

std::uint64_t test_seed() {
  const char* text = std::getenv("ICB_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20240501;
}

void fill_random(OwnedImage& image, std::mt19937_64& engine) {
  std::uint64_t word = 0;
  std::size_t left = 0;
  for (std::uint8_t& byte : image.view().bytes()) {
    if (left == 0) {
      word = engine();
      left = 8;
    }
    byte = static_cast<std::uint8_t>(word & 0xFF);
    word >>= 8;
    --left;
  }
}

OwnedImage random_image(Shape shape, std::uint64_t salt) {
  std::mt19937_64 engine(test_seed() + salt);
  OwnedImage image(shape);
  fill_random(image, engine);
  return image;
}

OwnedImage image_of(
    Shape shape, const std::function<std::uint16_t(std::size_t, std::size_t, std::size_t)>& value) {
  OwnedImage image(shape);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        image.view().set_sample(row, col, channel, value(row, col, channel));
      }
    }
  }
  return image;
}

OwnedImage row_of(const std::vector<std::uint8_t>& samples) {
  return {{1, samples.size()}, samples};
}

std::vector<Measurement> measure(std::string_view metric, const MetricInput& input) {
  return find<MetricEntry>(metric).compute(input);
}

void Simulation::add(double value, double p) {
  m_values.push_back(value);
  m_rejected[0] += p < 0.05 ? 1U : 0U;
  m_rejected[1] += p < 0.01 ? 1U : 0U;
  m_rejected[2] += p < 0.001 ? 1U : 0U;
}

void Simulation::expect_moments(double mean, double sd) const {
  SCOPED_TRACE("ICB_SEED=" + std::to_string(test_seed()));
  const double n = static_cast<double>(m_values.size());
  double sum = 0;
  for (const double v : m_values) sum += v;
  const double seen = sum / n;
  double second = 0;
  double fourth = 0;
  for (const double v : m_values) {
    const double d2 = (v - mean) * (v - mean);
    second += d2 / n;
    fourth += d2 * d2 / n;
  }
  EXPECT_NEAR(seen, mean, 4.5 * sd / std::sqrt(n));
  const double kurtosis = fourth / (second * second);
  const double relative_error = std::sqrt((kurtosis - 1) / n) / 2;
  EXPECT_NEAR(std::sqrt(second) / sd, 1, 4.5 * relative_error);
}

void Simulation::expect_rejections(double slack, bool at_most) const {
  SCOPED_TRACE("ICB_SEED=" + std::to_string(test_seed()));
  const std::array<double, 3> alphas{0.05, 0.01, 0.001};
  const std::uint64_t n = m_values.size();
  for (std::size_t i = 0; i < alphas.size(); ++i) {
    const double alpha = alphas.at(i);
    const std::uint64_t seen = m_rejected.at(i);
    // P(X >= seen) = P(n - X <= n - seen).
    EXPECT_GT(binomial_lower_p(n - seen, n, 1 - alpha * (1 + slack)).value(), 1e-6)
        << seen << " of " << n << " rejected at alpha " << alpha;
    if (!at_most) {
      EXPECT_GT(binomial_lower_p(seen, n, alpha * (1 - slack)).value(), 1e-6)
          << seen << " of " << n << " rejected at alpha " << alpha;
    }
  }
}

std::vector<Shape> awkward_shapes() {
  std::vector<Shape> out;
  for (const auto& [rows, cols] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1}, {1, 2}, {2, 1}, {1, 37}, {37, 1}, {2, 2}, {3, 2}, {17, 9}, {40, 64}}) {
    for (std::size_t channels = 1; channels <= 4; ++channels) {
      for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}}) {
        out.push_back({rows, cols, channels, bytes});
      }
    }
  }
  return out;
}

}  // namespace icb::testing
