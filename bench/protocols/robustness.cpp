/// Robustness: what decryption with the right key and header makes of a damaged cipher image.
///
/// Source:   customary in the field ("noise attack", "cropping attack"). Damages: `damages`.
/// Values:   of the decrypted against the plain image, all channels: PSNR in dB, SSIM, and the
/// share
///           of bytes that are wrong. `variant` is the damage.
/// Null:     none, and no p: this is a trade-off, not a score. A cipher that lets no error spread
///           does not diffuse; one that diffuses well loses everything; one that detects altered
///           data refuses, which is the safest answer of all. `detail` says what a pointwise stream
///           cipher gives for the same damage, where only the samples hit are wrong.
/// Cost:     one encryption and a decryption for each damage.
#include "bench/protocols/robustness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/protocols/pairs.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "metrics/distance.hpp"
#include "metrics/ssim.hpp"

namespace icb::protocols {
namespace {

const std::vector<ProtocolQuantity> quantities{
    {"robustness_psnr", "dB", "PSNR of the decrypted damaged image against the plain image", "none",
     "none"},
    {"robustness_ssim", "1", "SSIM of the decrypted damaged image against the plain image", "none",
     "none"},
    {"robustness_byte_error_rate", "1", "share of bytes decrypted wrongly", "none", "none"}};

OwnedImage copy_of(ConstImage image) {
  return {image.shape(), Bytes(image.bytes().begin(), image.bytes().end())};
}

/// round(share * all), at least 1.
std::uint64_t part(double share, std::uint64_t all) {
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::llround(share * static_cast<double>(all))));
}

std::uint16_t largest_sample(const Shape& shape) { return shape.sample_bytes == 1 ? 255 : 65535; }

/// Seeded numbers below `bound`, each once, `count` at most half of them or one.
template <class Function>
void for_distinct(std::mt19937_64& engine, std::uint64_t count, std::uint64_t bound,
                  const Function& function) {
  std::vector<bool> hit(bound);
  for (std::uint64_t done = 0; done < count;) {
    const std::uint64_t number = uniform_below(engine, bound);
    if (hit[number]) continue;
    hit[number] = true;
    function(number);
    ++done;
  }
}

/// Sample number n in the order of the bytes.
void set(Image image, std::uint64_t n, std::uint16_t value) {
  const Shape& shape = image.shape();
  const std::uint64_t pixel = n / shape.channels;
  image.set_sample(pixel / shape.cols, pixel % shape.cols, n % shape.channels, value);
}

OwnedImage salt_and_pepper(ConstImage image, double share, std::uint64_t seed) {
  OwnedImage out = copy_of(image);
  std::mt19937_64 engine(seed);
  const std::uint64_t samples = image.shape().samples();
  for_distinct(engine, part(share, samples), samples, [&](std::uint64_t n) {
    set(out.view(), n, (engine() & 1U) != 0 ? largest_sample(image.shape()) : std::uint16_t{0});
  });
  return out;
}

OwnedImage gaussian_noise(ConstImage image, double sd, std::uint64_t seed) {
  OwnedImage out = copy_of(image);
  const Shape& shape = image.shape();
  std::mt19937_64 engine(seed);
  const std::int64_t most = largest_sample(shape);
  const std::int64_t scale = std::llround(sd) * (most / 255);
  std::uint64_t n = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t channel = 0; channel < shape.channels; ++channel, ++n) {
        std::int64_t sum = -6 * 65535;
        for (int word = 0; word < 3; ++word) {
          std::uint64_t bits = engine();
          for (int i = 0; i < 4; ++i, bits >>= 16) sum += static_cast<std::int64_t>(bits & 0xFFFF);
        }
        const std::int64_t noise = (scale * sum + 32768) >> 16;  // rounded to nearest
        const std::int64_t value = image.sample(row, col, channel) + noise;
        set(out.view(), n, static_cast<std::uint16_t>(std::clamp(value, std::int64_t{0}, most)));
      }
    }
  }
  return out;
}

/// Share 0: one bit.
OwnedImage bit_flips(ConstImage image, double share, std::uint64_t seed) {
  OwnedImage out = copy_of(image);
  std::mt19937_64 engine(seed);
  const std::uint64_t bits = 8 * image.shape().bytes();
  for_distinct(engine, part(share, bits), bits, [&](std::uint64_t bit) {
    out.view().bytes()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  });
  return out;
}

void clear(Image image, std::size_t top, std::size_t left, std::size_t rows, std::size_t cols) {
  const Shape& shape = image.shape();
  for (std::size_t row = top; row < top + rows; ++row) {
    const auto line = image.bytes().subspan((row * shape.cols + left) * shape.pixel_bytes(),
                                            cols * shape.pixel_bytes());
    std::ranges::fill(line, std::uint8_t{0});
  }
}

OwnedImage cropping(ConstImage image, double share, std::uint64_t) {
  OwnedImage out = copy_of(image);
  const Shape& shape = image.shape();
  if (share == 0.5) {
    clear(out.view(), 0, 0, shape.rows, part(0.5, shape.cols));
    return out;
  }
  const std::size_t rows = part(std::sqrt(share), shape.rows);
  const std::size_t cols = part(std::sqrt(share), shape.cols);
  clear(out.view(), (shape.rows - rows) / 2, (shape.cols - cols) / 2, rows, cols);
  return out;
}

/// Share 0: one row.
OwnedImage lost_rows(ConstImage image, double share, std::uint64_t seed) {
  OwnedImage out = copy_of(image);
  const Shape& shape = image.shape();
  std::mt19937_64 engine(seed);
  for_distinct(engine, part(share, shape.rows), shape.rows,
               [&](std::uint64_t row) { clear(out.view(), row, 0, 1, shape.cols); });
  return out;
}

struct Kind {
  OwnedImage (*apply)(ConstImage, double, std::uint64_t);
  std::vector<std::pair<const char*, double>> amounts;
};

const std::vector<std::pair<const char*, Kind>>& kinds() {
  static const std::vector<std::pair<const char*, Kind>> all{
      {"salt-and-pepper",
       {salt_and_pepper,
        {{"0.001", 0.001}, {"0.01", 0.01}, {"0.05", 0.05}, {"0.1", 0.1}, {"0.25", 0.25}}}},
      {"gaussian-noise", {gaussian_noise, {{"1", 1}, {"5", 5}, {"10", 10}, {"20", 20}}}},
      {"bit-flips",
       {bit_flips, {{"one", 0}, {"0.0001", 0.0001}, {"0.001", 0.001}, {"0.01", 0.01}}}},
      {"cropping", {cropping, {{"1/16", 1.0 / 16}, {"1/4", 0.25}, {"1/2", 0.5}}}},
      {"lost-rows", {lost_rows, {{"one", 0}, {"1/16", 1.0 / 16}, {"1/4", 0.25}}}}};
  return all;
}

/// Decrypted, or nothing if the cipher refused.
std::optional<OwnedImage> decrypted(const ProtocolInput& input, ConstImage image,
                                    ConstBytes header) {
  try {
    return decrypt(input.cipher, image, input.key, header);
  } catch (const IntegrityError&) {
    return std::nullopt;
  }
}

struct Quality {
  std::optional<double> psnr;  ///< nothing: identical
  std::optional<double> ssim;  ///< nothing: too small
  double byte_error_rate;
};

bool is_small(const Shape& shape) { return shape.rows < ssim_window || shape.cols < ssim_window; }

Quality quality_of(ConstImage plain, ConstImage image) {
  const DistanceSums sums = distance_sums(plain, image);
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < plain.bytes().size(); ++i) {
    wrong += plain.bytes()[i] != image.bytes()[i] ? 1U : 0U;
  }
  return {psnr_of(static_cast<double>(sums.squares) / static_cast<double>(sums.n),
                  plain.shape().depth_bits()),
          is_small(plain.shape()) ? std::nullopt : std::optional(ssim(plain, image)),
          static_cast<double>(wrong) / static_cast<double>(plain.bytes().size())};
}

OwnedImage exclusive_or(ConstImage image, ConstBytes mask) {
  OwnedImage out = copy_of(image);
  for (std::size_t i = 0; i < mask.size(); ++i) out.view().bytes()[i] ^= mask[i];
  return out;
}

/// What the damage does to a pointwise stream cipher with a keystream uniform on all values.
class PointwiseReference {
 public:
  PointwiseReference(ConstImage plain, std::uint64_t seed)
      : m_plain(plain), m_seed(seed), m_keystream(plain.bytes().size()) {
    std::mt19937_64 engine(derive_seed(seed, "robustness/keystream"));
    for (std::uint8_t& byte : m_keystream) byte = static_cast<std::uint8_t>(engine() >> 56);
  }

  Quality quality(const Damage& damage) const {
    const OwnedImage cipher = exclusive_or(m_plain, m_keystream);
    const OwnedImage hurt = damaged(damage, cipher.view(), m_seed);
    return quality_of(m_plain, exclusive_or(hurt.view(), m_keystream).view());
  }

 private:
  ConstImage m_plain;
  std::uint64_t m_seed;
  Bytes m_keystream;
};

std::vector<Measurement> rows_of(const Shape& shape, const Quality& quality,
                                 const Quality& reference) {
  const auto row = [&](std::size_t which, std::optional<double> value,
                       std::optional<double> pointwise) {
    Measurement out;
    out.quantity = quantities[which].name;
    out.channel = pooled_channel(shape);
    out.unit = quantities[which].unit;
    out.n = which == 2 ? shape.bytes() : shape.samples();
    out.value = value;
    const auto text = [&](const std::optional<double>& number) {
      if (number) return fmt::format("{:.4g}", *number);
      return std::string(which == 0 ? "identical" : "needs 11 x 11 pixels");
    };
    if (!value) {
      out.status = Status::not_applicable;
      add_detail(out, text(value));
      if (which == 1) return out;
    }
    add_detail(out, "a pointwise stream cipher: " + text(pointwise));
    return out;
  };
  return {row(0, quality.psnr, reference.psnr), row(1, quality.ssim, reference.ssim),
          row(2, quality.byte_error_rate, reference.byte_error_rate)};
}

Encrypted encrypted(const ProtocolInput& input) {
  return encrypt(input.cipher, input.plain, input.key, nonce_of(input, "robustness"));
}

std::vector<Measurement> run(const ProtocolInput& input) {
  const Shape& shape = input.plain.shape();
  const auto refused_shape = input.cipher.refuses(shape);
  Steps steps(input, damages().size() + 1);
  std::optional<Encrypted> cipher;
  std::optional<PointwiseReference> reference;
  if (!refused_shape) {
    steps.next();
    cipher = encrypted(input);
    reference.emplace(input.plain, input.seed);
  }
  std::vector<Measurement> out;
  for (const Damage& damage : damages()) {
    std::vector<Measurement> rows;
    if (refused_shape) {
      rows = not_applicable(quantities, shape, *refused_shape);
    } else {
      steps.next();
      const OwnedImage hurt = damaged(damage, std::as_const(cipher->image).view(), input.seed);
      if (const auto plain = decrypted(input, hurt.view(), cipher->header)) {
        rows = rows_of(shape, quality_of(input.plain, plain->view()), reference->quality(damage));
      } else {
        rows = not_applicable(quantities, shape, "refused: altered data is detected");
      }
    }
    for (Measurement& row : rows) {
      row.variant = damage.name;
      row.seed = input.seed;
      out.push_back(std::move(row));
    }
  }
  return out;
}

/// Box averages of the image over a grid of rows x cols cells, rounded, into `out` at (top, left).
void put_small(ConstImage image, std::size_t rows, std::size_t cols, Image out, std::size_t top,
               std::size_t left) {
  const Shape& shape = image.shape();
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      const std::size_t first_row = i * shape.rows / rows;
      const std::size_t last_row = (i + 1) * shape.rows / rows;
      const std::size_t first_col = j * shape.cols / cols;
      const std::size_t last_col = (j + 1) * shape.cols / cols;
      const std::uint64_t n = (last_row - first_row) * (last_col - first_col);
      for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        std::uint64_t sum = 0;
        for (std::size_t row = first_row; row < last_row; ++row) {
          for (std::size_t col = first_col; col < last_col; ++col) {
            sum += image.sample(row, col, channel);
          }
        }
        out.set_sample(top + i, left + j, channel, static_cast<std::uint16_t>((sum + n / 2) / n));
      }
    }
  }
}

void put_cross(std::size_t rows, std::size_t cols, Image out, std::size_t top, std::size_t left) {
  const Shape& shape = out.shape();
  const std::size_t colours = shape.channels - (shape.channels % 2 == 0 ? 1 : 0);  // alpha stays
  const std::size_t length = std::max(rows, cols);
  for (std::size_t k = 0; k < length; ++k) {
    const std::size_t i = k * rows / length;
    const std::size_t j = k * cols / length;
    for (std::size_t channel = 0; channel < colours; ++channel) {
      out.set_sample(top + i, left + j, channel, 0);
      out.set_sample(top + i, left + cols - 1 - j, channel, 0);
    }
  }
}

const RegisterProtocol entry{
    {.name = "robustness",
     .summary = "decryption of damaged cipher images: a trade-off with diffusion, not a score",
     .source = "customary; damages in bench/protocols/robustness.hpp",
     .quantities = quantities,
     .run = run}};

}  // namespace

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = [] {
    std::vector<Damage> out;
    for (const auto& [name, kind] : kinds()) {
      for (const auto& [amount, number] : kind.amounts) {
        out.push_back({fmt::format("{} {}", name, amount), kind.apply, number});
      }
    }
    return out;
  }();
  return all;
}

OwnedImage damaged(const Damage& damage, ConstImage image, std::uint64_t seed) {
  return damage.apply(image, damage.amount, derive_seed(seed, "robustness/" + damage.name));
}

OwnedImage robustness_sheet(const ProtocolInput& input, std::size_t side) {
  constexpr std::size_t gap = 2;
  constexpr std::size_t columns = 5;
  const Shape& shape = input.plain.shape();
  const std::size_t longer = std::max(shape.rows, shape.cols);
  const std::size_t most = std::min(longer, std::max<std::size_t>(1, side));
  const std::size_t rows = std::max<std::size_t>(1, shape.rows * most / longer);
  const std::size_t cols = std::max<std::size_t>(1, shape.cols * most / longer);
  OwnedImage sheet({.rows = (kinds().size() + 1) * (rows + gap) - gap,
                    .cols = columns * (cols + gap) - gap,
                    .channels = shape.channels,
                    .sample_bytes = shape.sample_bytes});
  std::ranges::fill(sheet.view().bytes(), std::uint8_t{255});
  const auto put = [&](std::size_t row, std::size_t column, const std::optional<OwnedImage>& cell) {
    const std::size_t top = row * (rows + gap);
    const std::size_t left = column * (cols + gap);
    if (cell) {
      put_small(cell->view(), rows, cols, sheet.view(), top, left);
    } else {
      put_cross(rows, cols, sheet.view(), top, left);
    }
  };
  Steps steps(input, damages().size() + 2);
  steps.next();
  const Encrypted cipher = encrypted(input);
  put(0, 0, copy_of(input.plain));
  put(0, 1, cipher.image);
  steps.next();
  put(0, 2, decrypted(input, cipher.image.view(), cipher.header));
  for (std::size_t kind = 0; kind < kinds().size(); ++kind) {
    const auto& [name, what] = kinds()[kind];
    for (std::size_t i = 0; i < what.amounts.size(); ++i) {
      const Damage damage{fmt::format("{} {}", name, what.amounts[i].first), what.apply,
                          what.amounts[i].second};
      steps.next();
      const OwnedImage hurt = damaged(damage, cipher.image.view(), input.seed);
      put(kind + 1, i, decrypted(input, hurt.view(), cipher.header));
    }
  }
  return sheet;
}

}  // namespace icb::protocols
