/// `icbench encrypt IN OUT --key-file F`: images become cipher images (docs/container.md).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "bench/command.hpp"
#include "bench/files/convert.hpp"
#include "cipher/cipher.hpp"
#include "cipher/khazaal2024/khazaal2024.hpp"
#include "container/container.hpp"
#include "datasets/dataset.hpp"

namespace icb {
namespace {

void check_name(const std::string& out) {
  if (extension_of(out) == ".png") return;
  throw UsageError(
      fmt::format("{}: a cipher image is a PNG; expected a name ending in .png, or -", out));
}

Converted encrypt_content(const CipherEntry& cipher, std::string_view content,
                          const std::string& name, const container::Secret& key) {
  Picture picture = decode_picture(content, name);
  const auto types = chunk_types(picture.metadata);
  if (std::find(types.begin(), types.end(), container::chunk_type) != types.end()) {
    throw InputError(fmt::format("{}: is a cipher image already", name));
  }
  const ConstImage plain = view_of(picture.image);
  if (const auto reason = cipher.refuses(plain.shape())) {
    throw InputError(fmt::format("{}: {} cannot encrypt {}: {}", name, cipher.name,
                                 to_string(plain.shape()), *reason));
  }
  Converted out;
  try {
    out.content = container::seal(cipher, plain, picture.metadata, key, container::fresh(cipher));
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", name, error.what()));
  }
  for (const std::string& what : picture.expanded) {
    out.notes.push_back(fmt::format("expanded: {}", what));
  }
  if (!picture.dropped.empty()) {
    out.notes.push_back(
        fmt::format("dropped, not in the cipher image: {}", fmt::join(picture.dropped, ", ")));
  }
  return out;
}

/// By its content or, if that says nothing, by its name: a damaged image, or one of a format not
/// read here, must fail and not pass unnoticed.
bool is_member(const std::string& name, std::string_view start) {
  static constexpr std::array extensions{".png", ".tif", ".tiff", ".pgm", ".ppm",
                                         ".pnm", ".bmp", ".jpg",  ".jpeg"};
  return kind_of_content(start) != ContentKind::other ||
         std::find(extensions.begin(), extensions.end(), extension_of(name)) != extensions.end();
}

const CipherEntry& usable_cipher(const std::string& name) {
  const auto& cipher = find<CipherEntry>(name);
  if (const std::string reason = container::why_unusable(cipher); !reason.empty()) {
    throw UsageError(fmt::format("--cipher {}: cannot encrypt files: {}", name, reason));
  }
  return cipher;
}

const RegisterCommand entry{{
    .name = "encrypt",
    .summary = "images to cipher images: lossless, authenticated",
    .setup = [](CLI::App& app) -> std::function<ExitCode(const CommonOptions&)> {
      auto options = std::make_shared<ConvertOptions>();
      add_convert_options(app, options);
      app.add_option("--cipher,--variant", options->cipher, "a cipher of \"icbench list ciphers\"")
          ->option_text("ID [khazaal2024]");
      const auto refuse_others = refuse_result_options(app);
      return [=](const CommonOptions& common) {
        refuse_others();
        const CipherEntry& cipher = usable_cipher(options->cipher);
        const Conversion conversion{
            .verb = "encrypt",
            .past = "encrypted",
            .check_name = check_name,
            .convert =
                [&cipher](std::string_view content, const std::string& name, const std::string&,
                          const container::Secret& key) {
                  return encrypt_content(cipher, content, name, key);
                },
            .is_member = is_member,
            .output_name = [](const std::string& name) { return name + ".png"; },
        };
        khazaal2024::set_threads(common.threads);  // one file at a time: a large one may have all
        return convert_files(conversion, *options, common.quiet);
      };
    },
}};

}  // namespace
}  // namespace icb
