/// Key files: 64 hexadecimal digits and a line break.
#pragma once

#include <filesystem>
#include <string>

#include "container/keys.hpp"

namespace icb {

/// 32 bytes of the operating system's generator as the text of a key file.
std::string new_key_text();

/// Writes a key file of mode 0600 from the start. Throws InputError with the path if anything is
/// there already or writing fails; then nothing is left.
void write_key_file(const std::filesystem::path& path, const std::string& text);

/// Exactly 64 hexadecimal digits, at most one line break behind them. Throws InputError with the
/// path, never with what the file holds.
container::Secret read_key_file(const std::filesystem::path& path);

/// A sentence if others than the owner may read the file, else empty.
std::string key_file_warning(const std::filesystem::path& path);

}  // namespace icb
