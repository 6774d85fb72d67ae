#include "datasets/fetch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"

extern char** environ;  // NOLINT: POSIX

namespace icb {
namespace {

namespace fs = std::filesystem;

// --- Programs -----------------------------------------------------------------------------------

struct Descriptor {
  int fd = -1;

  explicit Descriptor(int value) : fd(value) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() { close(); }

  void close() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
};

struct Finished {
  int code;            ///< exit code; 128 + n if ended by signal n
  std::string output;  ///< standard output
};

// Runs a program found in PATH without a shell: nothing in an address or file name is interpreted.
Finished run(const std::vector<std::string>& arguments, const char* package) {
  const auto fail = [&](int error) {
    if (error == ENOENT) {
      throw InputError(fmt::format("{}: program not found; install the Debian package \"{}\"",
                                   arguments[0], package));
    }
    throw InputError(fmt::format("{}: cannot be run: {}", arguments[0], std::strerror(error)));
  };
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno);
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);

  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  // posix_spawn takes pointers to non-const and does not write through them.
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  if (const int error = ::posix_spawn_file_actions_init(&actions); error != 0) fail(error);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.fd, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments[0].c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(error);

  write_end.close();
  Finished finished{0, ""};
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(read_end.fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    finished.output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

// --- Download -----------------------------------------------------------------------------------

std::string reason(const Finished& curl) {
  switch (curl.code) {
    case 5:
      return "the proxy's name cannot be resolved; is there a network?";
    case 6:
      return "the host's name cannot be resolved; is there a network?";
    case 7:
      return "the host cannot be reached; is there a network?";
    case 18:
      return "the connection closed early; what came is kept, run the command again to resume";
    case 22:
    case 56:
      if (curl.output != "000" && !curl.output.starts_with('2')) {
        return fmt::format("the server answered with HTTP status {}", curl.output);
      }
      return "the connection broke; what came is kept, run the command again to resume";
    case 23:
      return "the download cannot be written; is the disk full?";
    case 28:
      return "the time is up: no answer for too long; run the command again to resume";
    case 35:
    case 60:
      return "the secure connection failed (certificate or protocol)";
    default:
      if (curl.code > 128) return fmt::format("curl was ended by signal {}", curl.code - 128);
      return fmt::format("curl failed with code {} (see \"man curl\", EXIT CODES)", curl.code);
  }
}

Finished curl(const std::string& address, const fs::path& part, bool quiet) {
  std::vector<std::string> arguments = {
      "curl", "--fail", "--location", "--globoff", "--continue-at", "-", "--retry", "3",
      "--connect-timeout", "15",
      // A stalled connection ends after a minute.
      "--speed-limit", "1", "--speed-time", "60", "--write-out", "%{http_code}", "--output",
      part.string(), "--url", address};
  if (quiet) {
    arguments.insert(arguments.begin() + 1, {"--silent"});
  } else if (::isatty(STDERR_FILENO) == 1) {
    arguments.insert(arguments.begin() + 1, {"--progress-bar"});
  } else {
    arguments.insert(arguments.begin() + 1, {"--silent", "--show-error"});
  }
  return run(arguments, "curl");
}

bool is_whole_archive(const fs::path& archive) {
  std::error_code error;
  if (!fs::is_regular_file(archive, error)) return false;
  return run({"unzip", "-tqq", archive.string()}, "unzip").code == 0;
}

void say(const FetchOptions& options, const std::string& text) {
  if (!options.quiet) fmt::print(stderr, "{}\n", text);
}

// Leaves a whole archive in `part`. A partial download is kept for the next try, a wrong one is
// not.
void download(const FetchOptions& options, const std::string& address, const fs::path& part) {
  std::error_code error;
  say(options, fmt::format("{}: {}", address,
                           fs::exists(part, error) ? "resuming the download" : "downloading"));
  for (int attempt = 0;; ++attempt) {
    const Finished finished = curl(address, part, options.quiet);
    // 33, 36, 416: nothing to continue there. The part is whole, or has to be fetched anew. (curl
    // calls a 416 in answer to its range a success.)
    const bool no_range =
        finished.code == 33 || finished.code == 36 || finished.output.ends_with("416");
    if (finished.code == 0 && !no_range) break;
    if (!no_range || attempt > 0) {
      throw InputError(fmt::format("{}: {}", address, reason(finished)));
    }
    if (is_whole_archive(part)) break;
    say(options, fmt::format("{}: cannot be resumed, starting again", address));
    fs::remove(part, error);
  }
  if (!is_whole_archive(part)) {
    fs::remove(part, error);
    throw InputError(fmt::format(
        "{}: expected a zip archive, got something else or a damaged one; it was deleted",
        address));
  }
}

// --- Unpacking ----------------------------------------------------------------------------------

// unzip reads names as patterns and options; names with anything special are not ours.
bool is_plain(const std::string& name) {
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/';
  });
}

// Unpacks the wanted files, wherever they are in the archive, without their directories.
void unpack(const FetchOptions& options, const std::string& address, const fs::path& archive,
            const std::set<std::string>& wanted, const fs::path& target) {
  const Finished listing = run({"unzip", "-Z1", archive.string()}, "unzip");
  std::vector<std::string> arguments = {"unzip", "-j", "-o", "-qq", archive.string()};
  std::set<std::string> found;
  std::size_t ignored = 0;
  std::size_t first = 0;
  while (first < listing.output.size()) {
    const std::size_t end = std::min(listing.output.find('\n', first), listing.output.size());
    const std::string name = listing.output.substr(first, end - first);
    first = end + 1;
    if (name.empty() || name.back() == '/') continue;  // a directory
    const std::string file = name.substr(name.rfind('/') + 1);
    if (is_plain(name) && wanted.contains(file) && found.insert(file).second) {
      arguments.push_back(name);
    } else {
      ++ignored;
    }
  }
  if (ignored > 0) {
    say(options,
        fmt::format("{}: {} files that the manifest does not know are ignored", address, ignored));
  }
  if (found.empty()) return;  // the check of the files says what is missing
  arguments.insert(arguments.end(), {"-d", target.string()});
  if (const Finished finished = run(arguments, "unzip"); finished.code != 0) {
    throw InputError(fmt::format("{}: unzip failed with code {}{}", archive.string(), finished.code,
                                 finished.code == 50 ? ": the disk is full" : ""));
  }
}

// --- Into place ---------------------------------------------------------------------------------

// Replaces `place` by `fresh`; files of the user's own in `place` move along.
void move_into_place(const fs::path& fresh, const fs::path& place, const fs::path& old) {
  std::error_code none;
  if (!fs::exists(fs::symlink_status(place, none))) {
    fs::rename(fresh, place);
    return;
  }
  fs::rename(place, old);
  try {
    fs::rename(fresh, place);
  } catch (const fs::filesystem_error&) {
    fs::rename(old, place);
    throw;
  }
  if (fs::is_directory(old)) {
    for (const auto& entry : fs::directory_iterator(old)) {
      const fs::path kept = place / entry.path().filename();
      if (!fs::exists(fs::symlink_status(kept, none))) fs::rename(entry.path(), kept);
    }
  }
  fs::remove_all(old);
}

// Removes the working directory at the end, unless it holds a partial download.
struct Leave {
  fs::path work;

  explicit Leave(fs::path path) : work(std::move(path)) {}

  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

  ~Leave() {
    std::error_code ignored;
    if (fs::remove(work, ignored)) fs::remove(work.parent_path(), ignored);
  }
};

// One fetch at a time in a directory: two would write the same part file.
class Lock {
 public:
  explicit Lock(const fs::path& directory)
      : m_file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (m_file.fd < 0) {
      throw InputError(
          fmt::format("{}: cannot be opened: {}", directory.string(), std::strerror(errno)));
    }
    if (::flock(m_file.fd, LOCK_EX | LOCK_NB) != 0) {
      throw InputError(fmt::format("{}: another fetch is at work here", directory.string()));
    }
  }

 private:
  Descriptor m_file;
};

void fetch_locked(const FetchOptions& options, const std::string& volume,
                  const std::vector<ManifestEntry>& entries, const fs::path& work) {
  const std::string address = fmt::format("{}/{}.zip", options.base_url, volume);
  const fs::path part = work / (volume + ".zip.part");
  const fs::path fresh = work / (volume + ".new");
  const fs::path old = work / (volume + ".old");
  const fs::path place = options.directory / volume;
  // An earlier run may have been stopped between its two renames.
  if (fs::exists(old) && !fs::exists(place)) fs::rename(old, place);
  fs::remove_all(fresh);
  fs::remove_all(old);

  download(options, address, part);
  fs::create_directories(fresh / volume);
  std::set<std::string> wanted;
  for (const auto& entry : entries) wanted.insert(entry.name + ".tiff");
  std::string problem;
  try {
    unpack(options, address, part, wanted, fresh / volume);
    for (const auto& file : verify_files(fresh, entries)) {
      const std::string name = file.entry->name + ".tiff";
      if (file.state == FileState::missing || fs::is_symlink(fresh / volume / name)) {
        problem = fmt::format("{}: {} is missing in the archive; expected SHA-256 {}, found none",
                              address, name, file.entry->sha256);
      } else if (file.state == FileState::altered) {
        problem = fmt::format("{}: {} has a wrong checksum; expected SHA-256 {}, found {}", address,
                              name, file.entry->sha256, file.found_sha256);
      }
      if (!problem.empty()) break;
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    throw;
  }
  if (!problem.empty()) {
    fs::remove_all(fresh);
    fs::remove(part);
    throw InputError(problem);
  }
  move_into_place(fresh / volume, place, old);
  fs::remove_all(fresh);
  fs::remove(part);
  say(options, fmt::format("{}: {} files, all checksums right", place.string(), entries.size()));
}

}  // namespace

void fetch_volume(const FetchOptions& options, std::string_view volume,
                  std::span<const ManifestEntry> manifest) {
  std::vector<ManifestEntry> entries;
  std::set<std::string> volumes;
  for (const auto& entry : manifest) {
    volumes.insert(entry.volume);
    if (entry.volume == volume) entries.push_back(entry);
  }
  if (entries.empty()) {
    throw UsageError(fmt::format("unknown volume \"{}\"; expected one of: {}", volume,
                                 fmt::join(volumes, ", ")));
  }
  const fs::path work = options.directory / ".download";
  try {
    const auto present = verify_files(options.directory, entries);
    if (std::all_of(present.begin(), present.end(),
                    [](const auto& file) { return file.state == FileState::ok; })) {
      say(options, fmt::format("{}: already there, all checksums right",
                               (options.directory / volume).string()));
      return;
    }
    fs::create_directories(work);
    const Leave leave(work);
    const Lock lock(work);
    fetch_locked(options, std::string(volume), entries, work);
  } catch (const fs::filesystem_error& error) {
    throw InputError(fmt::format("{}: {}", error.path1().string(), error.code().message()));
  }
}

void fetch_sipi(const FetchOptions& options) {
  for (const auto& volume : options.volumes) fetch_volume(options, volume, sipi_manifest());
}

}  // namespace icb
