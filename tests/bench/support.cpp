#include "tests/bench/support.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>  // mkdtemp
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "core/csv.hpp"

namespace icb::testing {
namespace {

namespace fs = std::filesystem;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<std::string> environment_of(const Start& start) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (name == "ICBENCH_DATA" || start.environment.contains(name)) continue;
    out.emplace_back(text);
  }
  for (const auto& [name, value] : start.environment) out.push_back(name + '=' + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

void limit(decltype(RLIMIT_FSIZE) what, const std::optional<rlim_t>& bytes) {
  if (!bytes) return;

  const struct rlimit value { *bytes, *bytes };

  ::setrlimit(what, &value);
}

}  // namespace

Child::Child(const std::vector<std::string>& command, const Start& start)
    : m_start(start), m_started(now()) {
  // Everything that allocates is done before the fork.
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = environment_of(start);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  const std::string out =
      start.standard_output.empty() ? (m_streams.path() / "out").string() : start.standard_output;
  const std::string err = (m_streams.path() / "err").string();
  const std::string directory = start.directory.string();
  m_pid = ::fork();
  if (m_pid < 0) throw std::runtime_error("fork failed");
  if (m_pid > 0) return;
  const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT, 0644);
  const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT, 0644);
  ::dup2(out_fd, STDOUT_FILENO);
  ::dup2(err_fd, STDERR_FILENO);
  ::close(out_fd);
  ::close(err_fd);
  if (start.close_output) ::close(STDOUT_FILENO);
  if (start.file_size) ::signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, start.file_size);
  limit(RLIMIT_AS, start.address_space);
  if (::chdir(directory.c_str()) == 0) ::execve(argv.front(), argv.data(), envp.data());
  ::_exit(127);
}

Child::~Child() {
  if (m_status || m_pid <= 0) return;
  ::kill(m_pid, SIGKILL);
  ::waitpid(m_pid, nullptr, 0);
}

void Child::send(int signal) const {
  if (!m_status) ::kill(m_pid, signal);
}

bool Child::runs() {
  if (m_status) return false;
  int status = 0;

  struct rusage usage {};

  if (::wait4(m_pid, &status, WNOHANG, &usage) != m_pid) return true;
  m_status = status;
  m_memory_kib = usage.ru_maxrss;
  return false;
}

Outcome Child::wait() {
  Outcome outcome;
  while (runs()) {
    if (!outcome.too_slow && now() - m_started > m_start.seconds) {
      outcome.too_slow = true;
      send(SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  outcome.seconds = now() - m_started;
  outcome.memory_kib = m_memory_kib;
  if (WIFEXITED(*m_status)) outcome.exit_code = WEXITSTATUS(*m_status);
  if (WIFSIGNALED(*m_status)) outcome.signal = WTERMSIG(*m_status);
  if (m_start.standard_output.empty()) outcome.out = read_file(m_streams.path() / "out");
  outcome.err = read_file(m_streams.path() / "err");
  return outcome;
}

Outcome run_program(const std::vector<std::string>& command, const Start& start) {
  Child child(command, start);
  return child.wait();
}

Outcome icbench(std::vector<std::string> arguments, const Start& start) {
  arguments.insert(arguments.begin(), ICB_PROGRAM);
  return run_program(arguments, start);
}

std::map<std::string, std::string> files_below(const fs::path& directory,
                                               const std::string& extension) {
  std::map<std::string, std::string> out;
  if (!fs::exists(directory)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.path().extension() != extension) continue;
    out[fs::relative(entry.path(), directory).string()] = read_file(entry.path());
  }
  return out;
}

std::vector<std::map<std::string, std::string>> csv_rows(const std::string& text) {
  const auto lines = parse_csv(text);
  std::vector<std::map<std::string, std::string>> out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    auto& row = out.emplace_back();
    for (std::size_t k = 0; k < lines[i].size(); ++k) row[lines[0].at(k)] = lines[i][k];
  }
  return out;
}

unsigned long test_seed() {
  const char* text = std::getenv("ICB_SEED");
  return text == nullptr ? 20240016 : std::stoul(text);
}

}  // namespace icb::testing
