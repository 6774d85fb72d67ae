#include "core/build_info.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace icb {
namespace {

TEST(BuildInfo, EveryFieldIsFilled) {
  const BuildInfo& info = build_info();
  for (const char* text : {info.version, info.commit, info.compiler, info.flags, info.preset}) {
    ASSERT_NE(text, nullptr);
    EXPECT_FALSE(std::string(text).empty());
  }
  const std::string commit = info.commit;
  EXPECT_TRUE(
      commit == "unknown" ||
      (commit.size() == 40 && commit.find_first_not_of("0123456789abcdef") == std::string::npos))
      << commit;
  EXPECT_TRUE(std::string(info.fft) == "fftw" || std::string(info.fft) == "opencv") << info.fft;
}

TEST(BuildInfo, FloatingPointIsStrict) {
  const std::string flags = build_info().flags;
  EXPECT_NE(flags.find("-ffp-contract=off"), std::string::npos) << flags;
  EXPECT_EQ(flags.find("-ffast-math"), std::string::npos) << flags;
}

// What the compiler was given for this build type belongs to the provenance.
TEST(BuildInfo, FlagsIncludeThoseOfTheBuildType) {
  if (std::string(build_info().build_type) != "Release") GTEST_SKIP();
  const std::string flags = build_info().flags;
  EXPECT_NE(flags.find("-O"), std::string::npos) << flags;
  EXPECT_NE(flags.find("-DNDEBUG"), std::string::npos) << flags;
}

TEST(BuildInfo, LibrariesAreSortedAndHaveVersions) {
  const auto versions = library_versions();
  EXPECT_TRUE(std::is_sorted(versions.begin(), versions.end()));
  for (const auto& [name, version] : versions) {
    EXPECT_TRUE(!version.empty() && version.front() >= '0' && version.front() <= '9')
        << name << " " << version;
  }
}

TEST(BuildInfo, TheProcessorHasAName) { EXPECT_FALSE(cpu_model().empty()); }

}  // namespace
}  // namespace icb
