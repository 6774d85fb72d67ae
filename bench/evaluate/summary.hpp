/// What many judged images say together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/evaluate/run.hpp"
#include "core/statistics.hpp"
#include "core/units.hpp"

namespace icb::evaluate {

/// One quantity over all images and channels. Counted is a (image, channel); the rows of one (a
/// protocol changes several things) are one p-value by Simes. "all" repeats the channels, so it is
/// counted only where it stands alone: what is counted is independent under the null model, and the
/// number rejected binomial.
struct QuantitySummary {
  std::string quantity;
  std::string nonce_policy;
  std::string family;
  bool decides = true;               ///< takes part in the verdict
  std::uint64_t measured = 0;        ///< with a p-value
  std::uint64_t not_applicable = 0;  ///< or error
  std::uint64_t rejected = 0;        ///< raw p below alpha, nothing corrected
  BinomialInterval interval{0,
                            1};  ///< Clopper-Pearson, confidence 1 - alpha, of the share rejected
  std::optional<PValue> p;       ///< P(as many or more | share alpha)
  std::optional<PValue> p_corrected;  ///< Simes within the family, Holm over families

  std::uint64_t z_count = 0;
  double z_mean = 0;
  double z_sd = 0;  ///< divisor count - 1; 0 for one
  double worst_z = 0;
  std::string worst_image;
  std::string worst_channel;

  double share() const { return static_cast<double>(rejected) / static_cast<double>(measured); }
};

/// Verdict of one image in a word: "ok", "reject", "not_applicable" (nothing to test) or "error"
/// (nothing could be tested because something failed).
std::string verdict_name(const JudgedImage& image);

class Summary {
 public:
  using Name = std::pair<std::string, std::string>;  ///< quantity, nonce policy

  static constexpr double kinds_of_p = 3;  ///< in p()

  explicit Summary(Alpha alpha) : m_alpha(alpha) {}

  void add(const JudgedImage& image);

  /// In the order in which they came.
  std::vector<QuantitySummary> quantities() const;

  std::uint64_t images() const { return m_images; }

  std::uint64_t judged() const { return m_p_values.size(); }

  std::uint64_t rejected() const { return m_rejected; }

  std::uint64_t raw() const { return m_raw; }

  std::uint64_t with_errors() const { return m_with_errors; }

  /// Of the share of images rejected, confidence 1 - alpha; [0, 1] if none was judged.
  BinomialInterval interval() const;
  /// P(as many images rejected or more), each with probability alpha (at most, so it errs to the
  /// large side).
  PValue p_of_rejected() const;
  /// Is the folder ideal? Thrice the smallest of three p-values: Simes over the images', which sees
  /// one bad image among many; p_of_rejected; and the smallest corrected one of the quantities,
  /// which sees a little bias in all images. Absent if no image was judged.
  std::optional<PValue> p() const;

  /// p below alpha.
  bool folder_rejected() const { return p() && p()->value() < m_alpha.value(); }

 private:
  Alpha m_alpha;
  std::uint64_t m_images = 0;
  std::uint64_t m_rejected = 0;
  std::uint64_t m_raw = 0;
  std::uint64_t m_with_errors = 0;
  std::vector<PValue> m_p_values;  ///< of the images
  std::vector<QuantitySummary> m_quantities;
  std::map<Name, std::size_t> m_places;  ///< in m_quantities
  std::vector<double> m_z_squares;       ///< sums of squared deviations
};

}  // namespace icb::evaluate
