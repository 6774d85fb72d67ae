#include "bench/reproduce/table3.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/correlation.hpp"
#include "metrics/metric.hpp"

namespace icb::reproduce {
namespace {

constexpr std::uint64_t sampled_pairs_per_image = 5000;  // "more than 5,000 pixels"
constexpr std::array<std::string_view, 3> directions{"vertical", "horizontal", "diagonal"};

std::string key_label(std::size_t key) { return fmt::format("images/key-{}", key); }

std::string cell_name(std::string_view subject, std::size_t key, std::string_view image) {
  return fmt::format("image/{}/key-{}/{}", subject, key, image);
}

/// The volume and the images derived for Table 3, each once.
std::vector<ImageRef> all_images(const Run& run) {
  std::vector<ImageRef> images = run.volume.images;
  std::set<std::string> names;
  for (const ImageRef& image : images) names.insert(image.name);
  for (const Table3Row& row : run.table3) {
    if (names.insert(row.image.name).second) images.push_back(row.image);
  }
  return images;
}

std::size_t keys_of(const Run& run, std::string_view subject) {
  return subject == "identity" ? 1 : run.image_keys;
}

void append(std::vector<Measurement>& out, std::vector<Measurement> more) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<Measurement> measure(const Run& run, std::string_view subject, std::size_t key,
                                 const ImageRef& image) {
  const OwnedImage plain = plain_of(image);
  const OwnedImage cipher = encrypt_for(run, subject, plain.view(), key_label(key), image.name);
  std::vector<Measurement> out;
  for (const std::string name : {"chi_square", "correlation_diagonal", "correlation_horizontal",
                                 "correlation_vertical", "entropy", "plain_cipher_correlation"}) {
    const MetricEntry& metric = find<MetricEntry>(name);
    if (metric.needs == Needs::plain && subject == "identity") continue;
    MetricInput input{.image = cipher.view(), .plain = plain.view()};
    append(out, metric.compute(input));
    if (!name.starts_with("correlation_")) continue;
    input.pairs = sampled_pairs_per_image;
    input.seed =
        derive_seed(run.seed, fmt::format("{}/{}", cell_name(subject, key, image.name), name));
    append(out, metric.compute(input));
  }
  for (Measurement& m : out) {
    m.cipher = subject;
    m.nonce_policy = "fresh";
    m.key_id = subject == "identity" ? "" : key_label(key);
    m.image = image.name;
    m.image_sha256 = image.sha256;
  }
  return out;
}

std::vector<std::string> value_and_error(const std::optional<ChannelMean>& mean) {
  if (!mean) return {"", ""};
  return {format_double(mean->r), format_double(mean->se)};
}

std::vector<std::string> judged(const std::optional<ChannelMean>& mean) {
  if (!mean) return {"", "", ""};
  return {format_double(mean->z), format_double(mean->p), std::to_string(mean->n)};
}

void append(std::vector<std::string>& row, const std::vector<std::string>& more) {
  row.insert(row.end(), more.begin(), more.end());
}

/// Whether the channels of a cipher image are independent under the null: not if pixels only move.
bool independent_channels(std::string_view subject) {
  return subject == "khazaal2024" || subject == "aes-256-ctr";
}

std::string quantity_of(std::string_view direction) {
  return fmt::format("correlation_{}", direction);
}

}  // namespace

std::vector<Cell> table3_cells(const Run& run) {
  std::vector<Cell> cells;
  for (const ImageRef& image : all_images(run)) {
    for (const std::string_view subject : subjects) {
      for (std::size_t key = 0; key < keys_of(run, subject); ++key) {
        cells.push_back({cell_name(subject, key, image.name),
                         [&run, subject, key, image] { return measure(run, subject, key, image); },
                         static_cast<double>(image.shape.bytes()) / 250e3});
      }
    }
  }
  return cells;
}

std::optional<ChannelMean> channel_mean(const CellResults& results, std::string_view subject,
                                        std::string_view image, std::string_view quantity,
                                        bool sampled) {
  const auto cell = results.find(cell_name(subject, 0, image));
  if (cell == results.end()) return std::nullopt;
  double r = 0;
  double error_sum = 0;
  double squared_error = 0;
  double deviation = 0;
  double variance = 0;
  std::uint64_t n = 0;
  double channels = 0;
  for (const Measurement& m : cell->second) {
    if (m.quantity != quantity || m.channel == "all" || m.seed.has_value() != sampled) continue;
    if (!m.value || !m.expected || !m.sd) return std::nullopt;
    const double error = pearson_standard_error(*m.value, m.n);
    r += *m.value;
    error_sum += error;
    squared_error += error * error;
    deviation += *m.value - *m.expected;
    variance += *m.sd * *m.sd;
    n += m.n;
    ++channels;
  }
  if (channels == 0) return std::nullopt;
  const double z = deviation / std::sqrt(variance);
  const double se = independent_channels(subject) ? std::sqrt(squared_error) : error_sum;
  return ChannelMean{r / channels, se / channels, z, two_sided_normal_p(z).value(), n};
}

namespace {

/// Plain, confusion only and whole cipher with their errors, then how the last is judged.
std::vector<std::string> measured_columns(const CellResults& results, std::string_view image,
                                          std::string_view quantity, bool sampled) {
  std::vector<std::string> fields;
  for (const char* subject : {"identity", "khazaal2024-confusion"}) {
    append(fields, value_and_error(channel_mean(results, subject, image, quantity, sampled)));
  }
  const auto cipher = channel_mean(results, "khazaal2024", image, quantity, sampled);
  append(fields, value_and_error(cipher));
  append(fields, judged(cipher));
  return fields;
}

}  // namespace

CsvTable table3_csv(const Run& run, const CellResults& results) {
  CsvTable table({"row", "type", "size", "image", "derived_from", "pairs", "direction", "paper",
                  "plain", "plain_se", "confusion", "confusion_se", "cipher", "cipher_se",
                  "cipher_z", "cipher_p", "n"});
  for (const Table3Row& row : run.table3) {
    for (const bool sampled : {false, true}) {
      for (std::size_t d = 0; d < directions.size(); ++d) {
        const std::string quantity = quantity_of(directions.at(d));
        std::vector<std::string> fields{std::to_string(row.row),
                                        row.type,
                                        row.size,
                                        row.image.name,
                                        row.derived_from,
                                        sampled ? std::to_string(sampled_pairs_per_image) : "all",
                                        std::string(directions.at(d)),
                                        format_double(row.paper.at(d))};
        append(fields, measured_columns(results, row.image.name, quantity, sampled));
        table.add(fields);
      }
    }
  }
  return table;
}

CsvTable table3_all_images_csv(const Run& run, const CellResults& results) {
  CsvTable table({"image", "description", "width", "height", "channels", "direction", "plain",
                  "plain_se", "confusion", "confusion_se", "cipher", "cipher_se", "cipher_z",
                  "cipher_p", "n"});
  for (const ImageRef& image : run.volume.images) {
    for (const std::string_view direction : directions) {
      const std::string quantity = quantity_of(direction);
      std::vector<std::string> fields{image.name,
                                      image.description,
                                      std::to_string(image.shape.cols),
                                      std::to_string(image.shape.rows),
                                      std::to_string(image.shape.channels),
                                      std::string(direction)};
      append(fields, measured_columns(results, image.name, quantity, false));
      table.add(fields);
    }
  }
  return table;
}

CsvTable rejections_csv(const Run& run, const CellResults& results) {
  CsvTable table(
      {"subject", "quantity", "pairs", "measurements", "rejected", "share", "alpha", "binomial_p"});
  for (const std::string_view subject : subjects) {
    std::map<std::pair<std::string, bool>, std::pair<std::uint64_t, std::uint64_t>> counts;
    for (const ImageRef& image : all_images(run)) {
      for (std::size_t key = 0; key < keys_of(run, subject); ++key) {
        for (const Measurement& m : results.at(cell_name(subject, key, image.name))) {
          // "all" repeats the channels, and channels that move together are one observation.
          const bool repeats = m.channel == "all" && image.shape.channels > 1;
          const bool dependent =
              !independent_channels(subject) && m.channel != channel_name(image.shape, 0);
          if (!m.p_value || repeats || dependent) continue;
          auto& [n, rejected] = counts[{m.quantity, m.seed.has_value()}];
          ++n;
          if (*m.p_value < run.alpha) ++rejected;
        }
      }
    }
    for (const auto& [what, count] : counts) {
      const auto [n, rejected] = count;
      // Two-sided: too few rejections are as wrong as too many.
      const double lower = binomial_lower_p(rejected, n, run.alpha).value();
      const double upper = rejected == 0 ? 1.0 : binomial_upper_p(rejected, n, run.alpha).value();
      table.add({std::string(subject), what.first,
                 what.second ? std::to_string(sampled_pairs_per_image) : "all", std::to_string(n),
                 std::to_string(rejected),
                 format_double(static_cast<double>(rejected) / static_cast<double>(n)),
                 format_double(run.alpha),
                 format_double(std::clamp(2 * std::min(lower, upper), 0.0, 1.0))});
    }
  }
  return table;
}

CsvTable measurements_csv(const Run& run, const CellResults& results) {
  CsvTable table(measurement_columns());
  for (const std::string_view subject : subjects) {
    std::vector<Measurement> rows;
    std::size_t judged = 0;
    for (const ImageRef& image : all_images(run)) {
      for (std::size_t key = 0; key < keys_of(run, subject); ++key) {
        for (const Measurement& m : results.at(cell_name(subject, key, image.name))) {
          if (m.p_value) ++judged;
          rows.push_back(m);
        }
      }
    }
    for (Measurement& m : rows) {
      if (m.p_value && rejects(PValue{*m.p_value}, Alpha{run.alpha}, TestCount{judged})) {
        m.status = Status::reject;
      }
      table.add(to_csv_row(m));
    }
  }
  return table;
}

}  // namespace icb::reproduce
