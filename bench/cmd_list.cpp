/// `icbench list ciphers|metrics|tests|properties|datasets`: the registries, with source, status
/// and units.
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/command.hpp"
#include "bench/dataset_table.hpp"
#include "bench/print_table.hpp"
#include "bench/properties/property.hpp"
#include "bench/protocols/protocol.hpp"
#include "cipher/cipher.hpp"
#include "core/hash.hpp"
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

/// Null models as numbers, of a 512 x 512 8-bit gray cipher image: name to {expected, sd}. Those
/// that depend on the plain image are for "texture-512-gray" of the generated set.
std::map<std::string, std::pair<std::string, std::string>> null_models_512() {
  const OwnedImage plain = owned(find_image(smoke_set(), "texture-512-gray").load());
  std::mt19937_64 engine(1);
  const auto uniform = [&] {
    OwnedImage image(plain.shape());
    for (std::uint8_t& byte : image.view().bytes()) {
      byte = static_cast<std::uint8_t>(uniform_below(engine, 256));
    }
    return image;
  };
  OwnedImage first = uniform();
  OwnedImage second = uniform();
  const MetricInput input{first.view(), plain.view(), 0, 1, second.view()};
  std::map<std::string, std::pair<std::string, std::string>> out;
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    const Measurement m = metric.compute(input).at(0);
    out[name] = {m.expected ? format_double(*m.expected) : "", m.sd ? format_double(*m.sd) : ""};
  }
  return out;
}

CsvTable metrics() {
  CsvTable table({"name", "unit", "needs", "family", "formula", "expected", "sd", "expected_512",
                  "sd_512", "source"});
  const auto numbers = null_models_512();
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    const auto& [expected, sd] = numbers.at(name);
    table.add({name, metric.unit, std::string(to_string(metric.needs)),
               std::string(metric.family_name()), metric.formula, metric.expected, metric.sd,
               expected, sd, metric.source});
  }
  for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
    for (const ProtocolQuantity& quantity : protocol.quantities) {
      table.add({quantity.name, quantity.unit, "cipher", name, quantity.formula, quantity.expected,
                 quantity.sd, "", "", protocol.source});
    }
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

CsvTable property_table() {
  CsvTable table({"name", "what", "null_model"});
  for (const auto& [name, property] : registry<properties::PropertyEntry>()) {
    table.add({name, property.summary, property.null_model});
  }
  return table;
}

CsvTable table_of(const std::string& what) {
  if (what == "ciphers") return ciphers();
  if (what == "metrics") return metrics();
  if (what == "tests") return tests();
  if (what == "properties") return property_table();
  return dataset_table(find_sipi(std::nullopt));
}

const RegisterCommand entry{{
    .name = "list",
    .summary = "the registries: ciphers, metrics, tests, properties, datasets",
    .setup =
        [](CLI::App& app) {
          auto what = std::make_shared<std::string>();
          app.add_option("what", *what, "ciphers, metrics, tests, properties or datasets")
              ->required()
              ->check(CLI::IsMember({"ciphers", "metrics", "tests", "properties", "datasets"}));
          return [what](const CommonOptions& common) {
            print_table(table_of(*what), common, *what);
            return ExitCode::done;
          };
        },
}};

}  // namespace
}  // namespace icb
