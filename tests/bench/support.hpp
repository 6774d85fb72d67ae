/// Helpers of the command tests: a temporary directory, a program as a child process, CSV files.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tests/temporary_directory.hpp"

namespace icb::testing {

/// How a program is started. $ICBENCH_DATA is never passed on.
struct Start {
  std::filesystem::path directory = ".";     ///< its current directory
  std::string standard_output = {};          ///< a file instead of what Outcome holds
  bool close_output = false;                 ///< no standard output at all
  std::optional<rlim_t> file_size = {};      ///< largest file it may write, SIGXFSZ ignored
  std::optional<rlim_t> address_space = {};  ///< bytes of memory it may map
  double seconds = 300;                      ///< killed after that
  std::map<std::string, std::string> environment = {};
};

struct Outcome {
  int exit_code = -1;  ///< -1: ended by a signal
  int signal = 0;
  bool too_slow = false;
  double seconds = 0;
  long memory_kib = 0;  ///< most resident at a time; at least that of the starting program
  std::string out;
  std::string err;
};

/// A running program; killed and waited for at the latest by the destructor.
class Child {
 public:
  Child(const std::vector<std::string>& command, const Start& start);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  void send(int signal) const;
  /// False once it has ended.
  bool runs();
  Outcome wait();

 private:
  TemporaryDirectory m_streams;
  Start m_start;
  pid_t m_pid = -1;
  double m_started = 0;
  std::optional<int> m_status;
  long m_memory_kib = 0;
};

Outcome run_program(const std::vector<std::string>& command, const Start& start = {});

/// The icbench binary of this build.
Outcome icbench(std::vector<std::string> arguments, const Start& start = {});

/// Content of every file below the directory with that extension, by relative path.
std::map<std::string, std::string> files_below(const std::filesystem::path& directory,
                                               const std::string& extension);

/// Text of the InputError that a call throws, or "no InputError".
template <class Call>
std::string input_error_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

/// Rows of a CSV file as maps from column name to field.
std::vector<std::map<std::string, std::string>> csv_rows(const std::string& text);

/// Seed of random tests: $ICB_SEED or a fixed one; printed by the test.
unsigned long test_seed();

}  // namespace icb::testing
