/// What protocols share: bytes and positions derived from the seed, and the summary of many pairs
/// of images (smallest, mean, largest, share rejected) with its null model.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/protocols/protocol.hpp"
#include "metrics/finding.hpp"

namespace icb::protocols {

/// A nonce of the cipher's size; one label, one nonce.
Bytes nonce_of(const ProtocolInput& input, std::string_view label);

/// `count` different numbers below `bound`, in the order drawn; all of them if there are fewer.
/// Those in `taken` are left out.
std::vector<std::uint64_t> distinct_below(std::mt19937_64& engine, std::uint64_t count,
                                          std::uint64_t bound,
                                          std::span<const std::uint64_t> taken = {});

/// "row 3, column 4, channel b" of sample number `sample`.
std::string place_name(const Shape& shape, std::uint64_t sample);

/// "all", or the name of the only channel.
std::string pooled_channel(const Shape& shape);

/// Reports the share of `total` encryptions done, one more at each call.
class Steps {
 public:
  Steps(const ProtocolInput& input, std::uint64_t total) : m_input(input), m_total(total) {}

  void next() { m_input.progress(static_cast<double>(m_done++) / static_cast<double>(m_total)); }

 private:
  const ProtocolInput& m_input;
  std::uint64_t m_total;
  std::uint64_t m_done = 0;
};

/// Mean and sd of the smallest and of the largest of `count` independent values.
struct ExtremesNull {
  NullModel smallest;
  NullModel largest;
};

/// Values X / n, X binomial(n, probability): exact.
ExtremesNull extremes_of_shares(std::uint64_t count, std::uint64_t n, double probability);
/// Normal values, discretised to sd / 128: exact to 1e-5 sd.
ExtremesNull extremes_of_normals(std::uint64_t count, const NullModel& null);

/// P(at least one of `count` independent events of that probability), without cancellation.
double at_least_one(double probability, std::uint64_t count);

/// How many of `count` independent tests rejected at alpha: value is the share; expected alpha, sd
/// sqrt(alpha (1 - alpha) / count); p is the exact binomial upper tail. `detail` has the
/// Clopper-Pearson 95 % interval of the true rate.
///
/// A discrete p-value is below alpha with a probability of at most alpha, so p is conservative.
Measurement share_rejected(std::string_view quantity, std::uint64_t rejected, std::uint64_t count,
                           double alpha);

/// Mean and sd of UACI between a given image and an ideal one, uniform and independent of it: those
/// of the mean absolute error (mae_null) over F.
NullModel uaci_given(ConstImage image);

/// NPCR, UACI and bit change rate, over all samples pooled, of many pairs of images, one of each
/// pair ideal (uniform, independent of the rest) under the null hypothesis.
///
/// Per metric m the rows prefix_m_min, _mean, _max, _rejected, n pairs each:
/// - mean: null mean of the metric, sd / sqrt(n). p two-sided: exact binomial for NPCR and bit
///   change rate, whose counts add up to one binomial count; normal for UACI.
/// - min, max: with the metric's law, exact for the two counts and normal for UACI,
///   P(smallest <= x) = 1 - (1 - P(X <= x))^n, P(smallest >= x) = P(X >= x)^n and so on; p is twice
///   the smaller. Expected and sd: extremes_of_shares, extremes_of_normals. `detail` names the
///   pair. UACI's normal tail ignores its skewness 0.57 / sqrt(N): for 100 pairs of N samples p =
///   0.01 is wrong by about 4.5 / sqrt(N) of itself, and below 2000 samples `detail` says so.
/// - rejected: `share_rejected` of the metric's two-sided p. `detail` says when few counts make its
///   p visibly conservative.
///
/// The four rows of a metric see the same pairs and are not independent, nor are the metrics.
/// Pairs must be independent. With a shared first image (a cipher without nonce) the counts of
/// different samples and bits still are, but UACI depends on the image, and all pairs do together:
/// `uaci_given` then takes the place of its null model.
class PairSummary {
 public:
  /// Throws UsageError if there is no such metric.
  PairSummary(std::string prefix, std::vector<std::string> metrics, double alpha, bool shared);

  /// The pair's name is for `detail`.
  void add(ConstImage first, ConstImage second, const std::string& name);

  std::uint64_t size() const { return m_names.size(); }

  /// Throws std::logic_error without pairs. `note` goes into every row's detail.
  std::vector<Measurement> rows(std::string_view note) const;

  static std::vector<ProtocolQuantity> quantities(const std::string& prefix,
                                                  const std::vector<std::string>& metrics);

 private:
  struct Value {
    double value;
    double p;
  };

  std::vector<Measurement> rows_of(std::size_t metric) const;

  std::string m_prefix;
  std::vector<std::string> m_metrics;
  double m_alpha;
  bool m_shared;
  std::vector<std::string> m_names;
  std::vector<std::vector<Value>> m_values;  // per metric
  std::vector<NullModel> m_null;             // per metric
  std::optional<NullModel> m_uaci_given;
  Shape m_shape;
};

/// Note for the pairs of a cipher without nonce.
inline constexpr const char* shared_image =
    "no nonce: all pairs share one cipher image, and UACI is judged given that image";

/// One row per quantity, not applicable for that reason.
std::vector<Measurement> not_applicable(const std::vector<ProtocolQuantity>& quantities,
                                        const Shape& shape, const std::string& reason);

}  // namespace icb::protocols
