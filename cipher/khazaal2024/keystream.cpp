#include "cipher/khazaal2024/keystream.hpp"

#include <algorithm>
#include <cstring>

// Compiled once per instruction set. Scalable vectors would not divide the eight lanes.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cipher/khazaal2024/keystream.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef ICB_KEYSTREAM_ONCE
#define ICB_KEYSTREAM_ONCE

namespace icb::khazaal2024 {

/// The states of the eight lanes, each kind together, and what the steps read.
struct LaneStates {
  alignas(64) std::uint64_t x[keystream_lanes];
  alignas(64) std::uint64_t x_weyl[keystream_lanes];
  alignas(64) std::uint64_t u[keystream_lanes];
  alignas(64) std::uint64_t v[keystream_lanes];
  alignas(64) std::uint64_t u_weyl[keystream_lanes];
  alignas(64) std::uint64_t noise[keystream_lanes];
  alignas(64) std::uint64_t noise_add[keystream_lanes];
  std::uint64_t r, a, b;
  const std::uint64_t* deviates;         ///< 1024
  const std::uint8_t* const* fetch;      ///< the next address to bring to the cache
  const std::uint8_t* const* fetch_end;  ///< behind the last
  Sources sources;
};

}  // namespace icb::khazaal2024

#endif  // ICB_KEYSTREAM_ONCE

HWY_BEFORE_NAMESPACE();

namespace icb::khazaal2024::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<std::uint64_t, keystream_lanes>;
using Vec = hn::Vec<Tag>;

HWY_INLINE Vec constant(std::uint64_t value) { return hn::Set(Tag(), value); }

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE Vec product(Vec a, Vec b) {
  const Vec low = constant(0xFFFFFFFF);
  return hn::Mul(hn::And(a, low), hn::And(b, low));
}

HWY_INLINE void store(Vec a, std::uint8_t* to) {
  const std::uint64_t word = hn::GetLane(a);
  std::memcpy(to, &word, sizeof word);
}

#else

/// The product of the lower halves.
HWY_INLINE Vec product(Vec a, Vec b) {
  const hn::Repartition<std::uint32_t, Tag> halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
}

HWY_INLINE void store(Vec a, std::uint8_t* to) {
  const hn::Repartition<std::uint8_t, Tag> bytes;
  hn::StoreU(hn::BitCast(bytes, a), bytes, to);
}

#endif

HWY_INLINE Vec high(Vec a) { return hn::ShiftRight<32>(a); }

HWY_INLINE Vec fold(Vec a) { return hn::Xor(a, high(a)); }

/// Of numbers whose upper halves are given too.
HWY_INLINE Vec mulf(Vec a, Vec a_high, Vec b, Vec b_high) {
  return hn::Add(product(a_high, b_high),
                 hn::Add(high(product(a_high, b)), high(product(a, b_high))));
}

HWY_INLINE Vec times_4(Vec a) { return hn::ShiftLeft<2>(a); }

/// Parameters of the maps and their upper halves.
struct Constants {
  explicit Constants(const LaneStates& s)
      : r(constant(s.r)),
        r_high(constant(s.r >> 32)),
        a(constant(s.a)),
        a_high(constant(s.a >> 32)),
        b(constant(s.b)),
        b_high(constant(s.b >> 32)) {}

  Vec r, r_high, a, a_high, b, b_high;
};

/// As many lanes as a vector has, from lane `first` on.
struct Group {
  Group(const LaneStates& s, std::size_t first)
      : x(hn::Load(Tag(), s.x + first)),
        x_weyl(hn::Load(Tag(), s.x_weyl + first)),
        u(hn::Load(Tag(), s.u + first)),
        v(hn::Load(Tag(), s.v + first)),
        // The 1 of Henon's map goes with the counter.
        u_weyl(hn::Add(hn::Load(Tag(), s.u_weyl + first), constant(std::uint64_t{1} << 62))) {}

  void save(LaneStates& s, std::size_t first) const {
    hn::Store(x, Tag(), s.x + first);
    hn::Store(x_weyl, Tag(), s.x_weyl + first);
    hn::Store(u, Tag(), s.u + first);
    hn::Store(v, Tag(), s.v + first);
    hn::Store(hn::Sub(u_weyl, constant(std::uint64_t{1} << 62)), Tag(), s.u_weyl + first);
  }

  HWY_INLINE void step(const Constants& c) {
    const Vec x_high = high(x);  // of the upper half of ~x only the lower half is used
    const Vec parabola = times_4(mulf(x, x_high, hn::Not(x), hn::Not(x_high)));
    x = hn::Add(mulf(c.r, c.r_high, parabola, high(parabola)), x_weyl);
    x_weyl = hn::Add(x_weyl, constant(x_weyl_add));

    const hn::RebindToSigned<Tag> signs;
    const auto u_signed = hn::BitCast(signs, u);
    const Vec m = hn::BitCast(Tag(), hn::Abs(u_signed));
    const Vec m_high = high(m);
    const Vec cross = high(product(m_high, m));
    const Vec s = times_4(hn::Add(product(m_high, m_high), hn::Add(cross, cross)));
    const Vec t = times_4(mulf(c.a, c.a_high, s, high(s)));
    const Vec n = times_4(mulf(c.b, c.b_high, m, m_high));
    u = hn::Sub(hn::Add(v, u_weyl), t);
    const auto negative = hn::RebindMask(Tag(), hn::Lt(u_signed, hn::Zero(signs)));
    v = hn::IfThenElse(negative, hn::Sub(hn::Zero(Tag()), n), n);
    u_weyl = hn::Add(u_weyl, constant(u_weyl_add));
  }

  Vec x, x_weyl, u, v, u_weyl;
};

void skip(LaneStates& s, std::size_t steps) {
  const Constants c(s);
  for (std::size_t first = 0; first < keystream_lanes; first += hn::Lanes(Tag())) {
    Group group(s, first);
    for (std::size_t i = 0; i < steps; ++i) group.step(c);
    group.save(s, first);
  }
  for (std::size_t i = 0; i < keystream_lanes; ++i) s.noise[i] += steps * s.noise_add[i];
}

/// The deviates of the noise come out of a table by scalar loads and stores, which use none of the
/// vector units. They are made some steps ahead: a vector loaded from what single words were just
/// stored to would wait for them.
class NoiseAhead {
 public:
  NoiseAhead(const LaneStates& s, std::size_t first)
      : m_noise(hn::Load(Tag(), s.noise + first)),
        m_add(hn::Load(Tag(), s.noise_add + first)),
        m_deviates(s.deviates) {
    for (m_step = 0; m_step < ahead; ++m_step) {
      scramble(m_step);
      look_up(m_step);
    }
    scramble(m_step);
  }

  /// The noise part of the words of the next step.
  HWY_INLINE Vec next() {
    ++m_step;
    scramble(m_step);
    look_up(m_step - 1);
    const std::size_t at = lanes * ((m_step - 1 - ahead) % ring);
    const Vec d = hn::Load(Tag(), m_scrambled + at);
    return hn::Xor(hn::Xor(d, hn::ShiftRight<31>(d)), hn::Load(Tag(), m_bits + at));
  }

 private:
  static constexpr std::size_t lanes = hn::MaxLanes(Tag());
  static constexpr std::size_t ahead = 6;
  static constexpr std::size_t ring = 8;

  /// All but the last shift, which leaves the upper ten bits alone.
  HWY_INLINE void scramble(std::size_t step) {
    m_noise = hn::Add(m_noise, m_add);
    Vec d = hn::Mul(hn::Xor(m_noise, hn::ShiftRight<30>(m_noise)), constant(0xBF58476D1CE4E5B9));
    d = hn::Mul(hn::Xor(d, hn::ShiftRight<27>(d)), constant(0x94D049BB133111EB));
    hn::Store(d, Tag(), m_scrambled + lanes * (step % ring));
  }

  HWY_INLINE void look_up(std::size_t step) {
    const std::size_t at = lanes * (step % ring);
    volatile std::uint64_t* const to = m_bits + at;  // else compilers make vectors of the words
    for (std::size_t i = 0; i < lanes; ++i) to[i] = m_deviates[m_scrambled[at + i] >> 54];
  }

  Vec m_noise;
  Vec m_add;
  const std::uint64_t* HWY_RESTRICT m_deviates;
  std::size_t m_step;
  HWY_ALIGN std::uint64_t m_scrambled[lanes * ring];
  HWY_ALIGN std::uint64_t m_bits[lanes * ring];
};

/// At least one step. Whether a source is read is in masks only when some are not.
template <bool kAll>
void produce_steps(LaneStates& s, std::size_t steps, std::uint8_t* HWY_RESTRICT out) {
  const Constants c(s);
  const auto mask = [](bool read) { return constant(read ? ~std::uint64_t{0} : 0); };
  const Vec read_x = mask(s.sources.logistic);
  const Vec read_u = mask(s.sources.henon);
  const Vec read_v = mask(s.sources.gauss);
  for (std::size_t first = 0; first < keystream_lanes; first += hn::Lanes(Tag())) {
    Group group(s, first);
    NoiseAhead noise(s, first);
    std::uint8_t* to = out + 8 * first;
    const auto give = [&](Vec x, Vec u) HWY_ATTR {
      Vec v = noise.next();
      if (!kAll) {
        x = hn::And(x, read_x);
        u = hn::And(u, read_u);
        v = hn::And(v, read_v);
      }
      const Vec z1 = hn::Xor(hn::Add(x, hn::RotateRight<64 - u_rotation>(u)), v);
      const Vec z2 = hn::Add(hn::Xor(u, x), hn::RotateRight<64 - v_rotation>(v));
      store(fold(hn::Mul(fold(z1), constant(z1_multiplier))), to);
      store(fold(hn::Mul(fold(z2), constant(z2_multiplier))), to + 8 * keystream_lanes);
      to += step_bytes;
      // Two lines for the two lines a step makes; the addresses are used up by the first group.
      for (int i = 0; i < 2 && s.fetch != s.fetch_end; ++i) __builtin_prefetch(*s.fetch++, 0, 2);
    };
    group.step(c);
    for (std::size_t i = 1; i < steps; ++i) {  // the next step and the words of this one together
      const Vec x = group.x;
      const Vec u = group.u;
      group.step(c);
      give(x, u);
    }
    give(group.x, group.u);
    group.save(s, first);
  }
  for (std::size_t i = 0; i < keystream_lanes; ++i) s.noise[i] += steps * s.noise_add[i];
}

void produce(LaneStates& s, std::size_t steps, std::uint8_t* HWY_RESTRICT out) {
  if (s.sources.logistic && s.sources.henon && s.sources.gauss) {
    produce_steps<true>(s, steps, out);
  } else {
    produce_steps<false>(s, steps, out);
  }
}

}  // namespace
}  // namespace icb::khazaal2024::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb::khazaal2024 {

HWY_EXPORT(skip);
HWY_EXPORT(produce);

Keystream::Keystream(const std::array<Lane, keystream_lanes>& lanes, const Parameters& parameters,
                     Sources sources)
    : m_lanes(lanes), m_parameters(parameters), m_sources(sources), m_deviates() {
  for (std::size_t i = 0; i < m_deviates.size(); ++i) {
    m_deviates[i] = deviate_bits(deviate(parameters, i));
  }
}

void Keystream::fill(unsigned round, std::uint64_t first, MutableBytes out,
                     std::span<const std::uint8_t* const> fetch) const {
  LaneStates s{};
  s.r = m_parameters.r;
  s.a = m_parameters.a;
  s.b = m_parameters.b;
  s.deviates = m_deviates.data();
  s.sources = m_sources;
  s.fetch = fetch.data();
  s.fetch_end = fetch.data() + fetch.size();
  while (!out.empty()) {
    const std::uint64_t within = first % block_bytes;
    const std::uint64_t number = first_step(round, first / block_bytes);
    for (std::size_t i = 0; i < keystream_lanes; ++i) {
      const Lane lane = at_step(m_lanes.at(i), number);
      s.x[i] = lane.x;
      s.x_weyl[i] = lane.x_weyl;
      s.u[i] = lane.u;
      s.v[i] = lane.v;
      s.u_weyl[i] = lane.u_weyl;
      s.noise[i] = lane.noise;
      s.noise_add[i] = lane.noise_add;
    }
    HWY_DYNAMIC_DISPATCH(skip)(s, idle_steps + within / step_bytes);
    MutableBytes piece = out.first(std::min<std::uint64_t>(out.size(), block_bytes - within));
    first += piece.size();
    out = out.subspan(piece.size());
    // Steps of which only a part is wanted, at the start and the end of the piece, go through here.
    std::array<std::uint8_t, step_bytes> one{};
    const auto part = [&](std::size_t from) {
      const std::size_t count = std::min<std::size_t>(step_bytes - from, piece.size());
      HWY_DYNAMIC_DISPATCH(produce)(s, 1, one.data());
      std::memcpy(piece.data(), one.data() + from, count);
      piece = piece.subspan(count);
    };
    if (within % step_bytes != 0) part(within % step_bytes);
    const std::size_t whole = piece.size() / step_bytes;
    if (whole > 0) HWY_DYNAMIC_DISPATCH(produce)(s, whole, piece.data());
    piece = piece.subspan(whole * step_bytes);
    if (!piece.empty()) part(0);
  }
}

namespace plain {

void fill_keystream(const std::array<Lane, keystream_lanes>& start, const Parameters& parameters,
                    Sources sources, unsigned round, std::uint64_t first, MutableBytes out) {
  while (!out.empty()) {
    const std::uint64_t number = first_step(round, first / block_bytes);
    std::array<Lane, keystream_lanes> lanes{};
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes.at(i) = at_step(start.at(i), number);
    for (std::uint64_t i = 0; i < idle_steps; ++i) {
      for (Lane& lane : lanes) step(lane, parameters, sources);
    }
    const std::uint64_t begin = first % block_bytes;
    const std::uint64_t end = std::min<std::uint64_t>(block_bytes, begin + out.size());
    for (std::uint64_t at = 0; at < end; at += step_bytes) {
      std::array<std::uint8_t, step_bytes> bytes{};
      for (std::size_t i = 0; i < lanes.size(); ++i) {
        const Words words = words_of(step(lanes.at(i), parameters, sources));
        for (std::size_t j = 0; j < 8; ++j) {
          bytes.at(8 * i + j) = static_cast<std::uint8_t>((words.z1 >> (8 * j)) & 0xFF);
          bytes.at(64 + 8 * i + j) = static_cast<std::uint8_t>((words.z2 >> (8 * j)) & 0xFF);
        }
      }
      for (std::uint64_t n = std::max(at, begin); n < std::min(at + step_bytes, end); ++n) {
        out[n - begin] = bytes.at(n - at);
      }
    }
    out = out.subspan(end - begin);
    first += end - begin;
  }
}

}  // namespace plain

}  // namespace icb::khazaal2024

#endif  // HWY_ONCE
