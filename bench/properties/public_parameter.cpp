/// The public parameter: does a change of one least significant bit anywhere change it?
///
/// Image:   a generated one, gray, resized to a square (128 x 128 pixels, 16384 positions).
/// Work:    one key and nonce; the parameter of the image, and of the image with the least
///          significant bit of each sample flipped, one at a time. Then the image under 256 other
///          keys, the nonce the same.
/// Null:    all parameters of B bits are uniform and independent. None equals that of the image (an
///          exact finding: by chance B n 2^-B), none equals another (n^2 / 2^(B + 1)); Hamming
///          distances to that of the image are binomial(B, 1/2): their sum, their smallest (exact),
///          and all of them (Kolmogorov-Smirnov, p randomised); flips of each of the B bits are
///          binomial(n, 1/2): chi-square with B degrees of freedom.
/// Keyed:   other keys give other parameters, at binomial distances. An unkeyed parameter would let
///          anyone confirm a guessed image.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <set>
#include <string>

#include "bench/properties/property.hpp"
#include "bench/properties/rates.hpp"
#include "bench/protocols/pairs.hpp"
#include "core/hash.hpp"
#include "core/kolmogorov_smirnov.hpp"
#include "core/statistics.hpp"

namespace icb::properties {
namespace {

constexpr std::size_t chunk = 256;
constexpr std::size_t other_keys = 256;
constexpr const char* key_label = "public-parameter";

std::string cell_name(const Subject& subject, const char* what, std::size_t first) {
  return fmt::format("public-parameter/{}/{}/{}", subject.sizes.parameter_side, what, first);
}

OwnedImage image_of(const Subject& subject) {
  const std::size_t side = subject.sizes.parameter_side;
  return owned(resize_bilinear(find_image(smoke_set(), "texture-512-gray").load(), side, side));
}

Measurement parameter_measurement(const Bytes& parameter, std::size_t number) {
  Measurement out = measurement_of("public_parameter", static_cast<double>(number), 1);
  out.detail = to_hex(parameter);
  return out;
}

/// Parameters of the image with the samples from `first` on flipped, one at a time; before the
/// first of all that of the image itself.
std::vector<Measurement> flipped(const Subject& subject, std::size_t first) {
  OwnedImage image = image_of(subject);
  const Bytes key = key_of(subject, key_label);
  const Bytes nonce = nonce_of(subject, key_label);
  const auto parameter = [&] {
    return subject.cipher.public_parameter(std::as_const(image).view(), key, nonce);
  };
  std::vector<Measurement> out;
  if (first == 0) out.push_back(parameter_measurement(parameter(), 0));
  const std::size_t end = std::min(first + chunk, image.shape().samples());
  for (std::size_t sample = first; sample < end; ++sample) {
    image.view().bytes()[sample] ^= 1U;
    out.push_back(parameter_measurement(parameter(), sample));
    image.view().bytes()[sample] ^= 1U;
  }
  return out;
}

std::vector<Measurement> under_other_keys(const Subject& subject) {
  const OwnedImage image = image_of(subject);
  const Bytes nonce = nonce_of(subject, key_label);
  std::vector<Measurement> out;
  for (std::size_t i = 0; i < other_keys; ++i) {
    const Bytes key = key_of(subject, fmt::format("{}/other-{}", key_label, i));
    out.push_back(
        parameter_measurement(subject.cipher.public_parameter(image.view(), key, nonce), i));
  }
  return out;
}

std::size_t positions(const Subject& subject) {
  return subject.sizes.parameter_side * subject.sizes.parameter_side;
}

std::vector<Cell> cells(const Subject& subject) {
  std::vector<Cell> out;
  const double cost = 1e-6 * static_cast<double>(positions(subject)) * chunk;
  for (std::size_t first = 0; first < positions(subject); first += chunk) {
    out.push_back({cell_name(subject, "flipped", first),
                   [&subject, first] { return flipped(subject, first); }, cost});
  }
  out.push_back({cell_name(subject, "other-keys", 0),
                 [&subject] { return under_other_keys(subject); }, cost});
  return out;
}

std::uint64_t distance(const Bytes& a, const Bytes& b) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    out += static_cast<std::uint64_t>(std::popcount(static_cast<unsigned>(a[i] ^ b[i])));
  }
  return out;
}

/// Findings on parameters that should be unrelated to `base`.
std::vector<Finding> against(const Subject& subject, const Bytes& base,
                             const std::vector<Bytes>& others, const std::string& stem) {
  const std::string family = fmt::format("public-parameter/{}", stem);
  const std::uint64_t bits = 8 * base.size();
  const std::uint64_t n = others.size();
  std::vector<Finding> out;
  const auto add = [&](Measurement m, const std::string& null) {
    m.channel = "all";
    out.push_back({.measurement = std::move(m), .family = family, .null_model = null});
  };

  std::uint64_t sum = 0;
  std::uint64_t smallest = bits;
  std::vector<double> p_values;
  std::vector<std::uint64_t> flips(bits, 0);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::uint64_t d = distance(base, others[i]);
    sum += d;
    smallest = std::min(smallest, d);
    const double v = uniform_of(subject.seed, fmt::format("{}/{}", family, i));
    p_values.push_back(randomised_binomial_p(d, bits, 0.5, v).value());
    for (std::size_t bit = 0; bit < bits; ++bit) {
      flips[bit] += (unsigned{base[bit / 8]} ^ others[i][bit / 8]) >> (bit % 8) & 1U;
    }
  }
  const auto count = static_cast<double>(n);
  const auto width = static_cast<double>(bits);

  Measurement mean =
      finding(stem + "_distance_mean", "all", "bit", n, static_cast<double>(sum) / count,
              {width / 2, std::sqrt(width / 4 / count)});
  mean.p_value = std::min(1.0, 2 * std::min(binomial_lower_p(sum, n * bits, 0.5).value(),
                                            binomial_upper_p(sum, n * bits, 0.5).value()));
  mean.detail = fmt::format("mean distance {:.4f} of {} bits", *mean.value, bits);
  add(mean, fmt::format("sum binomial({}, 1/2)", n * bits));

  Measurement least = measurement_of(stem + "_distance_min", static_cast<double>(smallest), n);
  least.unit = "bit";
  least.p_value = std::clamp(
      protocols::at_least_one(binomial_lower_p(smallest, bits, 0.5).value(), n), 0.0, 1.0);
  least.detail = fmt::format("smallest distance {} of {} bits", smallest, bits);
  add(least, fmt::format("smallest of {} binomial({}, 1/2)", n, bits));

  const double d = kolmogorov_smirnov_statistic(p_values);
  Measurement ks = measurement_of(stem + "_distance_ks", d, n);
  ks.p_value = kolmogorov_smirnov_p(d, n).value();
  ks.detail = fmt::format("D = {:.4g} of {} distances from binomial", d, n);
  add(ks, fmt::format("binomial({}, 1/2), p randomised; Kolmogorov-Smirnov, exact", bits));

  double chi_square = 0;
  for (const std::uint64_t c : flips) {
    chi_square += std::pow(static_cast<double>(c) - count / 2, 2) / (count / 4);
  }
  Measurement per_bit = finding(stem + "_bit_flips", "all", "1", n, chi_square,
                                {width, std::sqrt(width * (2 - 2 / count))});
  per_bit.p_value = gamma_tails(chi_square, width, *per_bit.sd).two_sided().value();
  per_bit.detail = fmt::format("chi-square {:.1f} of the flips of {} bits", chi_square, bits);
  add(per_bit, fmt::format("gamma with mean {} and sd {:.4g}", bits, *per_bit.sd));
  return out;
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  std::vector<Bytes> all;  // that of the image first
  for (std::size_t first = 0; first < positions(subject); first += chunk) {
    for (const Measurement& m : found(results, cell_name(subject, "flipped", first))) {
      all.push_back(from_hex(m.detail));
    }
  }
  if (all.size() < 2) return {};
  const Bytes base = all.front();
  const std::vector<Bytes> flipped_ones(all.begin() + 1, all.end());
  std::vector<Bytes> keyed;
  for (const Measurement& m : found(results, cell_name(subject, "other-keys", 0))) {
    keyed.push_back(from_hex(m.detail));
  }
  const std::size_t side = subject.sizes.parameter_side;
  const std::uint64_t bits = 8 * base.size();

  std::vector<Finding> out;
  const auto unchanged = static_cast<std::uint64_t>(std::ranges::count(flipped_ones, base));
  out.push_back(exact_finding("parameter_unchanged", "public-parameter/unchanged", unchanged,
                              flipped_ones.size(), fmt::format("none: by chance n 2^-{}", bits)));
  out.back().measurement.detail =
      fmt::format("{} of {} flips leave it unchanged; {} x {} gray, every position", unchanged,
                  flipped_ones.size(), side, side);
  std::set<std::string> distinct;
  for (const Bytes& each : all) distinct.insert(to_hex(each));
  const std::uint64_t collisions = all.size() - distinct.size();
  out.push_back(exact_finding("parameter_collisions", "public-parameter/collisions", collisions,
                              all.size(), fmt::format("none: by chance n^2 / 2^{}", bits + 1)));
  out.back().measurement.detail =
      fmt::format("{} collisions among {} parameters", collisions, all.size());
  const auto same = static_cast<std::uint64_t>(std::ranges::count(keyed, base));
  out.push_back(exact_finding("parameter_unkeyed", "public-parameter/unkeyed", same, keyed.size(),
                              fmt::format("none: by chance n 2^-{}", bits)));
  out.back().measurement.detail =
      fmt::format("{} of {} other keys give the same parameter", same, keyed.size());
  for (Finding& each : against(subject, base, flipped_ones, "parameter_flipped")) {
    out.push_back(std::move(each));
  }
  if (!keyed.empty()) {
    for (Finding& each : against(subject, base, keyed, "parameter_other_key")) {
      out.push_back(std::move(each));
    }
  }
  return out;
}

const RegisterProperty entry{
    {.name = "public-parameter",
     .summary = "every position's least significant bit changes the public parameter, unrelatedly",
     .null_model = "parameters uniform and independent: distances binomial(bits, 1/2)",
     .refuses = [](const Subject& subject) -> std::optional<std::string> {
       if (subject.cipher.public_parameter) return std::nullopt;
       return "the cipher offers no public parameter";
     },
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
