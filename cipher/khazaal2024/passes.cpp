#include "cipher/khazaal2024/passes.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "cipher/khazaal2024/move_pixels.hpp"
#include "core/parallel.hpp"

namespace icb::khazaal2024 {
namespace {

constexpr std::size_t unit_bytes = block_bytes;
/// Rows transposed together, so that what is written of a line of the result fills cache lines.
constexpr std::size_t strip_rows = 128;

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// Bytes [first, last) of an image, and its index.
struct Unit {
  std::size_t first;
  std::size_t last;
};

/// How an image is cut: `count` units in order; the last one includes the lines of one byte.
struct Units {
  std::size_t body;  ///< bytes in lines of up to 512
  std::size_t total;
  std::size_t count;

  explicit Units(std::size_t bytes)
      : body(bytes_in_lines(bytes)),
        total(bytes),
        count(std::max<std::size_t>(1, ceil_div(body, unit_bytes))) {}

  Unit at(std::size_t n) const {
    return {n * unit_bytes, n + 1 == count ? total : (n + 1) * unit_bytes};
  }
};

/// Runs `prepare(unit)`, `chain(unit)`, `finish(unit)` for every unit. The calls of `chain` come
/// one after the other in the direction's order; the rest of a unit may run beside other units, but
/// not before what `prepare` of earlier units, in that order, has done is seen by `chain`, nor
/// before `chain` of all units up to its own is seen by `finish`.
template <class Prepare, class Chain, class Finish>
void in_turn(const Units& units, Direction direction, unsigned threads, Prepare prepare,
             Chain chain, Finish finish) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> turn{0};
  const auto work = [&](const std::stop_token& stop) {
    std::vector<std::uint8_t> keystream(unit_bytes + single_bytes);
    while (true) {
      const std::size_t n = next.fetch_add(1);
      if (n >= units.count) return;
      const Unit unit = units.at(direction == Direction::forward ? n : units.count - 1 - n);
      prepare(unit, keystream);
      while (turn.load(std::memory_order_acquire) != n) {
        if (stop.stop_requested()) return;
        std::this_thread::yield();
      }
      chain(unit, keystream);
      turn.store(n + 1, std::memory_order_release);
      finish(unit);
    }
  };
  if (threads == 1 || units.count == 1) {
    work({});
  } else {
    on_threads(static_cast<unsigned>(std::min<std::size_t>(threads, units.count)), work);
  }
}

/// Memory a unit will read, line by line of the cache.
using Addresses = std::vector<const std::uint8_t*>;

/// Images beyond this size do not stay in the caches from one pass to the next.
constexpr std::size_t cached_bytes = std::size_t{4} << 20;

Use use_of(std::size_t result) { return result > cached_bytes ? Use::late : Use::soon; }

void add_lines(Addresses& to, const std::uint8_t* from, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 64) to.push_back(from + at);
}

/// Fills the part of the keystream buffer that belongs to a unit.
void make_keystream(const RoundInput& round, Unit unit, MutableBytes buffer,
                    const Addresses& fetch = {}) {
  if (round.chain == nullptr) return;
  round.keystream.fill(round.round, unit.first, buffer.first(unit.last - unit.first), fetch);
}

/// Fills the keystream buffer while the unit's own data come to the cache.
void make_keystream_for(const RoundInput& round, Unit unit, ConstBytes data, MutableBytes buffer) {
  Addresses fetch;
  if (data.size() > cached_bytes) add_lines(fetch, &data[unit.first], unit.last - unit.first);
  make_keystream(round, unit, buffer, fetch);
}

/// Rows whose first byte lies in the unit.
struct Rows {
  std::size_t first;
  std::size_t last;
};

Rows rows_starting_in(Unit unit, std::size_t row_bytes) {
  return {ceil_div(unit.first, row_bytes), ceil_div(unit.last, row_bytes)};
}

/// Rows whose last byte lies in the unit.
Rows rows_ending_in(Unit unit, std::size_t row_bytes) {
  return {unit.first / row_bytes, unit.last / row_bytes};
}

/// The unit's lines of up to 512 bytes, and its lines of one byte, at the end.
struct Lines {
  MutableBytes wide;
  MutableBytes single;
  ConstBytes wide_keystream;
  ConstBytes single_keystream;
};

Lines lines_of(const Units& units, Unit unit, MutableBytes data, ConstBytes keystream) {
  const MutableBytes bytes = data.subspan(unit.first, unit.last - unit.first);
  const std::size_t wide = std::min(unit.last, units.body) - std::min(unit.first, units.body);
  return {bytes.first(wide), bytes.subspan(wide), keystream.first(wide),
          keystream.subspan(wide, bytes.size() - wide)};
}

using Step = std::uint64_t (*)(Direction, MutableBytes, ConstBytes, const ChainKeys&,
                               std::uint64_t);

/// Chains a unit, or undoes that, and hands the carry on.
void chain_unit(Direction direction, const Lines& lines, const ChainKeys& keys,
                std::uint64_t& carry, Step wide, Step single) {
  const auto wide_lines = [&] {
    carry = wide(direction, lines.wide, lines.wide_keystream, keys, carry);
  };
  if (direction == Direction::forward) wide_lines();
  carry = single(direction, lines.single, lines.single_keystream, keys, carry);
  if (direction == Direction::backward) wide_lines();
}

/// Runs `work(first, last)` over parts of 0 … count - 1 on several threads.
template <class Work>
void in_parts(std::size_t count, std::size_t part, unsigned threads, Work work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::size_t first = next.fetch_add(part);
      if (first >= count) return;
      work(first, std::min(count, first + part));
    }
  };
  if (threads == 1 || count <= part) {
    run({});
  } else {
    on_threads(threads, run);
  }
}

}  // namespace

std::size_t transposed_step(const Shape& shape) {
  const std::size_t column = shape.rows * shape.pixel_bytes();
  if (column < 1024) return column;
  return column % 4096 == 4096 - 64 ? column + 128 : column + 64;
}

void rows_pass(const RoundInput& round, ConstBytes in, MutableBytes out) {
  const std::size_t pixel = round.shape.pixel_bytes();
  const std::size_t row_bytes = round.shape.cols * pixel;
  const Units units(out.size());
  std::uint64_t carry = round.chain != nullptr ? round.chain->carry : 0;
  in_turn(
      units, Direction::forward, round.threads,
      [&](Unit unit, MutableBytes keystream) {
        const Rows rows = rows_starting_in(unit, row_bytes);
        Addresses fetch;
        for (std::size_t i = rows.first; out.size() > cached_bytes && i < rows.last; ++i) {
          round.plan.rows.for_each_piece(
              i, [&](std::size_t line, std::size_t first, std::size_t count) {
                add_lines(fetch, &in[line * row_bytes + first * pixel], count * pixel);
              });
        }
        make_keystream(round, unit, keystream, fetch);
        gather_lines(round.plan.rows, pixel, rows.first, rows.last - rows.first, in.data(),
                     row_bytes, out.data() + rows.first * row_bytes);
      },
      [&](Unit unit, ConstBytes keystream) {
        if (round.chain == nullptr) return;
        chain_unit(Direction::forward, lines_of(units, unit, out, keystream), *round.chain, carry,
                   chain_lines, chain_singles);
      },
      [](Unit) {});
}

void columns_pass(const RoundInput& round, MutableBytes data, MutableBytes scratch) {
  const std::size_t rows = round.shape.rows;
  const std::size_t cols = round.shape.cols;
  const std::size_t pixel = round.shape.pixel_bytes();
  const std::size_t row_bytes = cols * pixel;
  const std::size_t step = transposed_step(round.shape);
  const Units units(data.size());
  std::uint64_t carry = round.chain != nullptr ? round.chain->carry : 0;
  in_turn(
      units, Direction::backward, round.threads,
      [&](Unit unit, MutableBytes keystream) { make_keystream_for(round, unit, data, keystream); },
      [&](Unit unit, ConstBytes keystream) {
        if (round.chain == nullptr) return;
        chain_unit(Direction::backward, lines_of(units, unit, data, keystream), *round.chain, carry,
                   chain_lines, chain_singles);
      },
      // Going backward, a strip is complete once the unit of its first byte is.
      [&](Unit unit) {
        const Rows strips = rows_starting_in(unit, strip_rows * row_bytes);
        for (std::size_t s = strips.first; s < strips.last; ++s) {
          const std::size_t first = s * strip_rows;
          transpose(std::min(strip_rows, rows - first), cols, pixel,
                    data.data() + first * row_bytes, row_bytes, scratch.data() + first * pixel,
                    step);
        }
      });
  swap_crossings(round.plan.crossings, rows, cols, pixel, scratch.data(),
                 {.down = pixel, .right = step});
  in_parts(cols, ceil_div(unit_bytes, rows * pixel), round.threads,
           [&](std::size_t first, std::size_t last) {
             gather_lines(round.plan.columns, pixel, first, last - first, scratch.data(), step,
                          data.data() + first * rows * pixel, use_of(data.size()));
           });
}

void undo_rows_pass(const RoundInput& round, MutableBytes data, MutableBytes out) {
  const std::size_t pixel = round.shape.pixel_bytes();
  const std::size_t row_bytes = round.shape.cols * pixel;
  const Units units(data.size());
  std::uint64_t carry = round.chain != nullptr ? round.chain->carry : 0;
  in_turn(
      units, Direction::forward, round.threads,
      [&](Unit unit, MutableBytes keystream) { make_keystream_for(round, unit, data, keystream); },
      [&](Unit unit, ConstBytes keystream) {
        if (round.chain == nullptr) return;
        chain_unit(Direction::forward, lines_of(units, unit, data, keystream), *round.chain, carry,
                   undo_lines, undo_singles);
      },
      [&](Unit unit) {
        const Rows rows = rows_ending_in(unit, row_bytes);
        scatter_lines(round.plan.rows, pixel, rows.first, rows.last - rows.first,
                      data.data() + rows.first * row_bytes, out.data(), row_bytes,
                      use_of(out.size()));
      });
}

void undo_columns_pass(const RoundInput& round, ConstBytes in, MutableBytes scratch,
                       MutableBytes out) {
  const std::size_t rows = round.shape.rows;
  const std::size_t cols = round.shape.cols;
  const std::size_t pixel = round.shape.pixel_bytes();
  in_parts(cols, ceil_div(unit_bytes, rows * pixel), round.threads,
           [&](std::size_t first, std::size_t last) {
             scatter_lines(round.plan.columns, pixel, first, last - first,
                           in.data() + first * rows * pixel, scratch.data(), rows * pixel,
                           use_of(in.size()));
           });
  unswap_crossings(round.plan.crossings, rows, cols, pixel, scratch.data(),
                   {.down = pixel, .right = rows * pixel});
  const Units units(out.size());
  const std::size_t row_bytes = cols * pixel;
  const std::size_t strip_bytes = strip_rows * row_bytes;
  const std::size_t strips = ceil_div(rows, strip_rows);
  std::uint64_t carry = round.chain != nullptr ? round.chain->carry : 0;
  const auto transpose_strips = [&](std::size_t first, std::size_t last) {
    for (std::size_t s = first; s < last; ++s) {
      const std::size_t row = s * strip_rows;
      transpose(cols, std::min(strip_rows, rows - row), pixel, scratch.data() + row * pixel,
                rows * pixel, out.data() + row * row_bytes, row_bytes);
    }
  };
  // One thread takes a strip while it is about to be needed; several would wait for whoever does.
  const bool beforehand = round.threads > 1;
  if (beforehand) in_parts(strips, 1, round.threads, transpose_strips);
  in_turn(
      units, Direction::backward, round.threads,
      [&](Unit unit, MutableBytes keystream) {
        if (beforehand) {
          make_keystream_for(round, unit, out, keystream);
          return;
        }
        make_keystream(round, unit, keystream);
        // Strips whose last byte lies in the unit; the very last strip may be short.
        const Rows ending = rows_ending_in(unit, strip_bytes);
        transpose_strips(ending.first, unit.last == out.size() ? strips : ending.last);
      },
      [&](Unit unit, ConstBytes keystream) {
        if (round.chain == nullptr) return;
        chain_unit(Direction::backward, lines_of(units, unit, out, keystream), *round.chain, carry,
                   undo_lines, undo_singles);
      },
      [](Unit) {});
}

}  // namespace icb::khazaal2024
