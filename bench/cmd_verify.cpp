/// `icbench verify`: all known answers of all subjects. Exit code 1 if one fails.
#include <string>

#include "bench/command.hpp"
#include "bench/print_table.hpp"
#include "bench/verify.hpp"

namespace icb {
namespace {

const RegisterCommand entry{{
    .name = "verify",
    .summary = "known answers of every cipher and randomness test",
    .setup =
        [](CLI::App&) {
          return [](const CommonOptions& common) {
            CsvTable table({"subject", "kind", "result"});
            bool all = true;
            for (const VerifiedSubject& subject : verify_all()) {
              all = all && subject.difference.empty();
              table.add({subject.name, subject.kind,
                         subject.difference.empty() ? "ok" : "FAILED: " + subject.difference});
            }
            print_table(table, common, "verify");
            return all ? ExitCode::done : ExitCode::check_failed;
          };
        },
}};

}  // namespace
}  // namespace icb
