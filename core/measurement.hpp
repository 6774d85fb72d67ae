/// The measurement: the one record for everything the suite finds. Tables, CSV, JSON and pictures
/// are views of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icb {

enum class Status { ok, reject, not_applicable, error };

std::string_view to_string(Status status);
/// Throws std::invalid_argument for anything but the four names.
Status status_from(std::string_view text);

/// Metrics and tests fill the second half; the runner that knows the subject fills the first.
struct Measurement {
  // Subject.
  std::string cipher;        ///< Registry name; "none" for a plain image.
  std::string variant;       ///< Empty, or what distinguishes two uses of the cipher.
  std::string nonce_policy;  ///< "fixed" or "fresh"; empty where it does not matter.
  std::string key_id;        ///< Label from which the key was derived, e.g. "key-0".
  std::string image;         ///< Name in the data set.
  std::string image_sha256;  ///< SHA-256 of the file, or of the pixels of a generated image.

  // Finding.
  std::string channel;             ///< "b", "g", "r", "gray", "alpha" or "all".
  std::string quantity;            ///< Kebab or snake case id, e.g. "correlation_horizontal".
  std::optional<double> value;     ///< Absent if not_applicable or error.
  std::string unit = "1";          ///< "1" for a pure number, "bit", "byte", ...
  std::optional<double> expected;  ///< Null model of an ideal cipher for this very size.
  std::optional<double> sd;
  std::optional<double> z;
  std::optional<double> p_value;
  std::uint64_t n = 0;                ///< Sample size the value rests on.
  std::optional<std::uint64_t> seed;  ///< Only if sampled.
  Status status = Status::ok;
  std::string detail;

  friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// Column names, in the order of `to_csv_row`.
const std::vector<std::string>& measurement_columns();
/// One CSV row; doubles with 17 digits, absent values empty.
std::vector<std::string> to_csv_row(const Measurement& measurement);
/// One line of JSON without the newline; reads back exactly.
std::string to_json_line(const Measurement& measurement);
/// Throws std::invalid_argument if the text is not such a line.
Measurement measurement_from_json(std::string_view line);

}  // namespace icb
