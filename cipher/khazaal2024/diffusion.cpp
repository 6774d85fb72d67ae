#include "cipher/khazaal2024/diffusion.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace icb::khazaal2024 {
namespace {

struct Geometry {
  std::size_t width;
  std::size_t lines;
  std::size_t mixing;  ///< log2 of the width, at least 1: period of the lane distances

  explicit Geometry(std::size_t bytes)
      : width(line_width(bytes)),
        lines((bytes + width - 1) / width),
        mixing(std::max<std::size_t>(1, static_cast<std::size_t>(std::countr_zero(width)))) {}

  /// Distance (exclusive or) of the lane whose state is added at this line.
  std::size_t distance(std::size_t line) const {
    return width == 1 ? 0 : std::size_t{1} << (line % mixing);
  }
};

/// Runs `lane(position, state, neighbour) -> pair(new value of data, new state)` over a line; all
/// states read are those before the line.
template <class LaneFunction>
void over_line(MutableBytes data, const Geometry& g, std::size_t line, ChainState& state,
               LaneFunction lane) {
  const ChainState before = state;
  const std::size_t distance = g.distance(line);
  const std::size_t first = line * g.width;
  const std::size_t present = std::min(g.width, data.size() - first);
  for (std::size_t j = 0; j < present; ++j) {
    const auto [value, next] = lane(first + j, before[j], before[j ^ distance]);
    data[first + j] = value;
    state[j] = next;
  }
}

using Pair = std::pair<std::uint8_t, std::uint8_t>;

std::uint8_t byte(unsigned value) { return static_cast<std::uint8_t>(value & 0xFF); }

}  // namespace

Box make_box(Lane& guide, const Parameters& parameters) {
  Box box{};
  std::iota(box.begin(), box.end(), std::uint8_t{0});
  for (std::size_t i = 255; i > 0; --i) {
    std::swap(box.at(i), box.at(mulhi(next_word(guide, parameters), i + 1)));
  }
  return box;
}

Box inverse(const Box& box) {
  Box out{};
  for (std::size_t i = 0; i < box.size(); ++i) out[box[i]] = static_cast<std::uint8_t>(i);
  return out;
}

ChainState make_chain_state(Lane& guide, const Parameters& parameters) {
  ChainState out{};
  for (std::size_t word = 0; word < out.size() / 8; ++word) {
    const std::uint64_t z = next_word(guide, parameters);
    for (std::size_t i = 0; i < 8; ++i)
      out.at(8 * word + i) = byte(static_cast<unsigned>(z >> (8 * i)));
  }
  return out;
}

std::size_t line_width(std::size_t bytes) {
  return std::clamp<std::size_t>(std::bit_floor(bytes / 16), 1, widest_line);
}

void fill_keystream(std::array<Lane, keystream_lanes>& lanes, const Parameters& parameters,
                    MutableBytes out) {
  for (std::size_t first = 0; first < out.size(); first += 8 * keystream_lanes) {
    for (std::size_t lane = 0; lane < keystream_lanes; ++lane) {
      const std::uint64_t z = next_word(lanes.at(lane), parameters);
      const std::size_t at = first + 8 * lane;
      for (std::size_t i = 0; i < 8 && at + i < out.size(); ++i) {
        out[at + i] = byte(static_cast<unsigned>(z >> (8 * i)));
      }
    }
  }
}

void forward_chain(MutableBytes data, ConstBytes keystream, const Box& box, ChainState state) {
  const Geometry g(data.size());
  for (std::size_t line = 0; line < g.lines; ++line) {
    over_line(data, g, line, state, [&](std::size_t n, unsigned own, unsigned other) {
      const std::uint8_t y = byte(box[data[n] ^ keystream[n] ^ own] + other);
      return Pair{y, y};
    });
  }
}

void backward_chain(MutableBytes data, const Box& box, ChainState state) {
  const Geometry g(data.size());
  for (std::size_t line = g.lines; line-- > 0;) {
    over_line(data, g, line, state, [&](std::size_t n, unsigned own, unsigned other) {
      const std::uint8_t y = byte(box[data[n] ^ own] + other);
      return Pair{y, y};
    });
  }
}

void undo_forward_chain(MutableBytes data, ConstBytes keystream, const Box& inverse_box,
                        ChainState state) {
  const Geometry g(data.size());
  for (std::size_t line = 0; line < g.lines; ++line) {
    over_line(data, g, line, state, [&](std::size_t n, unsigned own, unsigned other) {
      const std::uint8_t y = data[n];
      return Pair{byte(inverse_box[byte(y - other)] ^ keystream[n] ^ own), y};
    });
  }
}

void undo_backward_chain(MutableBytes data, const Box& inverse_box, ChainState state) {
  const Geometry g(data.size());
  for (std::size_t line = g.lines; line-- > 0;) {
    over_line(data, g, line, state, [&](std::size_t n, unsigned own, unsigned other) {
      const std::uint8_t y = data[n];
      return Pair{byte(inverse_box[byte(y - other)] ^ own), y};
    });
  }
}

}  // namespace icb::khazaal2024
