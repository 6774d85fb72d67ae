#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "core/hash.hpp"
#include "files.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// The images on this machine, where there are any.
std::optional<fs::path> images() {
  const char* variable = std::getenv("ICBENCH_DATA");
  const fs::path directory =
      variable != nullptr ? fs::path(variable) : fs::path(ICB_SOURCE_DIR) / "../shared/sipi";
  if (!fs::is_directory(directory / "misc")) return std::nullopt;
  return directory;
}

/// Sets or removes a variable until the end of the test.
class Variable {
 public:
  Variable(const char* name, const char* value) : m_name(name) {
    if (const char* before = std::getenv(name)) m_before = before;
    set(value);
  }

  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

  ~Variable() { set(m_before ? m_before->c_str() : nullptr); }

 private:
  void set(const char* value) const {
    if (value != nullptr) {
      ::setenv(m_name, value, 1);
    } else {
      ::unsetenv(m_name);
    }
  }

  const char* m_name;
  std::optional<std::string> m_before;
};

class WorkingDirectory {
 public:
  explicit WorkingDirectory(const fs::path& path) : m_before(fs::current_path()) {
    fs::current_path(path);
  }

  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

  ~WorkingDirectory() { fs::current_path(m_before); }

 private:
  fs::path m_before;
};

TEST(Manifest, IsTheEmbeddedFile) {
  EXPECT_EQ(sipi_manifest_sha256(), sha256_of_file(ICB_SOURCE_DIR "/datasets/manifest.csv"));
}

TEST(Manifest, HoldsWhatIsKnown) {
  std::map<std::string, std::size_t> counts;
  std::set<std::string> digests;
  for (const auto& entry : sipi_manifest()) {
    ++counts[entry.volume];
    EXPECT_EQ(from_hex(entry.sha256).size(), 32U) << entry.name;
    EXPECT_TRUE(digests.insert(entry.sha256).second) << entry.name;
    EXPECT_TRUE(entry.channels == 1 || entry.channels == 3) << entry.name;
    EXPECT_TRUE(entry.width == 256 || entry.width == 512 || entry.width == 1024) << entry.name;
    EXPECT_EQ(entry.width, entry.height) << entry.name;
    EXPECT_FALSE(entry.description.empty()) << entry.name;
  }
  EXPECT_EQ(counts,
            (std::map<std::string, std::size_t>{{"aerials", 22}, {"misc", 39}, {"textures", 45}}));
  EXPECT_EQ(sipi_manifest().front().name, "4.1.01");
  EXPECT_EQ(sipi_file("x", sipi_manifest().front()), fs::path("x/misc/4.1.01.tiff"));
}

TEST(FindSipi, LooksInOrder) {
  const testing::TemporaryDirectory directory;
  const fs::path root = fs::canonical(directory.path());
  const auto make = [&](const fs::path& place) {
    write_file_atomically(sipi_file(root / place, sipi_manifest()[3]), "x");
    return root / place;
  };
  const fs::path work = root / "work";
  fs::create_directories(work);
  const WorkingDirectory here(work);
  const Variable none("ICBENCH_DATA", nullptr);
  EXPECT_EQ(find_sipi(std::nullopt), std::nullopt);
  make("shared/sipi");
  EXPECT_EQ(find_sipi(std::nullopt), fs::path("../shared/sipi"));
  fs::create_directories(work / "datasets/sipi/.download");  // a fetch that failed
  EXPECT_EQ(find_sipi(std::nullopt), fs::path("../shared/sipi"));
  make("work/datasets/sipi");
  EXPECT_EQ(find_sipi(std::nullopt), fs::path("datasets/sipi"));
  const fs::path elsewhere = make("elsewhere");
  const Variable variable("ICBENCH_DATA", elsewhere.c_str());
  EXPECT_EQ(find_sipi(std::nullopt), elsewhere);
  EXPECT_EQ(find_sipi(make("option")), root / "option");
}

TEST(FindSipi, AGivenDirectoryMustHoldImages) {
  const testing::TemporaryDirectory directory;
  const auto refusal = [](const std::optional<fs::path>& option) -> std::string {
    try {
      find_sipi(option);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal(directory.path() / "none"), HasSubstr("no such directory (from the option)"));
  EXPECT_THAT(refusal(directory.path()), HasSubstr("holds no image of the USC-SIPI manifest"));
  write_file_atomically(directory.path() / "file", "");
  EXPECT_THAT(refusal(directory.path() / "file"), HasSubstr("expected a directory, got a file"));
  const Variable variable("ICBENCH_DATA", "/does/not/exist");
  EXPECT_THAT(refusal(std::nullopt),
              HasSubstr("/does/not/exist: no such directory (from $ICBENCH_DATA)"));
  const Variable empty("ICBENCH_DATA", "");
  EXPECT_EQ(refusal(std::nullopt), "");
}

TEST(VerifySipi, TellsMissingFromAltered) {
  const testing::TemporaryDirectory directory;
  const std::string content = "content";
  const std::vector<ManifestEntry> entries = {
      {"v", "good", "", 1, 1, 1, to_hex(sha256(content))},
      {"v", "altered", "", 1, 1, 1, std::string(64, '0')},
      {"v", "missing", "", 1, 1, 1, std::string(64, '0')},
      {"v", "directory", "", 1, 1, 1, std::string(64, '0')},
  };
  write_file_atomically(sipi_file(directory.path(), entries[0]), content);
  write_file_atomically(sipi_file(directory.path(), entries[1]), content);
  fs::create_directories(sipi_file(directory.path(), entries[3]));
  const auto found = verify_files(directory.path(), entries);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].state, FileState::ok);
  EXPECT_EQ(found[1].state, FileState::altered);
  EXPECT_EQ(found[1].found_sha256, entries[0].sha256);
  EXPECT_EQ(found[2].state, FileState::missing);
  EXPECT_EQ(found[2].found_sha256, "");
  EXPECT_EQ(found[3].state, FileState::missing);
}

TEST(SipiVolume, AnAlteredFileIsNotLoaded) {
  const testing::TemporaryDirectory directory;
  write_file_atomically(sipi_file(directory.path(), sipi_manifest()[0]), "P5\n1 1\n255\na");
  const ImageSet set = sipi_volume(directory.path(), "misc");
  ASSERT_EQ(set.images.size(), 1U);  // the missing ones are left out
  try {
    set.images[0].load();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("4.1.01.tiff: altered: expected SHA-256 c3ea2466"));
  }
  EXPECT_THROW(sipi_volume(directory.path(), "videos"), UsageError);
}

TEST(SipiVolume, TheImagesOnThisMachineAreRightAndLoad) {
  const auto directory = images();
  if (!directory) {
    GTEST_SKIP() << "no USC-SIPI images: set ICBENCH_DATA or run \"icbench datasets fetch\"";
  }
  std::size_t loaded = 0;
  for (const auto& file : verify_sipi(*directory)) {
    EXPECT_NE(file.state, FileState::altered) << file.entry->name;
  }
  for (const char* volume : {"misc", "aerials", "textures"}) {
    const ImageSet set = sipi_volume(*directory, volume);
    EXPECT_EQ(set.name, std::string("sipi-") + volume);
    EXPECT_FALSE(set.generated);
    for (const auto& image : set.images) {
      EXPECT_EQ(view_of(image.load()).shape(), image.shape) << image.name;
      ++loaded;
    }
  }
  EXPECT_GE(loaded, 39U);
}

}  // namespace
}  // namespace icb
