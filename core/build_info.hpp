/// What was compiled, from what, how: the provenance of every number.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace icb {

struct BuildInfo {
  const char* version;
  const char* commit;
  bool dirty;
  const char* compiler;
  const char* flags;
  const char* build_type;
  const char* preset;
  const char* fft;
};

const BuildInfo& build_info();

/// Name and version of every library linked, sorted by name.
std::vector<std::pair<std::string, std::string>> library_versions();

/// Model name of the processor, "unknown" where the system does not say.
std::string cpu_model();

}  // namespace icb
