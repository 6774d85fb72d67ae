#include "cipher/khazaal2024/keygen_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>

#include "cipher/khazaal2024/keygen_kernels.hpp"
#include "cipher/khazaal2024/weight_file.hpp"
#include "core/parallel.hpp"

namespace icb {

namespace embedded {
extern const std::string_view keygen_json;
}  // namespace embedded

namespace khazaal2024 {
namespace {

// --- Reading weights ----------------------------------------------------------------------------

using nlohmann::json;
using weight_file::field;
using weight_file::read_into;

constexpr int predictor_bound = 128;  // 255 * 128 fits 16 bits
constexpr int texture_bound = 64;     // and so does 2 * 255 * 64

/// The largest value a filter's sum can have, in absolute terms; inputs are within [-128, 127].
std::int64_t largest_sum(const ConvolutionLayer& layer, std::size_t filter) {
  const std::size_t count = layer.maps * patch * patch;
  const auto first = layer.weight.begin() + static_cast<std::ptrdiff_t>(filter * count);
  return std::abs(std::int64_t{layer.bias.at(filter)}) +
         std::accumulate(first, first + static_cast<std::ptrdiff_t>(count), std::int64_t{0},
                         [](std::int64_t sum, int w) { return sum + 128 * std::abs(w); });
}

template <std::size_t maps>
ConvolutionLayer read_layer(const json& in, std::size_t filters) {
  const auto list_of = [&](const char* name) {
    return field(in, name).is_array() && field(in, name).size() == filters;
  };
  if (!list_of("weight") || !list_of("bias")) {
    throw std::invalid_argument(fmt::format(
        "weights: \"weight\" and \"bias\" of this layer must have {} filters", filters));
  }
  ConvolutionLayer out{.filters = filters, .maps = maps, .weight = {}, .bias = {}, .shift = 0};
  for (std::size_t f = 0; f < filters; ++f) {
    std::array<std::array<std::array<std::int8_t, patch>, patch>, maps> weight{};
    read_into(in.at("weight")[f], weight, "weight");
    for (const auto& map : weight) {
      for (const auto& row : map) out.weight.insert(out.weight.end(), row.begin(), row.end());
    }
    std::int32_t bias = 0;
    read_into(in.at("bias")[f], bias, "bias");
    out.bias.push_back(bias);
    if (largest_sum(out, f) > std::numeric_limits<std::int32_t>::max()) {
      throw std::invalid_argument(
          fmt::format("weights: \"bias\" {} lets a sum leave 32 bits", bias));
    }
  }
  read_into(field(in, "shift"), out.shift, "shift");
  if (out.shift < 0 || out.shift > 30) {
    throw std::invalid_argument(
        fmt::format("weights: \"shift\" must be 0 to 30, got {}", out.shift));
  }
  return out;
}

// --- The network, written out -------------------------------------------------------------------

/// One plane of signed 8-bit activations, one map after the other.
struct Maps {
  std::size_t rows;
  std::size_t cols;
  std::size_t count;
  std::vector<std::int8_t> values;  ///< [map][row][column]

  Maps(std::size_t rows_, std::size_t cols_, std::size_t count_)
      : rows(rows_), cols(cols_), count(count_), values(rows_ * cols_ * count_) {}

  std::int8_t* row(std::size_t map, std::size_t i) { return &values[(map * rows + i) * cols]; }

  const std::int8_t* row(std::size_t map, std::size_t i) const {
    return &values[(map * rows + i) * cols];
  }
};

/// e of a sample.
std::uint16_t residual(const KeygenWeights& weights, ConstImage image, std::size_t row,
                       std::size_t col, std::size_t channel) {
  const auto at = [&](std::size_t up, std::size_t left, std::size_t c) -> std::int32_t {
    return up > row || left > col ? 0 : image.sample(row - up, col - left, c);
  };
  const auto& v = weights.predictor.at(channel == 0 ? 0 : 1);
  std::int32_t sum = v[0] * at(0, 1, channel) + v[1] * at(1, 0, channel) + v[2] * at(1, 1, channel);
  if (channel > 0) sum += v[3] * at(0, 0, channel - 1) + v[4] * at(0, 1, channel - 1);
  const std::int32_t largest = image.shape().sample_bytes == 1 ? 0xFF : 0xFFFF;
  const std::int32_t prediction = std::clamp((sum + 16) >> 5, 0, largest);
  return static_cast<std::uint16_t>((at(0, 0, channel) - prediction) & largest);
}

/// Level 1 of the samples of a row in columns [first, last).
void residuals(const KeygenWeights& weights, ConstImage image, std::size_t row, std::size_t first,
               std::size_t last, std::uint8_t* out) {
  const Shape& shape = image.shape();
  std::size_t at = first * shape.pixel_bytes();
  for (std::size_t col = first; col < last; ++col) {
    for (std::size_t c = 0; c < shape.channels; ++c) {
      const std::uint16_t e = residual(weights, image, row, col, c);
      for (std::size_t byte = 0; byte < shape.sample_bytes; ++byte) {
        out[at++] = static_cast<std::uint8_t>(e >> (8 * byte));
      }
    }
  }
}

/// The map level 2 sees of a channel.
Maps input_map(ConstImage image, std::size_t channel) {
  const Shape& shape = image.shape();
  const int drop = shape.depth_bits() - 8;
  Maps out(shape.rows, shape.cols, 1);
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t j = 0; j < shape.cols; ++j) {
      out.row(0, i)[j] = static_cast<std::int8_t>((image.sample(i, j, channel) >> drop) - 128);
    }
  }
  return out;
}

/// Patches at stride 4, rectified to 0..127; activations outside are 0.
Maps convolve(const ConvolutionLayer& layer, const Maps& in) {
  Maps out((in.rows + patch - 1) / patch, (in.cols + patch - 1) / patch, layer.filters);
  for (std::size_t i = 0; i < out.rows; ++i) {
    for (std::size_t j = 0; j < out.cols; ++j) {
      const std::size_t height = std::min(patch, in.rows - patch * i);
      const std::size_t width = std::min(patch, in.cols - patch * j);
      for (std::size_t f = 0; f < layer.filters; ++f) {
        std::int32_t sum = layer.bias[f];
        for (std::size_t map = 0; map < in.count; ++map) {
          for (std::size_t dy = 0; dy < height; ++dy) {
            const std::int8_t* row = in.row(map, patch * i + dy) + patch * j;
            const std::int8_t* w = &layer.weight[((f * in.count + map) * patch + dy) * patch];
            for (std::size_t dx = 0; dx < width; ++dx) sum += w[dx] * row[dx];
          }
        }
        out.row(f, i)[j] = static_cast<std::int8_t>(std::clamp(sum >> layer.shift, 0, 127));
      }
    }
  }
  return out;
}

/// The channels' maps of one level, in the order row, column, channel, filter.
Bytes interleaved(const std::vector<Maps>& channels) {
  Bytes out;
  for (std::size_t i = 0; i < channels[0].rows; ++i) {
    for (std::size_t j = 0; j < channels[0].cols; ++j) {
      for (const Maps& maps : channels) {
        for (std::size_t f = 0; f < maps.count; ++f) {
          out.push_back(static_cast<std::uint8_t>(maps.row(f, i)[j]));
        }
      }
    }
  }
  return out;
}

// --- The network, fast --------------------------------------------------------------------------

using kernels::Packed;

/// Samples of 16 bits come less 32768; so does the prediction, which is the sum over 32.
std::int32_t base(const KeygenWeights& weights, bool first_channel) {
  const auto& v = weights.predictor[first_channel ? 0 : 1];
  const int sum = std::accumulate(v.begin(), v.begin() + (first_channel ? 3 : predictor_taps), 0);
  return 32768 * sum + 16 - (32768 << 5);
}

/// Level 1 for vectors that start in channel 0.
void pack_predictor(const KeygenWeights& weights, std::size_t channels, Packed& out) {
  const auto both = [](Packed::Tap& tap, std::size_t i, std::int8_t weight) {
    tap.of8[i] = weight;
    if (i < 32) tap.of16[i] = weight;
  };
  for (std::size_t i = 0; i < 64; ++i) {
    const bool first = i % channels == 0;
    const auto& v = weights.predictor[first ? 0 : 1];
    both(out.up, i, v[1]);
    both(out.corner, i, v[2]);
    both(out.cross, i, first ? std::int8_t{0} : v[3]);
    Packed::Tap& left = i % 2 == 0 ? out.left_even : out.left_odd;
    both(left, i / 2 * 2, first ? std::int8_t{0} : v[4]);
    both(left, i / 2 * 2 + 1, v[0]);
  }
  for (std::size_t i = 0; i < 16; ++i) {
    out.base_even[i] = base(weights, 2 * i % channels == 0);
    out.base_odd[i] = base(weights, (2 * i + 1) % channels == 0);
  }
}

template <std::size_t steps>
void pack_layer(const ConvolutionLayer& layer, std::int8_t (&weight)[steps][16][4],
                std::int32_t (&bias)[16]) {
  const std::size_t groups = layer.maps / 4;
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const std::size_t f = lane % layer.filters;
    bias[lane] = layer.bias[f];
    const std::int8_t* from = &layer.weight[f * layer.maps * patch * patch];
    for (std::size_t map = 0; map < layer.maps; ++map) {
      for (std::size_t place = 0; place < patch * patch; ++place) {
        weight[place * groups + map / 4][lane][map % 4] = *from++;
      }
    }
  }
}

Packed pack(const KeygenWeights& weights, std::size_t channels) {
  Packed out{};
  pack_predictor(weights, channels, out);
  const ConvolutionLayer& texture = weights.layers[0];
  for (std::size_t f = 0; f < texture.filters; ++f) {
    const std::int8_t* w = &texture.weight[f * patch * patch];
    for (std::size_t row = 0; row < patch; ++row) {
      std::memcpy(&out.texture[row][f], w + patch * row, patch);
    }
    // The map is x - 128.
    out.texture_bias[f] = texture.bias[f] - 128 * std::accumulate(w, w + patch * patch, 0);
  }
  out.texture_shift = texture.shift;
  pack_layer(weights.layers[1], out.parts, out.parts_bias);
  pack_layer(weights.layers[2], out.structure, out.structure_bias);
  out.parts_shift = weights.layers[1].shift;
  out.structure_shift = weights.layers[2].shift;
  return out;
}

constexpr std::size_t divided(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

constexpr std::size_t slack = 64;  // what kernels may overwrite behind their row

// Of level 1. More would save loads, but rows of 2^n bytes share the sets of a cache.
constexpr std::size_t rows_at_once = 4;
constexpr std::size_t unit_rows = 16;  // of the image: four of level 2, one of level 3

/// Levels 1 to 3 of 16 rows of an image.
class Unit {
 public:
  Unit(const KeygenWeights& weights, const Packed& packed, ConstImage image)
      : m_weights(weights),
        m_packed(packed),
        m_image(image),
        m_row_bytes(image.shape().cols * image.shape().pixel_bytes()),
        m_samples(image.shape().cols * image.shape().channels),
        m_texture_row(divided(image.shape().cols, patch) * image.shape().channels *
                      level_filters[0]),
        m_residuals(unit_rows * m_row_bytes + slack),
        m_texture(patch * m_texture_row + slack),
        m_blank(m_samples, 128) {
    if (image.shape().sample_bytes == 2) m_high.resize(patch * m_samples);
  }

  void compute(std::size_t unit, std::uint8_t* parts) {
    const Shape& shape = m_image.shape();
    const std::size_t first = unit * unit_rows;
    m_rows = std::min(unit_rows, shape.rows - first);
    for (std::size_t strip = 0; strip < texture_rows(); ++strip) {
      const std::size_t row = first + patch * strip;
      const std::size_t height = std::min(patch, shape.rows - row);
      for (std::size_t i = 0; i < height; i += rows_at_once) {
        residual_rows(row + i, std::min(rows_at_once, height - i), patch * strip + i);
      }
      texture_row(row, height, strip);
    }
    kernels::parts_row(m_packed, m_texture.data(), texture_rows(), divided(shape.cols, patch),
                       shape.channels, parts);
  }

  ConstBytes residuals() const { return {m_residuals.data(), m_rows * m_row_bytes}; }

  ConstBytes texture() const { return {m_texture.data(), texture_rows() * m_texture_row}; }

 private:
  std::size_t texture_rows() const { return divided(m_rows, patch); }

  const std::uint8_t* row_at(std::size_t row) const {
    return m_image.bytes().data() + row * m_row_bytes;
  }

  void residual_rows(std::size_t row, std::size_t height, std::size_t place) {
    std::uint8_t* out = m_residuals.data() + place * m_row_bytes;
    // The first and the last row of the image by themselves, out of a buffer with room around them.
    const std::size_t end = row + height;
    const bool last = end == m_image.shape().rows;
    bool done = true;
    if (row == 0 || (last && height == 1)) {
      done = edge_row(row, out);
      ++row;
      out += m_row_bytes;
    }
    const std::size_t inner = end - row - (last && row < end ? 1 : 0);
    if (inner > 0) {
      done = kernels::residual_rows(m_packed, row_at(row), row_at(row - 1), strip(inner), out);
    }
    if (row + inner < end) done = edge_row(end - 1, out + inner * m_row_bytes);
    for (std::size_t i = 0; i < height; ++i) {
      std::uint8_t* to = m_residuals.data() + (place + i) * m_row_bytes;
      if (done) {
        first_pixel(end - height + i, to);
      } else {
        khazaal2024::residuals(m_weights, m_image, end - height + i, 0, m_image.shape().cols, to);
      }
    }
  }

  void first_pixel(std::size_t row, std::uint8_t* out) {
    const Shape& shape = m_image.shape();
    const std::int32_t largest = shape.sample_bytes == 1 ? 0xFF : 0xFFFF;
    std::int32_t before = 0;
    for (std::size_t c = 0; c < shape.channels; ++c) {
      const auto& v = m_weights.predictor[c == 0 ? 0 : 1];
      const std::int32_t up = row > 0 ? m_image.sample(row - 1, 0, c) : 0;
      const std::int32_t x = m_image.sample(row, 0, c);
      const std::int32_t sum = v[1] * up + (c > 0 ? v[3] * before : 0);
      const std::int32_t e = x - std::clamp((sum + 16) >> 5, 0, largest);
      *out++ = static_cast<std::uint8_t>(e);
      if (shape.sample_bytes == 2) *out++ = static_cast<std::uint8_t>(e >> 8);
      before = x;
    }
  }

  kernels::Strip strip(std::size_t height) const {
    return {height, m_samples, m_image.shape().channels, m_image.shape().sample_bytes};
  }

  bool edge_row(std::size_t row, std::uint8_t* out) {
    Bytes room(3 * slack + 2 * m_row_bytes);  // zeros, for the row above the first
    std::uint8_t* x = room.data() + slack;
    std::uint8_t* north = x + m_row_bytes + slack;
    std::memcpy(x, row_at(row), m_row_bytes);
    if (row > 0) std::memcpy(north, row_at(row - 1), m_row_bytes);
    return kernels::residual_rows(m_packed, x, north, strip(1), out);
  }

  void texture_row(std::size_t row, std::size_t height, std::size_t place) {
    std::array<const std::uint8_t*, patch> rows{};
    rows.fill(m_blank.data());
    for (std::size_t i = 0; i < height; ++i) {
      rows.at(i) = row_at(row + i);
      if (!m_high.empty()) {
        std::uint8_t* high = m_high.data() + i * m_samples;
        kernels::high_bytes(row_at(row + i), m_samples, high);
        rows.at(i) = high;
      }
    }
    kernels::texture_row(m_packed, rows.data(), m_image.shape().cols, m_image.shape().channels,
                         m_texture.data() + place * m_texture_row);
  }

  const KeygenWeights& m_weights;
  const Packed& m_packed;
  ConstImage m_image;
  std::size_t m_row_bytes;
  std::size_t m_samples;  // in a row
  std::size_t m_texture_row;
  Bytes m_residuals;
  Bytes m_texture;
  Bytes m_blank;  // a row outside the image
  Bytes m_high;   // upper bytes of 16-bit samples
  std::size_t m_rows = 0;
};

// --- Condensing ---------------------------------------------------------------------------------

/// Lets the pieces of a message into its hash in their order, whatever thread has made them.
class InOrder {
 public:
  explicit InOrder(Poly1305& hash) : m_hash(hash) {}

  /// False if asked to stop while waiting for the pieces before.
  bool add(std::size_t number, ConstBytes piece, const std::stop_token& stop) {
    if (m_next != number) {
      std::unique_lock lock(m_mutex);
      if (!m_changed.wait(lock, stop, [&] { return m_next == number; })) return false;
    }
    m_hash.add(piece);  // nobody else's turn
    {
      const std::scoped_lock lock(m_mutex);
      ++m_next;
    }
    m_changed.notify_all();
    return true;
  }

 private:
  Poly1305& m_hash;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::atomic<std::size_t> m_next{0};
};

}  // namespace

KeygenWeights parse_keygen(std::string_view text) {
  const json in = weight_file::parse(text, "keygen");
  KeygenWeights out{};
  read_into(field(in, "predictor"), out.predictor, "predictor");
  for (const auto& row : out.predictor) {
    const int sum = std::accumulate(row.begin(), row.end(), 0,
                                    [](int all, int v) { return all + std::abs(v); });
    if (sum > predictor_bound) {
      throw std::invalid_argument(
          fmt::format("weights: absolute values of a row of \"predictor\" must sum to at most {}, "
                      "got {}",
                      predictor_bound, sum));
    }
  }
  const json& layers = field(in, "layers");
  if (!layers.is_array() || layers.size() != out.layers.size()) {
    throw std::invalid_argument(
        fmt::format("weights: expected {} \"layers\", got {}", out.layers.size(), layers.size()));
  }
  out.layers = {read_layer<1>(layers[0], level_filters[0]),
                read_layer<level_filters[0]>(layers[1], level_filters[1]),
                read_layer<level_filters[1]>(layers[2], level_filters[2])};
  for (const int w : out.layers[0].weight) {
    if (std::abs(w) > texture_bound) {
      throw std::invalid_argument(fmt::format(
          "weights: \"weight\" of the first layer must be within {}, got {}", texture_bound, w));
    }
  }
  return out;
}

const KeygenWeights& trained_keygen() {
  static const KeygenWeights weights = parse_keygen(embedded::keygen_json);
  return weights;
}

Features features(const KeygenWeights& weights, ConstImage image) {
  const Shape& shape = image.shape();
  Features out;
  out[0].resize(shape.bytes());
  const std::size_t row_bytes = shape.cols * shape.pixel_bytes();
  for (std::size_t row = 0; row < shape.rows; ++row) {
    residuals(weights, image, row, 0, shape.cols, out[0].data() + row * row_bytes);
  }
  std::vector<Maps> channels;
  for (std::size_t c = 0; c < shape.channels; ++c) channels.push_back(input_map(image, c));
  for (std::size_t level = 1; level < feature_levels; ++level) {
    for (Maps& maps : channels) maps = convolve(weights.layers.at(level - 1), maps);
    out.at(level) = interleaved(channels);
  }
  return out;
}

std::array<Tag, feature_levels> condense_features(const KeygenWeights& weights, ConstImage image,
                                                  const CondensingKeys& keys, unsigned threads) {
  const Shape& shape = image.shape();
  const Packed packed = pack(weights, shape.channels);
  const std::size_t units = divided(shape.rows, unit_rows);
  const std::size_t parts_cols = divided(shape.cols, patch * patch);
  const std::size_t parts_row = parts_cols * shape.channels * level_filters[1];
  const std::size_t structure_row = divided(parts_cols, patch) * shape.channels * level_filters[2];
  Bytes parts(units * parts_row);
  Bytes structure(divided(units, patch) * structure_row);

  Poly1305 residual_hash(keys.poly1305_key(1));
  Poly1305 texture_hash(keys.poly1305_key(2));
  InOrder residuals_in_order(residual_hash);
  InOrder textures_in_order(texture_hash);
  std::atomic<std::size_t> next{0};
  std::vector<std::atomic<std::size_t>> ready(divided(units, patch));  // of each row of level 4
  const auto work = [&](const std::stop_token& stop) {
    Unit unit(weights, packed, image);
    for (std::size_t n = 0; !stop.stop_requested() && (n = next++) < units;) {
      unit.compute(n, parts.data() + n * parts_row);
      if (!residuals_in_order.add(n, unit.residuals(), stop)) return;
      if (!textures_in_order.add(n, unit.texture(), stop)) return;
      const std::size_t above = n / patch;
      const std::size_t height = std::min(patch, units - above * patch);
      if (++ready[above] == height) {
        kernels::structure_row(packed, parts.data() + above * patch * parts_row, height, parts_cols,
                               shape.channels, structure.data() + above * structure_row);
      }
    }
  };
  on_threads(static_cast<unsigned>(std::min<std::size_t>(thread_count(threads), units)), work);

  Poly1305 parts_hash(keys.poly1305_key(3));
  Poly1305 structure_hash(keys.poly1305_key(4));
  parts_hash.add(parts);
  structure_hash.add(structure);
  return {residual_hash.finish(), texture_hash.finish(), parts_hash.finish(),
          structure_hash.finish()};
}

PublicParameter condense(const std::array<Tag, feature_levels>& tags, const CondensingKeys& keys) {
  Bytes joined;
  for (const Tag& tag : tags) joined.insert(joined.end(), tag.begin(), tag.end());
  return hmac_sha256(keys.hmac_key(), joined);
}

}  // namespace khazaal2024
}  // namespace icb
