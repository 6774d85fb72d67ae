/// Are p-values rejected at the rate alpha predicts, not more, not less?
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/properties/property.hpp"
#include "core/units.hpp"

namespace icb::properties {

/// A uniform number in [0, 1) that only the label and the seed decide: 53 bits of derive_seed.
double uniform_of(std::uint64_t seed, std::string_view label);

/// Two-sided p-value of a binomial count that is exactly uniform under the null hypothesis, unlike
/// the usual one, whose steps a test of uniformity would find: with u = P(X < k) + v P(X = k),
/// 2 min(u, 1 - u). `v` is uniform on [0, 1) and independent of the count. Both tails are computed
/// directly.
PValue randomised_binomial_p(std::uint64_t k, std::uint64_t n, double probability, double v);

/// The p-value of a finding of a metric that is a share of n things changed (npcr,
/// bit_change_rate), randomised; of any other the one it has.
double uniform_p(const Measurement& measurement, double v);

/// What `rate_findings` names its findings by.
struct RatesOf {
  std::string stem;  ///< quantity is <stem>_rejected_0.05 and so on, <stem>_ks, <stem>_mean
  std::string family;
  std::string nonce_policy;
  std::string null_model;  ///< of one p-value
  bool decides = true;
};

/// What was found of many independent images or pairs.
struct Samples {
  std::vector<double> p;
  std::vector<double> z;  ///< (value - mean) / sd of those that have them

  /// Takes p and z of the measurement; nothing without p.
  void add(const Measurement& measurement);
};

/// Five findings on samples that are independent for an ideal cipher, with uniform p-values: how
/// many are below 0.05, 0.01 and 0.001, each by a two-sided exact binomial test (twice the smaller
/// tail), with its Clopper-Pearson 95 % interval; the Kolmogorov-Smirnov distance from uniform,
/// exact; and the mean of z times sqrt(n), standard normal by the central limit theorem, which sees
/// what is too little for any single sample. They see the same samples: one family. Without samples
/// they do not apply.
std::vector<Finding> rate_findings(const RatesOf& of, const Samples& samples);

}  // namespace icb::properties
