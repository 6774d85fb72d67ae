#include "core/measurement.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/csv.hpp"

namespace icb {
namespace {

Measurement full_record() {
  return {.cipher = "khazaal2024",
          .variant = "v, \"one\"",
          .nonce_policy = "fresh",
          .key_id = "key-0",
          .image = "B\xC3\xA4r \xE2\x9C\x93 4.2.03",
          .image_sha256 = std::string(64, 'a'),
          .channel = "all",
          .quantity = "npcr",
          .value = 0.1,
          .unit = "1",
          .expected = 255.0 / 256.0,
          .sd = std::numeric_limits<double>::denorm_min(),
          .z = -std::numeric_limits<double>::infinity(),
          .p_value = 1e-300,
          .n = std::numeric_limits<std::uint64_t>::max(),
          .seed = std::numeric_limits<std::uint64_t>::max(),
          .status = Status::reject,
          .detail = "line\nbreak\ttab \\ \"quoted\", comma; \x01"};
}

std::vector<Measurement> records() {
  Measurement infinite = full_record();
  infinite.value = std::numeric_limits<double>::infinity();
  infinite.seed = 0;
  infinite.status = Status::ok;
  Measurement absent = full_record();
  absent.value = absent.expected = absent.sd = absent.z = absent.p_value = std::nullopt;
  absent.seed = std::nullopt;
  absent.n = 0;
  absent.status = Status::not_applicable;
  return {full_record(), infinite, absent, Measurement{}};
}

TEST(Measurement, JsonLineReadsBackExactly) {
  for (const Measurement& record : records()) {
    const std::string line = to_json_line(record);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_TRUE(measurement_from_json(line) == record) << line;
  }
}

/// The record of a CSV row, columns found by name.
Measurement from_csv(const std::vector<std::string>& header, const std::vector<std::string>& row) {
  const auto text = [&](std::string_view name) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (header[i] == name) return row.at(i);
    }
    throw std::out_of_range(std::string(name));
  };
  const auto number = [&](std::string_view name) -> std::optional<double> {
    return text(name).empty() ? std::nullopt : std::optional{parse_double(text(name))};
  };
  Measurement out{.cipher = text("cipher"),
                  .variant = text("variant"),
                  .nonce_policy = text("nonce_policy"),
                  .key_id = text("key_id"),
                  .image = text("image"),
                  .image_sha256 = text("image_sha256"),
                  .channel = text("channel"),
                  .quantity = text("quantity"),
                  .value = number("value"),
                  .unit = text("unit"),
                  .expected = number("expected"),
                  .sd = number("sd"),
                  .z = number("z"),
                  .p_value = number("p_value"),
                  .n = std::stoull(text("n")),
                  .seed = std::nullopt,
                  .status = status_from(text("status")),
                  .detail = text("detail")};
  if (!text("seed").empty()) out.seed = std::stoull(text("seed"));
  return out;
}

TEST(Measurement, CsvReadsBackExactly) {
  CsvTable table(measurement_columns());
  for (const Measurement& record : records()) table.add(to_csv_row(record));
  const auto rows = parse_csv(table.text());
  ASSERT_EQ(rows.size(), records().size() + 1);
  EXPECT_EQ(rows[0], measurement_columns());
  for (std::size_t i = 0; i < records().size(); ++i) {
    EXPECT_TRUE(from_csv(rows[0], rows[i + 1]) == records()[i]) << i;
  }
}

TEST(Measurement, AbsentAndUndefinedValues) {
  EXPECT_EQ(to_json_line(Measurement{}).find("p_value"), std::string::npos);
  Measurement undefined;
  undefined.value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(to_csv_row(undefined), std::invalid_argument);
  EXPECT_THROW(to_json_line(undefined), std::invalid_argument);
}

TEST(Measurement, BrokenUtf8StillGivesALine) {
  Measurement record;
  record.detail = "a\xFFz";
  EXPECT_EQ(measurement_from_json(to_json_line(record)).detail, "a\xEF\xBF\xBDz");
}

TEST(Measurement, StatusNames) {
  for (const Status status : {Status::ok, Status::reject, Status::not_applicable, Status::error}) {
    EXPECT_EQ(status_from(to_string(status)), status);
  }
  EXPECT_EQ(to_string(Status::not_applicable), "not_applicable");
  EXPECT_THROW(status_from("OK"), std::invalid_argument);
  EXPECT_THROW(status_from(""), std::invalid_argument);
}

TEST(Measurement, OtherJsonIsRefused) {
  const std::string good = to_json_line(full_record());
  for (const std::string& line : {std::string{}, std::string{"{}"}, std::string{"[]"},
                                  std::string{"1"}, good.substr(0, good.size() - 1), good + "x"}) {
    EXPECT_THROW(measurement_from_json(line), std::invalid_argument) << line;
  }
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string line = good;
    const auto at = line.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return line.replace(at, from.size(), to);
  };
  for (const std::string& line : {changed("\"reject\"", "\"maybe\""),
                                  changed("\"-inf\"", "\"much\""), changed("\"-inf\"", "-1.5"),
                                  changed("\"cipher\"", "\"cypher\""), changed("\"npcr\"", "7")}) {
    EXPECT_THROW(measurement_from_json(line), std::invalid_argument) << line;
  }
}

// nlohmann converts silently; a count that is negative or broken is not a measurement.
TEST(Measurement, CountsMustBeNaturalNumbers) {
  const std::string good = to_json_line(Measurement{});
  const auto at = good.find("\"n\":0");
  ASSERT_NE(at, std::string::npos);
  for (const char* count : {"\"n\":-1", "\"n\":1.5", "\"n\":true"}) {
    std::string line = good;
    EXPECT_THROW(measurement_from_json(line.replace(at, 5, count)), std::invalid_argument) << line;
  }
}

}  // namespace
}  // namespace icb
