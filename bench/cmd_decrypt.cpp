/// `icbench decrypt IN OUT --key-file F`: cipher images become the images they were made from.

#include <fmt/format.h>

#include <memory>
#include <string>

#include "bench/command.hpp"
#include "bench/files/convert.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "container/container.hpp"
#include "datasets/dataset.hpp"
#include "datasets/png_chunks.hpp"

namespace icb {
namespace {

enum class OutputFormat { png, tiff, pnm };

OutputFormat format_of(const std::string& out) {
  const std::string extension = extension_of(out);
  if (out == "-" || extension == ".png") return OutputFormat::png;
  if (extension == ".tif" || extension == ".tiff") return OutputFormat::tiff;
  if (extension == ".pgm" || extension == ".ppm" || extension == ".pnm") return OutputFormat::pnm;
  throw UsageError(fmt::format(
      "{}: expected a name ending in .png, .tif, .tiff, .pgm, .ppm or .pnm, or -", out));
}

std::string encode(const container::Opened& opened, const std::string& out) {
  const ConstImage image = opened.image.view();
  const std::size_t channels = image.shape().channels;
  const std::string extension = extension_of(out);
  switch (format_of(out)) {
    case OutputFormat::png:
      return encode_png(image, PngEffort::small, opened.metadata);
    case OutputFormat::tiff:
      return encode_tiff(image);
    case OutputFormat::pnm:
      break;
  }
  const bool fits = extension == ".pgm"   ? channels == 1
                    : extension == ".ppm" ? channels == 3
                                          : channels == 1 || channels == 3;
  if (!fits) {
    throw InputError(fmt::format("{}: cannot hold an image of {}; a .png or .tif can", out,
                                 to_string(image.shape())));
  }
  return encode_pnm(image);
}

Converted decrypt_content(std::string_view content, const std::string& name, const std::string& out,
                          const container::Secret& key) {
  const container::Opened opened = container::open(content, key, name);
  Converted converted{encode(opened, out), {}};
  if (format_of(out) != OutputFormat::png && !opened.metadata.empty()) {
    converted.notes.push_back(fmt::format("dropped, a .png would hold them: {}",
                                          fmt::join(chunk_types(opened.metadata), ", ")));
  }
  return converted;
}

/// "a.png.png", as encrypt names what comes from "a.png", becomes "a.png". Other names stay.
std::string output_name(const std::string& name) {
  if (extension_of(name) != ".png") return name + ".png";
  const std::string without = name.substr(0, name.size() - 4);
  return extension_of(without) == ".png" ? without : name;
}

const RegisterCommand entry{{
    .name = "decrypt",
    .summary = "cipher images back to images; altered ones are refused",
    .setup = [](CLI::App& app) -> std::function<ExitCode(const CommonOptions&)> {
      auto options = std::make_shared<ConvertOptions>();
      add_convert_options(app, options);
      const auto refuse_others = refuse_result_options(app);
      return [=](const CommonOptions& common) {
        refuse_others();
        const Conversion conversion{
            .verb = "decrypt",
            .past = "decrypted",
            .check_name = [](const std::string& out) { format_of(out); },
            .convert = decrypt_content,
            .is_member =
                [](const std::string& name, std::string_view start) {
                  return start.starts_with(png::signature) || extension_of(name) == ".png";
                },
            .output_name = output_name,
        };
        khazaal2024::set_threads(common.threads);  // one file at a time: a large one may have all
        return convert_files(conversion, *options, common.quiet);
      };
    },
}};

}  // namespace
}  // namespace icb
