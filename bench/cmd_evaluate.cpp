/// `icbench evaluate`: judges images encrypted by any program.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "bench/cells.hpp"
#include "bench/command.hpp"
#include "bench/evaluate/inputs.hpp"
#include "bench/evaluate/report.hpp"
#include "bench/evaluate/run.hpp"
#include "bench/evaluate/summary.hpp"
#include "bench/protocols/robustness.hpp"
#include "bench/stop.hpp"
#include "bench/validators.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "datasets/dataset.hpp"

namespace icb::evaluate {
namespace {

struct OwnOptions {
  Sources sources;
  std::optional<std::string> cipher;
  std::optional<std::string> key;
  std::vector<std::string> metrics;
  std::vector<std::string> protocols;
  std::uint64_t pairs = 0;
};

// --- What is asked for

bool available(Needs needs, const OwnOptions& own) {
  if (needs == Needs::plain) return own.sources.plain.has_value();
  return needs != Needs::second || own.sources.second || own.cipher;
}

/// Those named, or all that apply; of one image first, then of two.
std::vector<const MetricEntry*> metrics_of(const OwnOptions& own) {
  std::vector<const MetricEntry*> out;
  for (const std::string& name : own.metrics) {
    const MetricEntry& metric = find<MetricEntry>(name);  // names what exists
    if (!available(metric.needs, own)) {
      throw UsageError(fmt::format("evaluate: {} needs {}: expected {}", name,
                                   to_string(metric.needs),
                                   metric.needs == Needs::plain ? "--plain" : "--cipher-image-2"));
    }
  }
  for (const Needs needs : {Needs::nothing, Needs::plain, Needs::second}) {
    for (const auto& [name, metric] : registry<MetricEntry>()) {
      const bool wanted =
          own.metrics.empty() ? available(needs, own) : std::ranges::count(own.metrics, name) > 0;
      if (metric.needs == needs && wanted) out.push_back(&metric);
    }
  }
  return out;
}

std::vector<const ProtocolEntry*> protocols_of(const OwnOptions& own) {
  std::vector<const ProtocolEntry*> out;
  if (own.protocols == std::vector<std::string>{"none"}) return out;
  const bool all = own.protocols == std::vector<std::string>{"all"};
  if (!all) {
    for (const std::string& name : own.protocols) find<ProtocolEntry>(name);
  }
  for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
    if (all || std::ranges::count(own.protocols, name) > 0) out.push_back(&protocol);
  }
  return out;
}

Bytes key_of(const OwnOptions& own, std::uint64_t seed, const CipherEntry& cipher) {
  if (!own.key) return derived_key(seed, cipher);
  const std::size_t bytes = cipher.key_bits.value / 8;
  try {
    Bytes key = from_hex(*own.key);
    if (key.size() == bytes) return key;
  } catch (const std::invalid_argument&) {  // not hexadecimal; the key is not repeated
  }
  throw UsageError(fmt::format("--key: {} takes {} hexadecimal digits, got {} characters",
                               cipher.name, 2 * bytes, own.key->size()));
}

Job job_of(const CommonOptions& common, const OwnOptions& own) {
  Job job{.metrics = metrics_of(own),
          .protocols = protocols_of(own),
          .key_given = own.key.has_value(),
          .pairs = own.pairs,
          .seed = common.seed,
          .alpha = common.alpha};
  if (own.cipher) {
    job.cipher = &find<CipherEntry>(*own.cipher);
    job.key = key_of(own, common.seed, *job.cipher);
  }
  return job;
}

void check(const OwnOptions& own) {
  if (!own.sources.cipher == !own.cipher) {
    throw UsageError("evaluate: expected --cipher-image FILE|FOLDER, or --cipher ID with --plain");
  }
  if (own.cipher && !own.sources.plain) throw UsageError("--cipher: expected --plain to encrypt");
}

// --- Messages

/// The first few, then how many more.
void list_on_stderr(const std::string& title, const std::vector<std::string>& lines) {
  constexpr std::size_t most = 20;
  fmt::print(stderr, "icbench: {}\n", title);
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i) {
    fmt::print(stderr, "  {}\n", lines[i]);
  }
  if (lines.size() > most) fmt::print(stderr, "  ... and {} more\n", lines.size() - most);
}

bool known_answers_hold(const CipherEntry& cipher) {
  const std::string difference = cipher.verify();
  if (!difference.empty()) fmt::print(stderr, "icbench: cipher {}: {}\n", cipher.name, difference);
  return difference.empty();
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// --- Results, image by image

/// Files below --out, renamed into place at the end.
struct Output {
  explicit Output(const std::filesystem::path& out)
      : directory(out), measurements(out / "measurements.csv"), images(out / "images.csv") {
    measurements.write(measurements_csv({}).text());
    images.write(images_csv({}).text());
  }

  void add(const JudgedImage& image) {
    measurements.write(without_header(measurements_csv(image.verdict.rows)));
    images.write(without_header(images_csv({image})));
  }

  void commit() {
    measurements.commit();
    images.commit();
  }

  std::filesystem::path directory;
  AtomicFile measurements;
  AtomicFile images;
};

class Results {
 public:
  Results(const Setting& setting, const CommonOptions& common)
      : m_setting(setting), m_common(common), m_summary(Alpha{common.alpha}) {
    if (common.out) m_output.emplace(*common.out);
  }

  void add(JudgedImage image) {
    m_summary.add(image);
    if (m_output) m_output->add(image);
    for (const std::string& text : image.errors) {
      m_errors.push_back(text.find(image.name) == std::string::npos
                             ? fmt::format("{}: {}", image.name, text)
                             : text);
    }
    m_rejected = m_rejected || image.verdict.rejected;
    if (m_setting.folder) {
      m_images.push_back(json_row(image));
    } else {
      m_single = std::move(image);
    }
  }

  void write() {
    if (m_output) {
      const auto put = [&](const char* name, const std::string& text) {
        write_file_atomically(m_output->directory / name, text);
      };
      put("evaluate.txt", text());
      if (m_setting.folder) {
        put("summary.csv", summary_csv(m_summary.quantities()).text());
      } else {
        std::filesystem::remove(m_output->directory / "summary.csv");  // of an earlier folder
      }
      m_output->commit();
      nlohmann::ordered_json manifest = json();
      manifest.erase("images");        // they are in images.csv,
      manifest.erase("measurements");  // measurements.csv
      manifest.erase("quantities");    // and summary.csv
      put("manifest.json", dumped(manifest));
      fmt::print("{}\n", m_output->directory.string());
    } else if (m_common.format == Format::json) {
      print(dumped(json()));
    } else if (m_common.format == Format::csv) {
      print(m_setting.folder ? summary_csv(m_summary.quantities()).text()
                             : measurements_csv(m_single.verdict.rows).text());
    } else {
      print(text());
    }
  }

  /// Raw samples (unless quiet) and errors.
  void write_messages() const {
    if (m_summary.raw() > 0 && !m_common.quiet) {
      const Sources& files = m_setting.sources;
      const std::string what =
          m_setting.folder
              ? fmt::format("{} images", m_summary.raw())
              : files.cipher->string() + (files.second ? " or " + files.second->string() : "");
      fmt::print(stderr,
                 "icbench: {}: no image format, taken as raw samples: row by row, R G B (A) "
                 "interleaved, 16 bit most significant byte first\n",
                 what);
    }
    if (m_errors.empty()) return;
    list_on_stderr(
        fmt::format("{} of {} image(s) with errors:", m_summary.with_errors(), m_summary.images()),
        m_errors);
  }

  ExitCode exit_code() const {
    if (!m_errors.empty()) return ExitCode::bad_input;
    const bool rejected = m_setting.folder ? m_summary.folder_rejected() : m_rejected;
    return rejected ? ExitCode::check_failed : ExitCode::done;
  }

 private:
  std::string text() const {
    return m_setting.folder ? render_folder(m_setting, m_summary)
                            : render_image(m_setting, m_single);
  }

  nlohmann::ordered_json json() const {
    return m_setting.folder ? json_of_folder(m_setting, m_summary, m_images)
                            : json_of_image(m_setting, m_single);
  }

  const Setting& m_setting;
  const CommonOptions& m_common;
  Summary m_summary;
  std::optional<Output> m_output;
  std::vector<std::string> m_errors;
  bool m_rejected = false;
  JudgedImage m_single;                                               // if there is one only
  nlohmann::ordered_json m_images = nlohmann::ordered_json::array();  // of a folder
};

/// What decryption makes of damaged cipher images, for the eye.
void write_sheet(const Job& job, const Case& subject, const std::filesystem::path& directory) {
  const auto is_robustness = [](const ProtocolEntry* p) { return p->name == "robustness"; };
  if (std::ranges::none_of(job.protocols, is_robustness)) return;
  const auto images = subject.load();
  if (job.cipher->refuses(images->plain->shape())) return;
  const ProtocolInput input{.cipher = *job.cipher,
                            .plain = images->plain->view(),
                            .key = job.key,
                            .seed = protocol_seed(job, subject, "robustness")};
  save_png(directory / "robustness.png", protocols::robustness_sheet(input).view());
}

ExitCode run(const Setting& setting, const Cases& cases, const CommonOptions& common,
             CellStore& store) {
  Results results(setting, common);
  // A single image without protocols needs no time.
  const bool quick = !cases.folder && setting.job.protocols.empty();
  run(cases.cases, setting.job, store, {common.threads, common.quiet || quick, "evaluate"},
      [&](JudgedImage image) { results.add(std::move(image)); });
  results.write();
  if (common.out && !cases.folder) write_sheet(setting.job, cases.cases.front(), *common.out);
  results.write_messages();
  return results.exit_code();
}

ExitCode evaluate(const CommonOptions& common, const OwnOptions& own) {
  check(own);
  Setting setting{.sources = own.sources, .job = job_of(common, own)};
  stop_gracefully_on_signals();
  if (setting.job.cipher != nullptr && !known_answers_hold(*setting.job.cipher)) {
    return ExitCode::check_failed;
  }
  const Cases cases = find_cases(own.sources, common.threads);
  setting.folder = cases.folder;
  setting.unpaired = cases.unpaired;
  if (!cases.unpaired.empty() && !common.quiet) {
    list_on_stderr(fmt::format("{} file(s) without exactly one companion of the same name:",
                               cases.unpaired.size()),
                   cases.unpaired);
  }
  if (!common.out) {
    CellStore store = CellStore::temporary();
    return run(setting, cases, common, store);
  }
  CellStore store(*common.out / "store.jsonl", store_context(setting.job));
  return run(setting, cases, common, store);
}

// --- Options

void add_input_options(CLI::App& app, OwnOptions& own) {
  auto* cipher_image =
      app.add_option("--cipher-image", own.sources.cipher,
                     "the encrypted image: TIFF, PNG, PGM, PPM, BMP, or raw samples; or a folder")
          ->check(not_empty)
          ->option_text("C");
  auto* plain = app.add_option("--plain", own.sources.plain,
                               "its plain image, for metrics that compare the two; or a folder")
                    ->check(not_empty)
                    ->option_text("P");
  auto* second =
      app.add_option("--cipher-image-2", own.sources.second,
                     "a second encryption (of the plain image with one bit changed, or under "
                     "another key), for metrics that compare cipher images; or a folder")
          ->check(not_empty)
          ->needs(cipher_image)
          ->option_text("C2");
  auto* cipher =
      app.add_option("--cipher", own.cipher,
                     "instead of --cipher-image: encrypts P with a cipher of \"icbench list "
                     "ciphers\", and P with the lowest bit of its middle sample flipped, under "
                     "fresh nonces from --seed")
          ->needs(plain)
          ->excludes(cipher_image)
          ->excludes(second)
          ->option_text("ID");
  app.add_option("--key", own.key, "key of --cipher in hexadecimal; default derived from --seed")
      ->needs(cipher)
      ->option_text("HEX");
  app.add_option("--protocols", own.protocols,
                 "with --cipher: what needs the cipher itself (differential, key sensitivity, "
                 "...): all, none, or names")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->needs(cipher)
      ->option_text("A,B [none]");
  app.add_option("--metrics", own.metrics,
                 "names as in \"icbench list metrics\"; default all that apply")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("A,B");
  app.add_option("--pairs", own.pairs,
                 "neighbours drawn for the correlations, as papers do; default all there are")
      ->check(fits_64_bits & CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30))
      ->option_text("N");
}

constexpr const char* manual = R"(Verdict
  Every measurement has a p-value: the probability that an ideal cipher gives something
  at least as far off, for this very size and depth. Measurements that say nearly the
  same are one family; a family on a channel is one test (Simes). The tests of an image
  are corrected together (Holm): an ideal image is rejected with probability --alpha at
  most. A p-value below 1e-6 is rejected always. Rows marked * show two plain images
  under one nonce, which is misuse; they are no part of the verdict.
  Passing means that these tests found no flaw at this sample size, not that the cipher
  is secure.

Raw files
  A file of C or C2 without image format that has exactly as many bytes as P has pixel
  bytes is taken as its samples: row by row, gray (, alpha) or R, G, B (, A) interleaved,
  16 bit most significant byte first, as in PNG and PNM after the header. Without P,
  the first cipher image says the shape of the second.

Folders
  Images are matched by file name without extension; sub-folders are not entered. The
  table has a row per quantity; the folder is rejected if one of its images is (Simes)
  or images or a quantity are rejected too often, all corrected together. An image that cannot be
  read is an error row, and the run goes on.
  With --out an interrupted run goes on where it stopped.

Output
  One image: --format csv has all measurements, json those and the provenance.
  A folder: --format csv has a row per quantity, json those and a row per image.
  With --out: evaluate.txt, measurements.csv, images.csv, manifest.json, and for a
  folder summary.csv; with the protocol robustness, robustness.png: rows of damages,
  decrypted. store.jsonl is what a later run goes on from.

Exit codes
  0  nothing is rejected       2  wrong usage
  1  image or folder rejected  3  an image or file cannot be used; the others are judged

Example
  $ tail -c 786432 lake.ppm | openssl enc -aes-256-ctr -K $KEY -iv $IV > lake.enc
  $ icbench evaluate --plain lake.ppm --cipher-image lake.enc
  $ icbench evaluate --plain plain/ --cipher-image cipher/ --out results/mine)";

const RegisterCommand entry{{
    .name = "evaluate",
    .summary = "judges images encrypted by any program, one or a folder",
    .setup =
        [](CLI::App& app) {
          auto own = std::make_shared<OwnOptions>();
          add_input_options(app, *own);
          app.footer(manual);
          return [own](const CommonOptions& common) { return evaluate(common, *own); };
        },
}};

}  // namespace
}  // namespace icb::evaluate
