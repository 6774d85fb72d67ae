/// An image and what several metrics count in it: each count is made once, when first asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "core/image.hpp"
#include "metrics/cooccurrence.hpp"
#include "metrics/correlation.hpp"
#include "metrics/distance.hpp"
#include "metrics/histogram.hpp"

namespace icb {

struct PairTable;

/// A view with a memory. Copies share the counts. Not for two threads at a time; the pixels must
/// neither change nor go while it is used.
///
///   const CountedImage image(view);
///   image.histogram(0);  // counts
///   image.histogram(0);  // remembers
class CountedImage {
 public:
  CountedImage(ConstImage view);  // NOLINT: a view is a counted image

  CountedImage(Image view) : CountedImage(ConstImage(view)) {}  // NOLINT: so is a writable one

  ConstImage view() const { return m_view; }

  operator ConstImage() const { return m_view; }  // NOLINT: and the other way round

  const Shape& shape() const { return m_view.shape(); }

  /// The samples of a channel, in raster order, of an 8-bit image. Errors: std::invalid_argument
  /// for 16 bit.
  ConstBytes plane(std::size_t channel) const;

  /// As `icb::histogram`, of one channel or of all.
  const Histogram& histogram(std::optional<std::size_t> channel) const;

  /// As `adjacent_pairs`, every channel. Empty sums where an image has no such pair.
  const std::vector<PairSums>& adjacent(PairOffset offset) const;

  /// As `icb::cooccurrence`, of one channel or of all.
  const Cooccurrence& cooccurrence(std::optional<std::size_t> channel, std::size_t levels) const;

  /// As `pair_texture` of that co-occurrence.
  const PairTexture& texture(std::optional<std::size_t> channel, std::size_t levels) const;

  /// As `distance_sums` of this image and another, of one channel or of all; remembered for this
  /// other image and its copies.
  const DistanceSums& distances(const CountedImage& other,
                                std::optional<std::size_t> channel) const;

  /// Makes the counts most metrics share, in the order that is fastest: the histogram follows from
  /// the co-occurrence. For whoever runs all metrics on one image; the results are the same.
  void count_all() const;

 private:
  struct Counts;

  /// Whether pairs are counted by `plane_pairs`: 8 bit, fewer than 2^32 samples.
  bool counts_planes() const;
  const PairTable& pairs(std::size_t channel) const;

  ConstImage m_view;
  std::shared_ptr<Counts> m_counts;
};

}  // namespace icb
