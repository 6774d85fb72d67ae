/// First inputs of the fuzz targets, generated: fuzz_seeds DIRECTORY writes
/// DIRECTORY/<target>/<name>.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "cipher/cipher.hpp"
#include "container/container.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "datasets/dataset.hpp"
#include "datasets/png_chunks.hpp"

namespace icb {
namespace {

using namespace std::string_literals;

std::string bmp(std::size_t bits) {
  std::string out = "BM"s + std::string(8, '\0') + "\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0"s;
  out += static_cast<char>(bits);
  out.resize(54, '\0');
  return out + std::string(16, '\x55');
}

void write_seeds(const std::filesystem::path& directory) {
  const PngMetadata metadata{
      png::make_chunk("gAMA", "\0\0\xB1\x8F"s) + png::make_chunk("bKGD", "\0\0"s),
      png::make_chunk("tEXt", "Comment\0text"s)};
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      const Shape shape{.rows = 3, .cols = 4, .channels = channels, .sample_bytes = sample_bytes};
      const OwnedImage image{shape, derive_bytes(1, "seed", shape.bytes())};
      const std::string name = fmt::format("{}x{}", channels, 8 * sample_bytes);
      write_file_atomically(directory / "png" / name,
                            encode_png(image.view(), PngEffort::small, metadata));
      write_file_atomically(directory / "tiff" / name, encode_tiff(image.view()));
      if (channels % 2 == 1) {
        write_file_atomically(directory / "pnm" / name, encode_pnm(image.view()));
      }
      const auto& cipher = find<CipherEntry>(channels == 2 ? "aes-256-ctr" : "khazaal2024");
      const container::Fresh fresh{derive_bytes(1, "salt", container::salt_bytes),
                                   derive_bytes(1, "nonce", cipher.nonce_bytes.value)};
      write_file_atomically(
          directory / "container" / name,
          container::seal(cipher, image.view(), channels == 3 ? metadata : PngMetadata{},
                          container::Secret(derive_key(1, "fuzz")), fresh));
    }
  }
  write_file_atomically(directory / "pnm" / "p2", "P2 # c\n2 2 255\n0 1\n2 255\n");
  write_file_atomically(directory / "pnm" / "p3", "P3\n1 1 65535\n0 258 65535\n");
  for (const std::size_t bits : {24U, 32U}) {
    write_file_atomically(directory / "bmp" / fmt::format("{}", bits), bmp(bits));
  }
  const auto end = png::make_chunk("IEND", "");
  const auto idat =
      png::make_chunk("IDAT", "\x78\x01\x01\x02\x00\xFD\xFF\x00\x80\x00\x82\x00\x81"s);
  const auto header = [](const std::string& kind) {
    return std::string(png::signature) +
           png::make_chunk("IHDR", "\0\0\0\1\0\0\0\1"s + kind + "\0\0\0"s);
  };
  write_file_atomically(directory / "png" / "gray-1", header("\1\0"s) + idat + end);
  write_file_atomically(directory / "png" / "palette",
                        header("\1\3"s) + png::make_chunk("PLTE", "RGBrgb") +
                            png::make_chunk("tRNS", "\x40") + idat + end);
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds DIRECTORY\n", stderr);
    return 2;
  }
  try {
    icb::write_seeds(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fuzz_seeds: {}\n", error.what());
    return 3;
  }
  return 0;
}
