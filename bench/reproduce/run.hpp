/// What all parts of `icbench reproduce` share: options, images, keys, outputs.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cells.hpp"
#include "cipher/cipher.hpp"
#include "core/csv.hpp"
#include "datasets/dataset.hpp"

namespace icb::reproduce {

/// Subjects of tables 2 and 3, in the order of the tables: plain image, section 3 alone, whole
/// cipher, control.
inline constexpr std::array<std::string_view, 4> subjects{"identity", "khazaal2024-confusion",
                                                          "khazaal2024", "aes-256-ctr"};

/// A row of the paper's Table 3 and the image that stands in its place.
struct Table3Row {
  int row;
  std::string type;
  std::string size;  ///< width x height of the image

  std::array<double, 3> paper;  ///< vertical, horizontal, diagonal
  ImageRef image;
  std::string derived_from;  ///< how the image was made or why it stands in; else empty
};

struct Run {
  // Options.
  std::filesystem::path out;
  std::uint64_t seed;
  double alpha;
  bool quick;
  bool quiet;
  unsigned threads;

  // Data.
  bool generated;             ///< no database images: the generated set stands in
  std::string data_sentence;  ///< first line of every page
  ImageSet volume;            ///< misc volume or generated set
  std::vector<Table3Row> table3;
  std::vector<ImageRef> training_test;    ///< never trained on
  ImageRef pictured;                      ///< image of figures 8 and 9 that may be published
  std::optional<ImageRef> pictured_sipi;  ///< the same from the database, for the reader's own eyes

  // Sizes.
  std::size_t sequences_per_subject;
  std::size_t image_keys;
  std::size_t training_keys;
};

inline constexpr std::uint64_t sequence_bits = 1'000'000;

/// Encrypts with the key and nonce derived from the seed, the key's label and the image's name.
OwnedImage encrypt_for(const Run& run, std::string_view subject, ConstImage plain,
                       std::string_view key_label, std::string_view image_name);

/// Key of a label, cut to what the cipher takes.
Bytes key_for(const Run& run, const CipherEntry& cipher, std::string_view key_label);
Bytes nonce_for(const Run& run, const CipherEntry& cipher, std::string_view key_label,
                std::string_view image_name);

/// The plain image as bytes; InputError if it cannot be read or its checksum differs.
OwnedImage plain_of(const ImageRef& image);

/// Rows of `table` below a header of the same names, as a Markdown table.
std::string markdown_table(const CsvTable& table);

/// Four decimals from 0.0001 to 1, else four significant digits: for pages; CSV has 17 digits.
std::string short_number(double value);

}  // namespace icb::reproduce
