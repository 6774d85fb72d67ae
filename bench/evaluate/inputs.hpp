/// What `icbench evaluate` looks at: one image with its companions, or folders of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/image.hpp"

namespace icb::evaluate {

/// The files or folders given. Without `cipher` the program encrypts `plain` itself.
struct Sources {
  std::optional<std::filesystem::path> cipher = {};
  std::optional<std::filesystem::path> plain = {};
  std::optional<std::filesystem::path> second = {};
};

/// Images of one case; all of one shape.
struct Images {
  std::optional<OwnedImage> cipher = {};
  std::optional<OwnedImage> plain = {};
  std::optional<OwnedImage> second = {};
  bool raw = false;    ///< a cipher image was taken from raw samples
  std::string sha256;  ///< of the cipher image's file, or of the plain one's if there is none
};

/// One image to be judged.
struct Case {
  std::string name;
  std::string id;         ///< changes with the content of its files
  std::size_t bytes = 0;  ///< of all its files
  /// Throws InputError: unreadable, no image, shapes that differ.
  std::function<std::shared_ptr<const Images>()> load;
};

struct Cases {
  std::vector<Case> cases;            ///< sorted by name
  std::vector<std::string> unpaired;  ///< files without companion, or with two; sorted
  bool folder = false;
};

/// A case is named like the cipher image's file, or the plain one's, without extension. Files: one
/// case, loaded at once. Folders: a case for every name that is in all of them; sub-folders are not
/// entered, names with a leading dot passed over. Files are read on `threads` threads to know their
/// hashes. Throws UsageError if files and folders are mixed; InputError if a path is not there, a
/// file cannot be used, or no name is in all folders.
Cases find_cases(const Sources& sources, unsigned threads);

/// Samples in the order of the file formats: row-major, channels interleaved as gray(, alpha) or
/// R, G, B(, alpha), 16 bit most significant byte first. Throws std::invalid_argument unless there
/// are exactly as many bytes as the shape has.
OwnedImage from_raw(const Shape& shape, std::string_view samples);

}  // namespace icb::evaluate
