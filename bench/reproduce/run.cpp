#include "bench/reproduce/run.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "bench/cipher_stream.hpp"

namespace icb::reproduce {

Bytes key_for(const Run& run, const CipherEntry& cipher, std::string_view key_label) {
  return icb::key_for(run.seed, cipher, key_label);
}

Bytes nonce_for(const Run& run, const CipherEntry& cipher, std::string_view key_label,
                std::string_view image_name) {
  return icb::nonce_for(run.seed, cipher, key_label, image_name);
}

OwnedImage encrypt_for(const Run& run, std::string_view subject, ConstImage plain,
                       std::string_view key_label, std::string_view image_name) {
  return icb::encrypt_for(run.seed, subject, plain, key_label, image_name);
}

OwnedImage plain_of(const ImageRef& image) { return owned(image.load()); }

std::string markdown_table(const CsvTable& table) {
  const auto line = [](const std::vector<std::string>& fields) {
    std::string out = "|";
    for (const auto& field : fields) {
      out += ' ';
      for (const char c : field) {
        if (c == '|') out += '\\';
        out += c;
      }
      out += " |";
    }
    return out + '\n';
  };
  std::string out = line(table.header());
  out += '|';
  for (std::size_t i = 0; i < table.header().size(); ++i) out += "---|";
  out += '\n';
  for (const auto& row : table.rows()) out += line(row);
  return out;
}

std::string short_number(double value) {
  if (value == 0) return "0";
  if (std::abs(value) >= 1e-4 && std::abs(value) < 1) return fmt::format("{:.4f}", value);
  return fmt::format("{:.4g}", value);
}

}  // namespace icb::reproduce
