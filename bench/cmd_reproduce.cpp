/// `icbench reproduce`: every table and figure of the paper, the paper's figure beside ours.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/command.hpp"
#include "bench/reproduce/errata.hpp"
#include "bench/reproduce/experiments.hpp"
#include "bench/reproduce/figures.hpp"
#include "bench/reproduce/page.hpp"
#include "bench/reproduce/run.hpp"
#include "bench/reproduce/table2.hpp"
#include "bench/reproduce/table3.hpp"
#include "bench/stop.hpp"
#include "bench/verify.hpp"
#include "core/hash.hpp"

namespace icb::reproduce {
namespace {

struct OwnOptions {
  std::optional<std::filesystem::path> data;
  bool quick = false;
};

// --- Images -------------------------------------------------------------------------------------

/// Values of the paper's Table 3: vertical, horizontal, diagonal.
constexpr std::array<std::array<double, 3>, 6> paper_table3{{{0.962, 0.951, 0.921},
                                                             {0.932, 0.978, 0.937},
                                                             {0.893, 0.887, 0.897},
                                                             {0.932, 0.936, 0.976},
                                                             {0.973, 0.978, 0.938},
                                                             {0.872, 0.886, 0.871}}};

/// The image of that name; or else the first of the set with as many channels, which is then said.
struct Choice {
  ImageRef image;
  std::string substitution;
};

Choice choose(const ImageSet& set, std::string_view name, std::size_t channels) {
  for (const ImageRef& image : set.images) {
    if (image.name == name) return {image, ""};
  }
  for (const ImageRef& image : set.images) {
    if (image.shape.channels == channels && image.shape.sample_bytes == 1 &&
        image.shape.rows > 100) {
      return {image, fmt::format("{} in place of {}, which is absent", image.name, name)};
    }
  }
  throw InputError(fmt::format("{}: holds neither {} nor another 8-bit image of {} channels",
                               set.origin, name, channels));
}

ImageRef resized(const ImageRef& source, std::size_t rows, std::size_t cols) {
  ImageRef out = source;
  out.name = fmt::format("{}-{}x{}", source.name, cols, rows);
  out.shape.rows = rows;
  out.shape.cols = cols;
  out.load = [load = source.load, rows, cols] { return resize_bilinear(load(), rows, cols); };
  try {
    out.sha256 = to_hex(sha256(plain_of(out).bytes()));
  } catch (const InputError&) {
    out.sha256.clear();  // every cell of this image says why
  }
  return out;
}

std::vector<Table3Row> table3_rows(const ImageSet& volume, const ImageSet& wide, bool generated) {
  const auto paper = [](int row) { return paper_table3.at(static_cast<std::size_t>(row - 1)); };
  const auto taken = [&](int row, std::string type, std::string_view name, std::size_t channels) {
    Choice choice = choose(volume, name, channels);
    std::string size = fmt::format("{} x {}", choice.image.shape.cols, choice.image.shape.rows);
    return Table3Row{row,        std::move(type),         std::move(size),
                     paper(row), std::move(choice.image), std::move(choice.substitution)};
  };
  const auto derived = [&](int row, std::string_view name, std::size_t height) {
    const Choice choice = choose(wide, name, 3);
    const ImageRef& source = choice.image;
    std::string how =
        fmt::format("derived from {} ({} x {}) by bilinear resize to 1200 wide, {} high (E5)",
                    source.name, source.shape.cols, source.shape.rows, height);
    if (!choice.substitution.empty()) how += "; " + choice.substitution;
    return Table3Row{row,
                     "RGB",
                     fmt::format("1200 x {}", height),
                     paper(row),
                     resized(source, height, 1200),
                     std::move(how)};
  };
  const char* rgb1 = generated ? "texture-512-rgb" : "4.2.03";
  const char* gray2 = generated ? "texture-512-gray" : "boat.512";
  const char* wide3 = generated ? "texture-512-rgb" : "2.2.01";
  const char* rgb4 = generated ? "scene-512-rgb" : "4.2.07";
  const char* wide5 = generated ? "scene-512-rgb" : "2.2.02";
  const char* gray6 = generated ? "scene-512-gray" : "5.2.10";
  return {taken(1, "RGB", rgb1, 3), taken(2, "Grayscale", gray2, 1), derived(3, wide3, 110),
          derived(3, wide3, 1100),  taken(4, "RGB", rgb4, 3),        derived(5, wide5, 110),
          derived(5, wide5, 1100),  taken(6, "Grayscale", gray6, 1)};
}

/// Test split of the training (docs/networks.md).
constexpr std::array<std::string_view, 13> test_split{
    "4.1.04", "4.1.07", "4.2.03", "4.2.05", "4.2.07",   "5.1.12", "5.2.08",
    "5.2.10", "5.3.01", "7.1.01", "7.1.05", "boat.512", "house"};

std::vector<ImageRef> training_images(const ImageSet& volume, bool generated) {
  std::vector<ImageRef> out;
  for (const ImageRef& image : volume.images) {
    const bool wanted = generated ? image.shape.pixels() >= 256 * 256
                                  : std::ranges::find(test_split, image.name) != test_split.end();
    if (wanted) out.push_back(image);
  }
  return out;
}

std::string measured_on(std::size_t images, const std::string& unreadable) {
  const auto known = std::ranges::count(sipi_manifest(), "misc", &ManifestEntry::volume);
  return fmt::format(
      "Measured on {} of the {} images of the USC-SIPI Miscellaneous volume.{}", images, known,
      unreadable.empty() ? "" : fmt::format(" **Not readable and left out: {}.**", unreadable));
}

Run prepare(const CommonOptions& common, const OwnOptions& own) {
  const auto directory = find_sipi(own.data);
  Run run{};
  run.quick = own.quick;
  run.out = common.out.value_or(own.quick ? "results/quick" : "results/paper");
  run.seed = common.seed;
  run.alpha = common.alpha;
  run.quiet = common.quiet;
  run.threads = common.threads;
  run.sequences_per_subject = own.quick ? 56 : 1008;
  run.image_keys = own.quick ? 1 : 2;
  run.training_keys = own.quick ? 1 : 4;
  run.generated = !directory.has_value();
  run.pictured = find_image(smoke_set(), "scene-512-rgb");
  if (run.generated) {
    run.volume = smoke_set();
    run.data_sentence =
        "**No USC-SIPI images were found: everything below was measured on the generated smoke "
        "set.**";
    run.table3 = table3_rows(run.volume, run.volume, true);
  } else {
    run.volume = sipi_volume(*directory, "misc");
    const ImageSet aerials = sipi_volume(*directory, "aerials");
    run.data_sentence = measured_on(run.volume.images.size(), "");
    run.table3 = table3_rows(run.volume, aerials.images.empty() ? run.volume : aerials, false);
    run.pictured_sipi = choose(run.volume, "4.2.03", 3).image;
  }
  run.training_test = training_images(run.volume, run.generated);
  if (own.quick && run.training_test.size() > 4) run.training_test.resize(4);
  return run;
}

/// Whatever changes cells: program, seed, data. Alpha judges finished cells and changes none.
std::string store_context(const Run& run) {
  std::string text =
      fmt::format("{} seed {} set {}", sha256_of_file("/proc/self/exe"), run.seed, run.volume.name);
  for (const ImageRef& image : run.volume.images) text += ' ' + image.sha256;
  for (const Table3Row& row : run.table3) text += ' ' + row.image.sha256;
  return text;
}

// --- Output

void write(const Run& run, const std::string& name, const CsvTable& table) {
  write_file_atomically(run.out / (name + ".csv"), table.text());
}

class StageTimes {
 public:
  void done(const std::string& stage) {
    const auto now = Clock::now();
    m_seconds[stage] = std::chrono::duration<double>(now - m_last).count();
    m_last = now;
  }

  std::string json() const {
    nlohmann::ordered_json out;
    out["note"] = "wall seconds of this run; cells found in the store cost nothing";
    for (const auto& [stage, seconds] : m_seconds) out["stages"][stage] = seconds;
    return out.dump(2) + "\n";
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point m_last = Clock::now();
  std::map<std::string, double> m_seconds;
};

/// Says every distinct error once; true if there was one.
bool report_errors(const CellResults& results, const std::vector<std::string>& problems) {
  std::set<std::string> said(problems.begin(), problems.end());
  std::size_t cells = 0;
  for (const auto& [name, measurements] : results) {
    for (const Measurement& m : measurements) {
      if (m.status != Status::error) continue;
      ++cells;
      said.insert(m.detail);
    }
  }
  for (const std::string& text : said) fmt::print(stderr, "icbench: {}\n", text);
  if (cells > 0) {
    fmt::print(stderr, "icbench: {} cells failed for these reasons; all others are done\n", cells);
  }
  return !said.empty();
}

/// The first line again, without the images that are there and cannot be read.
std::string sentence_after(const Run& run, const CellResults& results) {
  std::string names;
  std::size_t readable = run.volume.images.size();
  for (const ImageRef& image : run.volume.images) {
    const auto found = results.find(fmt::format("image/identity/key-0/{}", image.name));
    if (found == results.end() || found->second.front().status != Status::error) continue;
    names += (names.empty() ? "" : ", ") + image.name;
    --readable;
  }
  return names.empty() ? run.data_sentence : measured_on(readable, names);
}

bool known_answers_hold() {
  bool all = true;
  for (const VerifiedSubject& subject : verify_all()) {
    if (subject.difference.empty()) continue;
    fmt::print(stderr, "icbench: {} {}: {}\n", subject.kind, subject.name, subject.difference);
    all = false;
  }
  return all;
}

ExitCode reproduce(const CommonOptions& common, const OwnOptions& own) {
  stop_gracefully_on_signals();
  Run run = prepare(common, own);
  if (!run.quiet) fmt::print(stderr, "{}\n", run.data_sentence);
  StageTimes times;
  if (!known_answers_hold()) return ExitCode::check_failed;
  times.done("known answers");

  CellStore store(run.out / "store.jsonl", store_context(run));
  CellResults results;
  const auto stage = [&](const std::string& title, const std::vector<Cell>& cells) {
    results.merge(run_cells(cells, store, {run.threads, run.quiet, title}));
    times.done(title);
  };
  stage("table 3 and image metrics", table3_cells(run));
  run.data_sentence = sentence_after(run, results);
  stage("training curve", training_cells(run));
  stage("rounds", rounds_cells(run));
  stage("attack", attack_cells(run));
  stage("errata", errata_cells(run));
  stage("table 2", table2_cells(run));

  const auto rows = assess_table2(run, results);
  const Tables tables{.table2 = table2_csv(run, rows),
                      .table3 = table3_csv(run, results),
                      .table3_all = table3_all_images_csv(run, results),
                      .rejections = rejections_csv(run, results),
                      .training = training_csv(run, results),
                      .rounds = rounds_csv(run, results),
                      .errata = errata_csv(run, results, rows)};
  write(run, "table2_randomness", tables.table2);
  write(run, "table2_subtests", table2_subtests_csv(rows));
  write(run, "table3_correlation", tables.table3);
  write(run, "table3_all_images", tables.table3_all);
  write(run, "rejections", tables.rejections);
  write(run, "measurements", measurements_csv(run, results));
  write(run, "training_curve", tables.training);
  write(run, "training_loss", training_loss_csv());
  write(run, "rounds", tables.rounds);
  write(run, "errata", tables.errata);
  const auto problems = write_figures(run);
  write_file_atomically(run.out / "README.md", render_page(run, tables));
  write_file_atomically(run.out / "manifest.json", render_manifest(run));
  times.done("tables and figure data");
  write_file_atomically(run.out / "timings.json", times.json());
  fmt::print("{}\n", (run.out / "README.md").string());
  return report_errors(results, problems) ? ExitCode::bad_input : ExitCode::done;
}

const RegisterCommand entry{{
    .name = "reproduce",
    .summary = "every table and figure of the paper, the paper's figure beside ours",
    .setup =
        [](CLI::App& app) {
          auto own = std::make_shared<OwnOptions>();
          app.add_option("--data", own->data,
                         "directory of the USC-SIPI volumes (misc, aerials, ...)")
              ->option_text("DIR");
          app.add_flag("--quick", own->quick,
                       "fewer sequences, keys and images; into results/quick");
          return [own](const CommonOptions& common) { return reproduce(common, *own); };
        },
}};

}  // namespace
}  // namespace icb::reproduce
