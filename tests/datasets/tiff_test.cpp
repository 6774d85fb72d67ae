#include <map>
#include <opencv2/imgcodecs.hpp>

#include "files.hpp"

namespace icb {
namespace {

using ::testing::AnyOf;
using testing::bytes_of;
using testing::counted;
using ::testing::HasSubstr;
using testing::number;
using testing::refusal;

constexpr std::uint32_t width = 256;
constexpr std::uint32_t height = 257;
constexpr std::uint32_t bits = 258;
constexpr std::uint32_t compression = 259;
constexpr std::uint32_t photometric = 262;
constexpr std::uint32_t orientation = 274;
constexpr std::uint32_t samples = 277;
constexpr std::uint32_t strip_rows = 278;
constexpr std::uint32_t planes = 284;
constexpr std::uint32_t colour_map = 320;
constexpr std::uint32_t extra = 338;
constexpr std::uint32_t format = 339;

/// A TIFF of one strip: header, directory, pixels at the end (or the directory at the end). A tag
/// given in `change` replaces the usual value; bits are the same for every sample.
struct Tiff {
  std::string pixels;
  std::map<std::uint32_t, std::uint32_t> tags;
  bool motorola = false;
  bool directory_last = false;
  bool next_is_itself = false;

  Tiff(std::uint32_t w, std::uint32_t h, std::uint32_t channels, std::uint32_t depth,
       std::string data, const std::map<std::uint32_t, std::uint32_t>& change = {})
      : pixels(std::move(data)) {
    tags = {{width, w},
            {height, h},
            {bits, depth},
            {compression, 1},
            {photometric, channels < 3 ? 1U : 2U},
            {samples, channels},
            {strip_rows, h},
            {planes, 1}};
    if (channels == 2 || channels == 4) tags[extra] = 2;
    for (const auto& [tag, value] : change) tags[tag] = value;
  }

  std::string content() const {
    const auto put = [&](std::uint64_t value, std::size_t bytes) {
      return number(value, bytes, motorola);
    };
    const std::uint32_t channels = tags.at(samples);
    const std::size_t entries = tags.size() + 2;  // strip offsets and byte counts
    const std::size_t directory_bytes = 2 + 12 * entries + 4;
    const std::size_t extra_bytes = channels > 2 ? 2 * channels : 0;
    const std::size_t pad = pixels.size() % 2;
    const std::size_t directory = directory_last ? 8 + pixels.size() + pad : 8;
    const std::size_t data = directory_last ? 8 : 8 + directory_bytes + extra_bytes;
    std::string out = (motorola ? "MM" : "II") + put(42, 2) + put(directory, 4);
    if (directory_last) out += pixels + std::string(pad, '\0');
    auto all = tags;
    all[273] = static_cast<std::uint32_t>(data);
    all[279] = static_cast<std::uint32_t>(pixels.size());
    out += put(entries, 2);
    for (const auto& [tag, value] : all) {
      const bool is_long =
          tag == width || tag == height || tag == strip_rows || tag == 273 || tag == 279;
      const bool many = tag == bits && channels > 1;
      out += put(tag, 2) + put(is_long ? 4 : 3, 2) + put(many ? channels : 1, 4);
      if (tag == colour_map) {  // three times 256 values, taken from the pixels
        out.resize(out.size() - 4);
        out += put(768, 4) + put(data, 4);
      } else if (many && channels > 2) {
        out += put(directory + directory_bytes, 4);
      } else if (many) {
        out += put(value, 2) + put(value, 2);
      } else {
        out += is_long ? put(value, 4) : put(value, 2) + put(0, 2);
      }
    }
    out += put(next_is_itself ? directory : 0, 4);
    for (std::size_t i = 0; i < extra_bytes / 2; ++i) out += put(tags.at(bits), 2);
    if (!directory_last) out += pixels;
    return out;
  }
};

TEST(Tiff, ReadsKnownSamplesInTheRightOrder) {
  EXPECT_EQ(bytes_of(decode_image(Tiff(2, 1, 1, 8, "ab").content(), "file")), (Bytes{'a', 'b'}));
  EXPECT_EQ(bytes_of(decode_image(Tiff(2, 1, 3, 8, "rgbRGB").content(), "file")),
            (Bytes{'b', 'g', 'r', 'B', 'G', 'R'}));
  EXPECT_EQ(bytes_of(decode_image(Tiff(1, 1, 1, 16, "\x12\x34").content(), "file")),
            (Bytes{0x12, 0x34}));
  Tiff motorola(1, 1, 3, 16, "rRgGbB");
  motorola.motorola = true;
  EXPECT_EQ(bytes_of(decode_image(motorola.content(), "file")),
            (Bytes{'B', 'b', 'G', 'g', 'R', 'r'}));
  const cv::Mat tall = decode_image(Tiff(1, 2, 1, 8, "ab").content(), "file");
  EXPECT_EQ(view_of(tall).shape(), (Shape{.rows = 2, .cols = 1, .channels = 1}));
}

TEST(Tiff, AlphaIsNeitherDroppedNorMultiplied) {
  for (const std::uint32_t kind : {0U, 1U, 2U}) {
    EXPECT_EQ(bytes_of(decode_image(Tiff(1, 2, 2, 8, "gaGA", {{extra, kind}}).content(), "file")),
              (Bytes{'g', 'a', 'G', 'A'}));
    EXPECT_EQ(
        bytes_of(decode_image(Tiff(1, 1, 4, 8, "rgb\x01", {{extra, kind}}).content(), "file")),
        (Bytes{'b', 'g', 'r', 1}));
    EXPECT_EQ(bytes_of(decode_image(
                  Tiff(1, 1, 2, 16, "\x01\x02\x03\x04", {{extra, kind}}).content(), "file")),
              (Bytes{1, 2, 3, 4}));
  }
}

TEST(Tiff, ReadsEveryLosslessCompressionOfOpencv) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 3U, 4U}) {
      for (const int scheme : {1, 5, 8, 32773}) {  // none, LZW, Deflate, PackBits
        const OwnedImage image = counted(9, 7, channels, sample_bytes);
        std::vector<unsigned char> buffer;
        ASSERT_TRUE(cv::imencode(".tiff", to_mat(image.view()), buffer,
                                 {cv::IMWRITE_TIFF_COMPRESSION, scheme}));
        const std::string content(buffer.begin(), buffer.end());
        const cv::Mat back = decode_image(content, "file");
        EXPECT_EQ(view_of(back).shape(), image.shape());
        EXPECT_EQ(bytes_of(back), bytes_of(image)) << to_string(image.shape()) << " " << scheme;
        testing::expect_cuts_are_refused(content, bytes_of(image), content.size());
      }
    }
  }
}

TEST(Tiff, EveryCutIsRefused) {
  for (const bool last : {false, true}) {
    for (const std::uint32_t channels : {1U, 3U}) {
      std::string pixels;
      for (std::uint32_t i = 0; i < 6 * 5 * channels; ++i) pixels += static_cast<char>(13 * i);
      Tiff tiff(5, 6, channels, 8, pixels, {{strip_rows, 6}});
      tiff.directory_last = last;
      const std::string content = tiff.content();
      const Bytes expected = bytes_of(decode_image(content, "file"));
      // With the directory last, the cut may take only the link to a next page and the bit depths'
      // list, without which nothing can be read wrongly.
      testing::expect_cuts_are_refused(content, expected, last ? 10 : 0);
    }
  }
}

TEST(Tiff, SeveralStrips) {
  const OwnedImage image = counted(300, 70, 3, 2);  // OpenCV writes strips of a few rows
  std::vector<unsigned char> buffer;
  ASSERT_TRUE(
      cv::imencode(".tiff", to_mat(image.view()), buffer, {cv::IMWRITE_TIFF_COMPRESSION, 1}));
  EXPECT_EQ(bytes_of(decode_image(std::string(buffer.begin(), buffer.end()), "file")),
            bytes_of(image));
}

TEST(Tiff, RefusesWhatItCannotDeliverExactly) {
  const auto refused = [](std::uint32_t channels, std::uint32_t depth,
                          const std::map<std::uint32_t, std::uint32_t>& change) {
    return refusal(Tiff(2, 2, channels, depth, std::string(200, 'x'), change).content());
  };
  for (const std::uint32_t depth : {1U, 2U, 4U, 12U, 32U, 64U}) {
    EXPECT_THAT(refused(1, depth, {}),
                HasSubstr(fmt::format("TIFF of {} bit; expected 8 or 16", depth)));
  }
  EXPECT_THAT(refused(1, 32, {{format, 3}}), HasSubstr("32 bit floating point"));
  EXPECT_THAT(refused(1, 16, {{format, 3}}), HasSubstr("16 bit floating point"));
  EXPECT_THAT(refused(1, 16, {{format, 2}}), HasSubstr("16 bit signed"));
  EXPECT_THAT(refused(1, 8, {{format, 2}}), HasSubstr("8 bit signed"));
  EXPECT_THAT(refused(1, 8, {{photometric, 0}}), HasSubstr("white as zero"));
  EXPECT_THAT(
      refusal(Tiff(40, 40, 1, 8, std::string(1600, 'x'), {{photometric, 3}, {colour_map, 0}})
                  .content()),
      HasSubstr("TIFF with a palette (8 bit)"));
  EXPECT_THAT(refused(4, 8, {{photometric, 5}}), HasSubstr("CMYK"));
  EXPECT_THAT(refused(3, 8, {{photometric, 6}}), HasSubstr("YCbCr"));
  EXPECT_THAT(refused(3, 8, {{photometric, 8}}), HasSubstr("CIE Lab"));
  EXPECT_THAT(refused(5, 8, {}), HasSubstr("RGB with 5 samples"));
  EXPECT_THAT(refused(3, 8, {{photometric, 1}}), HasSubstr("gray with 3 samples"));
  for (std::uint32_t turn = 2; turn <= 8; ++turn) {
    EXPECT_THAT(refused(1, 8, {{orientation, turn}}),
                HasSubstr(fmt::format("orientation {}; expected 1", turn)));
  }
  EXPECT_EQ(refused(1, 8, {{orientation, 1}}), "");
  EXPECT_THAT(refused(3, 8, {{planes, 2}}), HasSubstr("separate planes"));
  EXPECT_THAT(refused(1, 8, {{compression, 7}}), HasSubstr("compression 7"));
  EXPECT_THAT(refused(1, 8, {{322, 16}, {323, 16}}),
              AnyOf(HasSubstr("tiles"), HasSubstr("damaged")));
  Tiff loop(1, 1, 1, 8, "a");
  loop.next_is_itself = true;
  EXPECT_EQ(refusal(loop.content()), "");  // still one page
  const std::vector<cv::Mat> pages(3, to_mat(counted(2, 2, 1, 1).view()));
  std::vector<unsigned char> buffer;
  testing::TemporaryDirectory directory;
  const auto path = directory.path() / "pages.tiff";
  ASSERT_TRUE(cv::imwritemulti(path.string(), pages));
  try {
    load_image(path);
    FAIL() << "3 pages were read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("TIFF of 3 pages; expected 1"));
  }
}

TEST(Tiff, RefusesBadDimensions) {
  EXPECT_NE(refusal(Tiff(0, 1, 1, 8, "a").content()), "");
  EXPECT_NE(refusal(Tiff(1, 0, 1, 8, "a").content()), "");
  EXPECT_THAT(refusal(Tiff(0xFFFFFFFF, 0xFFFFFFFF, 1, 8, "a").content()), HasSubstr("file: "));
  EXPECT_THAT(refusal(Tiff(200000, 200000, 1, 8, "a").content()), HasSubstr("too large"));
  EXPECT_THAT(refusal(Tiff(4, 4, 1, 8, "a").content()), HasSubstr("truncated or damaged TIFF"));
}

TEST(Tiff, DamagedCompressedDataIsRefusedOrHarmless) {
  // A compressed strip has no checksum: the decoder must neither crash nor deliver a part silently.
  const OwnedImage image = counted(9, 7, 3, 1);
  std::vector<unsigned char> buffer;
  ASSERT_TRUE(
      cv::imencode(".tiff", to_mat(image.view()), buffer, {cv::IMWRITE_TIFF_COMPRESSION, 8}));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < buffer.size(); ++at) {
    std::string bad(buffer.begin(), buffer.end());
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    refused += refusal(bad).empty() ? 0U : 1U;
  }
  EXPECT_GT(refused, buffer.size() / 4);
}

}  // namespace
}  // namespace icb
