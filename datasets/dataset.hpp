/// Image sets: what exists, where it is, whether it is whole, and its pixels.
#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/image.hpp"

namespace icb {

// --- Images in files -------------------------------------------------------------------------

/// Largest image accepted, in bytes of pixels: 16384 x 16384 x 4 channels x 16 bit.
inline constexpr std::size_t max_image_bytes = std::size_t{16384} * 16384 * 4 * 2;

/// Largest file read as an image: the pixels uncompressed, headers and metadata.
inline constexpr std::size_t max_file_bytes = max_image_bytes + (std::size_t{1} << 26);

/// Reads TIFF, PNG, PGM, PPM or BMP, 8 or 16 bit, 1 to 4 channels, without converting any value
/// (no palette expansion, no scaling, no orientation). Channel order as OpenCV holds it: B, G, R,
/// A. Errors: InputError with the path, what was expected and what came (missing, empty, truncated,
/// not an image, zero or excessive dimensions, palette or unsupported depth).
cv::Mat load_image(const std::filesystem::path& path);
/// The same from the content of a file; `name` starts every message.
cv::Mat decode_image(std::string_view content, const std::string& name);

/// The content of an image file. Throws InputError with the path: missing, unreadable, a directory,
/// a device, more than max_file_bytes.
std::string read_image_file(const std::filesystem::path& path);

/// What the first bytes of a file say.
enum class ContentKind {
  image,              ///< one of the formats read here
  unsupported_image,  ///< JPEG, GIF and other formats of images
  other,
};

ContentKind kind_of_content(std::string_view content);

/// Chunks of a PNG beside its pixels (colour profile, gamma, text, ...), each whole: length, type,
/// data, checksum; in the order of the file.
struct PngMetadata {
  std::string before;  ///< those before the pixels
  std::string after;   ///< those after them

  bool empty() const { return before.empty() && after.empty(); }

  friend bool operator==(const PngMetadata&, const PngMetadata&) = default;
};

/// Types of the chunks, each once, in their order.
std::vector<std::string> chunk_types(const PngMetadata& metadata);

/// An image with what its file says beside the pixels.
struct Picture {
  cv::Mat image;
  PngMetadata metadata;               ///< of a PNG; other formats have none that is kept
  std::vector<std::string> expanded;  ///< how pixels are stored otherwise, e.g. "palette to RGB"
  std::vector<std::string> dropped;   ///< what is neither pixels nor metadata, by name
};

/// decode_image for programs that write the image again. Of a PNG it keeps the ancillary chunks and
/// also reads a palette, 1, 2 and 4 bit and a transparency key, expanded to the 8 or 16 bit samples
/// they stand for. Errors: InputError, as above.
Picture decode_picture(std::string_view content, const std::string& name);

/// How hard the encoder tries.
enum class PngEffort {
  stored,  ///< not at all: for cipher images, which do not compress
  fast,
  small,  ///< libpng's usual settings
};

/// Lossless PNG. Throws std::runtime_error if libpng fails.
std::string encode_png(ConstImage image, PngEffort effort = PngEffort::fast,
                       const PngMetadata& metadata = {});
/// Uncompressed TIFF of one strip; a second or fourth channel is unassociated alpha.
std::string encode_tiff(ConstImage image);
/// Binary PGM (1 channel) or PPM (3). Throws std::invalid_argument for 2 or 4 channels.
std::string encode_pnm(ConstImage image);

/// View of a continuous 8 or 16 bit unsigned matrix of 1 to 4 channels; nothing is copied.
/// Throws std::invalid_argument otherwise.
ConstImage view_of(const cv::Mat& image);
/// Copy into an image that owns its bytes.
OwnedImage owned(const cv::Mat& image);
/// Copy into a matrix.
cv::Mat to_mat(ConstImage image);

/// Lossless PNG, written atomically. Throws InputError with the path.
void save_png(const std::filesystem::path& path, ConstImage image);

/// Versions of the decoders (libpng, libtiff), as {name, version}.
std::vector<std::pair<std::string, std::string>> decoder_versions();

// --- The USC-SIPI database ---------------------------------------------------------------------

/// One line of datasets/manifest.csv: facts about a file, not the file.
struct ManifestEntry {
  std::string volume;  ///< misc, aerials or textures
  std::string name;    ///< e.g. "4.2.03"
  std::string description;
  std::size_t width;
  std::size_t height;
  std::size_t channels;
  std::string sha256;  ///< of the file
};

/// The built-in manifest, in the order of the file.
const std::vector<ManifestEntry>& sipi_manifest();
/// SHA-256 of the manifest itself, for provenance.
std::string sipi_manifest_sha256();

/// <directory>/<volume>/<name>.tiff
std::filesystem::path sipi_file(const std::filesystem::path& directory, const ManifestEntry& entry);

/// Directory with the volumes as sub-directories (misc/4.2.03.tiff ...): the first that exists of
/// `option`, $ICBENCH_DATA, datasets/sipi, ../shared/sipi (the last two relative to the current
/// directory). A given option or variable that does not exist, or holds no manifest file, is an
/// InputError; the last two are passed over if they hold none; none at all is std::nullopt.
std::optional<std::filesystem::path> find_sipi(const std::optional<std::filesystem::path>& option);

enum class FileState { ok, missing, altered };

struct VerifiedFile {
  const ManifestEntry* entry;
  FileState state;
  std::string found_sha256;  ///< empty if missing
};

/// Checksum of every manifest file below the directory.
std::vector<VerifiedFile> verify_sipi(const std::filesystem::path& directory);
/// The same for some entries, which must outlive the result.
std::vector<VerifiedFile> verify_files(const std::filesystem::path& directory,
                                       std::span<const ManifestEntry> entries);

// --- Sets ----------------------------------------------------------------------------------------

struct ImageRef {
  std::string name;  ///< "4.2.03" or "texture-512-rgb"
  std::string description;
  std::string sha256;  ///< of the file; for a generated image of its bytes
  Shape shape;
  std::function<cv::Mat()> load;  ///< checks the checksum; InputError if it differs
};

struct ImageSet {
  std::string name;    ///< "sipi-misc", "smoke"
  std::string origin;  ///< one sentence for the first line of tables
  bool generated = false;
  std::vector<ImageRef> images;
};

/// One volume of the database; files missing below the directory are left out.
ImageSet sipi_volume(const std::filesystem::path& directory, std::string_view volume);

/// Generated natural-like images: the same bytes on every machine, integer arithmetic only.
const ImageSet& smoke_set();

/// The image of that name. Throws UsageError naming what exists.
const ImageRef& find_image(const ImageSet& set, std::string_view name);

/// Bilinear resize in integer arithmetic (16.16 coordinates, sample centres aligned, rounded to
/// nearest): the same bytes on every machine, unlike a library's. 8 or 16 bit, 1 to 4 channels.
cv::Mat resize_bilinear(const cv::Mat& image, std::size_t rows, std::size_t cols);

// --- Fetching --------------------------------------------------------------------------------

struct FetchOptions {
  std::string base_url = "https://sipi.usc.edu/database";  ///< <base>/<volume>.zip
  std::filesystem::path directory = "datasets/sipi";
  std::vector<std::string> volumes = {"misc", "aerials", "textures"};
  bool quiet = false;
};

/// Downloads the volume archives with curl, resuming a partial download, unpacks, checks every
/// manifest file and moves a volume into place only when all its files are there and right. Throws
/// InputError with the address or file and the reason; what was there before stays.
void fetch_sipi(const FetchOptions& options);

}  // namespace icb
