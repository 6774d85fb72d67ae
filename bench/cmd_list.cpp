/// `icbench list ciphers|metrics|tests|datasets`: the registries, with source, status and units.
#include <memory>
#include <string>
#include <vector>

#include "bench/command.hpp"
#include "bench/dataset_table.hpp"
#include "bench/print_table.hpp"
#include "cipher/cipher.hpp"
#include "datasets/dataset.hpp"
#include "metrics/metric.hpp"
#include "nist_tests/randomness_test.hpp"

namespace icb {
namespace {

CsvTable ciphers() {
  CsvTable table({"name", "status", "key_bits", "nonce_bytes", "header_bytes", "source"});
  for (const auto& [name, cipher] : registry<CipherEntry>()) {
    table.add({name, std::string(to_string(cipher.status)), std::to_string(cipher.key_bits.value),
               std::to_string(cipher.nonce_bytes.value), std::to_string(cipher.header_bytes.value),
               cipher.source});
  }
  return table;
}

CsvTable metrics() {
  CsvTable table({"name", "unit", "needs", "family", "formula", "expected", "sd", "source"});
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    table.add({name, metric.unit, std::string(to_string(metric.needs)),
               std::string(metric.family_name()), metric.formula, metric.expected, metric.sd,
               metric.source});
  }
  return table;
}

CsvTable tests() {
  CsvTable table({"name", "p_values", "source", "title"});
  for (const auto& [name, test] : registry<RandomnessEntry>()) {
    table.add({name, std::to_string(test.ids({}, 1000000).size()),
               "SP 800-22 rev. 1a sec. " + test.section, test.title});
  }
  return table;
}

CsvTable table_of(const std::string& what) {
  if (what == "ciphers") return ciphers();
  if (what == "metrics") return metrics();
  if (what == "tests") return tests();
  return dataset_table(find_sipi(std::nullopt));
}

const RegisterCommand entry{{
    .name = "list",
    .summary = "the registries: ciphers, metrics, tests, datasets",
    .setup =
        [](CLI::App& app) {
          auto what = std::make_shared<std::string>();
          app.add_option("what", *what, "ciphers, metrics, tests or datasets")
              ->required()
              ->check(CLI::IsMember({"ciphers", "metrics", "tests", "datasets"}));
          return [what](const CommonOptions& common) {
            print_table(table_of(*what), common, *what);
            return ExitCode::done;
          };
        },
}};

}  // namespace
}  // namespace icb
