/// `icbench keygen`: a new secret key for `encrypt` and `decrypt`.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "bench/command.hpp"
#include "bench/files/convert.hpp"
#include "bench/files/key_file.hpp"
#include "bench/validators.hpp"

namespace icb {
namespace {

const RegisterCommand entry{{
    .name = "keygen",
    .summary = "a new secret key of 256 bits",
    .setup = [](CLI::App& app) -> std::function<ExitCode(const CommonOptions&)> {
      auto file = std::make_shared<std::string>();
      app.add_option("-o,--output", *file,
                     "file to write, readable by its owner alone; default: standard output")
          ->check(not_empty)
          ->option_text("FILE");
      const auto refuse_others = refuse_result_options(app);
      return [=](const CommonOptions& common) {
        refuse_others();
        const std::string text = new_key_text();
        if (file->empty()) {
          std::fwrite(text.data(), 1, text.size(), stdout);
          return ExitCode::done;
        }
        write_key_file(*file, text);
        if (!common.quiet) {
          fmt::print(stderr, "{}: a new key; whoever has this file can decrypt, and nobody else\n",
                     *file);
        }
        return ExitCode::done;
      };
    },
}};

}  // namespace
}  // namespace icb
