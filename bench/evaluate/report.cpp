#include "bench/evaluate/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "bench/print_table.hpp"
#include "bench/provenance.hpp"
#include "core/build_info.hpp"

namespace icb::evaluate {
namespace {

using nlohmann::ordered_json;

constexpr const char* correction =
    "Simes within a family and channel, Holm over families and channels";
constexpr const char* meaning_of_passing =
    "These tests found no flaw at this sample size. It does not mean secure.";
constexpr const char* nothing_tested = "Nothing could be tested.";
constexpr const char* misuse =
    "two plain images under one nonce: misuse, which a stream cipher does not survive; reported, "
    "not part of the verdict";
constexpr const char* meaning_of_rejection =
    "An ideal cipher would hardly give this. What is rejected, and how far off it is, stands "
    "above.";

// --- Numbers

std::string number(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}g}", *value, digits) : "-";
}

std::string number(const std::optional<PValue>& p) {
  return p ? fmt::format("{:.4g}", p->value()) : "-";
}

std::string exact(const std::optional<double>& value) { return value ? format_double(*value) : ""; }

std::string exact(const std::optional<PValue>& p) { return p ? format_double(p->value()) : ""; }

/// "3.5 %"
std::string percent(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::string range(const BinomialInterval& interval) {
  return fmt::format("{:.4g}-{:.4g} %", 100 * interval.low, 100 * interval.high);
}

std::string plural(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// A cell of a table is one line.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// --- Heading

std::string heading(const Setting& setting) {
  const Job& job = setting.job;
  const char* s = setting.folder ? "s" : "";
  std::string out;
  const auto line = [&](const std::string& name, const std::string& text) {
    out += fmt::format("{:<15}{}\n", name, text);
  };
  const auto path = [&](const std::string& name, const auto& source) {
    if (source) line(name + s, source->string());
  };
  path("cipher image", setting.sources.cipher);
  path("plain image", setting.sources.plain);
  path("second image", setting.sources.second);
  if (job.cipher != nullptr) {
    line("cipher", fmt::format("{}, key {}, fresh nonces; second cipher image: lowest bit of the "
                               "middle sample flipped",
                               job.cipher->name, job.key_given ? "given" : "from the seed"));
  }
  line("parameters", fmt::format("alpha {}, seed {}, {} pairs of neighbours", job.alpha, job.seed,
                                 job.pairs == 0 ? "all" : std::to_string(job.pairs)));
  const BuildInfo& build = build_info();
  line("program", fmt::format("icbench {} ({}{})", build.version, build.commit,
                              build.dirty ? ", modified" : ""));
  return out;
}

/// Heading of the group a row belongs to.
std::string group_of(const JudgedImage& image, std::size_t row) {
  if (row >= image.metrics) return "protocols";
  const auto& metrics = registry<MetricEntry>();
  const auto metric = metrics.find(image.verdict.rows[row].measurement.quantity);
  const Needs needs = metric == metrics.end() ? Needs::nothing : metric->second.needs;
  return needs == Needs::nothing ? "cipher image alone" : std::string(to_string(needs));
}

/// Puts a heading above every group of lines; line i + 1 begins with row first[i].
std::string grouped(const std::string& table, const JudgedImage& image,
                    const std::vector<std::size_t>& first) {
  std::istringstream in(table);
  std::string out;
  std::string line;
  std::getline(in, line);
  out += line + '\n';
  std::string last;
  for (std::size_t i = 0; std::getline(in, line); ++i) {
    const std::string group = group_of(image, first[i]);
    if (group != last) out += fmt::format("\n[{}]\n", group);
    last = group;
    out += line + '\n';
  }
  return out;
}

/// End of the run of rows from `first` on that all do not apply for the same reason, if it is long
/// enough to tire a reader; else the next row.
std::size_t end_of_line(const std::vector<JudgedMeasurement>& rows, std::size_t first) {
  constexpr std::size_t long_run = 5;
  const Measurement& m = rows[first].measurement;
  std::size_t end = first + 1;
  while (end < rows.size() && m.status == Status::not_applicable &&
         rows[end].measurement.status == Status::not_applicable &&
         rows[end].measurement.detail == m.detail) {
    ++end;
  }
  return end - first >= long_run ? end : first + 1;
}

std::string table_of(const JudgedImage& image) {
  const auto& rows = image.verdict.rows;
  // What protocols changed is worth a column only if there are any.
  const bool variants = image.metrics < rows.size();
  std::vector<std::string> header{"quantity", "channel", "value",       "unit",    "expected", "sd",
                                  "z",        "p",       "p_corrected", "verdict", "detail"};
  if (variants) header.insert(header.begin() + 2, {"nonce", "variant"});
  CsvTable table(header);
  const auto dash = [](const std::string& text) { return text.empty() ? "-" : one_line(text); };
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < rows.size(); i = end_of_line(rows, i)) {
    first.push_back(i);
    const JudgedMeasurement& row = rows[i];
    const std::size_t count = end_of_line(rows, i) - i;
    Measurement m = row.measurement;
    if (count > 1) {
      m.quantity = fmt::format("{} ... {}", m.quantity, rows[i + count - 1].measurement.quantity);
      m.variant = fmt::format("{} rows", count);
      m.unit = "-";
    }
    std::vector<std::string> cells{m.quantity,
                                   dash(m.channel),
                                   number(m.value, 6),
                                   m.unit,
                                   number(m.expected, 6),
                                   number(m.sd, 4),
                                   number(m.z, 4),
                                   number(m.p_value, 4),
                                   number(row.p_corrected, 4),
                                   std::string(to_string(m.status)) + (row.decides ? "" : " *"),
                                   one_line(m.detail)};
    if (variants) cells.insert(cells.begin() + 2, {dash(m.nonce_policy), dash(m.variant)});
    table.add(std::move(cells));
  }
  return grouped(render_table(table, Format::table), image, first);
}

// --- JSON

ordered_json json_number(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_number(const std::optional<PValue>& p) {
  return p ? ordered_json(p->value()) : ordered_json();
}

ordered_json json_of(const JudgedMeasurement& row) {
  const Measurement& m = row.measurement;
  return {{"cipher", m.cipher},
          {"variant", m.variant},
          {"nonce_policy", m.nonce_policy},
          {"key_id", m.key_id},
          {"image", m.image},
          {"image_sha256", m.image_sha256},
          {"channel", m.channel},
          {"quantity", m.quantity},
          {"value", json_number(m.value)},
          {"unit", m.unit},
          {"expected", json_number(m.expected)},
          {"sd", json_number(m.sd)},
          {"z", json_number(m.z)},
          {"p_value", json_number(m.p_value)},
          {"n", m.n},
          {"seed", m.seed ? ordered_json(*m.seed) : ordered_json()},
          {"status", to_string(m.status)},
          {"detail", m.detail},
          {"family", row.family},
          {"p_corrected", json_number(row.p_corrected)},
          {"extreme", row.extreme},
          {"decides", row.decides}};
}

ordered_json json_of(const Setting& setting) {
  const Job& job = setting.job;
  ordered_json out{{"schema", 1}, {"command", "evaluate"}};
  out.update(provenance());
  auto& inputs = out["inputs"] = ordered_json::object();
  const auto path = [&](const char* name, const auto& source) {
    inputs[name] = source ? ordered_json(source->string()) : ordered_json();
  };
  path("cipher_image", setting.sources.cipher);
  path("plain", setting.sources.plain);
  path("cipher_image_2", setting.sources.second);
  inputs["folder"] = setting.folder;
  inputs["unpaired"] = setting.unpaired;
  auto& options = out["options"] = ordered_json::object();
  options["alpha"] = job.alpha;
  options["seed"] = job.seed;
  options["pairs"] = job.pairs;
  options["metrics"] = ordered_json::array();
  for (const MetricEntry* metric : job.metrics) options["metrics"].push_back(metric->name);
  options["protocols"] = ordered_json::array();
  for (const ProtocolEntry* entry : job.protocols) options["protocols"].push_back(entry->name);
  options["cipher"] = job.cipher == nullptr ? ordered_json() : ordered_json(job.cipher->name);
  if (job.cipher != nullptr) options["key"] = job.key_given ? "given" : "from the seed";
  out["correction"] = correction;
  return out;
}

ordered_json json_of(const QuantitySummary& q) {
  const bool any_z = q.z_count > 0;
  return {{"quantity", q.quantity},
          {"nonce_policy", q.nonce_policy},
          {"family", q.family},
          {"decides", q.decides},
          {"measured", q.measured},
          {"not_applicable", q.not_applicable},
          {"rejected", q.rejected},
          {"share", q.measured > 0 ? ordered_json(q.share()) : ordered_json()},
          {"interval", ordered_json::array({q.interval.low, q.interval.high})},
          {"p_value", json_number(q.p)},
          {"p_corrected", json_number(q.p_corrected)},
          {"z_mean", any_z ? ordered_json(q.z_mean) : ordered_json()},
          {"z_sd", q.z_count > 1 ? ordered_json(q.z_sd) : ordered_json()},
          {"worst_z", any_z ? ordered_json(q.worst_z) : ordered_json()},
          {"worst_image", q.worst_image},
          {"worst_channel", q.worst_channel}};
}

}  // namespace

// --- CSV

CsvTable measurements_csv(const std::vector<JudgedMeasurement>& rows) {
  std::vector<std::string> header = measurement_columns();
  header.insert(header.end(), {"family", "p_corrected", "extreme", "decides"});
  CsvTable table(header);
  for (const JudgedMeasurement& row : rows) {
    std::vector<std::string> fields = to_csv_row(row.measurement);
    fields.insert(fields.end(), {row.family, exact(row.p_corrected), row.extreme ? "1" : "0",
                                 row.decides ? "1" : "0"});
    table.add(std::move(fields));
  }
  return table;
}

CsvTable images_csv(const std::vector<JudgedImage>& images) {
  CsvTable table({"image", "image_sha256", "tests", "tests_rejected", "measurements_rejected",
                  "p_value", "verdict", "errors", "detail"});
  for (const JudgedImage& image : images) {
    const Verdict& v = image.verdict;
    table.add({image.name, image.sha256, std::to_string(v.tests), std::to_string(v.tests_rejected),
               std::to_string(v.rows_rejected), exact(v.p), verdict_name(image),
               std::to_string(image.errors.size()),
               image.errors.empty() ? "" : image.errors.front()});
  }
  return table;
}

CsvTable summary_csv(const std::vector<QuantitySummary>& quantities) {
  CsvTable table({"quantity", "nonce_policy", "family", "decides", "measured", "not_applicable",
                  "rejected", "share", "interval_low", "interval_high", "p_value", "p_corrected",
                  "z_mean", "z_sd", "worst_z", "worst_image", "worst_channel"});
  for (const QuantitySummary& q : quantities) {
    const bool any = q.measured > 0;
    const bool any_z = q.z_count > 0;
    table.add({q.quantity, q.nonce_policy, q.family, q.decides ? "1" : "0",
               std::to_string(q.measured), std::to_string(q.not_applicable),
               std::to_string(q.rejected), any ? format_double(q.share()) : "",
               any ? format_double(q.interval.low) : "", any ? format_double(q.interval.high) : "",
               exact(q.p), exact(q.p_corrected), any_z ? format_double(q.z_mean) : "",
               q.z_count > 1 ? format_double(q.z_sd) : "", any_z ? format_double(q.worst_z) : "",
               q.worst_image, q.worst_channel});
  }
  return table;
}

std::string without_header(const CsvTable& table) {
  const std::string text = table.text();
  return text.substr(text.find('\n') + 1);  // names of columns have no line break
}

// --- Text

std::string render_image(const Setting& setting, const JudgedImage& image) {
  const Verdict& v = image.verdict;
  std::string out = heading(setting) + fmt::format("{:<15}{}\n\n", "sha256", image.sha256);
  out += table_of(image) + '\n';
  if (std::ranges::any_of(setting.job.protocols,
                          [](const ProtocolEntry* p) { return p->name == "robustness"; })) {
    out += "robustness is a trade-off, not a score: what survives damage does not diffuse it\n";
  }
  const auto p_values = std::ranges::count_if(v.rows, [](const JudgedMeasurement& row) {
    return row.p_corrected.has_value() && row.decides;
  });
  if (std::ranges::any_of(v.rows, [](const JudgedMeasurement& row) { return !row.decides; })) {
    out += fmt::format("* {}: {} rejected\n", misuse, v.aside_rejected);
  }
  out += fmt::format("tests: {} of {} p-values; {}\n", v.tests, p_values, correction);
  if (v.tests == 0) return out + nothing_tested + '\n';
  out += fmt::format(
      "rejected: {} ({}); p of the image {}; alpha {}\n", plural(v.tests_rejected, "test", "tests"),
      plural(v.rows_rejected, "measurement", "measurements"), number(v.p), setting.job.alpha);
  return out + (v.rejected ? meaning_of_rejection : meaning_of_passing) + '\n';
}

std::string render_folder(const Setting& setting, const Summary& summary) {
  std::string out = heading(setting) + '\n';
  const double alpha = setting.job.alpha;
  CsvTable table({"quantity", "measured", "rejected", "share",
                  fmt::format("{:.6g} % interval", 100 * (1 - alpha)), "p", "p_corrected", "mean z",
                  "sd z", "worst z", "of"});
  const auto quantities = summary.quantities();
  std::string often;
  for (const QuantitySummary& q : quantities) {
    const bool any = q.measured > 0;
    const bool any_z = q.z_count > 0;
    const std::string nonce = q.nonce_policy.empty() ? "" : fmt::format(" ({})", q.nonce_policy);
    table.add({q.quantity + nonce + (q.decides ? "" : " *"), std::to_string(q.measured),
               std::to_string(q.rejected), any ? percent(q.share()) : "-",
               any ? range(q.interval) : "-", number(q.p), number(q.p_corrected),
               any_z ? fmt::format("{:.4g}", q.z_mean) : "-",
               q.z_count > 1 ? fmt::format("{:.4g}", q.z_sd) : "-",
               any_z ? fmt::format("{:.4g}", q.worst_z) : "-",
               any_z ? fmt::format("{} ({})", one_line(q.worst_image), q.worst_channel) : "-"});
    if (q.decides && q.p_corrected && Summary::kinds_of_p * q.p_corrected->value() < alpha) {
      often += (often.empty() ? "" : ", ") + q.quantity;
    }
  }
  out += render_table(table, Format::table) + '\n';
  out += fmt::format(
      "measured, rejected: channels of images with p below alpha {}, nothing corrected (\"all\" "
      "repeats the channels and is not counted);\np: of as many or more, binomial; p_corrected: "
      "Simes within a family, Holm over families\n",
      alpha);
  if (std::ranges::any_of(quantities, [](const QuantitySummary& q) { return !q.decides; })) {
    out += fmt::format("* {}\n", misuse);
  }
  if (!often.empty()) out += fmt::format("rejected more often than chance allows: {}\n", often);
  const std::uint64_t unreadable = summary.images() - summary.judged();
  out += fmt::format("images: {}{}", fmt::format("{} judged", summary.judged()),
                     unreadable > 0 ? fmt::format(", {} not", unreadable) : "");
  if (!setting.unpaired.empty()) {
    out += fmt::format(", {} left over", plural(setting.unpaired.size(), "file", "files"));
  }
  out += '\n';
  const auto p = summary.p();
  if (!p) return out + nothing_tested + '\n';
  out += fmt::format(
      "images rejected: {} of {}, {} ({}); at most {} expected of an ideal cipher, p of as many or "
      "more {}; {}\n",
      summary.rejected(), summary.judged(),
      percent(static_cast<double>(summary.rejected()) / static_cast<double>(summary.judged())),
      range(summary.interval()), percent(alpha), number(summary.p_of_rejected()), correction);
  out += fmt::format(
      "p of the folder: {} (the smallest of images by Simes, images rejected, quantities by "
      "p_corrected; corrected for three), {} at alpha {}\n",
      number(p), summary.folder_rejected() ? "rejected" : "not rejected", alpha);
  return out + (summary.folder_rejected() ? meaning_of_rejection : meaning_of_passing) + '\n';
}

// --- JSON

nlohmann::ordered_json json_of_image(const Setting& setting, const JudgedImage& image) {
  ordered_json out = json_of(setting);
  const Verdict& v = image.verdict;
  out["verdict"] = {{"image", image.name},
                    {"image_sha256", image.sha256},
                    {"tests", v.tests},
                    {"tests_rejected", v.tests_rejected},
                    {"measurements_rejected", v.rows_rejected},
                    {"p_value", json_number(v.p)},
                    {"rejected", v.rejected},
                    {"errors", image.errors.size()},
                    {"meaning", v.tests == 0 ? nothing_tested
                                : v.rejected ? meaning_of_rejection
                                             : meaning_of_passing}};
  auto& rows = out["measurements"] = ordered_json::array();
  for (const JudgedMeasurement& row : v.rows) rows.push_back(json_of(row));
  return out;
}

nlohmann::ordered_json json_row(const JudgedImage& image) {
  return {{"image", image.name},
          {"image_sha256", image.sha256},
          {"tests", image.verdict.tests},
          {"tests_rejected", image.verdict.tests_rejected},
          {"p_value", json_number(image.verdict.p)},
          {"verdict", verdict_name(image)},
          {"errors", image.errors}};
}

nlohmann::ordered_json json_of_folder(const Setting& setting, const Summary& summary,
                                      nlohmann::ordered_json images) {
  ordered_json out = json_of(setting);
  const BinomialInterval interval = summary.interval();
  out["verdict"] = {{"images", summary.images()},
                    {"judged", summary.judged()},
                    {"with_errors", summary.with_errors()},
                    {"raw_samples", summary.raw()},
                    {"rejected_images", summary.rejected()},
                    {"interval", ordered_json::array({interval.low, interval.high})},
                    {"p_of_as_many_or_more", summary.p_of_rejected().value()},
                    {"p_value", json_number(summary.p())},
                    {"rejected", summary.folder_rejected()}};
  auto& rows = out["quantities"] = ordered_json::array();
  for (const QuantitySummary& q : summary.quantities()) rows.push_back(json_of(q));
  out["images"] = std::move(images);
  return out;
}

std::string dumped(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace icb::evaluate
