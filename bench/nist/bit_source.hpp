/// Bits of files, pipes and images as one stream, cut into sequences. Memory holds one sequence and
/// one chunk (for images: one image), however long the input; nothing is sought for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bits.hpp"
#include "core/descriptor.hpp"

namespace icb::nist {

enum class InputFormat {
  automatic,  ///< by the first bytes: image, ascii, else msb; never float64 or lsb
  msb,        ///< packed, most significant bit of each byte first
  lsb,        ///< packed, least significant bit of each byte first
  ascii,      ///< '0' and '1', white space skipped
  float64,    ///< little-endian doubles in [0, 1): the first binary digits of each
  image,      ///< what load_image reads: bytes of the samples, MSB first
};

/// "auto", "msb", ...
std::string_view to_string(InputFormat format);

struct SourceOptions {
  InputFormat format = InputFormat::automatic;
  unsigned float_bits = 32;  ///< digits of each double, 1 to 52: floor(x 2^B), MSB first
};

/// What a file starting with these bytes is taken for under InputFormat::automatic.
InputFormat detect_format(std::string_view start);

/// Appends bits and gives them away as a sequence.
class BitBuilder {
 public:
  std::uint64_t size() const { return m_size; }

  /// The lowest `count` bits of `value`, the most significant of them first; 0 <= count <= 64, the
  /// bits above them are zero.
  void append(std::uint64_t value, unsigned count);
  /// `count` bits from bit `first` on.
  void append(BitView bits, std::uint64_t first, std::uint64_t count);

  BitView view() const { return {m_words, m_size}; }

  /// Empty afterwards.
  BitSequence take();
  void clear();

 private:
  std::vector<std::uint64_t> m_words;
  std::uint64_t m_size = 0;
};

/// The bits of all files one after the other; "-" is standard input.
///
///   BitSource source({"a.bin", "-"}, {});
///   source.skip(100);
///   const BitSequence bits = source.read(1'000'000);  // fewer at the end of the input
///
/// Where one sequence ends the next begins, with any number of bits. Images: rows from the top, the
/// bytes of a pixel in the order image views hold them (B, G, R, A), a 16-bit sample most
/// significant byte first. A double may begin in one file and end in the next.
///
/// Every call throws InputError with the file's name, what was expected and what came: missing,
/// unreadable, a directory, empty, not of its format, or (automatic) of another format than the
/// first file; and Interrupted where a signal asked to stop.
class BitSource {
 public:
  BitSource(std::vector<std::string> files, SourceOptions options);

  /// Up to `count` bits; fewer only at the end.
  BitSequence read(std::uint64_t count);
  /// Passes over up to `count` bits and returns how many there were.
  std::uint64_t skip(std::uint64_t count);

  /// The format stated, or detected in the first file (looks at it).
  InputFormat format();
  /// All bits of the input if its size tells (packed or float64, regular files).
  std::optional<std::uint64_t> total_bits();

  /// At the end: bytes that are no whole double.
  unsigned leftover_bytes() const { return static_cast<unsigned>(m_partial.size()); }

 private:
  bool open_next();
  std::size_t read_some(char* to, std::size_t count);
  void fill_start();
  bool refill();
  void decode(std::string_view bytes);
  void decode_ascii(std::string_view bytes);
  void decode_float64(std::string_view bytes);
  void decode_image_file();

  std::uint64_t available() const { return m_queue.size() - m_first; }

  std::vector<std::string> m_files;
  SourceOptions m_options;
  std::optional<InputFormat> m_format;
  std::size_t m_next = 0;                ///< file to open
  std::optional<Descriptor> m_file;      ///< open
  std::string m_name;                    ///< of it, for messages
  std::string m_start;                   ///< of it, read to be looked at and not decoded yet
  std::optional<std::uint64_t> m_whole;  ///< its bytes if regular
  std::uint64_t m_offset = 0;            ///< bytes of it decoded
  std::uint64_t m_values = 0;            ///< doubles decoded, of all files
  std::string m_partial;                 ///< bytes of a double begun
  BitBuilder m_queue;                    ///< decoded, not given away
  std::uint64_t m_first = 0;             ///< in the queue
};

}  // namespace icb::nist
