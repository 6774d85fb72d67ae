#include "bench/nist/bit_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "bench/stop.hpp"
#include "core/error.hpp"
#include "datasets/dataset.hpp"

namespace icb::nist {
namespace {

constexpr std::size_t looked_at = 4096;  // bytes the format is told by
constexpr std::size_t chunk = std::size_t{1} << 16;
constexpr const char* interrupted = "interrupted; nothing is written";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool starts_image(std::string_view start) {
  using namespace std::string_view_literals;
  for (const auto magic :
       {"\x89PNG\r\n\x1A\n"sv, "II*\0"sv, "MM\0*"sv, "II+\0\x08\0\0\0"sv, "MM\0+\0\x08\0\0"sv}) {
    if (start.starts_with(magic)) return true;
  }
  // Two bytes are too few to tell a picture from random ones.
  if (start.size() >= 4 && start[0] == 'P' && (start[1] == '5' || start[1] == '6')) {
    return is_space(start[2]) &&
           (start[3] == '#' || is_space(start[3]) || (start[3] >= '1' && start[3] <= '9'));
  }
  return start.size() >= 18 && start.starts_with("BM") && start.substr(6, 4) == "\0\0\0\0"sv &&
         start.substr(15, 3) == "\0\0\0"sv &&
         std::string_view("\x28\x34\x38\x40\x6C\x7C").find(start[14]) != std::string_view::npos;
}

std::uint64_t from_big_endian(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, 8);
  return __builtin_bswap64(value);
}

/// The bits of every byte in reverse order.
std::uint64_t mirrored(std::uint64_t x) {
  x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
  x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
  return (x >> 4 & 0x0F0F0F0F0F0F0F0F) | (x & 0x0F0F0F0F0F0F0F0F) << 4;
}

template <bool mirror>
void append_packed(BitBuilder& out, std::string_view bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const std::uint64_t word = from_big_endian(bytes.data() + i);
    out.append(mirror ? mirrored(word) : word, 64);
  }
  for (; i < bytes.size(); ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(bytes[i]);
    out.append(mirror ? mirrored(byte) : byte, 8);
  }
}

/// Samples as image views hold them, but the most significant byte of 16 bits first.
std::string bytes_of(ConstImage image) {
  std::string out(image.bytes().begin(), image.bytes().end());
  if (image.shape().sample_bytes == 2) {
    for (std::size_t i = 0; i + 1 < out.size(); i += 2) std::swap(out[i], out[i + 1]);
  }
  return out;
}

}  // namespace

std::string_view to_string(InputFormat format) {
  static constexpr std::array<std::string_view, 6> names{"auto",  "msb",     "lsb",
                                                         "ascii", "float64", "image"};
  return names.at(static_cast<std::size_t>(format));
}

InputFormat detect_format(std::string_view start) {
  start = start.substr(0, looked_at);
  if (starts_image(start)) return InputFormat::image;
  const bool text =
      std::ranges::all_of(start, [](char c) { return c == '0' || c == '1' || is_space(c); });
  const bool digit = start.find_first_of("01") != std::string_view::npos;
  return text && digit ? InputFormat::ascii : InputFormat::msb;
}

// --- BitBuilder

void BitBuilder::append(std::uint64_t value, unsigned count) {
  if (count == 0) return;
  const auto used = static_cast<unsigned>(m_size % 64);
  const std::uint64_t top = value << (64 - count);
  if (used == 0) {
    m_words.push_back(top);
  } else {
    m_words.back() |= top >> used;
    if (used + count > 64) m_words.push_back(top << (64 - used));
  }
  m_size += count;
}

void BitBuilder::append(BitView bits, std::uint64_t first, std::uint64_t count) {
  const auto words = bits.words();
  for (std::uint64_t done = 0; done < count; done += 64) {
    const std::uint64_t at = (first + done) / 64;
    const auto shift = static_cast<unsigned>((first + done) % 64);
    std::uint64_t word = words[at] << shift;
    if (shift > 0 && at + 1 < words.size()) word |= words[at + 1] >> (64 - shift);
    const auto wanted = static_cast<unsigned>(std::min<std::uint64_t>(64, count - done));
    append(word >> (64 - wanted), wanted);
  }
}

BitSequence BitBuilder::take() {
  return BitSequence::from_words(std::exchange(m_words, {}), std::exchange(m_size, 0));
}

void BitBuilder::clear() {
  m_words.clear();
  m_size = 0;
}

// --- BitSource: files and pipes

BitSource::BitSource(std::vector<std::string> files, SourceOptions options)
    : m_files(std::move(files)), m_options(options) {
  if (m_options.format != InputFormat::automatic) m_format = m_options.format;
  if (m_options.float_bits < 1 || m_options.float_bits > 52) {
    throw UsageError(
        fmt::format("expected 1 to 52 bits of each double, got {}", m_options.float_bits));
  }
}

bool BitSource::open_next() {
  m_file.reset();
  if (m_next == m_files.size()) return false;
  const std::string& file = m_files[m_next++];
  m_name = file == "-" ? "standard input" : file;
  const auto fail = [&](int error) {
    throw InputError(fmt::format("{}: cannot be opened: {}", m_name, std::strerror(error)));
  };
  int fd = -1;
  if (file == "-") {
    fd = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  } else {
    while ((fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC)) < 0 && errno == EINTR) {
      throw_if_stopped(interrupted);
    }
  }
  if (fd < 0) fail(errno);
  m_file.emplace(fd);

  struct stat status {};

  if (::fstat(fd, &status) != 0) fail(errno);
  if (S_ISDIR(status.st_mode)) {
    throw InputError(fmt::format("{}: expected a file, got a directory", m_name));
  }
  m_whole.reset();
  if (S_ISREG(status.st_mode)) {  // of which standard input may have been read in part
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    m_whole =
        static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size - std::max<off_t>(0, at)));
  }
  m_offset = 0;
  m_start.clear();
  fill_start();
  if (m_start.empty()) throw InputError(fmt::format("{}: the file is empty", m_name));
  if (m_options.format == InputFormat::automatic) {
    const InputFormat found = detect_format(m_start);
    if (m_format && *m_format != found) {
      throw InputError(
          fmt::format("{}: looks like {} where the files before it look like {}; say "
                      "which by --input",
                      m_name, to_string(found), to_string(*m_format)));
    }
    m_format = found;
  }
  return true;
}

std::size_t BitSource::read_some(char* to, std::size_t count) {
  while (true) {
    throw_if_stopped(interrupted);
    if (!m_whole) {
      // A signal may reach another thread, and this one would wait in read() for ever.
      pollfd ready{.fd = m_file->get(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 200) <= 0) continue;  // time is up, or a signal
    }
    const ssize_t got = ::read(m_file->get(), to, count);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) {
      throw InputError(fmt::format("{}: cannot be read: {}", m_name, std::strerror(errno)));
    }
  }
}

void BitSource::fill_start() {
  std::size_t size = 0;
  m_start.resize(looked_at);
  while (size < looked_at) {
    const std::size_t got = read_some(m_start.data() + size, looked_at - size);
    if (got == 0) break;
    size += got;
  }
  m_start.resize(size);
}

// --- BitSource: formats

void BitSource::decode_ascii(std::string_view bytes) {
  std::uint64_t word = 0;
  unsigned filled = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c != '0' && c != '1') {
      if (is_space(c)) continue;
      throw InputError(fmt::format("{}: byte {}: expected '0', '1' or white space, got 0x{:02x}",
                                   m_name, m_offset + i, static_cast<unsigned char>(c)));
    }
    word = word << 1 | static_cast<unsigned>(c - '0');
    if (++filled == 64) {
      m_queue.append(word, 64);
      word = filled = 0;
    }
  }
  m_queue.append(word, filled);
}

void BitSource::decode_float64(std::string_view bytes) {
  const auto one = [this](const char* eight) {
    double value = 0;
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(&value, eight, 8);
    if (!(value >= 0 && value < 1)) {
      throw InputError(
          fmt::format("{}: value {} (the first is 0): expected a double in [0, 1), "
                      "got {}",
                      m_name, m_values, value));
    }
    const auto bits = static_cast<int>(m_options.float_bits);
    m_queue.append(static_cast<std::uint64_t>(std::ldexp(value, bits)), m_options.float_bits);
    ++m_values;
  };
  if (!m_partial.empty()) {
    const std::size_t missing = std::min(8 - m_partial.size(), bytes.size());
    m_partial += bytes.substr(0, missing);
    bytes.remove_prefix(missing);
    if (m_partial.size() < 8) return;
    one(m_partial.data());
    m_partial.clear();
  }
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) one(bytes.data());
  m_partial = bytes;
}

void BitSource::decode_image_file() {
  std::string content = std::exchange(m_start, {});
  constexpr std::size_t limit = max_image_bytes + (std::size_t{1} << 26);  // headers, metadata
  for (std::size_t size = content.size();;) {
    content.resize(size + chunk);
    const std::size_t got = read_some(content.data() + size, chunk);
    size += got;
    if (got == 0) {
      content.resize(size);
      break;
    }
    if (size > limit) {
      throw InputError(
          fmt::format("{}: too large for an image: more than {} bytes", m_name, limit));
    }
  }
  m_file.reset();
  append_packed<false>(m_queue, bytes_of(view_of(icb::decode_image(content, m_name))));
}

void BitSource::decode(std::string_view bytes) {
  switch (*m_format) {
    case InputFormat::lsb:
      append_packed<true>(m_queue, bytes);
      break;
    case InputFormat::ascii:
      decode_ascii(bytes);
      break;
    case InputFormat::float64:
      decode_float64(bytes);
      break;
    default:
      append_packed<false>(m_queue, bytes);
  }
  m_offset += bytes.size();
}

/// Decodes one more chunk into the empty queue; false at the end of all files.
bool BitSource::refill() {
  m_queue.clear();
  m_first = 0;
  while (m_queue.size() == 0) {
    if (!m_file && !open_next()) return false;
    if (m_format == InputFormat::image) {
      decode_image_file();
      continue;
    }
    if (!m_start.empty()) {
      decode(std::exchange(m_start, {}));
      continue;
    }
    std::array<char, chunk> buffer;  // NOLINT: filled by the next line
    const std::size_t got = read_some(buffer.data(), buffer.size());
    if (got == 0) {
      m_file.reset();
    } else {
      decode({buffer.data(), got});
    }
  }
  return true;
}

// --- BitSource: sequences

BitSequence BitSource::read(std::uint64_t count) {
  BitBuilder out;
  while (out.size() < count) {
    if (available() == 0 && !refill()) break;
    const std::uint64_t part = std::min(available(), count - out.size());
    out.append(m_queue.view(), m_first, part);
    m_first += part;
  }
  return out.take();
}

std::uint64_t BitSource::skip(std::uint64_t count) {
  std::uint64_t skipped = 0;
  while (skipped < count) {
    if (available() == 0 && !refill()) break;
    const std::uint64_t part = std::min(available(), count - skipped);
    m_first += part;
    skipped += part;
    // The rest of a packed file need not be read.
    const bool packed = m_format == InputFormat::msb || m_format == InputFormat::lsb;
    if (available() > 0 || !packed || !m_file || !m_whole || *m_whole <= m_offset) continue;
    const std::uint64_t bytes = std::min((count - skipped) / 8, *m_whole - m_offset);
    if (bytes == 0 || ::lseek(m_file->get(), static_cast<off_t>(bytes), SEEK_CUR) < 0) continue;
    m_offset += bytes;
    skipped += 8 * bytes;
  }
  return skipped;
}

InputFormat BitSource::format() {
  if (!m_format && !open_next()) throw InputError("no input file");
  return *m_format;
}

std::optional<std::uint64_t> BitSource::total_bits() {
  const InputFormat known = format();
  std::uint64_t bytes = 0;
  for (const std::string& file : m_files) {
    struct stat status {};

    const int result = file == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(file.c_str(), &status);
    if (result != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    bytes += static_cast<std::uint64_t>(status.st_size);
  }
  if (known == InputFormat::msb || known == InputFormat::lsb) return 8 * bytes;
  if (known == InputFormat::float64) return bytes / 8 * m_options.float_bits;
  return std::nullopt;
}

}  // namespace icb::nist
