#include "metrics/counted_image.hpp"

#include <map>
#include <utility>

namespace icb {

namespace {

using Scope = std::optional<std::size_t>;

}  // namespace

struct CountedImage::Counts {
  std::map<Scope, Histogram> histograms;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<PairSums>> adjacent;
  std::map<std::pair<Scope, std::size_t>, Cooccurrence> cooccurrences;
};

CountedImage::CountedImage(ConstImage view) : m_view(view), m_counts(std::make_shared<Counts>()) {}

const Histogram& CountedImage::histogram(Scope channel) const {
  const auto found = m_counts->histograms.find(channel);
  if (found != m_counts->histograms.end()) return found->second;
  Histogram counts;
  if (channel) {
    counts = icb::histogram(m_view, channel);
  } else {  // the sum of the channels'
    counts = histogram(0);
    for (std::size_t c = 1; c < shape().channels; ++c) {
      const Histogram& more = histogram(c);
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += more[i];
    }
  }
  return m_counts->histograms.emplace(channel, std::move(counts)).first->second;
}

const std::vector<PairSums>& CountedImage::adjacent(PairOffset offset) const {
  std::vector<PairSums>& sums = m_counts->adjacent[{offset.rows, offset.cols}];
  if (sums.empty()) {
    for (std::size_t c = 0; c < shape().channels; ++c) {
      sums.push_back(adjacent_pairs(m_view, c, offset));
    }
  }
  return sums;
}

const Cooccurrence& CountedImage::cooccurrence(Scope channel, std::size_t levels) const {
  const auto key = std::pair(channel, levels);
  const auto found = m_counts->cooccurrences.find(key);
  if (found != m_counts->cooccurrences.end()) return found->second;
  Cooccurrence counts = levels < 256 ? coarser(cooccurrence(channel, 256), levels)
                                     : icb::cooccurrence(m_view, channel, levels);
  return m_counts->cooccurrences.emplace(key, std::move(counts)).first->second;
}

}  // namespace icb
