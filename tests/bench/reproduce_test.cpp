#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include "bench/reproduce/errata.hpp"
#include "bench/reproduce/experiments.hpp"
#include "bench/reproduce/page.hpp"
#include "bench/reproduce/run.hpp"
#include "bench/reproduce/table2.hpp"
#include "bench/reproduce/table3.hpp"
#include "core/hash.hpp"
#include "nist_tests/randomness_test.hpp"
#include "tests/bench/support.hpp"

namespace icb::reproduce {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t sequences = 100;

ImageRef image_ref(std::string name, Shape shape) {
  ImageRef out;
  out.name = std::move(name);
  out.sha256 = "00";
  out.shape = shape;
  return out;
}

/// One image that gives `identity_sequences` sequences per key.
Run synthetic_run(std::size_t identity_sequences = sequences) {
  Run run{};
  run.seed = 1;
  run.alpha = 0.01;
  run.sequences_per_subject = sequences;
  run.image_keys = 1;
  run.training_keys = 1;
  run.volume.name = "synthetic";
  run.volume.images = {image_ref("one", {.rows = identity_sequences, .cols = 125000})};
  return run;
}

Measurement p_value_measurement(const std::string& id, double p) {
  Measurement m;
  m.quantity = id;
  m.value = m.p_value = p;
  m.n = sequence_bits;
  return m;
}

Measurement not_applicable(const std::string& test, const std::string& reason) {
  Measurement m;
  m.quantity = test;
  m.status = Status::not_applicable;
  m.detail = reason;
  return m;
}

/// What one test gives on sequence s: a p-value for every id, or a reason.
using Synthetic = std::function<std::optional<double>(std::size_t sequence, std::size_t id)>;

double uniform(std::size_t s) { return (static_cast<double>(s) + 0.5) / sequences; }

/// Results of all subjects; tests without a rule are uniform, none at all where the rule has no
/// value for the first id.
CellResults synthetic_results(const Run& run, const std::map<std::string, Synthetic>& rules) {
  CellResults out;
  std::map<std::string, std::size_t> next;  // sequence number within each subject
  for (const Cell& cell : table2_cells(run)) {
    const std::size_t s = next[cell.name.substr(0, cell.name.rfind('/'))]++;
    auto& measurements = out[cell.name];
    for (const auto& [name, test] : registry<RandomnessEntry>()) {
      const auto rule = rules.find(name);
      const Synthetic p = rule == rules.end()
          ? [](std::size_t n, std::size_t) -> std::optional<double> { return uniform(n); }
      : rule->second;
      if (!p(s, 0)) {
        measurements.push_back(not_applicable(name, fmt::format("J = {} cycles, needs 500", s)));
        continue;
      }
      const auto ids = test.ids({}, sequence_bits);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        measurements.push_back(p_value_measurement(ids[i], *p(s, i)));
      }
    }
  }
  return out;
}

const RowAssessment& row_of(const std::vector<RowAssessment>& rows, std::string_view subject,
                            std::string_view test) {
  for (const RowAssessment& row : rows) {
    if (row.subject == subject && row.test == test) return row;
  }
  throw std::out_of_range("no such row");
}

std::map<std::string, std::string> csv_row(const CsvTable& table, const std::string& column,
                                           const std::string& value, const std::string& subject) {
  for (const auto& row : testing::csv_rows(table.text())) {
    if (row.at(column) == value && row.at("subject") == subject) return row;
  }
  throw std::out_of_range("no such row");
}

double number(const std::map<std::string, std::string>& row, const std::string& column) {
  return parse_double(row.at(column));
}

// --- Table 2

TEST(Table2, NumbersOfThePaper) {  // typed from the paper's Table 2 a second time
  const std::map<std::string, std::pair<double, double>> paper{
      {"runs", {0.92, 0.96}},
      {"binary-matrix-rank", {0.95, 0.98}},
      {"longest-run", {0.72, 0.89}},
      {"frequency", {0.96, 0.98}},
      {"spectral", {0.59, 0.86}},
      {"linear-complexity", {0.85, 0.99}},
      {"approximate-entropy", {0.96, 0.99}},
      {"random-excursions", {0.96, 0.99}},
      {"random-excursions-variant", {0.95, 0.98}}};
  const std::vector<std::string> order{"runs",
                                       "binary-matrix-rank",
                                       "longest-run",
                                       "frequency",
                                       "spectral",
                                       "linear-complexity",
                                       "approximate-entropy",
                                       "random-excursions",
                                       "random-excursions-variant"};
  const auto run = synthetic_run();
  const auto rows = assess_table2(run, synthetic_results(run, {}));
  ASSERT_EQ(rows.size(), 4 * order.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].row, i % 9 + 1);
    EXPECT_EQ(rows[i].test, order[i % 9]);
    EXPECT_EQ(rows[i].paper_p, paper.at(rows[i].test).first);
    EXPECT_EQ(rows[i].paper_s, paper.at(rows[i].test).second);
    EXPECT_EQ(rows[i].subject, subjects.at(i / 9));
  }
}

TEST(Table2, KnownProportionsGiveKnownRows) {
  const auto run = synthetic_run();
  const auto rows = assess_table2(
      run, synthetic_results(
               run, {{"runs",  // ten of a hundred fail
                      [](std::size_t s, std::size_t) { return s < 10 ? 0.001 : uniform(s); }},
                     {"spectral", [](std::size_t, std::size_t) { return 0.55; }},
                     {"longest-run",  // exactly alpha passes: SP 800-22 sec. 4.2.1, P >= alpha
                      [](std::size_t s, std::size_t) { return s < 10 ? 0.01 : uniform(s); }}}));
  const CsvTable table = table2_csv(run, rows);

  const auto& frequency = row_of(rows, "khazaal2024", "frequency");
  EXPECT_EQ(frequency.sequences, sequences);
  EXPECT_EQ(frequency.applicable(), sequences);
  EXPECT_DOUBLE_EQ(frequency.proportion(), 0.99);       // 0.005 is below 0.01
  EXPECT_DOUBLE_EQ(frequency.uniformity().value(), 1);  // ten in each of ten bins
  EXPECT_EQ(frequency.verdict(), "ok");
  const auto row = csv_row(table, "test", "frequency", "khazaal2024");
  // 0.99 -+ 3 sqrt(0.01 * 0.99 / 100)
  EXPECT_NEAR(number(row, "proportion_low"), 0.96015037593984963, 1e-9);
  EXPECT_EQ(number(row, "proportion_high"), 1);
  EXPECT_EQ(row.at("verdict"), "ok");
  EXPECT_EQ(row.at("detail"), "");
  EXPECT_EQ(row.at("sequences"), "100");

  const auto& runs = row_of(rows, "khazaal2024", "runs");
  EXPECT_DOUBLE_EQ(runs.proportion(), 0.90);
  EXPECT_EQ(runs.subs.at(0).passed, 90U);
  EXPECT_DOUBLE_EQ(runs.uniformity().value(), 1);  // 0.001 lies in the bin 0.005 was in
  EXPECT_EQ(runs.verdict(), "reject");  // P(X <= 90), X binomial(100, 0.99): 2e-7 < 0.01 / 84

  const auto& spectral = row_of(rows, "khazaal2024", "spectral");
  EXPECT_DOUBLE_EQ(spectral.proportion(), 1);
  EXPECT_LT(spectral.uniformity().value(), 1e-100);  // chi-square 900 with 9 degrees
  EXPECT_EQ(spectral.verdict(), "reject");

  EXPECT_DOUBLE_EQ(row_of(rows, "khazaal2024", "longest-run").proportion(), 1);
}

TEST(Table2, UniformityIsThatOfTheStandard) {
  // Bins 20, 0, 10, ..., 10: chi-square = (100 + 100) / 10 = 20, igamc(4.5, 10) = 0.01791240.
  const auto run = synthetic_run();
  const auto rows =
      assess_table2(run, synthetic_results(run, {{"frequency", [](std::size_t s, std::size_t) {
                                                    return s >= 10 && s < 20 ? 0.05 : uniform(s);
                                                  }}}));
  EXPECT_NEAR(row_of(rows, "aes-256-ctr", "frequency").uniformity().value(), 0.0179124, 1e-7);
  EXPECT_EQ(row_of(rows, "aes-256-ctr", "frequency").verdict(), "ok");  // above 0.01 / 84
}

TEST(Table2, SequencesWithoutATestAreCountedApart) {
  const auto run = synthetic_run();
  const auto rows = assess_table2(
      run, synthetic_results(
               run, {{"random-excursions",
                      [](std::size_t s, std::size_t id) -> std::optional<double> {
                        if (s < 40) return std::nullopt;
                        return id == 3 && s < 43 ? 0.0001 : uniform((s - 40) * 100 / 60);
                      }},
                     {"linear-complexity", [](std::size_t, std::size_t) -> std::optional<double> {
                        return std::nullopt;
                      }}}));
  const CsvTable table = table2_csv(run, rows);
  const auto& excursions = row_of(rows, "khazaal2024", "random-excursions");
  EXPECT_EQ(excursions.sequences, sequences);
  EXPECT_EQ(excursions.applicable(), 60U);
  ASSERT_EQ(excursions.subs.size(), 8U);
  EXPECT_EQ(excursions.subs[3].applicable, 60U);
  EXPECT_EQ(excursions.subs[3].passed, 57U);
  EXPECT_EQ(excursions.subs[2].passed, 59U);  // uniform(0) = 0.005
  EXPECT_EQ(excursions.worst().id, excursions.subs[3].id);
  EXPECT_DOUBLE_EQ(excursions.proportion(), (7 * 59.0 + 57) / 480);
  const auto row = csv_row(table, "test", "random-excursions", "khazaal2024");
  EXPECT_EQ(row.at("applicable"), "60");
  EXPECT_THAT(row.at("detail"), HasSubstr("does not apply to 40 sequences"));
  EXPECT_THAT(row.at("detail"), HasSubstr("cycles, needs 500"));
  EXPECT_NEAR(number(row, "proportion_low"), 0.99 - 3 * std::sqrt(0.01 * 0.99 / 60), 1e-12);

  const auto& none = row_of(rows, "khazaal2024", "linear-complexity");
  EXPECT_EQ(none.verdict(), "not_applicable");
  EXPECT_EQ(none.applicable(), 0U);
  const auto empty = csv_row(table, "test", "linear-complexity", "khazaal2024");
  EXPECT_EQ(empty.at("verdict"), "not_applicable");
  EXPECT_EQ(empty.at("proportion"), "");
  EXPECT_EQ(empty.at("uniformity_p"), "");

  const CsvTable every = table2_subtests_csv(rows);
  std::size_t ids = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    ids += find<RandomnessEntry>(rows[i].test).ids({}, sequence_bits).size();
  }
  EXPECT_EQ(every.rows().size(), subjects.size() * ids);
  EXPECT_EQ(csv_row(every, "subtest", "linear-complexity/M=500", "identity").at("status"),
            "not_applicable");
  const auto sub = csv_row(every, "subtest", excursions.subs[3].id, "khazaal2024");
  EXPECT_EQ(sub.at("passed"), "57");
  EXPECT_DOUBLE_EQ(number(sub, "proportion"), 0.95);
}

TEST(Table2, FailedSequencesAreCountedApart) {
  const auto run = synthetic_run();
  auto results = synthetic_results(run, {});
  std::size_t failed = 0;
  for (auto& [name, measurements] : results) {
    if (name.find("/khazaal2024/") == std::string::npos || !name.ends_with("7")) continue;
    Measurement m;
    m.status = Status::error;
    m.detail = "a file: cannot be read";
    measurements = {m};
    ++failed;
  }
  ASSERT_EQ(failed, 10U);
  const auto rows = assess_table2(run, results);
  const auto& row = row_of(rows, "khazaal2024", "frequency");
  EXPECT_EQ(row.failed_cells, 10U);
  EXPECT_EQ(row.sequences, 90U);
  EXPECT_EQ(row.applicable(), 90U);
  EXPECT_DOUBLE_EQ(row.proportion(), 89.0 / 90);
  EXPECT_THAT(csv_row(table2_csv(run, rows), "test", "frequency", "khazaal2024").at("detail"),
              HasSubstr("10 sequences failed"));
  EXPECT_EQ(p_values(run, results, "khazaal2024", "frequency").size(), 90U);
  EXPECT_EQ(row_of(rows, "aes-256-ctr", "frequency").failed_cells, 0U);
}

TEST(Table2, EverySequenceFailedIsNoVerdict) {
  const auto run = synthetic_run();
  auto results = synthetic_results(run, {});
  for (auto& [name, measurements] : results) {
    Measurement m;
    m.status = Status::error;
    measurements = {m};
  }
  for (const auto& row : assess_table2(run, results)) {
    EXPECT_EQ(row.verdict(), "not_applicable");
    EXPECT_EQ(row.failed_cells, sequences);
  }
}

TEST(Table2, PlainImagesHaveOneStreamOnly) {
  const auto run = synthetic_run(7);
  std::map<std::string, std::size_t> counts;
  std::set<std::string> names;
  for (const Cell& cell : table2_cells(run)) {
    ++counts[cell.name.substr(0, cell.name.rfind('/'))];
    EXPECT_TRUE(names.insert(cell.name).second) << cell.name;
  }
  EXPECT_EQ(counts, (std::map<std::string, std::size_t>{{"table2/aes-256-ctr", 100},
                                                        {"table2/identity", 7},
                                                        {"table2/khazaal2024", 100},
                                                        {"table2/khazaal2024-confusion", 100}}));
}

TEST(Table2, DataTooShortForOneSequence) {
  auto run = synthetic_run(1);
  run.volume.images.front().shape.cols = 124999;
  EXPECT_THAT(table2_cells(run), IsEmpty());
  for (const auto& row : assess_table2(run, {})) EXPECT_EQ(row.verdict(), "not_applicable");
}

// --- Table 3

Measurement correlation(std::string channel, double r, std::uint64_t n, bool sampled = false) {
  Measurement m;
  m.quantity = "correlation_horizontal";
  m.channel = std::move(channel);
  m.value = r;
  m.expected = -0.01;
  m.sd = 0.1;
  m.n = n;
  if (sampled) m.seed = 5;
  return m;
}

const std::string cell = "image/khazaal2024/key-0/one";

TEST(ChannelMean, HandMadeChannels) {
  const CellResults results{
      {cell,
       {correlation("b", 0.1, 101), correlation("g", 0.2, 101), correlation("r", 0.6, 101),
        correlation("all", 0.99, 303), correlation("b", -0.5, 26, true),
        correlation("g", -0.5, 26, true), correlation("r", -0.5, 26, true)}}};
  const auto all = channel_mean(results, "khazaal2024", "one", "correlation_horizontal");
  ASSERT_TRUE(all.has_value());
  EXPECT_DOUBLE_EQ(all->r, 0.3);
  // (1 - r^2) / 10 each: 0.099, 0.096, 0.064.
  EXPECT_DOUBLE_EQ(all->se, std::sqrt(0.099 * 0.099 + 0.096 * 0.096 + 0.064 * 0.064) / 3);
  // Sum of deviations 0.11 + 0.21 + 0.61 over sqrt(3) 0.1.
  EXPECT_DOUBLE_EQ(all->z, 0.93 / (std::sqrt(3.0) * 0.1));
  EXPECT_DOUBLE_EQ(all->p, std::erfc(all->z / std::numbers::sqrt2));
  EXPECT_EQ(all->n, 303U);
  const auto sampled = channel_mean(results, "khazaal2024", "one", "correlation_horizontal", true);
  ASSERT_TRUE(sampled.has_value());
  EXPECT_DOUBLE_EQ(sampled->r, -0.5);
  EXPECT_DOUBLE_EQ(sampled->se, 0.75 / 5 / std::sqrt(3.0));
  EXPECT_EQ(sampled->n, 78U);
}

TEST(ChannelMean, AbsentWhereThereIsNone) {
  CellResults results{{cell, {correlation("gray", 0.1, 101)}}};
  EXPECT_TRUE(channel_mean(results, "khazaal2024", "one", "correlation_horizontal").has_value());
  EXPECT_FALSE(channel_mean(results, "khazaal2024", "two", "correlation_horizontal").has_value());
  EXPECT_FALSE(channel_mean(results, "identity", "one", "correlation_horizontal").has_value());
  EXPECT_FALSE(channel_mean(results, "khazaal2024", "one", "correlation_vertical").has_value());
  EXPECT_FALSE(
      channel_mean(results, "khazaal2024", "one", "correlation_horizontal", true).has_value());
  results[cell].push_back(correlation("alpha", 0, 101));
  results[cell].back().value.reset();  // a constant channel
  results[cell].back().status = Status::not_applicable;
  EXPECT_FALSE(channel_mean(results, "khazaal2024", "one", "correlation_horizontal").has_value());
  Measurement error;
  error.status = Status::error;
  results[cell] = {error};
  EXPECT_FALSE(channel_mean(results, "khazaal2024", "one", "correlation_horizontal").has_value());
}

/// P(X = k), X binomial(n, p), by its definition.
double binomial(int k, int n, double p) {
  double out = 1;
  for (int i = 0; i < k; ++i) out *= static_cast<double>(n - i) / (i + 1);
  return out * std::pow(p, k) * std::pow(1 - p, n - k);
}

TEST(Rejections, BinomialBothWays) {
  auto run = synthetic_run();
  run.volume.images = {image_ref("gray", {.rows = 8, .cols = 8}),
                       image_ref("colour", {.rows = 8, .cols = 8, .channels = 3})};
  constexpr int n = 100;
  const auto measured = [](const std::string& quantity, int rejected, const std::string& channel) {
    std::vector<Measurement> out;
    for (int i = 0; i < n; ++i) {
      Measurement m;
      m.quantity = quantity;
      m.channel = channel;
      m.p_value = i < rejected ? 0.0099 : 0.01;  // alpha itself is no rejection
      out.push_back(m);
    }
    return out;
  };
  CellResults results;
  for (const Cell& each : table3_cells(run)) {
    auto& out = results[each.name];
    if (each.name.find("/gray") == std::string::npos) {
      // "all" of a colour image repeats its channels.
      out = measured("three", n, "all");
      for (const char* channel : {"b", "g"}) {
        const auto more = measured("two channels", 1, channel);
        out.insert(out.end(), more.begin(), more.end());
      }
      Measurement none;
      none.quantity = "without p";
      none.channel = "b";
      out.push_back(none);
      continue;
    }
    for (const auto& [quantity, rejected] :
         {std::pair{"three", 3}, {"none", 0}, {"one", 1}, {"half", 50}}) {
      auto more = measured(quantity, rejected, "gray");
      out.insert(out.end(), more.begin(), more.end());
    }
  }
  const CsvTable table = rejections_csv(run, results);
  EXPECT_EQ(table.rows().size(), 5 * subjects.size());
  // Channels that move together are one observation.
  EXPECT_EQ(csv_row(table, "quantity", "two channels", "khazaal2024").at("measurements"), "200");
  EXPECT_EQ(csv_row(table, "quantity", "two channels", "khazaal2024-confusion").at("measurements"),
            "100");
  for (const auto& [quantity, rejected] :
       {std::pair{"three", 3}, {"none", 0}, {"one", 1}, {"half", 50}}) {
    double lower = 0;
    double upper = 0;
    for (int k = 0; k <= n; ++k) {
      if (k <= rejected) lower += binomial(k, n, 0.01);
      if (k >= rejected) upper += binomial(k, n, 0.01);
    }
    const auto row = csv_row(table, "quantity", quantity, "khazaal2024");
    EXPECT_EQ(row.at("measurements"), "100");
    EXPECT_EQ(row.at("rejected"), std::to_string(rejected));
    EXPECT_DOUBLE_EQ(number(row, "share"), rejected / 100.0);
    EXPECT_NEAR(number(row, "binomial_p"), std::min(1.0, 2 * std::min(lower, upper)), 1e-9)
        << quantity;
  }
}

TEST(Measurements, RejectedBelowAlphaOverAllOfASubject) {
  auto run = synthetic_run();
  run.volume.images = {image_ref("one", {.rows = 8, .cols = 8})};
  CellResults results;
  for (const Cell& each : table3_cells(run)) {
    for (int i = 0; i < 10; ++i) {
      Measurement m;
      m.quantity = std::to_string(i);
      m.p_value = i == 0 ? 0.00099 : i == 1 ? 0.001 : 0.5;  // alpha / 10 = 0.001
      results[each.name].push_back(m);
    }
  }
  const auto rows = testing::csv_rows(measurements_csv(run, results).text());
  ASSERT_EQ(rows.size(), 40U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("status"), i % 10 == 0 ? "reject" : "ok") << i;
  }
}

// --- Pages

TEST(Page, MarkdownIsEscaped) {
  CsvTable table({"a|b", "c"});
  table.add({"mean |r|", ""});
  table.add({"x", "y, \"z\""});
  EXPECT_EQ(markdown_table(table),
            "| a\\|b | c |\n|---|---|\n| mean \\|r\\| |  |\n| x | y, \"z\" |\n");
}

TEST(Page, ShortNumbers) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.92), "0.9200");
  EXPECT_EQ(short_number(-0.5), "-0.5000");
  EXPECT_EQ(short_number(1), "1");
  EXPECT_EQ(short_number(2346.4), "2346");
  EXPECT_EQ(short_number(3.14159265), "3.142");
  EXPECT_EQ(short_number(1.23456e-7), "1.235e-07");
}

TEST(Subjects, UnknownCipherNamesTheKnownOnes) {
  const auto run = synthetic_run();
  const OwnedImage image({.rows = 4, .cols = 4});
  try {
    encrypt_for(run, "rot13", image.view(), "key", "image");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown cipher \"rot13\"; expected one of: aes-256-ctr"));
    for (const std::string_view subject : subjects) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(subject)));
    }
  }
}

// --- Attack

/// The chosen-image attack a second time, by another way: one digit of the position per image, most
/// significant first, collected as text. Share of pixels of `target` that it reads.
double recovered_by_chosen_images(const Run& run, std::string_view subject, ConstImage target) {
  const Shape shape = target.shape();
  const auto oracle = [&](ConstImage plain) {
    return encrypt_for(run, subject, plain, "one key", "one nonce");
  };
  std::vector<std::string> labels(shape.pixels());
  std::map<std::string, std::size_t> position;
  std::vector<std::string> plain_labels(shape.pixels());
  for (const std::size_t divisor : {65536U, 256U, 1U}) {
    OwnedImage chosen(shape);
    for (std::size_t n = 0; n < shape.pixels(); ++n) {
      const auto digit = static_cast<std::uint8_t>(n / divisor % 256);
      for (std::size_t k = 0; k < shape.pixel_bytes(); ++k) {
        chosen.view().bytes()[n * shape.pixel_bytes() + k] = digit;
      }
      plain_labels[n] += static_cast<char>(digit);
    }
    const OwnedImage seen = oracle(std::as_const(chosen).view());
    for (std::size_t n = 0; n < shape.pixels(); ++n) {
      labels[n] += static_cast<char>(seen.bytes()[n * shape.pixel_bytes()]);
    }
  }
  for (std::size_t n = 0; n < shape.pixels(); ++n) position[plain_labels[n]] = n;
  const OwnedImage seen = oracle(target);
  std::size_t right = 0;
  for (std::size_t n = 0; n < shape.pixels(); ++n) {
    const auto found = position.find(labels[n]);
    if (found == position.end()) continue;
    const std::size_t size = shape.pixel_bytes();
    right +=
        std::equal(target.bytes().begin() + static_cast<std::ptrdiff_t>(found->second * size),
                   target.bytes().begin() + static_cast<std::ptrdiff_t>((found->second + 1) * size),
                   seen.bytes().begin() + static_cast<std::ptrdiff_t>(n * size));
  }
  return static_cast<double>(right) / static_cast<double>(shape.pixels());
}

TEST(Attack, ReadsEverythingFromConfusionAlone) {
  for (const char* name : {"scene-512-rgb", "texture-512-gray"}) {
    auto run = synthetic_run();
    run.table3 = {Table3Row{.row = 1,
                            .type = "RGB",
                            .size = "",
                            .paper = {},
                            .image = find_image(smoke_set(), name),
                            .derived_from = ""}};
    const auto cells = attack_cells(run);
    ASSERT_EQ(cells.size(), 1U);
    const AttackResult result = attack_result({{cells[0].name, cells[0].compute()}});
    EXPECT_EQ(result.recovered, 1) << name;
    EXPECT_EQ(result.queries, 3U);  // 2^18 pixels: three digits in base 256
    EXPECT_EQ(result.pixels, 512U * 512);
    EXPECT_EQ(result.image, name);
  }
}

TEST(Attack, ReadsNothingFromTheOthers) {
  const auto run = synthetic_run();
  const OwnedImage target = plain_of(find_image(smoke_set(), "scene-512-rgb"));
  EXPECT_EQ(recovered_by_chosen_images(run, "khazaal2024-confusion", target.view()), 1);
  EXPECT_LT(recovered_by_chosen_images(run, "aes-256-ctr", target.view()), 1e-4);
  EXPECT_LT(recovered_by_chosen_images(run, "khazaal2024", target.view()), 1e-4);
}

TEST(Attack, FailureIsNotReportedAsNothingRecovered) {
  Measurement error;
  error.status = Status::error;
  error.detail = "4.2.03.tiff: altered";
  auto run = synthetic_run();
  run.volume.images.clear();  // no sequences
  run.table3 = {Table3Row{.row = 1,
                          .type = "RGB",
                          .size = "",
                          .paper = {},
                          .image = find_image(smoke_set(), "scene-512-rgb"),
                          .derived_from = ""}};
  CellResults results;
  for (const auto& cells : {attack_cells(run), errata_cells(run)}) {
    for (const Cell& each : cells) results[each.name] = {error};
  }
  for (const auto& row : testing::csv_rows(errata_csv(run, results, {}).text())) {
    EXPECT_THAT(row.at("quantity"), ::testing::Not(HasSubstr("have 0 chosen images")));
  }
}

TEST(Errata, NoImageOfTheDatabaseHasThePapersSize) {  // E5, counted here from the file itself
  std::size_t of_1200 = 0;
  const auto manifest = testing::csv_rows(
      read_file(std::filesystem::path(ICB_SOURCE_DIR) / "datasets" / "manifest.csv"));
  for (const auto& row : manifest) {
    of_1200 += row.at("width") == "1200" || row.at("height") == "1200" ? 1U : 0U;
  }
  EXPECT_EQ(of_1200, 0U);
  EXPECT_EQ(manifest.size(), sipi_manifest().size());
}

}  // namespace
}  // namespace icb::reproduce
