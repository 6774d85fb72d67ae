#include "bench/reproduce/errata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "bench/dynamics.hpp"
#include "bench/reproduce/experiments.hpp"
#include "bench/reproduce/table3.hpp"
#include "cipher/khazaal2024/keygen_network.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/chi_square.hpp"
#include "metrics/correlation.hpp"
#include "metrics/histogram.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb::reproduce {
namespace {

/// One measured figure.
struct Entry {
  std::string id;
  std::string finding;
  std::string quantity = {};
  std::string paper = {};
  double measured = 0;
  std::string unit = {};
  std::uint64_t n = 0;
  std::string how = {};
};

class Errata {
 public:
  void add(const Entry& e) {
    m_table.add({e.id, e.finding, e.quantity, e.paper, format_double(e.measured), e.unit,
                 std::to_string(e.n), e.how});
  }

  CsvTable take() && { return std::move(m_table); }

 private:
  CsvTable m_table{{"id", "finding", "quantity", "paper", "measured", "unit", "n", "how"}};
};

void add_e1(const Run& run, Errata& out) {
  const std::string finding = "Henon with a = 1.3, b = 0.4 is not chaotic: its orbits escape";
  // Six starts within 0.2 of the origin.
  std::mt19937_64 engine(derive_seed(run.seed, "errata/e1"));
  const auto coordinate = [&] {
    return static_cast<double>(uniform_below(engine, 4001)) / 1e4 - 0.2;
  };
  for (int start = 1; start <= 6; ++start) {
    const double x = coordinate();
    const double y = coordinate();
    const auto orbit = dynamics::henon_orbit(1.3, 0.4, {x, y}, 10000, 1e6);
    out.add({"E1", finding, fmt::format("steps until |x| > 10^6, start {}", start), "chaotic",
             static_cast<double>(orbit.size() - 1), "steps", 1,
             fmt::format("orbit from ({:.4f}, {:.4f})", x, y)});
  }
  for (const auto& [a, b] : {std::pair{1.3, 0.3}, {1.4, 0.3}, {1.2, 0.4}}) {
    const auto exponent = dynamics::henon_lyapunov(a, b, {0.1, 0.1}, 10000, 1'000'000);
    if (!exponent) continue;
    out.add({"E1", finding, fmt::format("largest Lyapunov exponent at a = {}, b = {}", a, b), "",
             *exponent, "1/step", 1'000'000, "tangent vector, 10^6 steps after 10^4"});
  }
}

void add_e2(const Run& run, const CellResults& results, Errata& out) {
  const std::string finding =
      "Table 3 gives correlations of plain images as those of encrypted ones";
  double paper = 0;
  std::vector<const Table3Row*> rows;  // the paper's six, sizes as printed
  for (const Table3Row& row : run.table3) {
    if (rows.empty() || rows.back()->row != row.row) rows.push_back(&row);
  }
  for (const Table3Row* row : rows) {
    for (const double r : row->paper) paper += r / static_cast<double>(3 * rows.size());
  }
  for (const std::string_view subject : {"identity", "khazaal2024-confusion", "khazaal2024"}) {
    double sum = 0;
    std::uint64_t count = 0;
    for (const Table3Row* row : rows) {
      for (const char* direction : {"vertical", "horizontal", "diagonal"}) {
        const auto mean = channel_mean(results, subject, row->image.name,
                                       fmt::format("correlation_{}", direction));
        if (!mean) continue;
        sum += std::abs(mean->r);
        ++count;
      }
    }
    if (count == 0) continue;
    out.add({"E2", finding, fmt::format("mean |r| over Table 3, {}", subject),
             fmt::format("{:.3f}", paper), sum / static_cast<double>(count), "1", count,
             "all adjacent pairs, mean over channels"});
  }
}

// --- E3, E4: cells ------------------------------------------------------------------------------

const std::string histogram_cell = "errata/histogram";
const std::string moments_cell = "errata/moments";

Measurement measured(std::string cipher, std::string quantity, double value, std::string unit,
                     std::uint64_t n, const std::string& image) {
  Measurement m;
  m.cipher = std::move(cipher);
  m.quantity = std::move(quantity);
  m.value = value;
  m.unit = std::move(unit);
  m.n = n;
  m.image = image;
  m.channel = "all";
  return m;
}

std::vector<Measurement> measure_histograms(const Run& run) {
  const ImageRef& ref = run.table3.front().image;
  const OwnedImage plain = plain_of(ref);
  const Histogram before = histogram(plain.view());
  std::vector<Measurement> out;
  for (const char* subject : {"khazaal2024-confusion", "khazaal2024"}) {
    const OwnedImage image = encrypt_for(run, subject, plain.view(), "images/key-0", ref.name);
    const Histogram after = histogram(image.view());
    std::uint64_t different = 0;
    for (std::size_t v = 0; v < before.size(); ++v) different += before[v] != after[v] ? 1U : 0U;
    out.push_back(measured(subject, "levels whose count changed", static_cast<double>(different),
                           "levels", before.size(), ref.name));
    out.push_back(measured(subject, "chi-square of the histogram, 255 expected if uniform",
                           chi_square(after), "1", total(after), ref.name));
  }
  return out;
}

std::vector<Measurement> measure_moments(const Run& run) {
  const ImageRef& ref = run.table3.front().image;
  const OwnedImage plain = plain_of(ref);
  const PairSums sums = adjacent_pairs(plain.view(), 0, horizontal);
  const auto n = static_cast<double>(sums.n);
  const auto moment = [&](std::uint64_t xy, std::uint64_t x, std::uint64_t y) {
    return static_cast<double>(xy) / n - static_cast<double>(x) / n * (static_cast<double>(y) / n);
  };
  return {measured("", "D(x)", moment(sums.xx, sums.x, sums.x), "level^2", sums.n, ref.name),
          measured("", "D(y)", moment(sums.yy, sums.y, sums.y), "level^2", sums.n, ref.name),
          measured("", "cov(x, y)", moment(sums.xy, sums.x, sums.y), "level^2", sums.n, ref.name),
          measured("", "cov / sqrt(D D) = r horizontal", pearson(sums).value_or(0), "1", sums.n,
                   ref.name)};
}

/// Entries for the measurements of a cell; none if it failed, which the run reports.
void add_cell(const CellResults& results, const std::string& cell, const Entry& common,
              const std::vector<std::string>& paper, Errata& out) {
  std::size_t k = 0;
  for (const Measurement& m : results.at(cell)) {
    if (m.status == Status::error) return;
    Entry entry = common;
    entry.quantity =
        fmt::format("{}{}{}, {}", m.quantity, m.cipher.empty() ? "" : ", ", m.cipher, m.image);
    entry.paper = paper.at(k++);
    entry.measured = *m.value;
    entry.unit = m.unit;
    entry.n = m.n;
    out.add(entry);
  }
}

void add_e3(const CellResults& results, Errata& out) {
  add_cell(results, histogram_cell,
           {.id = "E3",
            .finding = "a permutation cannot flatten a histogram",
            .how = "histogram, channels pooled"},
           {"flat, by positions alone", "flat, by positions alone", "flat", "flat"}, out);
}

void add_e4(const CellResults& results, Errata& out) {
  add_cell(results, moments_cell,
           {.id = "E4",
            .finding =
                "D(x), D(y), cov of Eq. 5 are no directions: they are the parts of one coefficient",
            .how = "all horizontal pairs of the first channel"},
           {"horizontal correlation", "vertical correlation", "diagonal correlation", ""}, out);
}

void add_e5(Errata& out) {
  const auto& manifest = sipi_manifest();
  for (const std::size_t height : {std::size_t{110}, std::size_t{1100}}) {
    const auto count = std::ranges::count_if(manifest, [&](const ManifestEntry& e) {
      return (e.width == 1200 && e.height == height) || (e.width == height && e.height == 1200);
    });
    out.add(
        {"E5",
         "1,200 x 110 is no USC-SIPI size (nor is 1,200 x 1,100, which it may be a misprint of)",
         fmt::format("images of 1200 x {} in the manifest", height),
         height == 110 ? "2 images" : "", static_cast<double>(count), "images", manifest.size(),
         "manifest of the three volumes"});
  }
}

void add_e6(const Run& run, const std::vector<RowAssessment>& table2, Errata& out) {
  for (const RowAssessment& row : table2) {
    if (row.subject != "khazaal2024" || row.applicable() == 0) continue;
    out.add({"E6", "the s-value of Table 2 is undefined; reported here: the proportion passing",
             fmt::format("proportion passing, {}", row.test), short_number(row.paper_s),
             row.proportion(), "fraction", row.judged(),
             fmt::format("SP 800-22 sec. 4.2.1, alpha {}; n counts p-values", run.alpha)});
  }
}

void add_e7(const Run& run, const CellResults& results, Errata& out) {
  const std::string finding = "one p-value of one sequence says nothing; a larger one is no better";
  for (const auto& [test, paper] :
       {std::pair{"runs", 0.92}, {"frequency", 0.96}, {"spectral", 0.59}}) {
    const auto ids = find<RandomnessEntry>(test).ids({}, sequence_bits);
    const auto p = p_values(run, results, "aes-256-ctr", ids.front());
    if (p.empty()) continue;
    const auto count =
        std::ranges::count_if(p, [level = paper](double value) { return value >= level; });
    out.add({"E7", finding,
             fmt::format("share of AES-256-CTR sequences with p of {} at least the paper's", test),
             short_number(paper), static_cast<double>(count) / static_cast<double>(p.size()),
             "fraction", p.size(), fmt::format("expected {:.2f} under randomness", 1 - paper)});
  }
}

void add_e8(Errata& out) {
  const std::string finding =
      "architecture, training, key format, rounds and diffusion are not given: docs/cipher.md "
      "gives them";
  out.add({"E8", finding, "key bits", "not given", 8.0 * khazaal2024::key_bytes, "bit", 1,
           "docs/cipher.md"});
  out.add({"E8", finding, "rounds", "not given", static_cast<double>(khazaal2024::full().rounds),
           "rounds", 1, "rounds.csv shows one fewer failing"});
  using khazaal2024::hidden_units;
  using khazaal2024::network_inputs;
  using khazaal2024::network_outputs;
  const std::size_t weights = hidden_units * (network_inputs + 2 * hidden_units + network_outputs) +
                              2 * hidden_units + network_outputs;
  out.add({"E8", finding, "parameters of the feedback network", "not given",
           static_cast<double>(weights), "parameters", 1, "docs/networks.md"});
  std::size_t keygen = 2 * khazaal2024::predictor_taps;
  for (const auto& layer : khazaal2024::trained_keygen().layers) {
    keygen += layer.weight.size() + layer.bias.size();
  }
  out.add({"E8", finding, "parameters of the CNN key generator", "not given",
           static_cast<double>(keygen), "parameters", 1, "docs/networks.md"});
}

void add_e9(const Run& run, const CellResults& results, const std::vector<RowAssessment>& table2,
            Errata& out) {
  const std::string finding = "passing statistical tests is no proof of security";
  std::uint64_t correlations = 0;
  std::uint64_t accepted = 0;
  for (const ImageRef& image : run.volume.images) {
    for (const char* direction : {"vertical", "horizontal", "diagonal"}) {
      const auto mean = channel_mean(results, "khazaal2024-confusion", image.name,
                                     fmt::format("correlation_{}", direction));
      if (!mean) continue;
      ++correlations;
      accepted += std::abs(mean->r) < 3 * mean->se ? 1U : 0U;
    }
  }
  if (correlations > 0) {
    out.add({"E9", finding, "correlations of khazaal2024-confusion within 3 standard errors of 0",
             "", static_cast<double>(accepted) / static_cast<double>(correlations), "fraction",
             correlations,
             "every image of the set: by the paper's own measure it looks encrypted"});
  }
  const AttackResult attack = attack_result(results);
  if (attack.pixels > 0) {
    out.add(
        {"E9", finding,
         fmt::format("pixels of {} read by whoever may have {} chosen images encrypted by the same "
                     "khazaal2024-confusion under the same key and nonce",
                     attack.image, attack.queries),
         "", attack.recovered, "fraction", attack.pixels, "ceil(log_256 pixels) chosen images"});
  }
  std::size_t ok = 0;
  std::size_t judged = 0;
  for (const RowAssessment& row : table2) {
    if (row.subject != "aes-256-ctr") continue;
    ++judged;
    ok += row.verdict() == "ok" ? 1U : 0U;
  }
  out.add(
      {"E9", finding,
       "tests of Table 2 passed by AES-256-CTR under keys that are derived from a published seed",
       "", static_cast<double>(ok), "tests", judged,
       "its keys are public here: anyone decrypts, and the tests cannot tell"});
}

}  // namespace

std::vector<Cell> errata_cells(const Run& run) {
  return {{histogram_cell, [&run] { return measure_histograms(run); }, 2},
          {moments_cell, [&run] { return measure_moments(run); }, 1}};
}

CsvTable errata_csv(const Run& run, const CellResults& results,
                    const std::vector<RowAssessment>& table2) {
  Errata out;
  add_e1(run, out);
  add_e2(run, results, out);
  add_e3(results, out);
  add_e4(results, out);
  add_e5(out);
  add_e6(run, table2, out);
  add_e7(run, results, out);
  add_e8(out);
  add_e9(run, results, table2, out);
  return std::move(out).take();
}

}  // namespace icb::reproduce
