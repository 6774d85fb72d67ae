/// What the metric tests share: seeded images and simulation under the null model.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/image.hpp"
#include "metrics/metric.hpp"

namespace icb::testing {

/// ICB_SEED from the environment, else 20240501; printed by SCOPED_TRACE where it matters.
std::uint64_t test_seed();

/// Fills with i.i.d. uniform bytes.
void fill_random(OwnedImage& image, std::mt19937_64& engine);
OwnedImage random_image(Shape shape, std::uint64_t salt);

/// Samples computed by (row, col, channel).
OwnedImage image_of(
    Shape shape, const std::function<std::uint16_t(std::size_t, std::size_t, std::size_t)>& value);

/// One row of 8-bit samples.
OwnedImage row_of(const std::vector<std::uint8_t>& samples);

std::vector<Measurement> measure(std::string_view metric, const MetricInput& input);

/// Mean, sd and rejections of simulated values.
class Simulation {
 public:
  void add(double value, double p);

  /// Mean within 4.5 standard errors of the model's; sd within 4.5 of its standard errors (kurtosis
  /// of the values included).
  void expect_moments(double mean, double sd) const;

  /// Number of p below 0.05, 0.01, 0.001 within binomial error (one-sided 1e-6), alpha widened by
  /// `slack` where p-values are documented as approximate; `at_most`: fewer are right too.
  void expect_rejections(double slack = 0, bool at_most = false) const;

 private:
  std::vector<double> m_values;
  std::array<std::uint64_t, 3> m_rejected{};
};

/// 1 x 1, 1 x N, N x 1, non-square; 1 to 4 channels; 8 and 16 bit.
std::vector<Shape> awkward_shapes();

}  // namespace icb::testing
