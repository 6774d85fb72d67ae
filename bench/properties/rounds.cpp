/// The number of rounds: the smallest that passes, the public parameter held fixed.
///
/// Pairs:   cipher images of a smooth 128 x 128 image and of the same with one least significant
///          bit changed (bench/rounds.hpp): first, middle, last and a seeded sample, many keys.
/// Values:  NPCR, UACI and bit change rate of each pair; correlation of horizontal, vertical and
///          diagonal neighbours of the first image; for 1 to default + 1 rounds.
/// Null:    `rate_findings` on the p-values over the keys. A number of rounds is rejected if
/// judge()
///          rejects its findings (Simes within a metric over positions, Holm over metrics).
/// Passes:  if the default is not rejected and one round fewer is.
#include "bench/rounds.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <random>

#include "bench/properties/property.hpp"
#include "bench/properties/rates.hpp"
#include "core/hash.hpp"
#include "metrics/metric.hpp"
#include "metrics/verdict.hpp"

namespace icb::properties {
namespace {

constexpr std::array<const char*, 3> of_pairs{"npcr", "uaci", "bit_change_rate"};
constexpr std::array<const char*, 3> of_images{"correlation_horizontal", "correlation_vertical",
                                               "correlation_diagonal"};
constexpr std::array<const char*, 4> positions{"first", "middle", "last", "random"};
constexpr std::size_t keys_per_cell = 10;

std::string cell_name(unsigned rounds, std::uint64_t first, std::uint64_t end) {
  return fmt::format("rounds/{}/keys {} to {}", rounds, first, end);
}

std::size_t sample_of(std::uint64_t seed, std::size_t position, std::uint64_t key) {
  const std::size_t samples = rounds_image().shape().samples();
  std::mt19937_64 engine(derive_seed(seed, fmt::format("rounds/position/{}", key)));
  const std::size_t drawn = uniform_below(engine, samples);
  return std::array<std::size_t, 4>{0, samples / 2, samples - 1, drawn}.at(position);
}

void add(std::vector<Measurement>& out, const Subject& subject, const MetricInput& input,
         const char* metric, const std::string& variant, const std::string& key) {
  Measurement m = find<MetricEntry>(metric).compute(input).at(0);
  m.variant = variant;
  m.key_id = key;
  if (m.p_value) {
    const std::string label = fmt::format("rounds/{}/{}/{}", metric, variant, key);
    m.p_value = uniform_p(m, uniform_of(subject.seed, label));
  }
  out.push_back(std::move(m));
}

std::vector<Measurement> measure(const Subject& subject, unsigned rounds, std::uint64_t first,
                                 std::uint64_t end) {
  std::vector<Measurement> out;
  for (std::uint64_t key = first; key < end; ++key) {
    const std::string key_id = fmt::format("rounds/key-{}", key);
    for (std::size_t position = 0; position < positions.size(); ++position) {
      const RoundsPair pair = rounds_pair(subject.cipher, subject.seed, rounds,
                                          sample_of(subject.seed, position, key), key);
      const MetricInput input{.image = pair.first.view(), .second = pair.second.view()};
      const std::string variant = fmt::format("{} rounds, {}", rounds, positions.at(position));
      for (const char* metric : of_pairs) add(out, subject, input, metric, variant, key_id);
      if (position > 0) continue;  // the first image is the same for all positions
      for (const char* metric : of_images) {
        add(out, subject, input, metric, fmt::format("{} rounds", rounds), key_id);
      }
    }
  }
  return out;
}

/// Calls `visit` with the limits of every cell's keys.
template <class Visit>
void each_cell(const Subject& subject, Visit visit) {
  const std::uint64_t keys = subject.sizes.rounds_keys;
  for (std::uint64_t first = 0; first < keys; first += keys_per_cell) {
    visit(first, std::min(keys, first + keys_per_cell));
  }
}

std::vector<Cell> cells(const Subject& subject) {
  std::vector<Cell> out;
  for (unsigned rounds = 1; rounds <= subject.cipher.rounds.default_rounds + 1; ++rounds) {
    each_cell(subject, [&](std::uint64_t first, std::uint64_t end) {
      out.push_back(
          {cell_name(rounds, first, end),
           [&subject, rounds, first, end] { return measure(subject, rounds, first, end); },
           1.0 * rounds});
    });
  }
  return out;
}

std::vector<Finding> findings_of(const Subject& subject, const CellResults& results,
                                 unsigned rounds) {
  std::map<std::pair<std::string, std::string>, Samples> samples;
  each_cell(subject, [&](std::uint64_t first, std::uint64_t end) {
    for (const Measurement& m : found(results, cell_name(rounds, first, end))) {
      // A value that does not exist (no variation) is none of an ideal cipher's.
      Samples& of = samples[{m.quantity, m.variant}];
      if (m.p_value)
        of.add(m);
      else
        of.p.push_back(0);
    }
  });
  std::vector<Finding> out;
  for (const auto& [which, values] : samples) {
    const auto& [metric, variant] = which;
    const std::size_t comma = variant.find(", ");
    const std::string position =
        comma == std::string::npos ? "" : fmt::format("_{}", variant.substr(comma + 2));
    for (Finding& each :
         rate_findings({.stem = fmt::format("rounds_{}_{}{}", rounds, metric, position),
         .family = fmt::format("rounds/{}/{}", rounds, metric),
         .nonce_policy = "fixed",
         .null_model = fmt::format("p of {}", metric),
         .decides = rounds == subject.cipher.rounds.default_rounds},
                       values)) {
      out.push_back(std::move(each));
    }
  }
  return out;
}

/// Whether these findings are rejected by themselves.
Verdict verdict_of(const std::vector<Finding>& findings, double alpha) {
  std::vector<Measurement> measurements;
  std::map<std::string, std::string> families;
  for (const Finding& each : findings) {
    measurements.push_back(each.measurement);
    families[each.measurement.quantity] = each.family;
  }
  return judge(std::move(measurements), Alpha{alpha},
               [&](const Measurement& m) { return families.at(m.quantity); });
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  const unsigned usual = subject.cipher.rounds.default_rounds;
  std::vector<Finding> out;
  for (unsigned rounds = 1; rounds <= usual + 1; ++rounds) {
    std::vector<Finding> rows = findings_of(subject, results, rounds);
    if (rows.empty()) continue;
    const Verdict verdict = verdict_of(rows, subject.alpha);
    if (rounds + 1 == usual) {
      Finding fewer = exact_finding("rounds_one_fewer_passes", "rounds/one fewer",
                                    verdict.rejected ? 0 : 1, 1, "none: one round fewer fails");
      fewer.measurement.detail = fmt::format("{} of {} tests reject {} round(s); the default is {}",
                                             verdict.tests_rejected, verdict.tests, rounds, usual);
      out.push_back(std::move(fewer));
    }
    out.insert(out.end(), rows.begin(), rows.end());
  }
  return out;
}

const RegisterProperty entry{
    {.name = "rounds",
     .summary = "diffusion of 1, 2, ... rounds, public parameter held fixed: the default passes, "
                "one fewer fails",
     .null_model = "binomial(n, alpha) at 0.05, 0.01, 0.001; p-values uniform (KS)",
     .refuses = [](const Subject& subject) -> std::optional<std::string> {
       if (subject.cipher.rounds.encrypt) return std::nullopt;
       return "the cipher offers no rounds to set";
     },
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
