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
  std::map<std::size_t, PairTable> pairs;
  std::map<std::size_t, CellSums> cell_sums;
  std::map<std::pair<Scope, std::size_t>, PairTexture> textures;
  // By the counts of the other image, which need not live on.
  std::map<std::weak_ptr<Counts>, std::map<Scope, DistanceSums>, std::owner_less<>> distances;

  /// Of a channel whose pairs have been counted.
  const CellSums& cells(std::size_t channel) {
    return remembered(cell_sums, channel, [&] { return sum_cells(pairs.at(channel)); });
  }
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
    return m_counts->pairs.contains(*channel) ? histogram_from(m_counts->cells(*channel), own)
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
    if (counts_planes() && channel && *channel < shape().channels) {
      const PairTable& table = pairs(*channel);
      if (levels == 8) return m_counts->cells(*channel).coarse;
      if (levels == 256) return transposed(table);
    }
    return levels < 256 ? coarser(cooccurrence(channel, 256), levels)
                        : icb::cooccurrence(m_view, channel, levels);
  });
}

const PairTexture& CountedImage::texture(Scope channel, std::size_t levels) const {
  return remembered(m_counts->textures, {channel, levels}, [&] {
    if (levels != 256 || !counts_planes()) return pair_texture(cooccurrence(channel, levels));
    if (channel) {
      pairs(*channel);
      const CellSums& cells = m_counts->cells(*channel);
      return PairTexture{adjacent(horizontal).at(*channel), cells.differences, cells.squares};
    }
    PairTexture all = texture(0, 256);
    std::vector<const PairTable*> tables{&pairs(0)};
    for (std::size_t c = 1; c < shape().channels; ++c) {
      const PairTexture& more = texture(c, 256);
      all.sums += more.sums;
      for (std::size_t d = 0; d < 256; ++d) all.differences[d] += more.differences[d];
      tables.push_back(&pairs(c));
    }
    all.squares = pooled_squares(tables);
    return all;
  });
}

const PairTable& CountedImage::pairs(std::size_t channel) const {
  return remembered(m_counts->pairs, channel, [&] {
    return plane_pairs({shape().rows, shape().cols, plane(channel)});
  });
}

bool CountedImage::counts_planes() const {
  return shape().sample_bytes == 1 && shape().samples() < std::uint64_t{1} << 32;
}

const DistanceSums& CountedImage::distances(const CountedImage& other, Scope channel) const {
  return remembered(m_counts->distances[other.m_counts], channel, [&] {
    const bool alike = other.shape() == shape() && shape().samples() <= std::uint64_t{1} << 32;
    if (!alike || (channel && *channel >= shape().channels)) {  // what it says of these
      return distance_sums(m_view, other.m_view, channel);
    }
    if (!channel) {
      DistanceSums sums;
      for (std::size_t c = 0; c < shape().channels; ++c) sums += distances(other, c);
      return sums;
    }
    if (shape().sample_bytes != 1) return distance_sums(m_view, other.m_view, channel);
    const Shape one{shape().rows, shape().cols};
    return distance_sums(ConstImage(one, plane(*channel)), ConstImage(one, other.plane(*channel)));
  });
}

void CountedImage::count_all() const {
  for (std::size_t c = 0; c < shape().channels; ++c) {
    if (counts_planes()) pairs(c);
    histogram(c);
  }
  adjacent(horizontal);
}

}  // namespace icb
