/// What every machine-readable result says about the program that made it.
#pragma once

#include <nlohmann/json.hpp>

namespace icb {

/// {"program": version, commit, compiler, ...; "libraries": name to version; "machine": processor}
nlohmann::ordered_json provenance();

}  // namespace icb
