/// The smoke set: images that behave like photographs, scans and drawings, made from integers only.
///
/// Textures are sums of octaves of value noise whose amplitude halves as the frequency doubles, so
/// the power spectrum falls as in natural images; lattice values come from splitmix64. Colour is
/// one luminance field with weaker chroma fields, so channels are correlated as in photographs.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "datasets/dataset.hpp"

namespace icb {
namespace {

using Integer = std::int64_t;

constexpr Integer full = 65535;  // white of every field; 8-bit images keep the upper byte

/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// 0 to 65535, from a seed and a lattice point.
Integer hashed(std::uint64_t seed, Integer x, Integer y) {
  const std::uint64_t h = splitmix64(splitmix64(seed ^ splitmix64(static_cast<std::uint64_t>(x))) ^
                                     static_cast<std::uint64_t>(y));
  return static_cast<Integer>(h >> 48);
}

Integer floor_div(Integer a, Integer b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

Integer square_root(Integer x) {
  Integer root = 0;
  for (Integer bit = Integer{1} << 31; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= x) root += bit;
  }
  return root;
}

/// 3t^2 - 2t^3 for t in 0 to 4096.
Integer smooth(Integer t) { return (t * t * (3 * 4096 - 2 * t)) >> 24; }

Integer mix(Integer a, Integer b, Integer weight, Integer one) {
  return a + (b - a) * weight / one;
}

/// Smooth noise, 0 to 65535. Coordinates in 1/256 pixel; `cell` is the lattice spacing in pixels.
Integer value_noise(std::uint64_t seed, Integer x, Integer y, Integer cell) {
  const Integer step = cell * 256;
  const Integer column = floor_div(x, step);
  const Integer row = floor_div(y, step);
  const Integer u = smooth((x - column * step) * 4096 / step);
  const Integer v = smooth((y - row * step) * 4096 / step);
  const Integer top = mix(hashed(seed, column, row), hashed(seed, column + 1, row), u, 4096);
  const Integer bottom =
      mix(hashed(seed, column, row + 1), hashed(seed, column + 1, row + 1), u, 4096);
  return mix(top, bottom, v, 4096);
}

/// Octaves from lattice spacing `cell` down to `finest`; each amplitude is `keep`/256 of the one
/// before.
Integer octaves(std::uint64_t seed, Integer x, Integer y, Integer cell, Integer finest,
                Integer keep) {
  Integer sum = 0;
  Integer total = 0;
  Integer amplitude = 4096;
  for (std::uint64_t octave = 0; cell >= finest && amplitude > 0; ++octave) {
    sum += amplitude * value_noise(seed + octave * 0x51ED2701, x, y, cell);
    total += amplitude;
    amplitude = amplitude * keep / 256;
    cell /= 2;
  }
  return sum / total;
}

/// Spreads the values around the middle by `times`/256 and holds them in range.
Integer contrast(Integer value, Integer times) {
  return std::clamp((value - 32768) * times / 256 + 32768, Integer{0}, full);
}

/// Weighted by `weight` of 65536.
Integer blend(Integer a, Integer b, Integer weight) { return mix(a, b, weight, 65536); }

/// 0 below `from`, 65536 above `to`, straight between.
Integer ramp(Integer x, Integer from, Integer to) {
  return std::clamp((x - from) * 65536 / (to - from), Integer{0}, Integer{65536});
}

struct Colour {
  Integer b = 0;
  Integer g = 0;
  Integer r = 0;
};

Colour scaled(const Colour& c, Integer by) {
  const auto one = [&](Integer v) { return std::clamp(v * by / 32768, Integer{0}, full); };
  return {one(c.b), one(c.g), one(c.r)};
}

Colour blend(const Colour& a, const Colour& b, Integer weight) {
  return {blend(a.b, b.b, weight), blend(a.g, b.g, weight), blend(a.r, b.r, weight)};
}

Colour gray(Integer v) { return {v, v, v}; }

/// Integer luma, weights of ITU-R BT.601.
Integer luma(const Colour& c) { return (1868 * c.b + 9617 * c.g + 4899 * c.r) / 16384; }

/// A picture is a function of a point in units of 1/256 of a pixel of its frame.
struct Frame {
  std::uint64_t seed;
  Integer width;
  Integer height;
};

using Painter = Colour (*)(const Frame& frame, Integer column, Integer row);

/// Rock: octaves over coordinates that are themselves bent by noise, veins, and a fine grain.
Colour paint_texture(const Frame& f, Integer column, Integer row) {
  const Integer x = column * 256;
  const Integer y = row * 256;
  const Integer bend_x = (octaves(f.seed + 1, x, y, 64, 8, 128) - 32768) / 6;
  const Integer bend_y = (octaves(f.seed + 2, x, y, 64, 8, 128) - 32768) / 6;
  const Integer light = contrast(octaves(f.seed + 3, x + bend_x, y + bend_y, 128, 1, 185), 560);
  const Integer vein =
      std::abs(octaves(f.seed + 4, x + 2 * bend_y, y + bend_x, 64, 2, 150) - 32768);
  const Integer grain = hashed(f.seed + 7, column, row) - 32768;
  const Integer value =
      9000 + light * 3 / 4 - (16000 - std::min<Integer>(16000, vein * 8)) / 2 + grain / 10;
  const Integer warm = octaves(f.seed + 5, x, y, 128, 4, 140) - 32768;
  const Integer green = octaves(f.seed + 6, x, y, 64, 4, 140) - 32768;
  return scaled({27000 - warm / 3, 31000 + green / 5, 34000 + warm / 3},
                std::clamp(value, Integer{0}, full));
}

/// Sky, sun, two ranges of hills, a house, a lake that mirrors, grass.
Colour paint_scene(const Frame& f, Integer column, Integer row) {
  // The picture is composed for 1024 rows; columns keep the pixel's shape.
  const Integer x = column * 1024 / f.height;
  const Integer y = row * 1024 / f.height;
  const Integer middle = f.width * 1024 / f.height / 2;
  const auto noise = [&](std::uint64_t n, Integer px, Integer py, Integer cell, Integer finest) {
    return octaves(f.seed + n, px * 256, py * 256, cell, finest, 140);
  };
  const Integer horizon = 600;
  const Integer mirrored = y < horizon + 130 ? y : std::max<Integer>(0, 2 * (horizon + 130) - y);
  const bool lake = y >= horizon + 130 && y < 880 + (noise(9, x, 0, 256, 16) - 32768) / 300;
  const Integer py = lake ? mirrored : y;
  const Integer px = lake ? x + (noise(10, x / 4, y * 3, 64, 4) - 32768) / 2600 : x;

  Colour out =
      blend(Colour{56000, 38000, 21000}, Colour{52000, 54000, 60000}, ramp(py, 0, horizon));
  const Integer cloud = ramp(noise(11, px / 2, py, 256, 2), 31000, 52000);
  out = blend(out, Colour{59000, 60000, 61000}, cloud * ramp(horizon - py, 0, 400) / 65536);
  const Integer sun_x = px - middle - 240;
  const Integer sun_y = py - 170;
  const Integer distance = square_root((sun_x * sun_x + sun_y * sun_y) * 256) / 16;
  out = blend(out, Colour{45000, 63000, 65535}, 65536 - ramp(distance, 62, 68));
  out = blend(out, Colour{52000, 60000, 65535}, (65536 - ramp(distance, 62, 300)) / 3);

  const Integer far_hill = 330 + noise(12, px, 0, 256, 2) / 240;
  if (py > far_hill) {
    const Integer shade = noise(13, px, py * 2, 64, 2);
    out = blend(Colour{33000, 25000, 20000}, Colour{45000, 39000, 34000}, contrast(shade, 400));
    out = blend(out, Colour{50000, 48000, 47000}, ramp(py, far_hill, horizon + 120) / 2);
  }
  const Integer near_hill = 500 + noise(14, px + 3000, 0, 128, 2) / 330;
  if (py > near_hill) {
    const Integer leaves = contrast(noise(15, px, py, 32, 1), 480);
    out = scaled(Colour{11000, 24000, 17000}, 14000 + leaves * 3 / 5);
  }

  const Integer hx = px - middle + 420;  // the house, 0 to 300 wide
  if (hx >= 0 && hx < 300 && py > 480 && py < 700) {
    const Integer brick = hashed(f.seed + 16, hx / 26 + (py / 12 % 2) * 977, py / 12) / 8;
    const bool joint = py % 12 < 2 || (hx + (py / 12 % 2) * 13) % 26 < 2;
    out = joint ? Colour{33000, 36000, 40000} : Colour{14000, 20000 + brick / 2, 38000 + brick};
    out = scaled(out, 22000 + noise(17, px, py, 64, 2) / 4);
    const Integer wx = hx % 100 - 30;
    const Integer wy = py - 560;
    if (wx >= 0 && wx < 44 && wy >= 0 && wy < 66) {
      const bool frame = wx < 4 || wx >= 40 || wy < 4 || wy >= 62 || wx / 2 == 11 || wy / 2 == 16;
      out = frame ? gray(57000)
                  : scaled(Colour{30000, 23000, 17000}, 20000 + noise(18, px, py, 32, 4) / 3);
    }
  }
  const Integer roof = std::abs(hx - 150);
  if (py <= 490 && py > 400 && roof < (py - 400) * 2 + 2) {
    out = scaled(Colour{15000, 17000, 26000},
                 20000 + noise(19, px, py * 4, 16, 1) / 3 + (py % 9 < 2 ? -7000 : 0));
  }

  if (lake) {
    const Integer ripple = noise(20, x / 2, y * 4, 32, 1) - 32768;
    out = scaled(blend(out, Colour{30000, 22000, 14000}, 22000), 30000 + ripple / 3);
  } else if (y >= horizon + 130) {
    const Integer blades = contrast(noise(21, x * 2, y / 2, 32, 1), 500);
    const Integer patches = contrast(noise(22, x, y * 2, 128, 4), 400);
    out = blend(Colour{9000, 30000, 20000}, Colour{16000, 43000, 40000}, patches);
    out = scaled(out, 12000 + blades / 2);
  }
  // The camera's grain.
  const Integer grain = (hashed(f.seed + 23, column, row) - 32768) / 48;
  const auto grainy = [&](Integer v) { return std::clamp(v + grain, Integer{0}, full); };
  return {grainy(out.b), grainy(out.g), grainy(out.r)};
}

/// Slow shading: a lit wall, every neighbour equal or one step away.
Colour paint_gradient(const Frame& f, Integer column, Integer row) {
  const Integer u = column * 65536 / f.width;
  const Integer v = row * 65536 / f.height;
  const Integer dx = u - 22000;
  const Integer dy = v - 18000;
  const Integer glow = 65536 - std::min<Integer>(65536, square_root(dx * dx + dy * dy) * 9 / 10);
  const Integer base = blend(14000, 50000, (u + v) / 2);
  return {std::clamp(base - glow / 10 + 6000, Integer{0}, full),
          std::clamp(base / 2 + glow / 3 + 8000, Integer{0}, full),
          std::clamp(base / 4 + glow * 2 / 3 + 9000, Integer{0}, full)};
}

/// A page: ragged lines of words of invented letters, a heading, a rule.
Colour paint_text(const Frame& f, Integer column, Integer row) {
  const Integer paper = 61500 + (octaves(f.seed, column * 256, row * 256, 64, 2, 128) - 32768) / 14;
  const Integer margin = f.width / 16;
  if (column < margin || column >= f.width - margin || row < margin || row >= f.height - margin) {
    return {paper - 3000, paper - 900, paper};
  }
  const bool heading = row - margin < 22;
  const Integer scale = heading ? 2 : 1;
  const Integer top = heading ? row - margin : row - margin - 26;
  Integer ink = 0;
  if (!heading && top < 0) {
    ink = top == -2 ? 52000 : 0;  // the rule
  } else {
    const Integer line = heading ? -1 : top / 12;
    const Integer letter_row = (heading ? top : top % 12) / scale - 1;
    const Integer cell = (column - margin) / (6 * scale);
    const Integer letter_column = (column - margin) % (6 * scale) / scale;
    const Integer cells = (f.width - 2 * margin) / (6 * scale);
    if (!heading && row - top % 12 + 12 > f.height - margin) {  // no room for a whole line
      return {paper - 3000, paper - 900, paper};
    }
    const Integer ragged =
        hashed(f.seed + 1, line, -1) * (line % 7 == 6 ? cells : cells / 8) / 65536;
    // A space about every sixth cell; the last line of a paragraph is short.
    const bool space = hashed(f.seed + 2, line, cell) < 11000 || cell >= cells - ragged;
    if (!space && letter_row >= 0 && letter_row < 7 && letter_column < 5) {
      // Strokes of a seven-segment grid with diagonals: 26 letters of one alphabet.
      const Integer letter = hashed(f.seed + 3, line, cell) % 26;
      const Integer strokes = hashed(f.seed + 4, letter, 0) | 0x0001;
      const auto has = [&](int stroke) { return ((strokes >> stroke) & 1) != 0; };
      const bool on = (has(0) && letter_column == 0 && letter_row >= 2) ||
                      (has(1) && letter_column == 0 && letter_row <= 2) ||
                      (has(2) && letter_column == 4 && letter_row >= 3) ||
                      (has(3) && letter_column == 4 && letter_row >= 1 && letter_row <= 3) ||
                      (has(4) && letter_row == 6 && letter_column >= 1 && letter_column <= 3) ||
                      (has(5) && letter_row == 3) ||
                      (has(6) && letter_row == 0 && letter_column >= 1 && letter_column <= 3) ||
                      (has(7) && letter_column == 2 && letter_row >= 2) ||
                      (has(8) && !has(7) && letter_row - 2 == letter_column);
      ink = on ? 48000 + hashed(f.seed + 5, column, row) / 12 : 0;
    }
  }
  const Integer value = std::max<Integer>(4000, paper - ink);
  return {std::max<Integer>(3000, value - 3000), value - 900, value};
}

/// A slice of a head: most of it black, a bright rim, folded tissue, two dark chambers.
Colour paint_medical(const Frame& f, Integer column, Integer row) {
  // Centred, 65536 from edge to centre.
  const Integer u = (2 * column + 1 - f.width) * 65536 / f.width;
  const Integer v = (2 * row + 1 - f.height) * 65536 / f.height;
  const auto radius = [](Integer x, Integer y, Integer a, Integer b) {  // 4096 on the ellipse
    return square_root((x * x / a) * 16384 / a * 1024 + (y * y / b) * 16384 / b * 1024);
  };
  const Integer wobble = (octaves(f.seed, u / 2, v / 2, 64, 8, 128) - 32768) / 200;
  const Integer r = radius(u, v, 43000, 54000) + wobble;
  if (r > 4096) return gray(0);
  if (r > 3900) return gray(24000 + octaves(f.seed + 1, column * 256, row * 256, 8, 1, 160) / 8);
  if (r > 3640) return gray(57000 + octaves(f.seed + 2, column * 256, row * 256, 8, 1, 160) / 12);
  if (r > 3520) return gray(3000);
  const Integer px = u / 2;
  const Integer py = v / 2;
  const Integer fold_x = px + (octaves(f.seed + 3, px, py, 16, 4, 128) - 32768) / 10;
  const Integer fold = std::abs(octaves(f.seed + 4, fold_x, py, 16, 4, 110) - 32768);
  Integer value = 21000 + std::min<Integer>(fold * 2, 15000);
  value = blend(value, 33000, 65536 - ramp(r, 1400, 2600));  // inner tissue is brighter
  const Integer side = std::abs(u);
  const Integer chamber = radius(side - 8500 - v / 8, v + 3000, 5200, 15000);
  value = blend(5000, value, ramp(chamber, 3700, 4300));
  if (side < 900) value = value * 3 / 5;  // the fissure
  return gray(value + (hashed(f.seed + 5, column, row) - 32768) / 40);
}

/// In the order of the number of channels.
enum class Layout { gray, gray_alpha, colour, colour_alpha };

/// Soft-edged oval mask.
Integer paint_alpha(const Frame& f, Integer column, Integer row) {
  const Integer u = (2 * column + 1 - f.width) * 65536 / f.width;
  const Integer v = (2 * row + 1 - f.height) * 65536 / f.height;
  return std::min(full, 65536 - ramp(square_root(u * u + v * v), 45000, 62000));
}

struct Recipe {
  const char* name;
  const char* description;
  Painter paint;
  Integer width;
  Integer height;
  Layout layout;
  std::size_t sample_bytes;
  std::uint64_t seed;
  const char* sha256;  ///< of the bytes: rendering is checked against it at every load
};

Shape shape_of(const Recipe& recipe) {
  return {.rows = static_cast<std::size_t>(recipe.height),
          .cols = static_cast<std::size_t>(recipe.width),
          .channels = static_cast<std::size_t>(recipe.layout) + 1,
          .sample_bytes = recipe.sample_bytes};
}

OwnedImage render(const Recipe& recipe) {
  OwnedImage image(shape_of(recipe));
  Image out = image.view();
  const Frame frame{recipe.seed, recipe.width, recipe.height};
  const int shift = recipe.sample_bytes == 1 ? 8 : 0;
  const bool colour = recipe.layout == Layout::colour || recipe.layout == Layout::colour_alpha;
  for (Integer row = 0; row < recipe.height; ++row) {
    for (Integer column = 0; column < recipe.width; ++column) {
      const Colour c = recipe.paint(frame, column, row);
      std::array<Integer, 4> samples = {c.b, c.g, c.r, 0};
      if (!colour) samples[0] = luma(c);
      if (recipe.layout == Layout::gray_alpha) samples[1] = paint_alpha(frame, column, row);
      if (recipe.layout == Layout::colour_alpha) samples[3] = paint_alpha(frame, column, row);
      for (std::size_t k = 0; k < out.shape().channels; ++k) {
        out.set_sample(
            static_cast<std::size_t>(row), static_cast<std::size_t>(column), k,
            static_cast<std::uint16_t>(std::clamp(samples.at(k), Integer{0}, full) >> shift));
      }
    }
  }
  return image;
}

constexpr Recipe recipes[] = {
    {"texture-512-rgb", "Rock, colour", paint_texture, 512, 512, Layout::colour, 1, 101,
     "0102de903613d72037d84b025ff7998e7e77b1ed3a198a1375b22d812e8e2f9c"},
    {"texture-512-gray", "Rock", paint_texture, 512, 512, Layout::gray, 1, 202,
     "6dd105a680d2004811a258e700ea4d9bcc9839769b1185ca7933bb8ff137a109"},
    {"scene-512-rgb", "House at a lake, colour", paint_scene, 512, 512, Layout::colour, 1, 303,
     "3ec83955c4b4cb7d6bca6bae8954569101263f6d97bc55b04a1ce0dfa84792f8"},
    {"scene-512-gray", "House at a lake", paint_scene, 512, 512, Layout::gray, 1, 404,
     "d107e0f03e535a0864c2339aabe56222634f33521b0018545ad4519dad8b62a5"},
    {"scene-256-rgb", "House at a lake, colour", paint_scene, 256, 256, Layout::colour, 1, 505,
     "d1690aa251e176707e9533c408377bc432b1b31065e06068b67ad8fba4b159b7"},
    {"scene-256-gray", "House at a lake", paint_scene, 256, 256, Layout::gray, 1, 606,
     "93145a4b0627215165fd5055291fab8fecb1fcaf7d7e25c7bf3fb2411c4fe480"},
    {"gradient-256-rgb", "Lit wall, colour", paint_gradient, 256, 256, Layout::colour, 1, 0,
     "895f7e63c11cc77d76d09626366c778a8baa59face824944b175d0150883d97f"},
    {"gradient-512-gray", "Lit wall", paint_gradient, 512, 512, Layout::gray, 1, 0,
     "000e44db87846f8645a2955d3d1e31f2447bf8f7dd69f4ab4e45978a3433f24f"},
    {"text-256-gray", "Page of text", paint_text, 256, 256, Layout::gray, 1, 707,
     "e69be95210a0999bb0f6b4675c720f3855dba7a7442af5a6783480f35c73c8cd"},
    {"medical-256-gray", "Slice of a head, mostly black", paint_medical, 256, 256, Layout::gray, 1,
     808, "d5cdcb8f5ca06d94c94596b56e0fe3f8b6180e92bd28c5fd1d9c2accbb26faf4"},
    {"medical-256-gray16", "Slice of a head, mostly black, 16 bit", paint_medical, 256, 256,
     Layout::gray, 2, 909, "e2c6f3f168ad3250218d0dde3fa95136e8f305909d8806d9be1e93ab62521e2f"},
    {"texture-256-rgb16", "Rock, colour, 16 bit", paint_texture, 256, 256, Layout::colour, 2, 111,
     "3b65b267598362412daeca7919546f5043e49837b95b08b11ccf8aa722ce008d"},
    {"scene-1200x110-rgb", "Wide strip, 110 rows of 1200 pixels", paint_scene, 1200, 110,
     Layout::colour, 1, 222, "02071375120dc523b54964c0791c2c7b82f598c8ba4cba1b0a4f4012479628b6"},
    {"scene-127x255-rgb", "Tall, odd sides, 255 rows of 127 pixels", paint_scene, 127, 255,
     Layout::colour, 1, 333, "6f120427aa8c2a3b62c9d60f0bda910d86c4b8141f5a8f72eb5f0004e5977ba9"},
    {"texture-33x65-gray", "Small, odd sides, 65 rows of 33 pixels", paint_texture, 33, 65,
     Layout::gray, 1, 444, "c6ccb850c871ed94127e58cfd26d5a977d54f7bd6947469618b6ffc7cd30b728"},
    {"scene-64-rgba", "Colour with alpha", paint_scene, 64, 64, Layout::colour_alpha, 1, 555,
     "3ee51ade2d05890e3885fdd624bc03dcbd8a1991088f01a01ca55061b6351cc8"},
    {"texture-64-gray-alpha", "Gray with alpha", paint_texture, 64, 64, Layout::gray_alpha, 1, 666,
     "ba78c01cd06fd30b203a9ac80bd646aa42772a2e9dde20d39cd7b321dcd5ffae"},
    {"texture-7x1-gray", "One row of 7 pixels", paint_texture, 7, 1, Layout::gray, 1, 777,
     "aa0c89d39f915bee31ee8c3e73d525af151863b22ff0c4f3ec95c6bb688fe9eb"},
    {"pixel-1x1-gray", "One pixel", paint_texture, 1, 1, Layout::gray, 1, 888,
     "5e37305c587caf07e99a08e1efd0749fd3bbbb855752e4d568ac2dbfc2025464"},
    {"pixel-1x1-rgb", "One pixel, colour", paint_texture, 1, 1, Layout::colour, 1, 999,
     "435d28adead46d29559c3f09f0166f130ff490c89e79d647e15f865f9aae8303"},
};

/// Rendered and checked once a process; a copy each time, so that no caller can change another's.
cv::Mat load_checked(const Recipe& recipe) {
  static std::mutex mutex;
  static std::map<std::string_view, cv::Mat> rendered;
  const std::scoped_lock lock(mutex);
  if (const auto found = rendered.find(recipe.name); found != rendered.end()) {
    return found->second.clone();
  }
  const OwnedImage image = render(recipe);
  if (const std::string found = to_hex(sha256(image.bytes())); found != recipe.sha256) {
    throw InputError(
        fmt::format("{}: this machine renders other bytes: expected SHA-256 {}, found {}",
                    recipe.name, recipe.sha256, found));
  }
  return rendered.emplace(recipe.name, to_mat(image.view())).first->second.clone();
}

ImageSet make_smoke_set() {
  ImageSet set{
      .name = "smoke",
      .origin = "generated smoke set: natural-like images made by this program, not photographs",
      .generated = true,
      .images = {}};
  for (const Recipe& recipe : recipes) {
    set.images.push_back({.name = recipe.name,
                          .description = recipe.description,
                          .sha256 = recipe.sha256,
                          .shape = shape_of(recipe),
                          .load = [&recipe] { return load_checked(recipe); }});
  }
  return set;
}

}  // namespace

const ImageSet& smoke_set() {
  static const ImageSet set = make_smoke_set();
  return set;
}

}  // namespace icb
