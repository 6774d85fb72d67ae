/// `icbench properties`: what a cipher must show, row by row, each against its null model.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "bench/command.hpp"
#include "bench/properties/report.hpp"
#include "bench/properties/run.hpp"
#include "bench/stop.hpp"
#include "bench/validators.hpp"
#include "core/csv.hpp"
#include "nist_tests/spectral.hpp"

namespace icb::properties {
namespace {

struct OwnOptions {
  std::string cipher;
  std::vector<std::string> only;
  std::optional<std::filesystem::path> data;
  bool quick = false;
  std::optional<std::uint64_t> pairs;
  std::optional<std::uint64_t> sequences;
  std::optional<std::uint64_t> pattern_sequences;
  std::optional<std::uint64_t> keystream_bits;
};

/// The long sequence's transform of any other length takes forty times the memory.
void check_keystream_bits(const Sizes& sizes) {
  const std::uint64_t bits = sizes.keystream_bits;
  if (bits % sizes.sequence_bits == 0 && sp80022::split_of(bits)) return;
  throw UsageError(
      fmt::format("--keystream-bits: expected a multiple of {} without a prime factor above 13, "
                  "got {}",
                  sizes.sequence_bits, bits));
}

Sizes sizes_of(const OwnOptions& own) {
  Sizes out = own.quick ? Sizes::quick() : Sizes{};
  out.pairs = own.pairs.value_or(out.pairs);
  out.sequences = own.sequences.value_or(out.sequences);
  out.pattern_sequences = own.pattern_sequences.value_or(out.pattern_sequences);
  out.keystream_bits = own.keystream_bits.value_or(out.keystream_bits);
  check_keystream_bits(out);
  return out;
}

Subject subject_of(const CommonOptions& common, const OwnOptions& own) {
  Subject out{.cipher = find<CipherEntry>(own.cipher),
              .seed = common.seed,
              .alpha = common.alpha,
              .sizes = sizes_of(own)};
  out.volumes.push_back(smoke_set());
  out.images = out.stream = smoke_set();
  const auto directory = find_sipi(own.data);
  if (!directory) return out;
  for (const char* volume : {"misc", "aerials", "textures"}) {
    ImageSet set = sipi_volume(*directory, volume);
    if (!set.images.empty()) out.volumes.push_back(std::move(set));
  }
  out.stream = sipi_volume(*directory, "misc");
  out.images.images.insert(out.images.images.begin(), out.stream.images.begin(),
                           out.stream.images.end());
  out.images.generated = false;
  return out;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string dumped(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void write(const std::filesystem::path& directory, const Subject& subject,
           const Judgement& judgement, const std::vector<Cell>& cells, const CellResults& results) {
  const auto put = [&](const char* name, const std::string& text) {
    write_file_atomically(directory / name, text);
  };
  AtomicFile measurements(directory / "measurements.csv");
  measurements.write(measurements_csv(subject, {}, {}).text());
  for (const Cell& cell : cells) {
    const std::string text = measurements_csv(subject, cell.name, results.at(cell.name)).text();
    measurements.write(std::string_view(text).substr(text.find('\n') + 1));
  }
  measurements.commit();
  put("findings.csv", findings_csv(judgement).text());
  put("properties.txt", render_table(subject, judgement));
  put("README.md", render_page(subject, judgement));
  nlohmann::ordered_json manifest = json_of(subject, judgement);
  for (auto& property : manifest["properties"]) property.erase("findings");  // in findings.csv
  put("manifest.json", dumped(manifest));
  fmt::print("{}\n", directory.string());
}

ExitCode run(const CommonOptions& common, const OwnOptions& own) {
  const Subject subject = subject_of(common, own);
  const Properties properties = properties_named(own.only);
  stop_gracefully_on_signals();
  if (const std::string difference = subject.cipher.verify(); !difference.empty()) {
    fmt::print(stderr, "icbench: cipher {}: {}\n", subject.cipher.name, difference);
    return ExitCode::check_failed;
  }
  if (subject.stream.generated && !common.quiet) {
    fmt::print(stderr, "icbench: no USC-SIPI images were found: generated images stand in\n");
  }
  const std::vector<Cell> cells = cells_of(subject, properties);
  CellStore store = common.out ? CellStore(*common.out / "store.jsonl", store_context(subject))
                               : CellStore::temporary();
  const CellResults results = run_cells(cells, store, {common.threads, common.quiet, "properties"});
  const Judgement judgement = judge_properties(subject, properties, results);
  if (common.out) {
    write(*common.out, subject, judgement, cells, results);
  } else if (common.format == Format::json) {
    print(dumped(json_of(subject, judgement)));
  } else if (common.format == Format::csv) {
    print(findings_csv(judgement).text());
  } else {
    print(render_table(subject, judgement));
  }
  for (const PropertyResult& property : judgement.properties) {
    for (const std::string& error : property.errors) {
      fmt::print(stderr, "icbench: {}: {}\n", property.name, error);
    }
  }
  if (judgement.failed()) return ExitCode::bad_input;
  return judgement.rejected() ? ExitCode::check_failed : ExitCode::done;
}

constexpr const char* manual = R"(Verdict
  A finding has a p-value against an ideal cipher, or a bound that an ideal cipher never
  misses. Findings that say nearly the same are one family (Simes); families are
  corrected together (Holm): an ideal cipher is rejected with probability --alpha at
  most. Rows marked * do not decide. docs/properties.md has every row.

Output
  A row per family with the finding that is farthest off; --format csv has all findings,
  json those and the provenance. With --out: README.md, properties.txt, findings.csv,
  measurements.csv, manifest.json; an interrupted run goes on where it stopped.

Memory
  The long keystream sequence of 10^9 bits takes 2.5 GB; --keystream-bits shortens it.

Exit codes
  0  nothing is rejected    2  wrong usage
  1  a row is rejected      3  an image or file cannot be used)";

void add_options(CLI::App& app, OwnOptions& own) {
  app.add_option("--cipher", own.cipher, "as in \"icbench list ciphers\"")
      ->required()
      ->option_text("ID");
  app.add_option("--only", own.only, "names as in \"icbench list properties\"; default all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("A,B");
  app.add_option("--data", own.data, "directory of the USC-SIPI volumes")
      ->check(not_empty)
      ->option_text("DIR");
  app.add_flag("--quick", own.quick, "small samples: seconds");
  const auto count = [&](const char* name, std::optional<std::uint64_t>& value, const char* help,
                         std::uint64_t least, std::uint64_t most) {
    app.add_option(name, value, help)
        ->check(fits_64_bits & CLI::Range(least, most))
        ->option_text("N");
  };
  count("--pairs", own.pairs, "key/image pairs; default 1000", 1, 1'000'000);
  count("--sequences", own.sequences, "sequences of 10^6 bits of images; default 1000", 1, 100'000);
  count("--pattern-sequences", own.pattern_sequences, "of each pattern; default 100", 1, 100'000);
  count("--keystream-bits", own.keystream_bits,
        "as sequences of 10^6 bits and once more as one; default 10^9", 1'000'000, 10'000'000'000);
  app.footer(manual);
}

const RegisterCommand entry{{
    .name = "properties",
    .summary = "what a cipher must show: every property with its null model and verdict",
    .setup =
        [](CLI::App& app) {
          auto own = std::make_shared<OwnOptions>();
          add_options(app, *own);
          return [own](const CommonOptions& common) { return run(common, *own); };
        },
}};

}  // namespace
}  // namespace icb::properties
