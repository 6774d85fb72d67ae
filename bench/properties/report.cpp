#include "bench/properties/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "bench/print_table.hpp"
#include "bench/provenance.hpp"
#include "bench/reproduce/run.hpp"
#include "core/build_info.hpp"

namespace icb::properties {
namespace {

using nlohmann::ordered_json;

constexpr const char* correction =
    "Simes within a family and nonce policy, Holm over them; exact findings need no correction";
constexpr const char* meaning_of_passing =
    "These tests found no flaw at this sample size. It does not mean secure.";
constexpr const char* aside =
    "* does not decide: what a cipher with nonces does under a repeated one, other numbers of "
    "rounds, or a count without expectation";
constexpr const char* elsewhere =
    "Not measured here: the same bytes from every compiler, SIMD target and thread count (tests), "
    "the second implementation (tests), the cycle length of the keystream (by construction, "
    "docs/cipher.md), the container's truncated files (tests of encrypt and decrypt), attacks, "
    "speed.";

std::string exact_or_empty(const std::optional<double>& value) {
  return value ? format_double(*value) : "";
}

std::string short_p(const std::optional<double>& p) {
  return p ? fmt::format("{:.3g}", *p) : "exact";
}

/// Findings of one family and policy.
struct Group {
  std::string family;
  std::string policy;
  std::vector<const JudgedFinding*> findings;

  /// Rejected first, then the smallest p-value, then one that could be judged.
  const JudgedFinding& worst() const {
    const auto rank = [](const JudgedFinding* each) {
      const Measurement& m = each->finding.measurement;
      if (each->rejected() && !m.p_value) return -2.0;
      if (m.status == Status::not_applicable || m.status == Status::error) return 3.0;
      return (each->rejected() ? -1.5 : 0.0) + m.p_value.value_or(2);
    };
    return **std::ranges::min_element(findings, {}, rank);
  }
};

std::vector<Group> groups_of(const PropertyResult& property) {
  std::vector<Group> out;
  for (const JudgedFinding& each : property.findings) {
    const std::string& policy = each.finding.measurement.nonce_policy;
    const auto same = std::ranges::find_if(out, [&](const Group& group) {
      return group.family == each.finding.family && group.policy == policy;
    });
    if (same != out.end()) {
      same->findings.push_back(&each);
    } else {
      out.push_back({each.finding.family, policy, {&each}});
    }
  }
  return out;
}

CsvTable table_of(const Judgement& judgement) {
  CsvTable out(
      {"verdict", "property", "statistics", "n", "p", "p_corrected", "farthest_off", "null_model"});
  for (const PropertyResult& property : judgement.properties) {
    for (const std::string& error : property.errors) {
      out.add({"error", property.name, "-", "-", "-", "-", error, "-"});
    }
    if (property.not_applicable) {
      out.add({"not_applicable", property.name, "-", "-", "-", "-", *property.not_applicable, "-"});
    }
    for (const Group& group : groups_of(property)) {
      const JudgedFinding& worst = group.worst();
      const Measurement& m = worst.finding.measurement;
      std::string name = group.family;
      if (name.starts_with(property.name + "/")) name = name.substr(property.name.size() + 1);
      if (!group.policy.empty()) name += ", " + group.policy + " nonce";
      const bool judged = m.status == Status::ok || m.status == Status::reject;
      const bool bound = judged && worst.finding.decides;
      out.add(
          {std::string(to_string(m.status)) + (worst.finding.decides ? "" : " *"), property.name,
           group.findings.size() > 1 ? fmt::format("{} ({})", name, group.findings.size()) : name,
           std::to_string(m.n), m.p_value || bound ? short_p(m.p_value) : "-",
           worst.p_corrected ? short_p(worst.p_corrected) : "-", m.detail,
           worst.finding.null_model.empty() ? "-" : worst.finding.null_model});
    }
  }
  return out;
}

std::string images_of(const Subject& subject) {
  std::string sets;
  for (const ImageSet& set : subject.volumes) sets += (sets.empty() ? "" : ", ") + set.name;
  return fmt::format("{}; pairs from {} images, sequences from {}", sets,
                     large_images(subject).size(), subject.stream.name);
}

std::vector<std::pair<std::string, std::string>> heading(const Subject& subject) {
  const BuildInfo& build = build_info();
  const Sizes& sizes = subject.sizes;
  return {{"cipher", fmt::format("{} ({})", subject.cipher.name, subject.cipher.source)},
          {"images", images_of(subject)},
          {"parameters",
           fmt::format("alpha {}, seed {}; {} pairs, {} + {} sequences of {} bits, {} bits of "
                       "keystream",
                       subject.alpha, subject.seed, sizes.pairs, sizes.sequences,
                       sizes.pattern_sequences, sizes.sequence_bits, sizes.keystream_bits)},
          {"program", fmt::format("icbench {} ({}{})", build.version, build.commit,
                                  build.dirty ? ", modified" : "")}};
}

std::string verdict_line(const Judgement& judgement) {
  std::string rejected;
  for (const PropertyResult& property : judgement.properties) {
    if (property.rejected()) rejected += (rejected.empty() ? "" : ", ") + property.name;
  }
  return rejected.empty() ? "rejected: none" : "rejected: " + rejected;
}

std::string tests_line(const Subject& subject, const Judgement& judgement) {
  return fmt::format("tests: {} with p-values ({}), {} exact; p of all {}; alpha {}",
                     judgement.tests, correction, judgement.exact,
                     judgement.p ? fmt::format("{:.3g}", judgement.p->value()) : "-",
                     subject.alpha);
}

ordered_json number(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_of(const JudgedFinding& each) {
  const Finding& f = each.finding;
  const Measurement& m = f.measurement;
  return {{"quantity", m.quantity},
          {"nonce_policy", m.nonce_policy},
          {"family", f.family},
          {"value", number(m.value)},
          {"unit", m.unit},
          {"interval", ordered_json::array({number(f.low), number(f.high)})},
          {"expected", number(m.expected)},
          {"sd", number(m.sd)},
          {"z", number(m.z)},
          {"n", m.n},
          {"p_value", number(m.p_value)},
          {"p_corrected", number(each.p_corrected)},
          {"decides", f.decides},
          {"status", to_string(m.status)},
          {"null_model", f.null_model},
          {"detail", m.detail}};
}

}  // namespace

std::string render_table(const Subject& subject, const Judgement& judgement) {
  std::string out;
  for (const auto& [name, text] : heading(subject)) out += fmt::format("{:<12}{}\n", name, text);
  out += '\n' + icb::render_table(table_of(judgement), Format::table) + '\n';
  out += fmt::format("{}\n{}\n{}\n", aside, elsewhere, tests_line(subject, judgement));
  out += verdict_line(judgement) + '\n';
  if (!judgement.rejected()) out += std::string(meaning_of_passing) + '\n';
  return out;
}

CsvTable findings_csv(const Judgement& judgement) {
  std::vector<std::string> header{"property"};
  header.insert(header.end(), measurement_columns().begin(), measurement_columns().end());
  header.insert(header.end(), {"family", "interval_low", "interval_high", "p_corrected", "decides",
                               "null_model"});
  CsvTable out(header);
  for (const PropertyResult& property : judgement.properties) {
    for (const JudgedFinding& each : property.findings) {
      const Finding& f = each.finding;
      std::vector<std::string> row{property.name};
      for (std::string& field : to_csv_row(f.measurement)) row.push_back(std::move(field));
      for (std::string field :
           {f.family, exact_or_empty(f.low), exact_or_empty(f.high),
            exact_or_empty(each.p_corrected), std::string(f.decides ? "1" : "0"), f.null_model}) {
        row.push_back(std::move(field));
      }
      out.add(std::move(row));
    }
  }
  return out;
}

nlohmann::ordered_json json_of(const Subject& subject, const Judgement& judgement) {
  ordered_json out{{"schema", 1}, {"command", "properties"}};
  out.update(provenance());
  out["cipher"] = subject.cipher.name;
  const Sizes& s = subject.sizes;
  out["options"] = {{"seed", subject.seed},
                    {"alpha", subject.alpha},
                    {"pairs", s.pairs},
                    {"sequences", s.sequences},
                    {"pattern_sequences", s.pattern_sequences},
                    {"sequence_bits", s.sequence_bits},
                    {"keystream_bits", s.keystream_bits},
                    {"parameter_side", s.parameter_side},
                    {"key_side", s.key_side},
                    {"altered", s.altered},
                    {"rounds_keys", s.rounds_keys},
                    {"larger_side", s.larger_side}};
  if (s.most_images < SIZE_MAX) out["options"]["most_images"] = s.most_images;
  out["images"] = images_of(subject);
  out["sipi_manifest_sha256"] = sipi_manifest_sha256();
  out["correction"] = correction;
  out["tests"] = judgement.tests;
  out["exact"] = judgement.exact;
  out["p"] = judgement.p ? ordered_json(judgement.p->value()) : ordered_json();
  out["rejected"] = judgement.rejected();
  out["properties"] = ordered_json::array();
  for (const PropertyResult& property : judgement.properties) {
    ordered_json findings = ordered_json::array();
    for (const JudgedFinding& each : property.findings) findings.push_back(json_of(each));
    out["properties"].push_back({{"name", property.name},
                                 {"summary", property.summary},
                                 {"null_model", property.null_model},
                                 {"verdict", property.verdict()},
                                 {"not_applicable", property.not_applicable.value_or("")},
                                 {"errors", property.errors},
                                 {"findings", std::move(findings)}});
  }
  out["not_measured_here"] = elsewhere;
  return out;
}

std::string render_page(const Subject& subject, const Judgement& judgement) {
  std::string out = fmt::format("# Properties of {}\n\n", subject.cipher.name);
  for (const auto& [name, text] : heading(subject)) out += fmt::format("- {}: {}\n", name, text);
  CsvTable summary({"property", "verdict", "what is done", "null model"});
  for (const PropertyResult& property : judgement.properties) {
    std::string verdict = property.verdict();
    if (property.not_applicable) verdict += ": " + *property.not_applicable;
    summary.add({property.name, verdict, property.summary, property.null_model});
  }
  out += '\n' + reproduce::markdown_table(summary);
  out +=
      "\nThe finding of each family that is farthest off, with the number of findings in it "
      "(all of them: findings.csv; what they rest on: measurements.csv):\n\n";
  out += reproduce::markdown_table(table_of(judgement));
  out += fmt::format("\n{}.\n\n{}\n\n{}. {}.\n", aside, elsewhere, tests_line(subject, judgement),
                     verdict_line(judgement));
  if (!judgement.rejected()) out += fmt::format("\n{}\n", meaning_of_passing);
  return out;
}

CsvTable measurements_csv(const Subject& subject, const std::string& cell,
                          std::vector<Measurement> measurements) {
  std::vector<std::string> header{"cell"};
  header.insert(header.end(), measurement_columns().begin(), measurement_columns().end());
  CsvTable out(header);
  for (Measurement& m : measurements) {
    m.cipher = subject.cipher.name;
    m.seed = subject.seed;
    std::vector<std::string> row{cell};
    for (std::string& field : to_csv_row(m)) row.push_back(std::move(field));
    out.add(std::move(row));
  }
  return out;
}

}  // namespace icb::properties
