/// Exchange, order and shift of lines without touching a pixel (docs/cipher.md, section 4).
///
/// Every line is a ring of pieces of old lines. Sections of two lines change places by four cuts
/// and a swap of links, however long they are and also where they pass the end of a line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace icb::khazaal2024 {

/// Most pixels of a crossing; they are as far apart as so many fit on a line.
inline constexpr std::uint32_t longest_crossing = 16;

/// Where a section begins on its line.
struct Section {
  std::uint16_t line;
  std::uint16_t first;

  friend bool operator==(const Section&, const Section&) = default;
};

/// For k = 0 … count - 1, one after the other, position a.first + k of line a.line and position
/// b.first + k of line b.line change places, both mod the length of their line.
struct Exchange {
  Section a;
  Section b;
  std::uint32_t count;

  friend bool operator==(const Exchange&, const Exchange&) = default;
};

class LineMoves {
 public:
  /// `lines` lines of `length` positions, each 1 to 65535, still where they were.
  LineMoves(std::size_t lines, std::size_t length)
      : m_lines(lines),
        m_length(static_cast<std::uint32_t>(length)),
        m_nodes(std::make_unique_for_overwrite<Node[]>(5 * lines)),
        m_used(static_cast<std::uint32_t>(lines)),
        m_rings(lines),
        m_starts(lines) {
    for (std::uint32_t i = 0; i < lines; ++i) {
      m_nodes[i] = {i, static_cast<std::uint16_t>(length), static_cast<std::uint16_t>(i), 0};
      m_rings[i] = {i, 0};
      m_starts[i] = {i, 0};
    }
  }

  std::size_t lines() const { return m_lines; }

  std::size_t length() const { return m_length; }

  /// 1 <= count <= length, the lines differ; at most as many exchanges as lines.
  void exchange(const Exchange& s) {
    Ring& a = m_rings[s.a.line];
    Ring& b = m_rings[s.b.line];
    const std::uint32_t before_a = cut(a.before, distance(a.position, s.a.first));
    const std::uint32_t before_b = cut(b.before, distance(b.position, s.b.first));
    if (s.count == m_length) {  // the rings as a whole
      a = {before_b, s.a.first};
      b = {before_a, s.b.first};
      return;
    }
    const std::uint32_t last_a = cut(before_a, s.count);
    const std::uint32_t last_b = cut(before_b, s.count);
    std::swap(m_nodes[before_a].next, m_nodes[before_b].next);
    std::swap(m_nodes[last_a].next, m_nodes[last_b].next);
    a = {before_a, s.a.first};
    b = {before_b, s.b.first};
  }

  /// New line i is line `line` as it is now, from its position `first` on.
  void place(std::size_t i, std::uint32_t line, std::uint32_t first) {
    m_starts[i] = {line, first};
  }

  /// Calls visit(old line, first position, count) for the pieces of new line i in order.
  template <class Visit>
  void for_each_piece(std::size_t i, const Visit& visit) const {
    const Start start = m_starts[i];
    const Ring ring = m_rings[start.line];
    std::uint32_t skip = distance(ring.position, start.first);
    const Node* node = &m_nodes[m_nodes[ring.before].next];
    for (; skip >= node->count; node = &m_nodes[node->next]) skip -= node->count;
    for (std::uint32_t left = m_length;;) {
      const std::uint32_t count = std::min(std::uint32_t{node->count} - skip, left);
      visit(node->line, node->first + skip, count);
      left -= count;
      if (left == 0) return;
      skip = 0;
      node = &m_nodes[node->next];
    }
  }

 private:
  struct Node {
    std::uint32_t next;
    std::uint16_t count;
    std::uint16_t line;
    std::uint16_t first;
  };

  /// The node after `before` begins at `position`.
  struct Ring {
    std::uint32_t before;
    std::uint32_t position;
  };

  struct Start {
    std::uint32_t line;
    std::uint32_t first;
  };

  std::uint32_t distance(std::uint32_t from, std::uint32_t to) const {
    return to >= from ? to - from : to + m_length - from;
  }

  /// The node that ends `distance` positions after the end of `before`, made if need be. The node
  /// that is cut stays the end of what it was.
  std::uint32_t cut(std::uint32_t before, std::uint32_t distance) {
    while (distance > 0) {
      const std::uint32_t at = m_nodes[before].next;
      Node& node = m_nodes[at];
      if (distance < node.count) {
        const std::uint32_t made = m_used++;
        const auto part = static_cast<std::uint16_t>(distance);
        m_nodes[made] = {at, part, node.line, node.first};
        node.first = static_cast<std::uint16_t>(node.first + part);
        node.count = static_cast<std::uint16_t>(node.count - part);
        m_nodes[before].next = made;
        return made;
      }
      distance -= node.count;
      before = at;
    }
    return before;
  }

  std::size_t m_lines;
  std::uint32_t m_length;
  std::unique_ptr<Node[]> m_nodes;  ///< a cut adds one; an exchange has four
  std::uint32_t m_used;
  std::vector<Ring> m_rings;
  std::vector<Start> m_starts;  ///< of new lines
};

}  // namespace icb::khazaal2024
