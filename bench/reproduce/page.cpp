#include "bench/reproduce/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/provenance.hpp"
#include "core/build_info.hpp"
#include "core/hash.hpp"

namespace icb {

namespace embedded {
extern const std::string_view feedback_json;
extern const std::string_view keygen_json;
}  // namespace embedded

namespace reproduce {
namespace {

/// Access to a CSV table by column name.
class Rows {
 public:
  explicit Rows(const CsvTable& table) : m_table(table) {
    for (std::size_t i = 0; i < table.header().size(); ++i) m_column[table.header()[i]] = i;
  }

  std::size_t size() const { return m_table.rows().size(); }

  const std::string& at(std::size_t row, const std::string& column) const {
    return m_table.rows()[row][m_column.at(column)];
  }

 private:
  const CsvTable& m_table;
  std::map<std::string, std::size_t> m_column;
};

std::string rounded(const std::string& field) {
  return field.empty() ? "–" : short_number(parse_double(field));
}

std::string with_error(const std::string& value, const std::string& error) {
  if (value.empty()) return "–";
  return fmt::format("{:.4f} ± {:.4f}", parse_double(value), parse_double(error));
}

std::string table2_section(const Run& run, const CsvTable& table) {
  const Rows rows(table);
  CsvTable page({"test", "paper p", "paper s", "plain", "confusion only", "khazaal2024",
                 "worst state", "3 sigma limit", "corrected limit", "uniformity p", "verdict",
                 "AES-256-CTR"});
  const std::size_t tests = rows.size() / subjects.size();
  const auto proportion = [&](std::size_t row) {
    if (rows.at(row, "proportion").empty()) return std::string("n/a");
    return fmt::format("{:.4f}{}", parse_double(rows.at(row, "proportion")),
                       rows.at(row, "verdict") == "reject" ? " ✗" : "");
  };
  for (std::size_t t = 0; t < tests; ++t) {
    const std::size_t full = 2 * tests + t;
    page.add({rows.at(t, "test"), rounded(rows.at(t, "paper_p")), rounded(rows.at(t, "paper_s")),
              proportion(t), proportion(tests + t), proportion(full),
              rounded(rows.at(full, "worst_proportion")), rounded(rows.at(full, "proportion_low")),
              rounded(rows.at(full, "corrected_low")), rounded(rows.at(full, "uniformity_p")),
              rows.at(full, "verdict"), proportion(3 * tests + t)});
  }
  return fmt::format(R"(## Table 2: randomness

Share of sequences of {} bits that pass at alpha = {} (SP 800-22 rev. 1a, sec. 4.2.1), for {} sequences of khazaal2024
({} of plain images, which have one stream only). Each sequence is a piece of the set, encrypted image by image and
concatenated; each key gives a stream of its own. The standard's 3 sigma limit is for one check alone; the verdict (`✗`: reject)
uses the exact binomial tail and the uniformity p at {} over all checks of the subject, the corrected limit. Excursions apply
only to sequences with enough cycles and have several states: proportion over all of them, the worst one, and the smallest
uniformity p times their number. Uniformity needs {} sequences. The paper's s is undefined (E6), its p one number without
a sequence count (E7).

{}
![Table 2](table2.png)

Full precision: [table2_randomness.csv](table2_randomness.csv); every p-value's assessment:
[table2_subtests.csv](table2_subtests.csv).

)",
                     sequence_bits, run.alpha, rows.at(2 * tests, "sequences"),
                     rows.at(0, "sequences"), run.alpha, SubTestAssessment::uniformity_from,
                     markdown_table(page));
}

std::string table3_section(const CsvTable& table, const CsvTable& all, const Run& run) {
  const Rows rows(table);
  CsvTable page({"row", "type", "size", "image", "direction", "paper", "plain", "confusion only",
                 "khazaal2024", "z"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.at(i, "pairs") != "all") continue;
    page.add({rows.at(i, "row"), rows.at(i, "type"), rows.at(i, "size"), rows.at(i, "image"),
              rows.at(i, "direction"), rounded(rows.at(i, "paper")),
              with_error(rows.at(i, "plain"), rows.at(i, "plain_se")),
              with_error(rows.at(i, "confusion"), rows.at(i, "confusion_se")),
              with_error(rows.at(i, "cipher"), rows.at(i, "cipher_se")),
              rounded(rows.at(i, "cipher_z"))});
  }
  const Rows every(all);
  CsvTable summary({"direction", "images", "mean plain", "mean |confusion only|",
                    "mean |khazaal2024|", "largest |z| of khazaal2024"});
  for (const char* direction : {"vertical", "horizontal", "diagonal"}) {
    double plain = 0;
    double confusion = 0;
    double cipher = 0;
    double worst = 0;
    double count = 0;
    for (std::size_t i = 0; i < every.size(); ++i) {
      if (every.at(i, "direction") != direction || every.at(i, "cipher_z").empty() ||
          every.at(i, "plain").empty() || every.at(i, "confusion").empty()) {
        continue;
      }
      plain += parse_double(every.at(i, "plain"));
      confusion += std::abs(parse_double(every.at(i, "confusion")));
      cipher += std::abs(parse_double(every.at(i, "cipher")));
      worst = std::max(worst, std::abs(parse_double(every.at(i, "cipher_z"))));
      ++count;
    }
    if (count == 0) continue;
    summary.add({direction, fmt::format("{}", count), short_number(plain / count),
                 short_number(confusion / count), short_number(cipher / count),
                 short_number(worst)});
  }
  std::string notes;
  for (const Table3Row& row : run.table3) {
    if (!row.derived_from.empty()) {
      notes += fmt::format("- row {}, {}: {}\n", row.row, row.size, row.derived_from);
    }
  }
  const char* choice = run.generated
                           ? "Generated images of the same type stand in their places."
                           : "The ones here were chosen by type and size before anything was "
                             "measured: colour and gray images "
                             "of the volume that the field uses most, and two colour aerials.";
  return fmt::format(R"(## Table 3: correlation of adjacent pixels

All pairs, mean of r over the channels. ± is the standard error for independent pairs, (1 − r²)/√(n − 1) a channel; it
understates the error of a smooth image. Channels count as independent for khazaal2024, not for a plain image and for
confusion only, whose channels move together. z is against an ideal cipher image of the same size. The paper shows its six
images and does not name them. {}

{}
{}
![Table 3](table3.png)

The paper's values lie where plain images lie (E2). The same over the whole set:

{}
Full precision, and 5,000 seeded pairs beside all pairs: [table3_correlation.csv](table3_correlation.csv); every image:
[table3_all_images.csv](table3_all_images.csv); every metric of every image and key: [measurements.csv](measurements.csv).

)",
                     choice, notes, markdown_table(page), markdown_table(summary));
}

std::string rejections_section(const Run& run, const CsvTable& table) {
  const Rows rows(table);
  CsvTable page({"quantity", "pairs", "plain", "confusion only", "khazaal2024", "AES-256-CTR"});
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::string>> shares;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    shares[{rows.at(i, "quantity"), rows.at(i, "pairs")}][rows.at(i, "subject")] =
        fmt::format("{}/{}", rows.at(i, "rejected"), rows.at(i, "measurements"));
  }
  for (auto& [what, by_subject] : shares) {
    std::vector<std::string> fields{what.first, what.second};
    for (const std::string_view subject : subjects) {
      const auto found = by_subject.find(std::string(subject));
      fields.push_back(found == by_subject.end() ? "–" : found->second);
    }
    page.add(fields);
  }
  return fmt::format(R"(## How often alpha = {} rejects

Over all images and keys, and over the channels where they are independent; an ideal cipher is rejected in about {} of
100. With binomial p-values: [rejections.csv](rejections.csv). Entropy and chi-square are nearly one statistic.

{}
)",
                     run.alpha, 100 * run.alpha, markdown_table(page));
}

std::string training_section(const CsvTable& table) {
  const Rows rows(table);
  CsvTable page({"epoch", "horizontal", "vertical", "diagonal", "random permutation"});
  for (std::size_t i = 0; i + 2 < rows.size(); i += 3) {
    const auto cell = [&](std::size_t k) {
      return with_error(rows.at(k, "mean_abs_r"), rows.at(k, "se"));
    };
    page.add({rows.at(i, "epoch"), cell(i), cell(i + 1), cell(i + 2),
              rounded(rows.at(i, "null_mean_abs_r"))});
  }
  return fmt::format(R"(## Training curve (P12)

Mean |r| after confusion alone, with the network as it was after that epoch (0: its random start), on images it was never
trained on; ± is the standard error over images and keys; the last column is what a uniformly random permutation of the
pixels gives. As found: the project's `docs/networks.md` says what it means.

{}
![Training curve](training_curve.png)

[training_curve.csv](training_curve.csv)

)",
                     markdown_table(page));
}

std::string rounds_section(const CsvTable& table) {
  const Rows rows(table);
  CsvTable page({"rounds", "bit changed in", "bytes changed", "expected", "z of mean", "verdict"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    page.add({rows.at(i, "rounds"), rows.at(i, "position") + " byte",
              fmt::format("{:.6f}", parse_double(rows.at(i, "mean_changed"))),
              rounded(rows.at(i, "expected")), rounded(rows.at(i, "z_of_mean")),
              rows.at(i, "verdict")});
  }
  return fmt::format(R"(## Why two rounds

Share of cipher bytes that change with one bit of the plain image, key, nonce *and public parameter* held fixed (in use the
public parameter changes too), mean over keys, 128 x 128.

{}
[rounds.csv](rounds.csv)

)",
                     markdown_table(page));
}

std::string errata_section(const CsvTable& table) {
  const Rows rows(table);
  CsvTable page({"", "quantity", "paper", "measured", "unit"});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    page.add({rows.at(i, "id"), rows.at(i, "quantity"),
              rows.at(i, "paper").empty() ? "–" : rows.at(i, "paper"),
              rounded(rows.at(i, "measured")), rows.at(i, "unit")});
  }
  std::string findings;
  std::string last;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.at(i, "id") == last) continue;
    last = rows.at(i, "id");
    findings += fmt::format("- **{}** {}\n", last, rows.at(i, "finding"));
  }
  return "## What does not hold as printed\n\n" + findings + "\n" + markdown_table(page) +
         "\n[errata.csv](errata.csv)\n\n";
}

std::string figures_section(const Run& run) {
  std::string out = R"(## Figures

![Figure 3](figure3.png)

**Figure 3.** The paper's maps in double precision: logistic orbit (r = 3.99, x1 = 0.5), bifurcation, Henon attractors, and where
Henon's map is chaotic, periodic or escapes: the paper's a = 1.3, b = 0.4 escapes (E1).

![Figure 6](figure6.png)

**Figure 6.** The paper's exchange example, by the cipher's own exchange step.

![Figure 8](figure8.png)

**Figure 8.** Plain image, cipher image, difference, on a generated image. The plain image shows through the difference because it
is part of it: any image minus noise keeps its outlines. That is no leak, and its absence would be no strength.

![Figure 9](figure9.png)

**Figure 9.** Plain image, confusion only, whole cipher, on a generated image: only the last flattens the histogram (E3).

)";
  if (run.pictured_sipi) {
    out += fmt::format(R"(![Figure 9, database image](figure9_sipi_statistics.png)

**Figure 9 on {}**, histograms and pairs. `figure8_sipi.png` and `figure9_sipi.png` show the picture itself; they stay on the
machine that made them, since the database's images may not be redistributed.

)",
                       run.pictured_sipi->name);
  }
  return out;
}

}  // namespace

std::string render_page(const Run& run, const Tables& tables) {
  std::string out = fmt::format(
      R"({}{}

# The paper, regenerated

Khazaal, Falih, Majeed, "Design a new scheme for image security using a deep learning technique of hierarchical parameters", Open
Engineering 2024, doi 10.1515/eng-2024-0016: its tables and figures by icbench {} (seed {}), the paper's figure beside ours. Made by
`icbench reproduce`; nothing here is typed in. What was run, on what: [manifest.json](manifest.json).

A statistical pass means that no flaw was found by these tests at this sample size. It never means secure (E9).

)",
      run.data_sentence,
      run.quick ? " **Quick run: fewer sequences, keys and images than a full one.**" : "",
      build_info().version, run.seed);
  out += table2_section(run, tables.table2);
  out += table3_section(tables.table3, tables.table3_all, run);
  out += rejections_section(run, tables.rejections);
  out += training_section(tables.training);
  out += rounds_section(tables.rounds);
  out += errata_section(tables.errata);
  out += figures_section(run);
  return out;
}

std::string render_manifest(const Run& run) {
  nlohmann::ordered_json out;
  out["schema"] = 1;
  out["command"] = "reproduce";
  out["options"] = {{"quick", run.quick}, {"seed", run.seed}, {"alpha", run.alpha}};
  out["sizes"] = {{"sequences_per_subject", run.sequences_per_subject},
                  {"sequence_bits", sequence_bits},
                  {"image_keys", run.image_keys},
                  {"training_keys", run.training_keys}};
  out["correction"] = "Bonferroni over all checks of a subject";
  out.update(provenance());
  out["weights"] = {{"feedback", to_hex(sha256(embedded::feedback_json))},
                    {"keygen", to_hex(sha256(embedded::keygen_json))}};
  out["data"]["set"] = run.volume.name;
  out["data"]["origin"] = run.volume.origin;
  out["data"]["manifest_sha256"] = sipi_manifest_sha256();
  for (const ImageRef& image : run.volume.images) out["data"]["images"][image.name] = image.sha256;
  for (const Table3Row& row : run.table3) out["data"]["table3"][row.image.name] = row.image.sha256;
  return out.dump(2) + "\n";
}

}  // namespace reproduce
}  // namespace icb
