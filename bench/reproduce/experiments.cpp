#include "bench/reproduce/experiments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "bench/rounds.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/correlation.hpp"

namespace icb::embedded {
extern const std::string_view feedback_training_csv;
}

namespace icb::reproduce {
namespace {

struct Direction {
  const char* name;
  PairOffset offset;
};

constexpr std::array<Direction, 3> directions{
    {{"horizontal", horizontal}, {"vertical", vertical}, {"diagonal", diagonal}}};

Measurement plain_measurement(std::string quantity, double value, std::uint64_t n) {
  Measurement m;
  m.quantity = std::move(quantity);
  m.value = value;
  m.channel = "all";
  m.n = n;
  return m;
}

// --- Training curve -----------------------------------------------------------------------------

std::string training_cell(int epoch, const std::string& image, std::size_t key) {
  return fmt::format("training/epoch-{}/{}/key-{}", epoch, image, key);
}

std::vector<Measurement> confuse_and_measure(const Run& run,
                                             const khazaal2024::FeedbackWeights& weights,
                                             const ImageRef& image, std::size_t key) {
  const OwnedImage plain = plain_of(image);
  OwnedImage out(plain.shape());
  khazaal2024::Variant variant = khazaal2024::confusion_only();
  variant.network = &weights;
  const std::string label = fmt::format("training/key-{}", key);
  const auto& cipher = find<CipherEntry>(variant.id);
  khazaal2024::encrypt(variant, plain.view(), key_for(run, cipher, label),
                       nonce_for(run, cipher, label, image.name), out.view());
  std::vector<Measurement> measured;
  for (const Direction& direction : directions) {
    for (std::size_t c = 0; c < out.shape().channels; ++c) {
      const PairSums sums = adjacent_pairs(std::as_const(out).view(), c, direction.offset);
      if (const auto r = pearson(sums)) {
        measured.push_back(plain_measurement(direction.name, *r, sums.n));
        measured.back().channel = channel_name(out.shape(), c);
      }
    }
  }
  return measured;
}

// --- Rounds

constexpr std::size_t rounds_side = 128;
constexpr std::size_t rounds_keys = 40;
constexpr std::array<const char*, 3> positions{"first", "middle", "last"};

std::size_t position_byte(std::size_t position) {
  constexpr std::size_t bytes = rounds_side * rounds_side;
  return std::array<std::size_t, 3>{0, bytes / 2, bytes - 1}.at(position);
}

std::string rounds_cell(unsigned rounds, std::size_t position) {
  return fmt::format("rounds/{}/{}", rounds, positions.at(position));
}

std::vector<Measurement> changed_shares(const Run& run, unsigned rounds, std::size_t position) {
  const auto& cipher = find<CipherEntry>(khazaal2024::full().id);
  std::vector<Measurement> out;
  for (std::size_t key = 0; key < rounds_keys; ++key) {
    const RoundsPair pair = rounds_pair(cipher, run.seed, rounds, position_byte(position), key);
    const ConstBytes a = pair.first.bytes();
    const ConstBytes b = pair.second.bytes();
    std::size_t different = 0;
    for (std::size_t n = 0; n < a.size(); ++n) different += a[n] != b[n];
    const auto n = static_cast<double>(a.size());
    Measurement m =
        plain_measurement("changed_bytes", static_cast<double>(different) / n, a.size());
    m.expected = 255.0 / 256;
    m.sd = std::sqrt(255.0 / 256 / 256 / n);
    m.z = (*m.value - *m.expected) / *m.sd;
    out.push_back(m);
  }
  return out;
}

// --- Attack

const std::string attack_cell_name = "attack/permutation-cpa/khazaal2024-confusion";

/// Positions learnt from ceil(log_256 pixels) chosen gray images of a rows x cols permutation
/// cipher.
template <class Encrypt>
std::vector<std::uint32_t> permutation_from_chosen_images(const Shape& shape, Encrypt encrypt,
                                                          std::size_t& queries) {
  std::vector<std::uint32_t> source(shape.pixels(), 0);
  queries = 0;
  for (std::size_t shift = 0; shift == 0 || (shape.pixels() - 1) >> shift != 0; shift += 8) {
    OwnedImage chosen(shape);
    for (std::size_t n = 0; n < shape.pixels(); ++n) {
      const auto digit = static_cast<std::uint8_t>((n >> shift) & 0xFF);
      std::fill_n(
          chosen.view().bytes().begin() + static_cast<std::ptrdiff_t>(n * shape.pixel_bytes()),
          shape.pixel_bytes(), digit);
    }
    const OwnedImage seen = encrypt(std::as_const(chosen).view());
    for (std::size_t n = 0; n < shape.pixels(); ++n) {
      source[n] |= static_cast<std::uint32_t>(seen.bytes()[n * shape.pixel_bytes()]) << shift;
    }
    ++queries;
  }
  return source;
}

std::vector<Measurement> attack(const Run& run) {
  const ImageRef& target_ref = run.table3.front().image;
  const OwnedImage target = plain_of(target_ref);
  const auto oracle = [&](ConstImage plain) {
    return encrypt_for(run, "khazaal2024-confusion", plain, "attack/key", "attack");
  };
  std::size_t queries = 0;
  const auto source = permutation_from_chosen_images(target.shape(), oracle, queries);
  const OwnedImage seen = oracle(target.view());
  OwnedImage read(target.shape());
  const std::size_t size = target.shape().pixel_bytes();
  for (std::size_t n = 0; n < source.size(); ++n) {
    if (source[n] >= source.size()) continue;
    for (std::size_t k = 0; k < size; ++k) {
      read.view().bytes()[source[n] * size + k] = seen.bytes()[n * size + k];
    }
  }
  std::size_t right = 0;
  for (std::size_t n = 0; n < source.size(); ++n) {
    right += std::ranges::equal(target.bytes().subspan(n * size, size),
                                read.bytes().subspan(n * size, size));
  }
  Measurement recovered = plain_measurement(
      "recovered_pixels", static_cast<double>(right) / static_cast<double>(source.size()),
      source.size());
  recovered.cipher = "khazaal2024-confusion";
  recovered.nonce_policy = "fixed";
  recovered.image = target_ref.name;
  Measurement asked = recovered;
  asked.quantity = "chosen_images";
  asked.value = static_cast<double>(queries);
  return {recovered, asked};
}

}  // namespace

std::vector<Cell> training_cells(const Run& run) {
  std::vector<Cell> cells;
  for (const auto& snapshot : khazaal2024::training_snapshots()) {
    for (const ImageRef& image : run.training_test) {
      for (std::size_t key = 0; key < run.training_keys; ++key) {
        cells.push_back({training_cell(snapshot.epoch, image.name, key),
                         [&run, &snapshot, image, key] {
                           return confuse_and_measure(run, snapshot.weights, image, key);
                         },
                         static_cast<double>(image.shape.pixels()) / 500e3});
      }
    }
  }
  return cells;
}

CsvTable training_csv(const Run& run, const CellResults& results) {
  CsvTable table({"network", "epoch", "image_set", "direction", "mean_abs_r", "se",
                  "null_mean_abs_r", "images", "keys"});
  for (const auto& snapshot : khazaal2024::training_snapshots()) {
    for (const Direction& direction : directions) {
      double sum = 0;
      double squares = 0;
      double null_sum = 0;
      double count = 0;
      for (const ImageRef& image : run.training_test) {
        for (std::size_t key = 0; key < run.training_keys; ++key) {
          // Channels move together, so an image under a key is one observation: their mean |r|.
          double image_sum = 0;
          double channels = 0;
          double pairs = 0;
          for (const Measurement& m : results.at(training_cell(snapshot.epoch, image.name, key))) {
            if (m.quantity != direction.name || !m.value) continue;
            image_sum += std::abs(*m.value);
            pairs = static_cast<double>(m.n);
            ++channels;
          }
          if (channels == 0) continue;
          const double r = image_sum / channels;
          sum += r;
          squares += r * r;
          null_sum += std::sqrt(2 / std::numbers::pi / pairs);  // |Z| has mean sqrt(2 / pi)
          ++count;
        }
      }
      if (count < 2) continue;
      const double mean = sum / count;
      const double variance = std::max(0.0, (squares - count * mean * mean) / (count - 1));
      table.add({"feedback", std::to_string(snapshot.epoch),
                 run.generated ? "generated" : "sipi-misc test split", direction.name,
                 format_double(mean), format_double(std::sqrt(variance / count)),
                 format_double(null_sum / count), std::to_string(run.training_test.size()),
                 std::to_string(run.training_keys)});
    }
  }
  return table;
}

CsvTable training_loss_csv() {
  CsvTable table({"epoch", "loss"});
  const auto rows = parse_csv(embedded::feedback_training_csv);
  std::string last;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string& epoch = rows[i].at(0);
    const bool number =
        !epoch.empty() && epoch.find_first_not_of("0123456789") == std::string::npos;
    if (!number || epoch == last) continue;  // rows without the network; one row per epoch
    table.add({epoch, rows[i].at(1)});
    last = epoch;
  }
  return table;
}

std::vector<Cell> rounds_cells(const Run& run) {
  std::vector<Cell> cells;
  for (unsigned rounds = 1; rounds <= 3; ++rounds) {
    for (std::size_t position = 0; position < positions.size(); ++position) {
      cells.push_back({rounds_cell(rounds, position),
                       [&run, rounds, position] { return changed_shares(run, rounds, position); },
                       rounds * 2.0});
    }
  }
  return cells;
}

CsvTable rounds_csv(const Run& run, const CellResults& results) {
  CsvTable table({"rounds", "position", "keys", "bytes", "mean_changed", "min_changed", "expected",
                  "sd_of_mean", "z_of_mean", "verdict"});
  for (unsigned rounds = 1; rounds <= 3; ++rounds) {
    for (std::size_t position = 0; position < positions.size(); ++position) {
      const auto& measurements = results.at(rounds_cell(rounds, position));
      if (measurements.front().status == Status::error) continue;
      double sum = 0;
      double least = 1;
      for (const Measurement& m : measurements) {
        sum += *m.value;
        least = std::min(least, *m.value);
      }
      const Measurement& m = measurements.front();
      const auto count = static_cast<double>(measurements.size());
      const double sd = *m.sd / std::sqrt(count);
      const double z = (sum / count - *m.expected) / sd;
      const bool rejected =
          rejects(two_sided_normal_p(z), Alpha{run.alpha}, TestCount{3 * positions.size()});
      table.add({std::to_string(rounds), positions.at(position),
                 std::to_string(measurements.size()), std::to_string(m.n),
                 format_double(sum / count), format_double(least), format_double(*m.expected),
                 format_double(sd), format_double(z), rejected ? "reject" : "ok"});
    }
  }
  return table;
}

std::vector<Cell> attack_cells(const Run& run) {
  return {{attack_cell_name, [&run] { return attack(run); }, 5}};
}

AttackResult attack_result(const CellResults& results) {
  AttackResult out{};
  for (const Measurement& m : results.at(attack_cell_name)) {
    if (m.status == Status::error) return out;
    if (m.quantity == "recovered_pixels") out.recovered = *m.value;
    if (m.quantity == "chosen_images") out.queries = static_cast<std::size_t>(*m.value);
    out.pixels = m.n;
    out.image = m.image;
  }
  return out;
}

}  // namespace icb::reproduce
