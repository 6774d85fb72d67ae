#include "bench/provenance.hpp"

#include <CLI/Version.hpp>
#include <thread>

#include "core/build_info.hpp"
#include "datasets/dataset.hpp"
#include "nist_tests/spectral.hpp"

namespace icb {

nlohmann::ordered_json provenance() {
  nlohmann::ordered_json out;
  const BuildInfo& build = build_info();
  out["program"] = {{"version", build.version}, {"commit", build.commit},
                    {"modified", build.dirty},  {"compiler", build.compiler},
                    {"flags", build.flags},     {"build_type", build.build_type},
                    {"preset", build.preset},   {"fft", build.fft}};
  for (const auto& [name, version] : library_versions()) out["libraries"][name] = version;
  for (const auto& [name, version] : decoder_versions()) out["libraries"][name] = version;
  out["libraries"]["transform"] = transform_library();
  out["libraries"]["cli11"] = CLI11_VERSION;
  out["machine"] = {{"cpu", cpu_model()},
                    {"hardware_threads", std::thread::hardware_concurrency()}};
  return out;
}

}  // namespace icb
