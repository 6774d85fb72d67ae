#include "datasets/codec.hpp"
#include "files.hpp"

namespace icb {
namespace {

using testing::bytes_of;
using testing::counted;
using ::testing::HasSubstr;
using testing::number;
using testing::refusal;
using namespace std::string_literals;

std::uint32_t crc32(std::string_view data) {  // PNG specification, annex D
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int k = 0; k < 8; ++k) crc = (crc & 1U) != 0 ? 0xEDB88320U ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

std::string chunk(const std::string& type, const std::string& data) {
  return number(data.size(), 4, true) + type + data + number(crc32(type + data), 4, true);
}

const std::string signature = "\x89PNG\r\n\x1A\n";

std::string header(std::uint32_t width, std::uint32_t height, int depth, int colour) {
  return signature +
         chunk("IHDR", number(width, 4, true) + number(height, 4, true) + static_cast<char>(depth) +
                           static_cast<char>(colour) + std::string(3, '\0'));
}

/// An uncompressed zlib stream.
std::string stored(const std::string& data) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : data) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return std::string("\x78\x01\x01") + number(data.size(), 2) + number(data.size() ^ 0xFFFF, 2) +
         data + number((b << 16) | a, 4, true);
}

TEST(Png, RoundTripsEveryLayout) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      const OwnedImage image = counted(5, 7, channels, sample_bytes);
      const cv::Mat back = decode_image(encode_png(image.view()), "file");
      EXPECT_EQ(view_of(back).shape(), image.shape());
      EXPECT_EQ(bytes_of(back), bytes_of(image)) << to_string(image.shape());
    }
  }
}

TEST(Png, ReadsKnownSamplesInTheRightOrder) {
  const std::string end = chunk("IEND", "");
  const cv::Mat rgba = decode_image(
      header(1, 1, 8, 6) + chunk("IDAT", stored(std::string("\0RGBA", 5))) + end, "file");
  EXPECT_EQ(bytes_of(rgba), (Bytes{'B', 'G', 'R', 'A'}));
  const cv::Mat gray_alpha16 = decode_image(
      header(1, 1, 16, 4) + chunk("IDAT", stored(std::string("\0\x12\x34\x56\x78", 5))) + end,
      "file");
  EXPECT_EQ(bytes_of(gray_alpha16), (Bytes{0x34, 0x12, 0x78, 0x56}));
}

TEST(Png, AncillaryChunksChangeNothing) {
  // A gamma, a background, significant bits and an orientation: none may touch a sample.
  const std::string content =
      header(1, 1, 8, 0) + chunk("gAMA", number(22222, 4, true)) +
      chunk("sBIT", std::string(1, '\5')) + chunk("bKGD", std::string("\0\x10", 2)) +
      chunk("eXIf",
            std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0", 26)) +
      chunk("IDAT", stored(std::string("\0\x77", 2))) + chunk("IEND", "");
  EXPECT_EQ(bytes_of(decode_image(content, "file")), (Bytes{0x77}));
}

TEST(Png, EveryCutIsRefused) {
  for (const std::size_t channels : {1U, 2U, 3U}) {
    const OwnedImage image = counted(6, 5, channels, 1);
    testing::expect_cuts_are_refused(encode_png(image.view()), bytes_of(image), 0);
  }
}

TEST(Png, RefusesWhatItCannotDeliverExactly) {
  EXPECT_THAT(refusal(header(4, 4, 8, 3)), HasSubstr("palette (8 bit)"));
  EXPECT_THAT(refusal(header(4, 4, 1, 3)), HasSubstr("palette (1 bit)"));
  for (const int depth : {1, 2, 4}) {
    EXPECT_THAT(refusal(header(4, 4, depth, 0)),
                HasSubstr(fmt::format("PNG of {} bit; expected 8 or 16", depth)));
  }
  EXPECT_THAT(refusal(header(4, 4, 8, 5)), HasSubstr("colour type 5 does not exist"));
  const std::string pixel = chunk("IDAT", stored(std::string("\0\x77", 2))) + chunk("IEND", "");
  EXPECT_THAT(refusal(header(1, 1, 8, 0) + chunk("tRNS", std::string("\0\x77", 2)) + pixel),
              HasSubstr("transparency key"));
  EXPECT_THAT(refusal(header(1, 1, 8, 0) + chunk("acTL", std::string(8, '\1')) + pixel),
              HasSubstr("animated"));
}

TEST(Png, RefusesBadDimensions) {
  EXPECT_THAT(refusal(header(0, 4, 8, 0)), HasSubstr("the image is empty"));
  EXPECT_THAT(refusal(header(4, 0, 8, 0)), HasSubstr("the image is empty"));
  EXPECT_THAT(refusal(header(0xFFFFFFFF, 0xFFFFFFFF, 16, 6)), HasSubstr("too large: 4294967295"));
  EXPECT_THAT(refusal(header(16385, 16384, 16, 6)), HasSubstr("too large: 16385 x 16384"));
  // The largest is not refused for its size, but for what is missing.
  EXPECT_THAT(refusal(header(16384, 16384, 16, 6)), HasSubstr("truncated: PNG without its end"));
  // A bomb: everything there but the data for such dimensions.
  const std::string bomb = header(16384, 16384, 16, 6) +
                           chunk("IDAT", stored(std::string(1000, '\0'))) + chunk("IEND", "");
  EXPECT_THAT(refusal(bomb), HasSubstr("2147500032 bytes of pixels cannot come from"));
}

TEST(Png, RefusesDamage) {
  const OwnedImage image = counted(6, 5, 3, 1);
  const std::string good = encode_png(image.view());
  EXPECT_EQ(refusal(good), "");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_NE(refusal(bad), "") << "byte " << at;
  }
  // All checksums right, a row too few.
  const std::string few =
      header(2, 2, 8, 0) + chunk("IDAT", stored(std::string("\0\x11\x22", 3))) + chunk("IEND", "");
  EXPECT_THAT(refusal(few), HasSubstr("damaged PNG"));
  EXPECT_THAT(refusal(header(2, 2, 8, 0) + chunk("IEND", "")), HasSubstr("damaged PNG"));
}

// --- Pictures: pixels with what stands beside them

/// A PNG with chunks before and behind the pixels, which are `data` with the filter bytes.
std::string picture_file(const std::string& start, const std::string& before,
                         const std::string& data, const std::string& after = "") {
  return start + before + chunk("IDAT", stored(data)) + after + chunk("IEND", "");
}

TEST(PngPicture, KeepsAncillaryChunksByteForByte) {
  const std::string before = chunk("gAMA", number(45455, 4, true)) + chunk("iCCP", "any bytes") +
                             chunk("teSt", std::string("\0\1", 2));
  const std::string after = chunk("tEXt", "Comment") + chunk("tIME", std::string(7, '\1'));
  const std::string content =
      picture_file(header(1, 1, 8, 0), before, std::string("\0\x77", 2), after);
  const Picture picture = decode_picture(content, "file");
  EXPECT_EQ(bytes_of(picture.image), (Bytes{0x77}));
  EXPECT_EQ(picture.metadata, (PngMetadata{before, after}));
  EXPECT_EQ(chunk_types(picture.metadata),
            (std::vector<std::string>{"gAMA", "iCCP", "teSt", "tEXt", "tIME"}));
  EXPECT_TRUE(picture.dropped.empty());
  EXPECT_TRUE(picture.expanded.empty());
  const std::string again = encode_png(view_of(picture.image), PngEffort::small, picture.metadata);
  const Picture back = decode_picture(again, "file");
  EXPECT_EQ(bytes_of(back.image), bytes_of(picture.image));
  EXPECT_EQ(back.metadata, picture.metadata);
}

TEST(PngPicture, ExpandsPaletteAndSaysSo) {
  const std::string palette = chunk("PLTE", "RGBrgb");
  const std::string rest = std::string("\0\x40", 2);  // 2 pixels of 1 bit: 0, 1
  const Picture opaque = decode_picture(
      picture_file(header(2, 1, 1, 3), palette + chunk("bKGD", std::string(1, '\0')), rest),
      "file");
  EXPECT_EQ(bytes_of(opaque.image), (Bytes{'B', 'G', 'R', 'b', 'g', 'r'}));
  EXPECT_EQ(opaque.expanded, (std::vector<std::string>{"palette of 1 bit to RGB of 8 bit"}));
  EXPECT_EQ(opaque.dropped, (std::vector<std::string>{"bKGD"}));
  EXPECT_TRUE(opaque.metadata.empty());
  const Picture clear = decode_picture(
      picture_file(header(2, 1, 1, 3), palette + chunk("tRNS", std::string(1, '\5')), rest),
      "file");
  EXPECT_EQ(bytes_of(clear.image), (Bytes{'B', 'G', 'R', 5, 'b', 'g', 'r', 255}));
}

TEST(PngPicture, ExpandsLowDepthsAndTransparencyKeys) {
  for (const unsigned depth : {1U, 2U, 4U}) {
    const unsigned top = (1U << depth) - 1;
    const std::string row{'\0', static_cast<char>(1U << (8 - 2 * depth))};  // 0, 1
    const Picture gray =
        decode_picture(picture_file(header(2, 1, static_cast<int>(depth), 0), "", row), "file");
    EXPECT_EQ(bytes_of(gray.image), (Bytes{0, static_cast<std::uint8_t>(255 / top)})) << depth;
    EXPECT_EQ(gray.expanded, (std::vector{fmt::format("gray of {} bit to 8 bit", depth)}));
  }
  const Picture key = decode_picture(
      picture_file(header(2, 1, 8, 0), chunk("tRNS", std::string("\0\x77", 2)), "\0wx"s), "file");
  EXPECT_EQ(bytes_of(key.image), (Bytes{'w', 0, 'x', 255}));
  EXPECT_EQ(key.expanded, (std::vector<std::string>{"transparency key to an alpha channel"}));
}

std::string picture_refusal(const std::string& content) {
  try {
    decode_picture(content, "file");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(PngPicture, NamesWhatItDrops) {
  const std::string content =
      picture_file(header(1, 1, 8, 2), chunk("PLTE", "RGB"), std::string("\0rgb", 4)) + "tail";
  EXPECT_EQ(
      decode_picture(content, "file").dropped,
      (std::vector<std::string>{"PLTE (suggested palette)", "4 bytes after the end of the PNG"}));
}

TEST(PngPicture, RefusesDamage) {
  const std::string good =
      picture_file(header(2, 2, 8, 0), chunk("tEXt", "Comment"), "\0ab\0cd"s, chunk("zTXt", "z"));
  EXPECT_EQ(picture_refusal(good), "");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x04);
    EXPECT_NE(picture_refusal(bad), "") << "byte " << at;
    EXPECT_NE(picture_refusal(good.substr(0, at)), "") << "cut at " << at;
  }
  EXPECT_THAT(picture_refusal(header(1, 1, 3, 0)), HasSubstr("3 bit do not exist"));
  EXPECT_THAT(picture_refusal(header(1, 1, 16, 3)), HasSubstr("16 bit do not exist"));
  EXPECT_THAT(picture_refusal(picture_file(header(1, 1, 8, 4), chunk("tRNS", "ab"), "\0wx"s)),
              HasSubstr("beside an alpha channel"));
}

}  // namespace
}  // namespace icb
