/// The chunks a PNG file consists of (PNG specification, section 5.3): length, type, data,
/// checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace icb::png {

inline constexpr std::string_view signature = "\x89PNG\r\n\x1A\n";
/// Of a chunk beside its data.
inline constexpr std::size_t frame_bytes = 12;
/// Signature and IHDR, with which every file starts.
inline constexpr std::size_t start_bytes = signature.size() + frame_bytes + 13;

/// Views of one chunk of a file.
struct Chunk {
  std::string_view type;
  std::string_view data;
  std::string_view whole;

  /// Bit 5 of the first letter: a program may pass over it.
  bool ancillary() const { return (type[0] & 0x20) != 0; }

  /// The checksum is right and the type consists of letters.
  bool intact() const;
};

/// The chunk at byte `at`; nothing if the content ends before it does.
std::optional<Chunk> chunk_at(std::string_view content, std::size_t at);

/// A whole chunk. `type` has four letters, `data` fewer than 2^31 bytes.
std::string make_chunk(std::string_view type, std::string_view data);

/// Most significant byte first; `at + 4` is inside.
std::uint32_t read_number(std::string_view content, std::size_t at);
std::string number(std::uint32_t value);

}  // namespace icb::png
