/// What `icbench nist` found, as a table for people, CSV and JSON.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.hpp"
#include "nist_tests/assessment.hpp"
#include "nist_tests/battery.hpp"

namespace icb::nist {

/// Receives a text piece by piece.
using Sink = std::function<void(std::string_view)>;

/// A text of any length in an unnamed temporary file, so that memory does not grow with the number
/// of sequences. Every call throws InputError with the system's reason.
class Spool {
 public:
  Spool();
  void write(std::string_view text);
  void copy_to(const Sink& sink) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Close> m_file;
};

/// A field of TestParameters that is a whole number: option, JSON key, range.
struct ParameterField {
  const char* name;  ///< "block-frequency-block"
  unsigned TestParameters::*field;
  unsigned low;
  unsigned high;
  const char* help;
};

/// All of them; `constants` and `dft_divisor` are of other types.
const std::vector<ParameterField>& parameter_fields();

struct Input {
  std::string source;  ///< files, or cipher and images
  std::string format;  ///< "msb (detected)"
  std::uint64_t skipped_bits = 0;
  std::uint64_t sequence_bits = 0;
  std::optional<std::uint64_t> asked_sequences = {};
  bool to_the_end = true;  ///< all of the input was read
  std::uint64_t leftover_bits = 0;
  unsigned leftover_bytes = 0;             ///< of a double
  std::optional<std::uint64_t> seed = {};  ///< of a cipher's key
};

struct Report {
  Input input;
  TestParameters parameters;
  Assessment assessment;
  SequenceResults first;             ///< of the first sequence
  std::unique_ptr<Spool> sequences;  ///< JSON of every sequence, comma between; if asked for
};

/// Source, format, numbers, parameters and program, one per line.
std::string heading(const Report& report);

/// Heading, a row per test (one sequence: per p-value, many of one test as one row), notes.
std::string render_table(const Battery& battery, const Report& report);

/// A row per sub-test of every report.
CsvTable summary_csv(const std::vector<Report>& reports);

/// Lines of one sequence for p_values.csv, without header.
std::string p_values_csv(const Battery& battery, std::uint64_t sequence, std::uint64_t bits,
                         const SequenceResults& results, Alpha alpha);
inline constexpr std::string_view p_values_header = "sequence,test,id,p_value,status,detail\n";

/// One sequence in the array "sequences" of the JSON.
std::string sequence_json(const Battery& battery, std::uint64_t sequence,
                          const SequenceResults& results, bool statistics);

/// Everything, as one object.
void write_json(const Battery& battery, const Report& report, const Sink& sink);

}  // namespace icb::nist
