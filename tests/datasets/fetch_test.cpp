#include "datasets/fetch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "core/hash.hpp"
#include "files.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// tests/datasets/http_server.py, ended with the object.
class Server {
 public:
  Server(const std::string& mode, const fs::path& source, const fs::path& log) {
    int in[2] = {};
    int out[2] = {};
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe2 failed");
    }
    const std::string script = ICB_SOURCE_DIR "/tests/datasets/http_server.py";
    m_child = ::fork();
    if (m_child == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execlp("/usr/bin/env", "env", "python3", script.c_str(), mode.c_str(), source.c_str(),
               log.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    m_stop = in[1];
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    m_address = "http://127.0.0.1:" + line;
    if (line.empty()) throw std::runtime_error("the test's web server did not start");
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ~Server() {
    ::close(m_stop);
    ::waitpid(m_child, nullptr, 0);
  }

  const std::string& address() const { return m_address; }

 private:
  pid_t m_child = 0;
  int m_stop = -1;
  std::string m_address;
};

class Fetch : public ::testing::Test {
 protected:
  void SetUp() override {
    // A proxy of the machine must not stand between the test and its server.
    for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
      ::unsetenv(name);
    for (const char* name : {"a", "b.512", "c"}) add("small", name, 3000);
    add("other", "d", 10);
    m_options.directory = m_directory.path() / "data";
    m_options.quiet = true;
  }

  void add(const std::string& volume, const std::string& name, std::size_t size) {
    std::string content;  // does not compress
    std::uint64_t state = m_manifest.size() + 1;
    for (std::size_t i = 0; i < size; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      content += static_cast<char>(state >> 56);
    }
    write_file_atomically(source() / volume / (name + ".tiff"), content);
    m_manifest.push_back({volume, name, "", 1, 1, 1, to_hex(sha256(content))});
  }

  void serve(const std::string& mode) {
    m_server.reset();
    m_server = std::make_unique<Server>(mode, source(), log());
    m_options.base_url = m_server->address();
  }

  /// The message of the InputError, "" if the volume was fetched.
  std::string fetch(const std::string& volume = "small") {
    try {
      fetch_volume(m_options, volume, m_manifest);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  std::string requests() const { return fs::exists(log()) ? read_file(log()) : ""; }

  bool whole() const {
    for (const auto& file : verify_files(m_options.directory, m_manifest)) {
      if (file.entry->volume == "small" && file.state != FileState::ok) return false;
    }
    return true;
  }

  fs::path source() const { return m_directory.path() / "source"; }

  fs::path log() const { return m_directory.path() / "log"; }

  fs::path part() const { return m_options.directory / ".download/small.zip.part"; }

  fs::path place() const { return m_options.directory / "small"; }

  testing::TemporaryDirectory m_directory;
  std::vector<ManifestEntry> m_manifest;
  FetchOptions m_options;
  std::unique_ptr<Server> m_server;
};

std::size_t files_below(const fs::path& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    count += entry.is_directory() ? 0U : 1U;
  }
  return count;
}

TEST_F(Fetch, BringsAVolumeIntoPlace) {
  for (const char* mode : {"good", "flat"}) {
    serve(mode);
    ASSERT_EQ(fetch(), "") << mode;
    EXPECT_TRUE(whole());
    // Nothing else: no unknown file, nothing outside, no working directory.
    EXPECT_EQ(files_below(m_options.directory), 3U);
    EXPECT_FALSE(fs::exists(m_options.directory / ".download"));
    fs::remove_all(m_options.directory);
  }
}

TEST_F(Fetch, DoesNothingWhenAllIsThere) {
  serve("good");
  ASSERT_EQ(fetch(), "");
  const std::string before = requests();
  ASSERT_EQ(fetch(), "");
  EXPECT_EQ(requests(), before);
}

TEST_F(Fetch, SaysWhatItDoes) {
  serve("good");
  m_options.quiet = false;
  ::testing::internal::CaptureStderr();
  ASSERT_EQ(fetch(), "");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("/small.zip: downloading"),
                    HasSubstr("5 files that the manifest does not know are ignored"),
                    HasSubstr("3 files, all checksums right")));
}

TEST_F(Fetch, ReplacesABadVolumeAndKeepsTheUsersFiles) {
  write_file_atomically(place() / "a.tiff", "altered");
  write_file_atomically(place() / "mine.txt", "mine");
  serve("good");
  ASSERT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
  EXPECT_EQ(read_file(place() / "mine.txt"), "mine");
  EXPECT_EQ(files_below(m_options.directory), 4U);
}

TEST_F(Fetch, WrongContentIsRefusedAndFetchedAfresh) {
  write_file_atomically(place() / "a.tiff", "altered");
  serve("wrong");
  const std::string found = fetch();
  EXPECT_THAT(found,
              AllOf(HasSubstr("b.512.tiff has a wrong checksum"),
                    HasSubstr("expected SHA-256 " + m_manifest[1].sha256), HasSubstr("found ")));
  EXPECT_EQ(read_file(place() / "a.tiff"), "altered");  // what was there stays
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_EQ(files_below(m_options.directory), 1U);
  serve("good");
  EXPECT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
}

TEST_F(Fetch, MissingFileIsNamed) {
  serve("missing");
  EXPECT_THAT(fetch(), AllOf(HasSubstr("b.512.tiff is missing in the archive"),
                             HasSubstr(m_manifest[1].sha256)));
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Fetch, SymbolicLinkIsNotAFile) {
  serve("link");
  EXPECT_THAT(fetch(), HasSubstr("b.512.tiff is missing in the archive"));
  EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Fetch, DamagedArchiveIsDeleted) {
  for (const char* mode : {"corrupt", "html"}) {
    serve(mode);
    EXPECT_THAT(fetch(), HasSubstr("expected a zip archive")) << mode;
    EXPECT_FALSE(fs::exists(part()));
    EXPECT_FALSE(fs::exists(place()));
  }
}

TEST_F(Fetch, ResumesAPartialDownload) {
  serve("truncated");
  EXPECT_THAT(fetch(), HasSubstr("the connection closed early; what came is kept"));
  ASSERT_TRUE(fs::exists(part()));
  const auto kept = fs::file_size(part());
  EXPECT_FALSE(fs::exists(place()));
  ASSERT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
  EXPECT_EQ(requests(), fmt::format("/small.zip -\n/small.zip bytes={}-\n", kept));
}

TEST_F(Fetch, StartsAgainWhereRangesDoNotWork) {
  for (const char* mode : {"no-range", "416"}) {
    serve(mode);
    EXPECT_THAT(fetch(), HasSubstr("what came is kept")) << mode;
    ASSERT_TRUE(fs::exists(part()));
    EXPECT_EQ(fetch(), "") << mode;
    EXPECT_TRUE(whole());
    fs::remove_all(m_options.directory);
  }
}

TEST_F(Fetch, UsesAPartThatIsWhole) {
  serve("good");
  // What a run stopped right after its download leaves behind.
  const std::string get = fmt::format("curl --silent --create-dirs --output '{}' {}/small.zip",
                                      part().string(), m_options.base_url);
  ASSERT_EQ(std::system(get.c_str()), 0);
  const auto size = fs::file_size(part());
  ASSERT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
  EXPECT_EQ(requests(), fmt::format("/small.zip -\n/small.zip bytes={}-\n", size));
}

TEST_F(Fetch, PartOfAnotherArchiveIsNotMixedIn) {
  write_file_atomically(part(), std::string(500, 'x'));
  serve("good");
  EXPECT_THAT(fetch(), HasSubstr("expected a zip archive"));
  EXPECT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
}

TEST_F(Fetch, RecoversFromAStopBetweenTheRenames) {
  serve("good");
  ASSERT_EQ(fetch(), "");
  write_file_atomically(place() / "mine.txt", "mine");
  fs::create_directories(m_options.directory / ".download");
  fs::rename(place(), m_options.directory / ".download/small.old");
  ASSERT_EQ(fetch(), "");
  EXPECT_TRUE(whole());
  EXPECT_EQ(read_file(place() / "mine.txt"), "mine");
}

TEST_F(Fetch, ServerAndNetworkTrouble) {
  serve("404");
  EXPECT_THAT(fetch(), AllOf(HasSubstr("/small.zip"), HasSubstr("HTTP status 404")));
  m_server.reset();
  EXPECT_THAT(fetch(), HasSubstr("the host cannot be reached; is there a network?"));
  m_options.base_url = "http://host.invalid";
  EXPECT_THAT(fetch(),
              HasSubstr("http://host.invalid/small.zip: the host's name cannot be resolved"));
  EXPECT_FALSE(fs::exists(m_options.directory));  // nothing is left behind
}

TEST_F(Fetch, OneAtATime) {
  serve("good");
  fs::create_directories(part().parent_path());
  const int other = ::open(part().parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(fetch(), HasSubstr("another fetch is at work here"));
  ::close(other);
  EXPECT_EQ(fetch(), "");
}

TEST_F(Fetch, NamesThePackageOfAMissingProgram) {
  serve("good");
  const std::string path = std::getenv("PATH");
  const fs::path bin = m_directory.path() / "bin";
  fs::create_directories(bin);
  ::setenv("PATH", bin.c_str(), 1);
  const std::string no_curl = fetch();
  fs::create_symlink("/usr/bin/curl", bin / "curl");
  const std::string no_unzip = fetch();
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(no_curl, "curl: program not found; install the Debian package \"curl\"");
  EXPECT_EQ(no_unzip, "unzip: program not found; install the Debian package \"unzip\"");
  EXPECT_EQ(fetch(), "");
}

TEST_F(Fetch, DirectoryThatCannotBeMade) {
  serve("good");
  write_file_atomically(m_directory.path() / "file", "");
  m_options.directory = m_directory.path() / "file" / "data";
  EXPECT_THAT(fetch(), HasSubstr("file/data"));
}

TEST_F(Fetch, AddressesAreNotInterpreted) {
  serve("good");
  const fs::path trap = m_directory.path() / "trap";
  m_options.base_url = fmt::format("http://127.0.0.1:1/$(touch {})/[1-3]{{a,b}}", trap.string());
  EXPECT_NE(fetch(), "");
  m_options.base_url = fmt::format("--output {}; touch {}", trap.string(), trap.string());
  EXPECT_NE(fetch(), "");
  EXPECT_FALSE(fs::exists(trap));
}

TEST_F(Fetch, UnknownVolume) {
  EXPECT_THROW(fetch_volume(m_options, "../small", m_manifest), UsageError);
  FetchOptions options = m_options;
  options.volumes = {"videos"};
  EXPECT_THROW(fetch_sipi(options), UsageError);
}

}  // namespace
}  // namespace icb
