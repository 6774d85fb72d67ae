/// `icbench nist`: the randomness battery on the bits of files, pipes and images, or of a cipher.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bench/cipher_stream.hpp"
#include "bench/command.hpp"
#include "bench/nist/bit_source.hpp"
#include "bench/nist/report.hpp"
#include "bench/progress.hpp"
#include "bench/stop.hpp"
#include "bench/validators.hpp"
#include "bench/verify.hpp"
#include "nist_tests/spectral.hpp"
#include "nist_tests/sts_report.hpp"

namespace icb::nist {
namespace {

// The transform of such a length takes several times the memory and many times the time.
void warn_of_length(const Battery& battery, std::uint64_t n) {
  const bool spectral = std::ranges::any_of(
      battery.tests(), [](const RandomnessEntry* test) { return test->name == "spectral"; });
  if (spectral && n > 10'000'000 && !sp80022::split_of(n)) {
    fmt::print(stderr,
               "icbench: {} bits have a prime factor above 13: the spectral test will need much "
               "time, and about {:.1f} GB for each thread\n",
               n, static_cast<double>(n) * 1e-9 * 96);
  }
}

constexpr std::uint64_t default_length = 1'000'000;

struct OwnOptions {
  std::vector<std::string> files;
  SourceOptions source;
  std::optional<std::string> cipher;
  std::optional<std::filesystem::path> data;
  std::optional<std::uint64_t> length;
  std::optional<std::uint64_t> sequences;
  std::uint64_t skip = 0;
  std::vector<std::string> tests;
  TestParameters parameters;
  std::optional<unsigned> float_bits;
  bool no_statistics = false;
};

/// Where sequences come from, and what can be said of it before and after.
struct Source {
  Input input;
  std::function<BitSequence()> next;            ///< shorter than the others: the rest
  std::function<void(Input&)> finish;           ///< what is known at the end only
  std::optional<std::uint64_t> sequences = {};  ///< how many there will be, if known
  BitSequence first;                            ///< read already
};

// --- Files

std::string described(const std::vector<std::string>& files) {
  std::string out;
  for (const std::string& file : files) {
    out += (out.empty() ? "" : ", ") + (file == "-" ? std::string("standard input") : file);
  }
  return files.size() > 1 ? out + " (concatenated)" : out;
}

std::string described(InputFormat format, const SourceOptions& options) {
  std::string out(to_string(format));
  if (options.format == InputFormat::automatic) out += " (detected)";
  if (format == InputFormat::float64) out += fmt::format(", {} bits each", options.float_bits);
  if (format == InputFormat::image) {
    out += ", samples row by row, channels B G R A interleaved, MSB first";
  }
  return out;
}

void check_files(const OwnOptions& own) {
  if (std::ranges::count(own.files, "-") > 1) {
    throw UsageError("-: standard input can be read once only");
  }
  for (const std::string& file : own.files) {
    std::error_code error;
    if (!own.sequences && std::filesystem::is_character_file(file, error)) {
      throw UsageError(fmt::format("{}: a device has no end; expected --sequences", file));
    }
  }
}

SourceOptions source_options(const OwnOptions& own) {
  SourceOptions out = own.source;
  if (own.float_bits && out.format != InputFormat::float64) {
    throw UsageError("--float-bits is for --input float64 only");
  }
  if (own.float_bits) out.float_bits = *own.float_bits;
  return out;
}

Source open_files(const OwnOptions& own) {
  check_files(own);
  const SourceOptions options = source_options(own);
  const auto bits = std::make_shared<BitSource>(own.files, options);
  Source out;
  out.input.source = described(own.files);
  out.input.format = described(bits->format(), options);
  out.input.skipped_bits = bits->skip(own.skip);
  if (out.input.skipped_bits < own.skip) {
    throw InputError(fmt::format("{}: expected more than the {} bits to skip, got {}",
                                 out.input.source, own.skip, out.input.skipped_bits));
  }
  const std::uint64_t length = own.length.value_or(default_length);
  out.first = bits->read(length);
  // Without --length a short input is one sequence.
  if (out.first.size() == 0 || (own.length && out.first.size() < length)) {
    throw InputError(fmt::format("{}: expected at least {} bits for one sequence{}, got {}",
                                 out.input.source, own.length.value_or(1),
                                 own.skip > 0 ? " after those skipped" : "", out.first.size()));
  }
  const std::uint64_t n = out.input.sequence_bits = out.first.size();
  out.next = [bits, n] { return bits->read(n); };
  out.finish = [bits](Input& input) { input.leftover_bytes = bits->leftover_bytes(); };
  if (const auto total = bits->total_bits()) {
    out.sequences = (*total - std::min(*total, own.skip)) / n;
    if (own.sequences) out.sequences = std::min(*out.sequences, *own.sequences);
  }
  return out;
}

// --- Ciphers

ImageSet images_for(const OwnOptions& own) {
  const auto directory = find_sipi(own.data);
  return directory ? sipi_volume(*directory, "misc") : smoke_set();
}

Source open_cipher(const OwnOptions& own, std::uint64_t seed, const std::string& cipher) {
  const auto set = std::make_shared<const ImageSet>(images_for(own));
  const std::uint64_t n = own.length.value_or(default_length);
  const std::uint64_t per_key = sequences_per_stream(*set, n);
  if (per_key == 0) {
    throw InputError(fmt::format("{}: expected at least {} bits for one sequence, got {}",
                                 set->origin, n, sequences_per_stream(*set, 1)));
  }
  Source out;
  out.sequences = own.sequences.value_or(per_key);
  const auto& entry = find<CipherEntry>(cipher);
  // Without a key every stream is the same.
  if (entry.key_bits.value == 0) out.sequences = std::min(*out.sequences, per_key);
  out.input = {.source = fmt::format("cipher {} on {}", cipher, set->origin),
               .format = fmt::format("cipher images concatenated, {} key(s) and fresh nonces "
                                     "derived from seed {}",
                                     (*out.sequences + per_key - 1) / per_key, seed),
               .sequence_bits = n,
               .seed = seed};
  out.next = [=, kept = std::make_shared<KeptImage>(), sequence = std::uint64_t{0},
              count = *out.sequences]() mutable {
    if (sequence == count) return BitSequence{};
    try {
      return cipher_sequence(seed, *set, cipher, n, sequence++, *kept);
    } catch (const std::invalid_argument& error) {  // the cipher refuses the image
      throw InputError(fmt::format("{}: {}", cipher, error.what()));
    }
  };
  const std::uint64_t leftover = sequences_per_stream(*set, 1) - per_key * n;
  out.finish = [=, whole = *out.sequences >= per_key](Input& input) {
    input.to_the_end = whole;
    input.leftover_bits = whole ? leftover : 0;
  };
  out.first = out.next();
  return out;
}

// --- The run

/// Files below the directory, renamed into place at the end.
struct Output {
  explicit Output(const std::filesystem::path& out)
      : directory(out), p_values(out / "nist_p_values.csv") {
    p_values.write(p_values_header);
  }

  std::filesystem::path directory;
  AtomicFile p_values;
};

Report run(const Battery& battery, Source source, const CommonOptions& common,
           const OwnOptions& own, const std::string& title) {
  Report report{.input = std::move(source.input),
                .parameters = battery.parameters(),
                .assessment = {},
                .first = {},
                .sequences = nullptr};
  Input& input = report.input;
  input.asked_sequences = own.sequences;
  if (common.out || common.format == Format::json) report.sequences = std::make_unique<Spool>();
  std::optional<Output> output;
  if (common.out) output.emplace(*common.out);

  if (!common.quiet) warn_of_length(battery, input.sequence_bits);
  const Alpha alpha{common.alpha};
  Assessor assessor(battery, input.sequence_bits, alpha);
  std::optional<Progress> progress;
  if (source.sequences) {
    progress.emplace(title, static_cast<double>(*source.sequences), 0, common.quiet);
  } else {
    progress.emplace(title, "sequences", common.quiet);
  }
  constexpr const char* interrupted = "interrupted; nothing is written";
  std::uint64_t fetched = 0;
  const auto next = [&]() -> std::optional<BitSequence> {
    throw_if_stopped(interrupted);
    if (fetched == own.sequences) {
      input.to_the_end = false;
      return std::nullopt;
    }
    BitSequence bits = fetched == 0 ? std::move(source.first) : source.next();
    if (bits.size() < input.sequence_bits) {
      input.leftover_bits = bits.size();
      return std::nullopt;
    }
    ++fetched;
    return bits;
  };
  const auto sink = [&](std::uint64_t index, BitView bits, const SequenceResults& results) {
    throw_if_stopped(interrupted);
    assessor.add(results);
    if (output) {
      output->p_values.write(p_values_csv(battery, index, bits.size(), results, alpha));
    }
    if (report.sequences) {
      if (index > 0) report.sequences->write(",\n");
      report.sequences->write("    " + sequence_json(battery, index, results, !own.no_statistics));
    }
    if (index == 0) report.first = results;
    progress->advance(1);
  };
  run_battery(battery, next, sink, common.threads);
  progress.reset();
  source.finish(input);
  report.assessment = assessor.result();
  if (output) {
    const auto write = [&](const char* name, const std::string& text) {
      write_file_atomically(output->directory / name, text);
    };
    std::vector<Report> one;
    one.push_back(std::move(report));
    write("nist.txt", render_table(battery, one.front()));
    write("nist_summary.csv", summary_csv(one).text());
    write("nist_sts.txt", sts_report(one.front().assessment, one.front().input.source));
    AtomicFile json(output->directory / "nist.json");
    write_json(battery, one.front(), [&](std::string_view text) { json.write(text); });
    json.commit();
    output->p_values.commit();
    report = std::move(one.front());
  }
  return report;
}

// --- Standard output

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_all(const Battery& battery, const std::vector<Report>& reports,
               const CommonOptions& common, bool array) {
  const bool headless = common.format == Format::csv || common.format == Format::sts;
  if (headless && !common.quiet) {
    for (const Report& report : reports) fmt::print(stderr, "{}", heading(report));
  }
  if (common.format == Format::csv) print(summary_csv(reports).text());
  if (common.format == Format::json && array) print("[\n");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const char* separator = i == 0 ? "" : "\n";
    if (common.format == Format::table) {
      print(separator + render_table(battery, reports[i]));
    } else if (common.format == Format::sts) {
      print(separator + sts_report(reports[i].assessment, reports[i].input.source));
    } else if (common.format == Format::json) {
      print(i == 0 ? "" : ",\n");
      write_json(battery, reports[i], print);
    }
  }
  if (common.format == Format::json && array) print("]\n");
}

bool known_answers_hold(const Battery& battery) {
  bool all = true;
  for (const RandomnessEntry* test : battery.tests()) {
    const std::string difference = check_vectors(*test);
    if (difference.empty()) continue;
    fmt::print(stderr, "icbench: randomness test {}: {}\n", test->name, difference);
    all = false;
  }
  return all;
}

bool known_answers_hold(const std::string& cipher) {
  const std::string difference = find<CipherEntry>(cipher).verify();
  if (!difference.empty()) fmt::print(stderr, "icbench: cipher {}: {}\n", cipher, difference);
  return difference.empty();
}

Battery battery_of(const OwnOptions& own) {
  for (const std::string& test : own.tests) find<RandomnessEntry>(test);  // names what exists
  try {
    Battery battery(own.tests, own.parameters);
    battery.run(BitSequence().view());  // a test looks at its parameters first
    for (const RandomnessEntry* test : battery.tests()) test->ids(own.parameters, default_length);
    return battery;
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

std::vector<std::string> ciphers_of(const OwnOptions& own) {
  if (own.cipher != "all") return {find<CipherEntry>(*own.cipher).name};
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry<CipherEntry>()) names.push_back(name);
  return names;
}

ExitCode nist(const CommonOptions& common, const OwnOptions& own) {
  if (own.files.empty() == !own.cipher) {
    throw UsageError("nist: expected FILE (- for standard input) or --cipher ID");
  }
  stop_gracefully_on_signals();
  const Battery battery = battery_of(own);
  if (!known_answers_hold(battery)) return ExitCode::check_failed;
  const bool all = own.cipher == "all";
  std::vector<Report> reports;
  if (own.cipher) {
    for (const std::string& cipher : ciphers_of(own)) {
      if (!known_answers_hold(cipher)) return ExitCode::check_failed;
      CommonOptions mine = common;
      if (all && common.out) mine.out = *common.out / cipher;
      reports.push_back(run(battery, open_cipher(own, common.seed, cipher), mine, own, cipher));
    }
  } else {
    reports.push_back(run(battery, open_files(own), common, own, "nist"));
  }
  if (common.out) {
    fmt::print("{}\n", common.out->string());
  } else {
    print_all(battery, reports, common, all);
  }
  const bool rejected = std::ranges::any_of(reports, [](const Report& report) {
    return std::ranges::any_of(report.assessment.tests, &TestAssessment::rejected);
  });
  return rejected ? ExitCode::check_failed : ExitCode::done;
}

void add_input_options(CLI::App& app, OwnOptions& own) {
  static const std::map<std::string, InputFormat> formats{
      {"auto", InputFormat::automatic},  {"msb", InputFormat::msb},
      {"lsb", InputFormat::lsb},         {"ascii", InputFormat::ascii},
      {"float64", InputFormat::float64}, {"image", InputFormat::image}};
  auto* files =
      app.add_option("files", own.files, "files, taken one after the other; - is standard input");
  files->option_text("FILE...");
  auto* input =
      app.add_option_function<std::string>(
             "--input", [&own](const std::string& name) { own.source.format = formats.at(name); },
             "auto, msb, lsb, ascii, float64 or image; auto: an image by its first bytes, ascii "
             "if the first 4 KiB are 0, 1 and white space, else msb")
          ->check(CLI::IsMember(formats))
          ->option_text("NAME [auto]");
  auto* float_bits = app.add_option("--float-bits", own.float_bits,
                                    "bits of each double in [0, 1), from the first binary digit")
                         ->check(CLI::Range(1U, 52U))
                         ->option_text("B [32]");
  auto* skip = app.add_option("--skip", own.skip, "bits to pass over first")
                   ->check(fits_64_bits)
                   ->option_text("BITS [0]");
  app.add_option("--length", own.length,
                 "bits of a sequence; default 1000000, or all bits if there are fewer")
      ->check(fits_64_bits & CLI::PositiveNumber)
      ->option_text("BITS");
  app.add_option("--sequences", own.sequences,
                 "how many; default all, with --cipher those of one key")
      ->check(fits_64_bits & CLI::PositiveNumber)
      ->option_text("K");
  auto* cipher = app.add_option("--cipher", own.cipher,
                                "instead of files: the cipher's images under a key and nonces "
                                "from --seed; all: every cipher in turn")
                     ->option_text("ID|all");
  app.add_option("--data", own.data, "directory of the USC-SIPI volumes, for --cipher")
      ->check(not_empty)
      ->needs(cipher)
      ->option_text("DIR");
  for (auto* option : {files, input, float_bits, skip}) cipher->excludes(option);
}

CLI::Validator range_of(const ParameterField& field) {
  if (field.field == &TestParameters::longest_run_block) {
    return CLI::IsMember(std::vector<unsigned>{0, 8, 128, 10000});
  }
  return CLI::Range(field.low, field.high);
}

void add_test_options(CLI::App& app, OwnOptions& own) {
  static const std::map<std::string, Constants> constants{{"exact", Constants::exact},
                                                          {"nist", Constants::nist}};
  app.add_option("--tests", own.tests, "names as in \"icbench list tests\"; default all")
      ->delimiter(',')
      ->allow_extra_args(false)  // what follows is a file
      ->option_text("A,B");
  app.add_flag("--no-statistics", own.no_statistics,
               "leave statistics and flags of every sequence out of the JSON (some 30 kB each)");
  app.add_option_function<std::string>(
         "--constants",
         [&own](const std::string& name) { own.parameters.constants = constants.at(name); },
         "exact, or nist: the rounded or outdated ones of NIST's program")
      ->check(CLI::IsMember(constants))
      ->option_text("NAME [exact]");
  app.add_option("--dft-divisor", own.parameters.dft_divisor,
                 "4 as in the standard, or 3.8: of the variance in sec. 2.6")
      ->check(CLI::IsMember(std::vector<double>{4, 3.8}))
      ->option_text("D [4]");
  for (const ParameterField& field : parameter_fields()) {
    unsigned& value = own.parameters.*field.field;
    app.add_option(fmt::format("--{}", field.name), value, field.help)
        ->check(fits_64_bits & range_of(field))
        ->option_text(fmt::format("N [{}]", value));
  }
}

const RegisterCommand entry{{
    .name = "nist",
    .summary = "the randomness battery of SP 800-22 on any file, pipe, image or cipher",
    .setup =
        [](CLI::App& app) {
          auto own = std::make_shared<OwnOptions>();
          add_input_options(app, *own);
          add_test_options(app, *own);
          app.footer(
              "Exit code 0: no test rejected; 1: a test rejected at --alpha (Holm's correction).\n"
              "With --out: nist.txt, nist.json, nist_summary.csv, nist_p_values.csv, "
              "nist_sts.txt.\n"
              "--format sts: the layout of NIST's final report.");
          return [own](const CommonOptions& common) { return nist(common, *own); };
        },
    .formats = {Format::table, Format::csv, Format::json, Format::sts},
}};

}  // namespace
}  // namespace icb::nist
