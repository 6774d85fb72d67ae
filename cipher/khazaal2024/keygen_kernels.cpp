#include "cipher/khazaal2024/keygen_kernels.hpp"

#include <algorithm>
#include <cstring>

// The best target has byte permutations and four-byte dot products, which Highway 1.0 has no names
// for. Vectors of unknown length cannot be told what is in which 16 bytes.
#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL
#endif
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cipher/khazaal2024/keygen_kernels.cpp"
#include <hwy/foreach_target.h>  // this file once per instruction set, up to HWY_ONCE
#include <hwy/highway.h>

// Highway asks the processor for AVX512-VNNI but names AVX-VNNI to the compiler. Only the 512-bit
// form of an instruction is encoded alike in both; no other may be used here.
#undef ICB_HAS_VNNI
#define ICB_HAS_VNNI 0
#if HWY_TARGET == HWY_AVX3_DL
#undef ICB_HAS_VNNI
#define ICB_HAS_VNNI 1
#undef HWY_TARGET_STR
#define HWY_TARGET_STR \
  HWY_TARGET_STR_AVX3  \
  ",vpclmulqdq,avx512vbmi,avx512vbmi2,vaes,avxvnni,avx512bitalg,avx512vpopcntdq,avx512vnni"
#endif

HWY_BEFORE_NAMESPACE();

namespace icb::khazaal2024::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR  // no vectors: loops

bool residual_rows(const Packed& /*weights*/, const std::uint8_t* /*x*/,
                   const std::uint8_t* /*north*/, const Strip& /*strip*/, std::uint8_t* /*out*/) {
  return false;
}

void high_bytes(const std::uint8_t* from, std::size_t samples, std::uint8_t* to) {
  for (std::size_t i = 0; i < samples; ++i) to[i] = from[2 * i + 1];
}

std::uint8_t activation(std::int32_t sum, int shift) {
  return static_cast<std::uint8_t>(HWY_MIN(HWY_MAX(sum >> shift, 0), 127));
}

void texture_row(const Packed& packed, const std::uint8_t* const rows[4], std::size_t cols,
                 std::size_t channels, std::uint8_t* out) {
  for (std::size_t col = 0; col < cols; col += 4) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t f = 0; f < 4; ++f) {
        std::int32_t sum = packed.texture_bias[f];
        for (std::size_t i = 0; i < 16; ++i) {
          std::int8_t w[4];
          std::memcpy(w, &packed.texture[i / 4][f], 4);
          const std::size_t at = col + i % 4;
          sum += w[i % 4] * (at < cols ? rows[i / 4][at * channels + c] : 128);
        }
        *out++ = activation(sum, packed.texture_shift);
      }
    }
  }
}

template <std::size_t kFilters, std::size_t kMaps>
void convolve(const std::int8_t (*weight)[16][4], const std::int32_t* bias, int shift,
              const std::uint8_t* rows, std::size_t height, std::size_t cols, std::size_t channels,
              std::uint8_t* out) {
  for (std::size_t col = 0; col < cols; col += 4) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t f = 0; f < kFilters; ++f) {
        std::int32_t sum = bias[f];
        for (std::size_t dy = 0; dy < height; ++dy) {
          for (std::size_t dx = 0; dx < HWY_MIN(cols - col, 4); ++dx) {
            const std::uint8_t* x = rows + ((dy * cols + col + dx) * channels + c) * kMaps;
            for (std::size_t map = 0; map < kMaps; ++map) {
              sum += weight[(4 * dy + dx) * (kMaps / 4) + map / 4][f][map % 4] * x[map];
            }
          }
        }
        *out++ = activation(sum, shift);
      }
    }
  }
}

void parts_row(const Packed& packed, const std::uint8_t* rows, std::size_t height, std::size_t cols,
               std::size_t channels, std::uint8_t* out) {
  convolve<8, 4>(packed.parts, packed.parts_bias, packed.parts_shift, rows, height, cols, channels,
                 out);
}

void structure_row(const Packed& packed, const std::uint8_t* rows, std::size_t height,
                   std::size_t cols, std::size_t channels, std::uint8_t* out) {
  convolve<16, 8>(packed.structure, packed.structure_bias, packed.structure_shift, rows, height,
                  cols, channels, out);
}

#else

namespace hn = hwy::HWY_NAMESPACE;

using D8 = hn::ScalableTag<std::uint8_t>;
using D16 = hn::Repartition<std::int16_t, D8>;
using D32 = hn::Repartition<std::int32_t, D8>;
using S8 = hn::RebindToSigned<D8>;
using U8s = hn::Vec<D8>;
using S8s = hn::Vec<S8>;
using S16s = hn::Vec<D16>;
using S32s = hn::Vec<D32>;

constexpr std::size_t vector_bytes = hn::MaxLanes(D8());
constexpr std::size_t words = vector_bytes / 4;

// --- Within 16 bytes ----------------------------------------------------------------------------
// pair_sums: a[2i] b[2i] + a[2i+1] b[2i+1], which must fit. pack: a, then b, in 16 bytes each,
// limited to the narrower type.

#if HWY_TARGET <= HWY_AVX3
HWY_INLINE S16s pair_sums(U8s a, S8s b) { return S16s{_mm512_maddubs_epi16(a.raw, b.raw)}; }

HWY_INLINE S32s pair_sums(S16s a, S16s b) { return S32s{_mm512_madd_epi16(a.raw, b.raw)}; }

HWY_INLINE U8s pack(S16s a, S16s b) { return U8s{_mm512_packus_epi16(a.raw, b.raw)}; }

HWY_INLINE S16s pack(S32s a, S32s b) { return S16s{_mm512_packs_epi32(a.raw, b.raw)}; }
#elif HWY_TARGET == HWY_AVX2
HWY_INLINE S16s pair_sums(U8s a, S8s b) { return S16s{_mm256_maddubs_epi16(a.raw, b.raw)}; }

HWY_INLINE S32s pair_sums(S16s a, S16s b) { return S32s{_mm256_madd_epi16(a.raw, b.raw)}; }

HWY_INLINE U8s pack(S16s a, S16s b) { return U8s{_mm256_packus_epi16(a.raw, b.raw)}; }

HWY_INLINE S16s pack(S32s a, S32s b) { return S16s{_mm256_packs_epi32(a.raw, b.raw)}; }
#elif HWY_TARGET <= HWY_SSSE3
HWY_INLINE S16s pair_sums(U8s a, S8s b) { return S16s{_mm_maddubs_epi16(a.raw, b.raw)}; }

HWY_INLINE S32s pair_sums(S16s a, S16s b) { return S32s{_mm_madd_epi16(a.raw, b.raw)}; }

HWY_INLINE U8s pack(S16s a, S16s b) { return U8s{_mm_packus_epi16(a.raw, b.raw)}; }

HWY_INLINE S16s pack(S32s a, S32s b) { return S16s{_mm_packs_epi32(a.raw, b.raw)}; }
#else
static_assert(vector_bytes == 16);

HWY_INLINE S16s pair_sums(U8s a, S8s b) {
  const S16s a16 = hn::BitCast(D16(), a);
  const S16s b16 = hn::BitCast(D16(), b);
  const S16s even =
      hn::Mul(hn::And(a16, hn::Set(D16(), 0xFF)), hn::ShiftRight<8>(hn::ShiftLeft<8>(b16)));
  const hn::RebindToUnsigned<D16> du;
  const S16s odd =
      hn::Mul(hn::BitCast(D16(), hn::ShiftRight<8>(hn::BitCast(du, a))), hn::ShiftRight<8>(b16));
  return hn::Add(even, odd);
}

HWY_INLINE S32s pair_sums(S16s a, S16s b) {
  const auto even = [](S16s v) {
    return hn::ShiftRight<16>(hn::ShiftLeft<16>(hn::BitCast(D32(), v)));
  };
  const auto odd = [](S16s v) { return hn::ShiftRight<16>(hn::BitCast(D32(), v)); };
  return hn::Add(hn::Mul(even(a), even(b)), hn::Mul(odd(a), odd(b)));
}

HWY_INLINE U8s pack(S16s a, S16s b) {
  const hn::Half<D8> half;
  return hn::Combine(D8(), hn::DemoteTo(half, b), hn::DemoteTo(half, a));
}

HWY_INLINE S16s pack(S32s a, S32s b) {
  const hn::Half<D16> half;
  return hn::Combine(D16(), hn::DemoteTo(half, b), hn::DemoteTo(half, a));
}
#endif

// sum + the products of four neighbours each, two of which must fit 16 bits.
HWY_INLINE S32s add_products(S32s sum, U8s a, S8s b) {
#if ICB_HAS_VNNI
  return S32s{_mm512_dpbusd_epi32(sum.raw, a.raw, b.raw)};
#else
  return hn::Add(sum, pair_sums(pair_sums(a, b), hn::Set(D16(), 1)));
#endif
}

// --- Level 1 ------------------------------------------------------------------------------------

/// Predictions are made for the even and the odd samples of a vector by themselves, in words twice
/// as wide. A tap's samples then come with a weight in the one place and 0 in the other, except
/// those left of the sample, whose two taps are neighbours.
struct Samples8 {
  static constexpr std::size_t bytes = 1;
  using V = U8s;
  using W = S8s;
  using Sum = S16s;

  static HWY_INLINE W weight(const Packed::Tap& tap) { return hn::Load(S8(), tap.of8); }

  static HWY_INLINE W even(W w) {
    return hn::BitCast(S8(), hn::And(hn::BitCast(D16(), w), hn::Set(D16(), 0xFF)));
  }

  static HWY_INLINE W odd(W w) { return hn::Xor(w, even(w)); }

  static HWY_INLINE Sum base(const std::int32_t* /*from*/) { return hn::Zero(D16()); }

  static HWY_INLINE V load(const std::uint8_t* from) { return hn::LoadU(D8(), from); }

  // (sum + 16) >> 5
  static HWY_INLINE Sum scaled(Sum sum) {
    return hn::MulFixedPoint15(sum, hn::Set(D16(), 1 << 10));
  }

  static HWY_INLINE void store_difference(V x, Sum even, Sum odd, std::uint8_t* to) {
    alignas(64) static constexpr std::uint8_t order[64] = {
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,  //
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
    const V p = hn::TableLookupBytes(pack(even, odd), hn::Load(D8(), order));
    hn::StoreU(hn::Sub(x, p), D8(), to);
  }
};

/// 16-bit samples less 32768, so that they are signed; the base gives back what that takes off the
/// sums, and takes off 32768 of the prediction for pack() to limit to 16 signed bits.
struct Samples16 {
  static constexpr std::size_t bytes = 2;
  using V = S16s;
  using W = S16s;
  using Sum = S32s;

  static HWY_INLINE W weight(const Packed::Tap& tap) { return hn::Load(D16(), tap.of16); }

  static HWY_INLINE W even(W w) {
    return hn::BitCast(D16(), hn::And(hn::BitCast(D32(), w), hn::Set(D32(), 0xFFFF)));
  }

  static HWY_INLINE W odd(W w) { return hn::Xor(w, even(w)); }

  static HWY_INLINE Sum base(const std::int32_t* from) { return hn::Load(D32(), from); }

  static HWY_INLINE V load(const std::uint8_t* from) {
    return hn::Xor(hn::BitCast(D16(), hn::LoadU(D8(), from)), hn::Set(D16(), -32768));
  }

  static HWY_INLINE Sum scaled(Sum sum) { return hn::ShiftRight<5>(sum); }

  static HWY_INLINE void store_difference(V x, Sum even, Sum odd, std::uint8_t* to) {
    alignas(64) static constexpr std::uint8_t order[64] = {
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,  //
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,  //
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,  //
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15};
    const auto p = hn::TableLookupBytes(hn::BitCast(D8(), pack(even, odd)), hn::Load(D8(), order));
    hn::StoreU(hn::BitCast(D8(), hn::Sub(x, hn::BitCast(D16(), p))), D8(), to);
  }
};

// Keeps a vector in its register: GCC 12 would rather load it twice, and what level 1 waits for is
// loads across cache lines.
template <class V>
HWY_INLINE void keep(V& v) {
#if HWY_TARGET <= HWY_SSSE3 && HWY_COMPILER_GCC_ACTUAL
  asm("" : "+v"(v.raw));
#else
  (void)v;
#endif
}

template <class Samples>
HWY_INLINE bool residuals(const Packed& packed, const std::uint8_t* HWY_RESTRICT x,
                          const std::uint8_t* HWY_RESTRICT north, const Strip& strip,
                          std::uint8_t* HWY_RESTRICT out) {
  constexpr std::size_t bytes = Samples::bytes;
  constexpr std::size_t lanes = vector_bytes / bytes;
  if (strip.samples < lanes + strip.channels) return false;
  const std::size_t pixel = strip.channels * bytes;
  const std::size_t row_bytes = strip.samples * bytes;

  const auto left_even = Samples::weight(packed.left_even);
  const auto left_odd = Samples::weight(packed.left_odd);
  const auto cross_even = Samples::even(Samples::weight(packed.cross));
  const auto cross_odd = Samples::odd(Samples::weight(packed.cross));
  const auto up_even = Samples::even(Samples::weight(packed.up));
  const auto up_odd = Samples::odd(Samples::weight(packed.up));
  const auto corner_even = Samples::even(Samples::weight(packed.corner));
  const auto corner_odd = Samples::odd(Samples::weight(packed.corner));
  const auto base_even = Samples::base(packed.base_even);
  const auto base_odd = Samples::base(packed.base_odd);

  // A vector starts in channel 0; three channels leave one or two lanes over.
  const std::size_t step = lanes / strip.channels * strip.channels;
  for (std::size_t i = strip.channels; i < strip.samples; i += step) {
    i = HWY_MIN(i, strip.samples - step);  // the last vector does some samples again
    std::size_t at = i * bytes;
    auto up = Samples::load(north + at);
    auto corner = Samples::load(north + at - pixel);
    for (std::size_t row = 0; row < strip.height; ++row, at += row_bytes) {
      keep(up);
      keep(corner);
      const auto before = Samples::load(x + at - pixel - bytes);
      auto left = Samples::load(x + at - pixel);
      auto cross = Samples::load(x + at - bytes);
      auto self = Samples::load(x + at);
      keep(left);
      keep(cross);
      keep(self);
      const auto even = hn::Add(
          hn::Add(hn::Add(pair_sums(before, left_even), base_even), pair_sums(cross, cross_even)),
          hn::Add(pair_sums(up, up_even), pair_sums(corner, corner_even)));
      const auto odd = hn::Add(
          hn::Add(hn::Add(pair_sums(left, left_odd), base_odd), pair_sums(cross, cross_odd)),
          hn::Add(pair_sums(up, up_odd), pair_sums(corner, corner_odd)));
      Samples::store_difference(self, Samples::scaled(even), Samples::scaled(odd), out + at);
      up = self;
      corner = left;
    }
  }
  return true;
}

bool residual_rows(const Packed& packed, const std::uint8_t* x, const std::uint8_t* north,
                   const Strip& strip, std::uint8_t* out) {
  return strip.sample_bytes == 1 ? residuals<Samples8>(packed, x, north, strip, out)
                                 : residuals<Samples16>(packed, x, north, strip, out);
}

// --- Level 2 ------------------------------------------------------------------------------------

void high_bytes(const std::uint8_t* HWY_RESTRICT from, std::size_t samples,
                std::uint8_t* HWY_RESTRICT to) {
  std::size_t i = 0;
  for (; i + vector_bytes <= samples; i += vector_bytes) {
    const U8s lower = hn::LoadU(D8(), from + 2 * i);
    const U8s upper = hn::LoadU(D8(), from + 2 * i + vector_bytes);
    hn::StoreU(hn::ConcatOdd(D8(), upper, lower), D8(), to + i);
  }
  for (; i < samples; ++i) to[i] = from[2 * i + 1];
}

/// Four pixels of one channel to a word: word k of a step is channel k mod C of patch k div C.
template <std::size_t kChannels>
class Patches {
 public:
  // Three channels leave words over.
  static constexpr std::size_t in_step = kChannels != 3 ? words
                                         : ICB_HAS_VNNI ? words / 3 * 3
                                                        : words / 4 * 3;
  static constexpr std::size_t bytes = 4 * in_step;

  HWY_INLINE Patches() {
    HWY_ALIGN std::uint8_t from[vector_bytes] = {};
#if ICB_HAS_VNNI
    for (std::size_t k = 0; k < in_step; ++k) {
      for (std::size_t i = 0; i < 4; ++i) {
        from[4 * k + i] =
            static_cast<std::uint8_t>((4 * (k / kChannels) + i) * kChannels + k % kChannels);
      }
    }
#else
    // First whole words to the 16 bytes they are used in, then bytes to their place.
    HWY_ALIGN std::int32_t spread[words] = {};
    HWY_ALIGN std::int32_t gather[words] = {};
    for (std::size_t k = 0; k < words; ++k) {
      const std::size_t block = k / 4;
      const std::size_t in_block = k % 4;
      spread[k] = static_cast<std::int32_t>(HWY_MIN(3 * block + in_block, words - 1));
      gather[k] = static_cast<std::int32_t>(kChannels == 3 && k < in_step ? 4 * (k / 3) + k % 3
                                                                          : words - 1);
      for (std::size_t i = 0; i < 4; ++i) {
        from[4 * k + i] = static_cast<std::uint8_t>((4 * (in_block / kChannels) + i) * kChannels +
                                                    in_block % kChannels);
      }
      if (kChannels == 3 && in_block == 3) std::memset(from + 4 * k, 0, 4);
    }
    m_spread = hn::SetTableIndices(D32(), spread);
    m_gather = hn::SetTableIndices(D32(), gather);
#endif
    m_from = hn::Load(D8(), from);
  }

  HWY_INLINE U8s load(const std::uint8_t* at) const {
    U8s v = hn::LoadU(D8(), at);
    if constexpr (kChannels == 1) return v;
#if ICB_HAS_VNNI
    return U8s{_mm512_permutexvar_epi8(m_from.raw, v.raw)};
#else
    if constexpr (kChannels == 3 && words > 4) {
      v = hn::BitCast(D8(), hn::TableLookupLanes(hn::BitCast(D32(), v), m_spread));
    }
    return hn::TableLookupBytes(v, m_from);
#endif
  }

  HWY_INLINE void store(U8s v, std::uint8_t* to) const {
#if !ICB_HAS_VNNI
    if constexpr (kChannels == 3 && words > 4) {
      v = hn::BitCast(D8(), hn::TableLookupLanes(hn::BitCast(D32(), v), m_gather));
    }
#endif
    hn::StoreU(v, D8(), to);
  }

 private:
  U8s m_from;
#if !ICB_HAS_VNNI
  decltype(hn::SetTableIndices(D32(), static_cast<const std::int32_t*>(nullptr))) m_spread;
  decltype(hn::SetTableIndices(D32(), static_cast<const std::int32_t*>(nullptr))) m_gather;
#endif
};

template <std::size_t kChannels>
HWY_INLINE void textures(const Packed& packed, const std::uint8_t* const HWY_RESTRICT rows[4],
                         std::size_t cols, std::uint8_t* HWY_RESTRICT out) {
  using P = Patches<kChannels>;
  const P patches;
  const std::size_t size = cols * kChannels;
  const auto weight = [&](std::size_t row, std::size_t filter) HWY_ATTR {
    return hn::BitCast(S8(), hn::Set(D32(), packed.texture[row][filter]));
  };
  const auto w00 = weight(0, 0), w01 = weight(0, 1), w02 = weight(0, 2), w03 = weight(0, 3);
  const auto w10 = weight(1, 0), w11 = weight(1, 1), w12 = weight(1, 2), w13 = weight(1, 3);
  const auto w20 = weight(2, 0), w21 = weight(2, 1), w22 = weight(2, 2), w23 = weight(2, 3);
  const auto w30 = weight(3, 0), w31 = weight(3, 1), w32 = weight(3, 2), w33 = weight(3, 3);
  const S32s bias0 = hn::Set(D32(), packed.texture_bias[0]);
  const S32s bias1 = hn::Set(D32(), packed.texture_bias[1]);
  const S32s bias2 = hn::Set(D32(), packed.texture_bias[2]);
  const S32s bias3 = hn::Set(D32(), packed.texture_bias[3]);
  const U8s transposed = hn::Load(D8(), [] {
    alignas(64) static constexpr std::uint8_t order[64] = {
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,  //
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,  //
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,  //
        0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    return order;
  }());
  const int shift = packed.texture_shift;
  const auto step = [&](const std::uint8_t* r0, const std::uint8_t* r1, const std::uint8_t* r2,
                        const std::uint8_t* r3, std::uint8_t* to) HWY_ATTR {
    const U8s x0 = patches.load(r0);
    S32s y0 = add_products(bias0, x0, w00);
    S32s y1 = add_products(bias1, x0, w01);
    S32s y2 = add_products(bias2, x0, w02);
    S32s y3 = add_products(bias3, x0, w03);
    const U8s x1 = patches.load(r1);
    y0 = add_products(y0, x1, w10);
    y1 = add_products(y1, x1, w11);
    y2 = add_products(y2, x1, w12);
    y3 = add_products(y3, x1, w13);
    const U8s x2 = patches.load(r2);
    y0 = add_products(y0, x2, w20);
    y1 = add_products(y1, x2, w21);
    y2 = add_products(y2, x2, w22);
    y3 = add_products(y3, x2, w23);
    const U8s x3 = patches.load(r3);
    y0 = hn::ShiftRightSame(add_products(y0, x3, w30), shift);
    y1 = hn::ShiftRightSame(add_products(y1, x3, w31), shift);
    y2 = hn::ShiftRightSame(add_products(y2, x3, w32), shift);
    y3 = hn::ShiftRightSame(add_products(y3, x3, w33), shift);
    const U8s y = hn::Min(pack(pack(y0, y1), pack(y2, y3)), hn::Set(D8(), 127));
    patches.store(hn::TableLookupBytes(y, transposed), to);
  };
  std::size_t at = 0;
  for (; at + vector_bytes <= size; at += P::bytes) {
    step(rows[0] + at, rows[1] + at, rows[2] + at, rows[3] + at, out + at);
  }
  if (at == size) return;
  // The rest, completed by samples that are 0 to the filters.
  HWY_ALIGN std::uint8_t rest[4][3 * vector_bytes];
  for (std::size_t row = 0; row < 4; ++row) {
    std::memcpy(rest[row], rows[row] + at, size - at);
    std::memset(rest[row] + (size - at), 128, sizeof rest[row] - (size - at));
  }
  for (std::size_t i = 0; at + i < size; i += P::bytes) {
    step(rest[0] + i, rest[1] + i, rest[2] + i, rest[3] + i, out + at + i);
  }
}

void texture_row(const Packed& packed, const std::uint8_t* const rows[4], std::size_t cols,
                 std::size_t channels, std::uint8_t* out) {
  switch (channels) {
    case 1:
      return textures<1>(packed, rows, cols, out);
    case 2:
      return textures<2>(packed, rows, cols, out);
    case 3:
      return textures<3>(packed, rows, cols, out);
    default:
      return textures<4>(packed, rows, cols, out);
  }
}

// --- Levels 3 and 4 -----------------------------------------------------------------------------

HWY_INLINE std::int32_t word_at(const std::uint8_t* from) {
  std::int32_t word{};
  std::memcpy(&word, from, 4);
  return word;
}

/// All filters of an output side by side, two outputs if they fit; or filters in several vectors.
template <std::size_t kFilters, std::size_t kMaps>
struct Convolution {
  static constexpr std::size_t outputs = HWY_MAX(words / kFilters, 1);  // of a vector
  static constexpr std::size_t vectors = HWY_MAX(kFilters / words, 1);
  static constexpr std::size_t groups = kMaps / 4;

  const std::int8_t (*weight)[16][4];
  const std::int32_t* bias;
  int shift;
  std::size_t in_pixel;  // bytes
  std::size_t in_row;

  /// Four maps for one or two outputs.
  static HWY_INLINE U8s maps(const std::uint8_t* first, const std::uint8_t* second) {
    S32s x = hn::Set(D32(), word_at(first));
    if constexpr (outputs == 2) {
      const auto in_second =
          hn::Gt(hn::Iota(D32(), 0), hn::Set(D32(), static_cast<std::int32_t>(kFilters) - 1));
      x = hn::IfThenElse(in_second, hn::Set(D32(), word_at(second)), x);
    }
    return hn::BitCast(D8(), x);
  }

  HWY_INLINE S8s weights(std::size_t dy, std::size_t dx, std::size_t group,
                         std::size_t vector) const {
    return hn::Load(S8(), weight[(4 * dy + dx) * groups + group][vector * words]);
  }

  HWY_INLINE auto activation(S32s sum) const {
    const hn::Rebind<std::uint8_t, D32> narrow;
    return hn::DemoteTo(narrow, hn::Min(hn::ShiftRightSame(sum, shift), hn::Set(D32(), 127)));
  }

  /// Four outputs from whole patches; every weight is loaded once for all.
  HWY_INLINE void four(const std::uint8_t* const from[4], std::uint8_t* to) const {
    const hn::Rebind<std::uint8_t, D32> narrow;
    for (std::size_t vector = 0; vector < vectors; ++vector) {
      const S32s start = hn::Load(D32(), bias + vector * words);
      S32s a = start;
      S32s b = start;
      S32s c = start;
      S32s d = start;
      for (std::size_t dy = 0; dy < 4; ++dy) {
        for (std::size_t dx = 0; dx < 4; ++dx) {
          for (std::size_t group = 0; group < groups; ++group) {
            const std::size_t at = dy * in_row + dx * in_pixel + 4 * group;
            const S8s w = weights(dy, dx, group, vector);
            if constexpr (outputs == 2) {
              a = add_products(a, maps(from[0] + at, from[1] + at), w);
              b = add_products(b, maps(from[2] + at, from[3] + at), w);
            } else {
              a = add_products(a, maps(from[0] + at, nullptr), w);
              b = add_products(b, maps(from[1] + at, nullptr), w);
              c = add_products(c, maps(from[2] + at, nullptr), w);
              d = add_products(d, maps(from[3] + at, nullptr), w);
            }
          }
        }
      }
      std::uint8_t* at = to + vector * words;
      hn::StoreU(activation(a), narrow, at);
      hn::StoreU(activation(b), narrow, at + outputs * kFilters);
      if constexpr (outputs == 1) {
        hn::StoreU(activation(c), narrow, at + 2 * kFilters);
        hn::StoreU(activation(d), narrow, at + 3 * kFilters);
      }
    }
  }

  /// One output from a patch that may be cut off.
  HWY_INLINE void one(const std::uint8_t* from, std::size_t height, std::size_t width,
                      std::uint8_t* to) const {
    for (std::size_t vector = 0; vector < vectors; ++vector) {
      S32s sum = hn::Load(D32(), bias + vector * words);
      for (std::size_t dy = 0; dy < height; ++dy) {
        for (std::size_t dx = 0; dx < width; ++dx) {
          for (std::size_t group = 0; group < groups; ++group) {
            const std::uint8_t* at = from + dy * in_row + dx * in_pixel + 4 * group;
            sum = add_products(sum, maps(at, at), weights(dy, dx, group, vector));
          }
        }
      }
      HWY_ALIGN std::uint8_t bytes[words];
      hn::Store(activation(sum), hn::Rebind<std::uint8_t, D32>(), bytes);
      std::memcpy(to + vector * words, bytes, HWY_MIN(words, kFilters));
    }
  }

  HWY_INLINE void row(const std::uint8_t* in, std::size_t height, std::size_t cols,
                      std::size_t channels, std::uint8_t* out) const {
    const std::size_t full = cols / 4 * channels;  // outputs of whole width
    const std::size_t count = (cols + 3) / 4 * channels;
    std::size_t k = 0;
    std::size_t channel = 0;
    const auto next = [&] {
      const std::uint8_t* from = in;
      in += kMaps;
      if (++channel == channels) {
        channel = 0;
        in += 3 * in_pixel;
      }
      return from;
    };
    for (; height == 4 && k + 4 <= full; k += 4, out += 4 * kFilters) {
      const std::uint8_t* const from[4] = {next(), next(), next(), next()};
      four(from, out);
    }
    for (; k < count; ++k, out += kFilters) one(next(), height, k < full ? 4 : cols % 4, out);
  }
};

void parts_row(const Packed& packed, const std::uint8_t* rows, std::size_t height, std::size_t cols,
               std::size_t channels, std::uint8_t* out) {
  const Convolution<8, 4> layer{packed.parts, packed.parts_bias, packed.parts_shift, 4 * channels,
                                4 * channels * cols};
  layer.row(rows, height, cols, channels, out);
}

void structure_row(const Packed& packed, const std::uint8_t* rows, std::size_t height,
                   std::size_t cols, std::size_t channels, std::uint8_t* out) {
  const Convolution<16, 8> layer{packed.structure, packed.structure_bias, packed.structure_shift,
                                 8 * channels, 8 * channels * cols};
  layer.row(rows, height, cols, channels, out);
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace
}  // namespace icb::khazaal2024::kernels::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace icb::khazaal2024::kernels {

HWY_EXPORT(residual_rows);
HWY_EXPORT(high_bytes);
HWY_EXPORT(texture_row);
HWY_EXPORT(parts_row);
HWY_EXPORT(structure_row);

bool residual_rows(const Packed& weights, const std::uint8_t* x, const std::uint8_t* north,
                   const Strip& strip, std::uint8_t* out) {
  return HWY_DYNAMIC_DISPATCH(residual_rows)(weights, x, north, strip, out);
}

void high_bytes(const std::uint8_t* from, std::size_t samples, std::uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(high_bytes)(from, samples, to);
}

void texture_row(const Packed& weights, const std::uint8_t* const rows[4], std::size_t cols,
                 std::size_t channels, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(texture_row)(weights, rows, cols, channels, out);
}

void parts_row(const Packed& weights, const std::uint8_t* rows, std::size_t height,
               std::size_t cols, std::size_t channels, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(parts_row)(weights, rows, height, cols, channels, out);
}

void structure_row(const Packed& weights, const std::uint8_t* rows, std::size_t height,
                   std::size_t cols, std::size_t channels, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(structure_row)(weights, rows, height, cols, channels, out);
}

}  // namespace icb::khazaal2024::kernels

#endif  // HWY_ONCE
