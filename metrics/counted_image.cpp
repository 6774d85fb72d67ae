#include "metrics/counted_image.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "metrics/image_counts.hpp"

namespace icb {

namespace {

using Scope = std::optional<std::size_t>;

/// The entry of that key, made when there is none. Making one may add others.
template <class Map, class Make>
const auto& remembered(Map& map, const typename Map::key_type& key, Make make) {
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  auto made = make();
  return map.emplace(key, std::move(made)).first->second;
}

}  // namespace

struct CountedImage::Counts {
  Bytes planes;  // the channels of an 8-bit image, one after the other; empty until needed
  std::map<Scope, Histogram> histograms;
  std::map<std::pair<std::size_t, std::ptrdiff_t>, std::vector<PairSums>> adjacent;
  std::map<std::pair<Scope, std::size_t>, Cooccurrence> cooccurrences;
};

CountedImage::CountedImage(ConstImage view) : m_view(view), m_counts(std::make_shared<Counts>()) {}

ConstBytes CountedImage::plane(std::size_t channel) const {
  if (shape().sample_bytes != 1 || channel >= shape().channels) {
    throw std::invalid_argument(
        fmt::format("plane: no 8-bit channel {} in {}", channel, to_string(shape())));
  }
  if (shape().channels == 1) return m_view.bytes();
  if (m_counts->planes.empty()) m_counts->planes = split_channels(m_view);
  return ConstBytes(m_counts->planes).subspan(channel * shape().pixels(), shape().pixels());
}

const Histogram& CountedImage::histogram(Scope channel) const {
  return remembered(m_counts->histograms, channel, [&] {
    if (!channel) {  // the sum of the channels'
      Histogram counts = histogram(0);
      for (std::size_t c = 1; c < shape().channels; ++c) {
        const Histogram& more = histogram(c);
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += more[i];
      }
      return counts;
    }
    if (shape().sample_bytes != 1 || *channel >= shape().channels) {
      return icb::histogram(m_view, channel);
    }
    const Plane own{shape().rows, shape().cols, plane(*channel)};
    const auto pairs = m_counts->cooccurrences.find({channel, 256});
    return pairs != m_counts->cooccurrences.end() ? histogram_from(pairs->second, own)
                                                  : plane_histogram(own);
  });
}

const std::vector<PairSums>& CountedImage::adjacent(PairOffset offset) const {
  const auto key = std::pair(offset.rows, offset.cols);
  if (shape().sample_bytes == 1 && m_counts->adjacent.empty()) {  // all directions at once
    for (std::size_t c = 0; c < shape().channels; ++c) {
      const auto sums = neighbour_pairs({shape().rows, shape().cols, plane(c)});
      for (std::size_t k = 0; k < sums.size(); ++k) {
        const PairOffset to = neighbours.at(k);
        m_counts->adjacent[{to.rows, to.cols}].push_back(sums.at(k));
      }
    }
  }
  return remembered(m_counts->adjacent, key, [&] {
    std::vector<PairSums> sums;
    for (std::size_t c = 0; c < shape().channels; ++c) {
      sums.push_back(adjacent_pairs(m_view, c, offset));
    }
    return sums;
  });
}

const Cooccurrence& CountedImage::cooccurrence(Scope channel, std::size_t levels) const {
  return remembered(m_counts->cooccurrences, {channel, levels}, [&] {
    if (!channel && shape().samples() < std::uint64_t{1} << 32) {  // the sum of the channels'
      Cooccurrence counts = cooccurrence(0, levels);
      for (std::size_t c = 1; c < shape().channels; ++c) {
        const Cooccurrence& more = cooccurrence(c, levels);
        add_counts(more.counts, counts.counts);
        counts.pairs += more.pairs;
      }
      return counts;
    }
    if (levels < 256) return coarser(cooccurrence(channel, 256), levels);
    if (levels != 256 || shape().sample_bytes != 1 || !channel || *channel >= shape().channels ||
        shape().samples() >= std::uint64_t{1} << 32) {
      return icb::cooccurrence(m_view, channel, levels);
    }
    return plane_cooccurrence({shape().rows, shape().cols, plane(*channel)});
  });
}

void CountedImage::count_all() const {
  for (std::size_t c = 0; c < shape().channels; ++c) {
    if (shape().samples() < std::uint64_t{1} << 32) cooccurrence(c, 256);
    histogram(c);
  }
  adjacent(horizontal);
}

}  // namespace icb
