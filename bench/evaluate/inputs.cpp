#include "bench/evaluate/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "bench/stop.hpp"
#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/parallel.hpp"
#include "datasets/dataset.hpp"

namespace icb::evaluate {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string path;
  std::string content;
  std::string sha256;
};

File read(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::is_character_file(status) || fs::is_block_file(status)) {
    throw InputError(fmt::format("{}: expected a file, got a device", path.string()));
  }
  constexpr std::size_t limit = max_image_bytes + (std::size_t{1} << 26);  // headers, metadata
  if (fs::is_regular_file(status) && fs::file_size(path, error) > limit && !error) {
    throw InputError(fmt::format("{}: too large: {} bytes, expected at most {}", path.string(),
                                 fs::file_size(path, error), limit));
  }
  File out{path.string(), read_file(path, limit), {}};
  out.sha256 = to_hex(sha256(out.content));
  return out;
}

/// Contents of a case's files.
struct Files {
  std::optional<File> cipher = {};
  std::optional<File> plain = {};
  std::optional<File> second = {};

  std::vector<const File*> all() const {
    std::vector<const File*> out;
    for (const auto* file : {&cipher, &plain, &second}) {
      if (*file) out.push_back(&**file);
    }
    return out;
  }
};

Files read(const Sources& paths) {
  Files out;
  if (paths.plain) out.plain = read(*paths.plain);
  if (paths.cipher) out.cipher = read(*paths.cipher);
  if (paths.second) out.second = read(*paths.second);
  return out;
}

std::string id_of(const Files& files) {
  std::string out;
  for (const File* file : files.all()) out += (out.empty() ? "" : " ") + file->sha256;
  return out;
}

// --- Pixels

/// An image whose shape others must have.
struct Reference {
  const char* what;
  const File* file;
  Shape shape;
};

OwnedImage decode(const File& file, const std::optional<Reference>& like, bool& raw) {
  try {
    return owned(decode_image(file.content, file.path));
  } catch (const InputError& error) {
    if (!like) {
      throw InputError(fmt::format(
          "{}; raw pixels can be judged with --plain, which says their shape", error.what()));
    }
    const std::size_t expected = like->shape.bytes();
    if (file.content.size() != expected) {
      throw InputError(
          fmt::format("{}; as raw pixels of the {} {} ({}) it would have {} bytes, it "
                      "has {}",
                      error.what(), like->what, like->file->path, to_string(like->shape), expected,
                      file.content.size()));
    }
  }
  raw = true;
  return from_raw(like->shape, file.content);
}

OwnedImage decode_like(const File& file, const std::optional<Reference>& like, const char* hint,
                       bool& raw) {
  OwnedImage out = decode(file, like, raw);
  if (like && out.shape() != like->shape) {
    throw InputError(fmt::format("{}: {}, but the {} {} is {}{}", file.path, to_string(out.shape()),
                                 like->what, like->file->path, to_string(like->shape), hint));
  }
  return out;
}

Images decode(const Files& files) {
  Images out;
  out.sha256 = (files.cipher ? files.cipher : files.plain)->sha256;
  std::optional<Reference> like;
  if (files.plain) {
    out.plain = owned(decode_image(files.plain->content, files.plain->path));
    like = Reference{"plain image", &*files.plain, out.plain->shape()};
  }
  if (files.cipher) {
    out.cipher = decode_like(*files.cipher, like,
                             "; without --plain the cipher image is judged alone", out.raw);
    if (!like) like = Reference{"first cipher image", &*files.cipher, out.cipher->shape()};
  }
  if (files.second) out.second = decode_like(*files.second, like, "", out.raw);
  return out;
}

// --- Folders

using Names = std::map<std::string, std::vector<fs::path>>;

/// Regular files by name without extension.
Names names_in(const fs::path& folder) {
  Names out;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      std::error_code error;  // a link that leads nowhere is a file that cannot be read
      if (name.starts_with('.') || (!entry.is_regular_file(error) && !entry.is_symlink())) continue;
      if (entry.is_directory(error)) continue;
      out[entry.path().stem().string()].push_back(entry.path());
    }
  } catch (const fs::filesystem_error& error) {
    throw InputError(
        fmt::format("{}: cannot be listed: {}", folder.string(), error.code().message()));
  }
  return out;
}

/// One path of each kind for the name, if there is exactly one in every folder given.
std::optional<Sources> paths_of(const std::string& name, const std::vector<Names>& folders,
                                const std::vector<std::optional<fs::path> Sources::*>& kinds) {
  Sources out;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const auto found = folders[i].find(name);
    if (found == folders[i].end() || found->second.size() != 1) return std::nullopt;
    out.*kinds[i] = found->second.front();
  }
  return out;
}

/// Loads later what was hashed now.
Case lazy_case(std::string name, const Sources& paths) {
  Case out{.name = std::move(name), .id = {}, .bytes = 0, .load = {}};
  try {
    const Files files = read(paths);
    out.id = id_of(files);
    for (const File* file : files.all()) out.bytes += file->content.size();
  } catch (const InputError& error) {
    out.load = [text = std::string(error.what())]() -> std::shared_ptr<const Images> {
      throw InputError(text);
    };
    return out;
  }
  out.load = [paths, id = out.id] {
    const Files files = read(paths);
    if (id_of(files) != id) {
      throw InputError(fmt::format("{}: changed while it was read", files.all().front()->path));
    }
    return std::make_shared<const Images>(decode(files));
  };
  return out;
}

Cases folder_cases(const Sources& sources, unsigned threads) {
  std::vector<std::optional<fs::path> Sources::*> kinds;
  std::vector<Names> folders;
  std::set<std::string> names;
  std::string given;
  for (const auto kind : {&Sources::cipher, &Sources::plain, &Sources::second}) {
    if (!(sources.*kind)) continue;
    kinds.push_back(kind);
    folders.push_back(names_in(*(sources.*kind)));
    given += (given.empty() ? "" : ", ") + (sources.*kind)->string();
    for (const auto& [name, paths] : folders.back()) names.insert(name);
  }
  Cases out;
  out.folder = true;
  std::vector<std::pair<std::string, Sources>> found;
  for (const std::string& name : names) {
    if (auto paths = paths_of(name, folders, kinds)) {
      found.emplace_back(name, std::move(*paths));
      continue;
    }
    for (const Names& folder : folders) {
      if (!folder.contains(name)) continue;
      for (const fs::path& path : folder.at(name)) out.unpaired.push_back(path.string());
    }
  }
  std::ranges::sort(out.unpaired);
  if (found.empty()) {
    throw InputError(fmt::format("{}: no file name (without extension) is {}", given,
                                 folders.size() > 1 ? "in all folders" : "there"));
  }
  out.cases.resize(found.size());
  std::atomic<std::size_t> next{0};
  on_threads(thread_count(threads), [&](const std::stop_token& stop) {
    for (std::size_t n = 0; !stop.stop_requested() && (n = next.fetch_add(1)) < found.size();) {
      throw_if_stopped("interrupted");
      out.cases[n] = lazy_case(found[n].first, found[n].second);
    }
  });
  return out;
}

Cases single_case(const Sources& sources) {
  const Files files = read(sources);
  const auto images = std::make_shared<const Images>(decode(files));
  const fs::path& named = sources.cipher ? *sources.cipher : *sources.plain;
  Case one{.name = named.stem().string(), .id = id_of(files), .bytes = 0, .load = [images] {
             return images;
           }};
  for (const File* file : files.all()) one.bytes += file->content.size();
  Cases out;
  out.cases.push_back(std::move(one));
  return out;
}

}  // namespace

OwnedImage from_raw(const Shape& shape, std::string_view samples) {
  if (samples.size() != shape.bytes()) {
    throw std::invalid_argument(fmt::format("from_raw: expected {} bytes for {}, got {}",
                                            shape.bytes(), to_string(shape), samples.size()));
  }
  OwnedImage out(shape);
  const std::size_t width = shape.sample_bytes;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(samples[i]); };
  std::size_t next = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t k = 0; k < shape.channels; ++k, next += width) {
        const std::size_t channel = shape.channels >= 3 && k < 3 ? 2 - k : k;  // R G B to B G R
        const int value = width == 1 ? byte(next) : byte(next) << 8 | byte(next + 1);
        out.view().set_sample(row, col, channel, static_cast<std::uint16_t>(value));
      }
    }
  }
  return out;
}

Cases find_cases(const Sources& sources, unsigned threads) {
  std::size_t folders = 0;
  std::size_t given = 0;
  for (const auto* path : {&sources.cipher, &sources.plain, &sources.second}) {
    if (!*path) continue;
    std::error_code error;
    if (!fs::exists(**path, error)) {
      throw InputError(fmt::format("{}: no such file or folder", (*path)->string()));
    }
    ++given;
    folders += fs::is_directory(**path, error) ? 1U : 0U;
  }
  if (folders != 0 && folders != given) {
    throw UsageError("evaluate: expected files or folders, got both");
  }
  return folders > 0 ? folder_cases(sources, threads) : single_case(sources);
}

}  // namespace icb::evaluate
