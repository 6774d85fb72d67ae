#include "core/build_info.hpp"

#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>

#include <boost/version.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>

namespace icb {
namespace {

#include "generated/icb_build_info.inc"

}  // namespace

const BuildInfo& build_info() { return compiled; }

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {
      {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                            BOOST_VERSION % 100)},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"glibc", gnu_get_libc_version()},
      {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                    NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"opencv", cv::getVersionString()},
      {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
  };
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) {
      const auto colon = line.find(": ");
      if (colon != std::string::npos) return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace icb
