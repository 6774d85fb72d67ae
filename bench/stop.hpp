/// SIGINT and SIGTERM as a request to stop, seen by whoever looks.
#pragma once

namespace icb {

/// From now on SIGINT and SIGTERM ask the run to stop instead of ending the program; a second one
/// ends it at once.
void stop_gracefully_on_signals();

/// The signal that asked to stop; 0: none.
int stop_signal();

/// Throws Interrupted with that message if a signal asked to stop.
void throw_if_stopped(const char* message);

}  // namespace icb
