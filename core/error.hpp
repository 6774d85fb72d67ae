/// Errors that end a command, one type per exit code of the command-line contract.
#pragma once

#include <stdexcept>

namespace icb {

/// Exit codes every command keeps to.
enum class ExitCode : int {
  done = 0,
  check_failed = 1,
  wrong_usage = 2,
  bad_input = 3,
  wrong_key = 4,
};

/// Unknown name, option or value. The message says what was expected and what came.
struct UsageError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// File, decoding or network trouble. The message starts with the path or address.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Wrong key or altered data: nothing is returned or written.
struct IntegrityError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The user asked to stop (SIGINT, SIGTERM); everything finished so far is kept.
struct Interrupted : std::runtime_error {
  Interrupted(int signal_number, const char* message)
      : std::runtime_error(message), signal(signal_number) {}

  int signal;
};

}  // namespace icb
