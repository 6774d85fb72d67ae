/// A mutator for files made of PNG chunks: after any mutation the lengths stay and the checksums
/// are made right, most of the time, so that inputs get past the first of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "datasets/png_chunks.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace icb::fuzz {

/// Chunks as far as their lengths lead, each with its checksum made right; then the rest.
inline std::string with_checksums(std::string_view content) {
  std::string out(content.substr(0, png::signature.size()));
  std::size_t at = out.size();
  while (const auto chunk = png::chunk_at(content, at)) {
    out += png::make_chunk(chunk->type, chunk->data);
    at += chunk->whole.size();
  }
  return out.append(content.substr(std::min(at, content.size())));
}

/// One chunk's data mutated, its length made right.
inline std::string with_chunk_mutated(std::string_view content, unsigned seed) {
  std::string out(content.substr(0, png::signature.size()));
  std::size_t count = 0;
  for (std::size_t at = out.size(); const auto chunk = png::chunk_at(content, at); ++count) {
    at += chunk->whole.size();
  }
  if (count == 0) return std::string(content);
  std::size_t at = out.size();
  for (std::size_t i = 0; const auto chunk = png::chunk_at(content, at); ++i) {
    at += chunk->whole.size();
    std::string data(chunk->data);
    if (i == seed % count) {
      const std::size_t size = data.size();
      data.resize(size + 64);
      data.resize(
          LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(data.data()), size, data.size()));
    }
    out += png::make_chunk(chunk->type, data);
  }
  return out.append(content.substr(std::min(at, content.size())));
}

/// What LLVMFuzzerCustomMutator returns.
inline std::size_t mutate_png(std::uint8_t* data, std::size_t size, std::size_t most,
                              unsigned seed) {
  std::string out;
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  if (seed % 4 == 1) {
    size = LLVMFuzzerMutate(data, size, most);
    out = with_checksums({reinterpret_cast<const char*>(data), size});
  } else {
    out = with_chunk_mutated({reinterpret_cast<const char*>(data), size}, seed / 4);
  }
  if (out.size() > most) return size;
  std::memcpy(data, out.data(), out.size());
  return out.size();
}

}  // namespace icb::fuzz
