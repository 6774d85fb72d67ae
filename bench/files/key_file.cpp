#include "bench/files/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/csv.hpp"
#include "core/descriptor.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb {
namespace {

constexpr std::size_t digits = 2 * container::key_bytes;
constexpr std::size_t most_bytes = 4096;  // far more than a key file has, to say what is wrong

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
}

/// Wipes a text that holds a key.
class Wipe {
 public:
  explicit Wipe(std::string& text) : m_text(text) {}

  Wipe(const Wipe&) = delete;
  Wipe& operator=(const Wipe&) = delete;

  ~Wipe() { OPENSSL_cleanse(m_text.data(), m_text.size()); }

 private:
  std::string& m_text;
};

}  // namespace

std::string new_key_text() {
  return to_hex(container::Secret(container::random_bytes(container::key_bytes)).bytes()) + '\n';
}

void write_key_file(const std::filesystem::path& path, const std::string& text) {
  // O_EXCL follows no symbolic link and leaves what is there alone.
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    const int error = errno;
    throw InputError(
        error == EEXIST
            ? fmt::format("{}: exists; a key is never overwritten", path.string())
            : fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
  }
  if (!write_all(file.get(), text)) {
    const int error = errno;
    ::unlink(path.c_str());
    throw InputError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
  }
}

container::Secret read_key_file(const std::filesystem::path& path) {
  std::string text = read_file(path, most_bytes);
  const Wipe wipe(text);
  std::string_view key = text;
  if (key.ends_with('\n')) key.remove_suffix(1);
  const bool hexadecimal = std::all_of(key.begin(), key.end(), [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
  if (!hexadecimal || key.size() != digits) {
    throw InputError(fmt::format("{}: not a key: expected {} hexadecimal digits, got {} bytes{}",
                                 path.string(), digits, key.size(),
                                 hexadecimal ? "" : " that are not all such digits"));
  }
  Bytes bytes = from_hex(key);
  const container::Secret secret{bytes};
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

std::string key_file_warning(const std::filesystem::path& path) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if ((status.st_mode & 077) == 0) return {};
  return fmt::format("{}: others than its owner may use this key file (mode {:04o}); chmod 600 {}",
                     path.string(), status.st_mode & 07777, path.string());
}

}  // namespace icb
