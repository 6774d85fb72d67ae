#include "bench/nist/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "bench/print_table.hpp"
#include "bench/provenance.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"

namespace icb::nist {
namespace {

/// A test with more p-values than this is one row of the table of one sequence.
constexpr std::size_t most_rows_of_a_test = 20;

constexpr const char* correction =
    "Simes over the sub-tests of a test, Holm over the tests of the battery";
constexpr const char* meaning =
    "Passing means that these tests found no flaw at this sample size. It does not mean secure.";

std::string short_p(double p) {
  if (p == 0) return "0";
  return p < 0.0001 ? fmt::format("{:.2e}", p) : fmt::format("{:.6f}", p);
}

std::string short_p(const std::optional<PValue>& p) { return p ? short_p(p->value()) : "-"; }

std::string digits(const std::optional<PValue>& p) { return p ? format_double(p->value()) : ""; }

std::string verdict(const TestAssessment& test) {
  if (!test.combined_p) return "not_applicable";
  return test.rejected ? "reject" : "ok";
}

std::string program() {
  const BuildInfo& build = build_info();
  return fmt::format("icbench {} ({}{})", build.version, build.commit,
                     build.dirty ? ", modified" : "");
}

std::string left_over(const Input& input) {
  if (!input.to_the_end) return "the input was not read to its end";
  std::string out = fmt::format("{} bits left over", input.leftover_bits);
  if (input.leftover_bytes > 0) {
    out += fmt::format(" and {} bytes that are no whole double", input.leftover_bytes);
  }
  return out;
}

const SubTestAssessment* worst_of(const TestAssessment& test) {
  const SubTestAssessment* worst = nullptr;
  for (const SubTestAssessment& sub : test.subtests) {
    if (sub.applicable == 0) continue;
    if (worst == nullptr || sub.proportion() < worst->proportion()) worst = &sub;
  }
  return worst;
}

std::uint64_t not_applicable(const TestAssessment& test) {
  std::uint64_t out = 0;
  for (const Remark& remark : test.not_applicable) out += remark.sequences;
  return out;
}

CsvTable table_of_many(const Assessment& assessment) {
  CsvTable table({"verdict", "test", "sub_tests", "lowest_proportion", "interval", "of",
                  "uniformity_p", "combined_p", "adjusted_p", "not_applicable"});
  for (const TestAssessment& test : assessment.tests) {
    const SubTestAssessment* worst = worst_of(test);
    std::optional<PValue> uniformity;
    for (const SubTestAssessment& sub : test.subtests) {
      if (!sub.enough_for_uniformity() || !sub.uniformity_p) continue;
      if (!uniformity || *sub.uniformity_p < *uniformity) uniformity = sub.uniformity_p;
    }
    table.add({verdict(test), test.name, std::to_string(test.subtests.size()),
               worst == nullptr ? "-" : fmt::format("{:.4f}", worst->proportion()),
               worst == nullptr
                   ? "-"
                   : fmt::format("{:.4f}-{:.4f}", worst->interval_low, worst->interval_high),
               worst == nullptr ? "-" : worst->id, short_p(uniformity), short_p(test.combined_p),
               short_p(test.adjusted_p), std::to_string(not_applicable(test))});
  }
  return table;
}

void add_rows(CsvTable& table, const TestAssessment& test, const TestResult& result, double alpha) {
  std::vector<std::array<std::string, 3>> rows;  // id, p, remark
  if (const auto* subs = std::get_if<std::vector<SubResult>>(&result.outcome)) {
    if (subs->size() <= most_rows_of_a_test) {
      for (const SubResult& sub : *subs) {
        rows.push_back({sub.id, short_p(sub.p.value()), sub.p.value() < alpha ? "*" : ""});
      }
    } else {
      const auto least = std::ranges::min_element(*subs, {}, &SubResult::p);
      const auto below =
          std::ranges::count_if(*subs, [&](const SubResult& sub) { return sub.p.value() < alpha; });
      rows.push_back({fmt::format("{} p-values; the smallest, of {}:", subs->size(), least->id),
                      short_p(least->p.value()), fmt::format("{} below alpha", below)});
    }
  } else {
    rows.push_back({"-", "-", std::get<NotApplicable>(result.outcome).reason});
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [id, p, remark] = rows[i];
    const bool head = i == 0;
    table.add({head ? verdict(test) : "", head ? test.name : "", id, p,
               head ? short_p(test.combined_p) : "", head ? short_p(test.adjusted_p) : "", remark});
  }
}

// Whether the tolerance of the verdict was established for something else (docs/sp80022.md).
bool beyond_tolerance(const Report& report) {
  TestParameters defaults;
  defaults.constants = report.parameters.constants;
  defaults.dft_divisor = report.parameters.dft_divisor;
  return report.input.sequence_bits < 1'000'000 || !(report.parameters == defaults);
}

std::string notes(const Report& report) {
  const Assessment& a = report.assessment;
  std::string out;
  const auto count = [&](const std::string& what, std::uint64_t found, double expected,
                         std::uint64_t all) {
    out += fmt::format("{}: {} of {}, {:.4g} expected of an ideal source\n", what, found, all,
                       expected);
  };
  count(fmt::format("p-values below {}", a.alpha.value()), a.below_alpha, a.below_alpha_expected,
        a.p_values);
  if (a.sequences > 1) {
    std::uint64_t judged = 0;
    for (const TestAssessment& test : a.tests) {
      judged += static_cast<std::uint64_t>(std::ranges::count_if(
          test.subtests, [](const SubTestAssessment& sub) { return sub.applicable > 0; }));
    }
    count("sub-tests outside their interval", a.outside_interval, a.outside_interval_expected,
          judged);
  }
  const auto remarks = [&](const char* kind, const std::vector<Remark> TestAssessment::*which) {
    for (const TestAssessment& test : a.tests) {
      for (const Remark& remark : test.*which) {
        out += fmt::format("{}: {}: {} ({} of {} sequences{})\n", kind, test.name, remark.example,
                           remark.sequences, a.sequences,
                           remark.sequences > 1 ? "; the numbers are those of the first" : "");
      }
    }
  };
  remarks("not applicable", &TestAssessment::not_applicable);
  remarks("flag", &TestAssessment::flags);
  const auto rejected = std::ranges::count_if(a.tests, &TestAssessment::rejected);
  const auto applied = std::ranges::count_if(
      a.tests, [](const TestAssessment& test) { return test.adjusted_p.has_value(); });
  if (rejected > 0 && beyond_tolerance(report)) {
    out +=
        "The verdict allows for approximate p-values as they are at 10^6 bits and more with the "
        "default parameters. Here they may be less exact: a rejection, above all one with a flag "
        "or "
        "of many sequences, may say more of a test than of the source (docs/sp80022.md).\n";
  }
  out += fmt::format("rejected: {} of the {} tests that applied, at alpha {}; {}\n{}\n", rejected,
                     applied, a.alpha.value(), correction, meaning);
  return out;
}

// --- JSON: numbers with 17 digits, so written here

class JsonWriter {
 public:
  /// Things less deep than `lines` stand on a line of their own.
  explicit JsonWriter(std::string& out, std::size_t lines = 5) : m_out(out), m_lines(lines) {}

  void open(char bracket) {
    separate();
    m_out += bracket;
    ++m_depth;
    m_first = true;
  }

  void close(char bracket) {
    if (!m_first && m_depth < m_lines) m_out += '\n' + std::string(2 * (m_depth - 1), ' ');
    --m_depth;
    m_out += bracket;
    m_first = false;
  }

  void key(std::string_view name) {
    separate();
    m_out += quoted(name) + ": ";
    m_keyed = true;
  }

  void text(std::string_view value) { raw(quoted(value)); }

  void number(std::uint64_t value) { raw(std::to_string(value)); }

  /// JSON has no infinity.
  void number(double value) { raw(std::isfinite(value) ? format_double(value) : "null"); }

  void number(const std::optional<PValue>& p) { p ? number(p->value()) : raw("null"); }

  void truth(bool value) { raw(value ? "true" : "false"); }

  void raw(std::string_view json) {
    separate();
    m_out += json;
  }

 private:
  static std::string quoted(std::string_view text) {
    // A file name need not be UTF-8.
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  void separate() {
    if (std::exchange(m_keyed, false)) return;
    if (!m_first) m_out += m_depth < m_lines ? "," : ", ";
    if (m_depth > 0 && m_depth < m_lines) m_out += '\n' + std::string(2 * m_depth, ' ');
    m_first = false;
  }

  std::string& m_out;
  std::size_t m_lines;
  std::size_t m_depth = 0;
  bool m_first = true;
  bool m_keyed = false;
};

void add_input(JsonWriter& json, const Input& input, std::uint64_t sequences) {
  json.key("input");
  json.open('{');
  json.key("source");
  json.text(input.source);
  json.key("format");
  json.text(input.format);
  if (input.seed) {
    json.key("seed");
    json.number(*input.seed);
  }
  json.key("skipped_bits");
  json.number(input.skipped_bits);
  json.key("sequence_bits");
  json.number(input.sequence_bits);
  json.key("sequences");
  json.number(sequences);
  json.key("read_to_the_end");
  json.truth(input.to_the_end);
  json.key("leftover_bits");
  json.number(input.leftover_bits);
  json.key("leftover_bytes");
  json.number(std::uint64_t{input.leftover_bytes});
  json.close('}');
}

void add_parameters(JsonWriter& json, const TestParameters& parameters) {
  json.key("parameters");
  json.open('{');
  json.key("constants");
  json.text(parameters.constants == Constants::nist ? "nist" : "exact");
  json.key("dft-divisor");
  json.number(parameters.dft_divisor);
  for (const ParameterField& field : parameter_fields()) {
    json.key(field.name);
    json.number(std::uint64_t{parameters.*field.field});
  }
  json.close('}');
}

void add_remarks(JsonWriter& json, const char* key, const std::vector<Remark>& remarks) {
  json.key(key);
  json.open('[');
  for (const Remark& remark : remarks) {
    json.open('{');
    json.key("example");
    json.text(remark.example);
    json.key("sequences");
    json.number(remark.sequences);
    json.close('}');
  }
  json.close(']');
}

void add_subtest(JsonWriter& json, const SubTestAssessment& sub) {
  json.open('{');
  json.key("id");
  json.text(sub.id);
  json.key("applicable");
  json.number(sub.applicable);
  json.key("passed");
  json.number(sub.passed);
  json.key("smallest_p");
  sub.applicable == 0 ? json.raw("null") : json.number(sub.smallest);
  json.key("interval");
  json.open('[');
  json.number(sub.interval_low);
  json.number(sub.interval_high);
  json.close(']');
  json.key("in_interval");
  sub.applicable == 0 ? json.raw("null") : json.truth(sub.in_interval());
  json.key("bins");
  json.open('[');
  for (const std::uint64_t bin : sub.bins) json.number(bin);
  json.close(']');
  json.key("proportion_p");
  json.number(sub.proportion_p);
  json.key("uniformity_p");
  json.number(sub.uniformity_p);
  json.key("enough_for_uniformity");
  json.truth(sub.enough_for_uniformity());
  json.key("ks_distance");
  json.number(sub.ks_distance);
  json.key("ks_p");
  json.number(sub.ks_p);
  json.key("combined_p");
  json.number(sub.combined_p);
  json.close('}');
}

void add_test(JsonWriter& json, const RandomnessEntry& entry, const TestAssessment& test) {
  json.open('{');
  json.key("name");
  json.text(test.name);
  json.key("title");
  json.text(entry.title);
  json.key("section");
  json.text(entry.section);
  json.key("verdict");
  json.text(verdict(test));
  json.key("combined_p");
  json.number(test.combined_p);
  json.key("adjusted_p");
  json.number(test.adjusted_p);
  add_remarks(json, "not_applicable", test.not_applicable);
  add_remarks(json, "flags", test.flags);
  json.key("sub_tests");
  json.open('[');
  for (const SubTestAssessment& sub : test.subtests) add_subtest(json, sub);
  json.close(']');
  json.close('}');
}

}  // namespace

// --- Spool

namespace {

[[noreturn]] void spool_failed() {
  throw InputError(fmt::format("temporary file: {}", std::strerror(errno)));
}

}  // namespace

Spool::Spool() : m_file(std::tmpfile()) {
  if (m_file == nullptr) spool_failed();
}

void Spool::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), m_file.get()) != text.size()) spool_failed();
}

void Spool::copy_to(const Sink& sink) const {
  if (std::fflush(m_file.get()) != 0) spool_failed();
  std::rewind(m_file.get());
  std::vector<char> buffer(std::size_t{1} << 16);
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), m_file.get())) {
    sink({buffer.data(), got});
  }
  if (std::ferror(m_file.get()) != 0) spool_failed();
}

// --- Parameters

const std::vector<ParameterField>& parameter_fields() {
  using P = TestParameters;
  // A field without its line below does not compile.
  [[maybe_unused]] const auto& [constants, m2, m4, r, q, divisor, m7, n7, m8, b8, l9, q9, m10, m11,
                                m12] = TestParameters{};
  static const std::vector<ParameterField> fields{
      {"block-frequency-block", &P::block_frequency_block, 1, ~0U, "M of sec. 2.2"},
      {"longest-run-block", &P::longest_run_block, 0, 10000,
       "M of sec. 2.4: 8, 128, 10000, or 0: by n"},
      {"rank-rows", &P::rank_rows, 1, 64, "M of sec. 2.5"},
      {"rank-columns", &P::rank_columns, 1, 64, "Q of sec. 2.5"},
      {"non-overlapping-template", &P::non_overlapping_template, 2, 16, "m of sec. 2.7"},
      {"non-overlapping-blocks", &P::non_overlapping_blocks, 1, ~0U, "N of sec. 2.7"},
      {"overlapping-template", &P::overlapping_template, 2, 16, "m of sec. 2.8"},
      {"overlapping-block", &P::overlapping_block, 2, ~0U, "M of sec. 2.8, at least m"},
      {"universal-block", &P::universal_block, 0, 16, "L of sec. 2.9, or 0: by n"},
      {"universal-initial", &P::universal_initial, 0, ~0U, "Q of sec. 2.9, or 0: 10 2^L"},
      {"linear-complexity-block", &P::linear_complexity_block, 1, ~0U, "M of sec. 2.10"},
      {"serial-block", &P::serial_block, 2, 24, "m of sec. 2.11"},
      {"approximate-entropy-block", &P::approximate_entropy_block, 1, 24, "m of sec. 2.12"},
  };
  return fields;
}

// --- Table

std::string heading(const Report& report) {
  const Input& input = report.input;
  const Assessment& a = report.assessment;
  std::string asked;
  if (input.asked_sequences && *input.asked_sequences != a.sequences) {
    asked = fmt::format(" ({} asked for)", *input.asked_sequences);
  }
  return fmt::format(
      "source      {}\nformat      {}{}\nsequences   {} of {} bits{}; {}\n"
      "parameters  constants {}, dft divisor {}, alpha {}\nprogram     {}\n",
      input.source, input.format,
      input.skipped_bits > 0 ? fmt::format("; {} bits skipped", input.skipped_bits) : "",
      a.sequences, input.sequence_bits, asked, left_over(input),
      report.parameters.constants == Constants::nist ? "nist" : "exact",
      report.parameters.dft_divisor, a.alpha.value(), program());
}

std::string render_table(const Battery& battery, const Report& report) {
  const Assessment& a = report.assessment;
  std::string out = heading(report) + '\n';
  if (a.sequences > 1) {
    out += icb::render_table(table_of_many(a), Format::table);
  } else {
    CsvTable table({"verdict", "test", "id", "p_value", "combined_p", "adjusted_p", ""});
    for (std::size_t i = 0; i < battery.tests().size(); ++i) {
      add_rows(table, a.tests.at(i), report.first.at(i), a.alpha.value());
    }
    out += icb::render_table(table, Format::table);
  }
  return out + '\n' + notes(report);
}

// --- CSV

CsvTable summary_csv(const std::vector<Report>& reports) {
  CsvTable table({"source",
                  "test",
                  "id",
                  "sequence_bits",
                  "sequences",
                  "applicable",
                  "passed",
                  "proportion",
                  "interval_low",
                  "interval_high",
                  "in_interval",
                  "smallest_p",
                  "c1",
                  "c2",
                  "c3",
                  "c4",
                  "c5",
                  "c6",
                  "c7",
                  "c8",
                  "c9",
                  "c10",
                  "proportion_p",
                  "uniformity_p",
                  "ks_distance",
                  "ks_p",
                  "combined_p",
                  "test_combined_p",
                  "test_adjusted_p",
                  "test_verdict"});
  for (const Report& report : reports) {
    for (const TestAssessment& test : report.assessment.tests) {
      for (const SubTestAssessment& sub : test.subtests) {
        const bool any = sub.applicable > 0;
        std::vector<std::string> row{report.input.source,
                                     test.name,
                                     sub.id,
                                     std::to_string(report.input.sequence_bits),
                                     std::to_string(sub.sequences),
                                     std::to_string(sub.applicable),
                                     std::to_string(sub.passed),
                                     any ? format_double(sub.proportion()) : "",
                                     any ? format_double(sub.interval_low) : "",
                                     any ? format_double(sub.interval_high) : "",
                                     any ? (sub.in_interval() ? "1" : "0") : "",
                                     any ? format_double(sub.smallest) : ""};
        for (const std::uint64_t bin : sub.bins) row.push_back(std::to_string(bin));
        row.insert(row.end(), {digits(sub.proportion_p), digits(sub.uniformity_p),
                               any ? format_double(sub.ks_distance) : "", digits(sub.ks_p),
                               digits(sub.combined_p), digits(test.combined_p),
                               digits(test.adjusted_p), verdict(test)});
        table.add(std::move(row));
      }
    }
  }
  return table;
}

std::string p_values_csv(const Battery& battery, std::uint64_t sequence, std::uint64_t bits,
                         const SequenceResults& results, Alpha alpha) {
  CsvTable table(parse_csv(p_values_header).front());
  const std::string number = std::to_string(sequence);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RandomnessEntry& test = *battery.tests()[i];
    if (const auto* reason = std::get_if<NotApplicable>(&results[i].outcome)) {
      for (const std::string& id : test.ids(battery.parameters(), bits)) {
        table.add({number, test.name, id, "", "not_applicable", reason->reason});
      }
      continue;
    }
    const std::string flags = fmt::format("{}", fmt::join(results[i].flags, "; "));
    for (const SubResult& sub : std::get<std::vector<SubResult>>(results[i].outcome)) {
      table.add({number, test.name, sub.id, format_double(sub.p.value()),
                 sub.p < PValue{alpha.value()} ? "below_alpha" : "ok", flags});
    }
  }
  const std::string text = table.text();
  return text.substr(text.find('\n') + 1);
}

// --- JSON

std::string sequence_json(const Battery& battery, std::uint64_t sequence,
                          const SequenceResults& results, bool statistics) {
  std::string out;
  JsonWriter json(out, 0);
  json.open('{');
  json.key("sequence");
  json.number(sequence);
  json.key("tests");
  json.open('{');
  for (std::size_t i = 0; i < results.size(); ++i) {
    json.key(battery.tests()[i]->name);
    json.open('{');
    if (const auto* reason = std::get_if<NotApplicable>(&results[i].outcome)) {
      json.key("not_applicable");
      json.text(reason->reason);
    } else {
      json.key("p_values");
      json.open('[');
      for (const SubResult& sub : std::get<std::vector<SubResult>>(results[i].outcome)) {
        json.number(sub.p.value());
      }
      json.close(']');
    }
    if (statistics) {
      json.key("statistics");
      json.open('{');
      for (const auto& [name, value] : results[i].statistics) {
        json.key(name);
        json.number(value);
      }
      json.close('}');
      json.key("flags");
      json.open('[');
      for (const std::string& flag : results[i].flags) json.text(flag);
      json.close(']');
    }
    json.close('}');
  }
  json.close('}');
  json.close('}');
  return out;
}

void write_json(const Battery& battery, const Report& report, const Sink& sink) {
  const Assessment& a = report.assessment;
  std::string out;
  JsonWriter json(out);
  json.open('{');
  json.key("schema");
  json.number(std::uint64_t{1});
  json.key("command");
  json.text("nist");
  const auto facts = provenance();
  for (const auto& [key, value] : facts.items()) {
    json.key(key);
    json.raw(value.dump());
  }
  add_input(json, report.input, a.sequences);
  add_parameters(json, report.parameters);
  json.key("alpha");
  json.number(a.alpha.value());
  json.key("correction");
  json.text(correction);
  json.key("tolerance");
  json.open('{');
  json.key("tail_factor");
  json.number(a.tolerance.tail_factor);
  json.key("tail_exponent");
  json.number(a.tolerance.tail_exponent);
  json.key("distribution");
  json.number(a.tolerance.distribution);
  json.close('}');
  json.key("meaning");
  json.text(meaning);
  json.key("p_values");
  json.number(a.p_values);
  json.key("below_alpha");
  json.number(a.below_alpha);
  json.key("below_alpha_expected");
  json.number(a.below_alpha_expected);
  json.key("outside_interval");
  json.number(a.outside_interval);
  json.key("outside_interval_expected");
  json.number(a.outside_interval_expected);
  json.key("tests");
  json.open('[');
  for (std::size_t i = 0; i < a.tests.size(); ++i) add_test(json, *battery.tests()[i], a.tests[i]);
  json.close(']');
  sink(out);
  if (report.sequences) {
    sink(",\n  \"sequences\": [\n");
    report.sequences->copy_to(sink);
    sink("\n  ]");
  }
  sink("\n}\n");
}

}  // namespace icb::nist
