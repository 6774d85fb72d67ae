#include <limits>
#include <opencv2/imgcodecs.hpp>

#include "files.hpp"

namespace icb {
namespace {

using namespace std::string_literals;
using testing::bytes_of;
using testing::counted;
using ::testing::HasSubstr;
using testing::number;
using testing::refusal;

// OpenCV is the independent writer here; what it writes, it writes exactly.
std::string encoded(const char* extension, const OwnedImage& image) {
  std::vector<unsigned char> buffer;
  if (!cv::imencode(extension, to_mat(image.view()), buffer)) throw std::runtime_error(extension);
  return {buffer.begin(), buffer.end()};
}

TEST(Pnm, ReadsKnownSamplesInTheRightOrder) {
  EXPECT_EQ(bytes_of(decode_image("P5\n2 1\n255\n\x10\x20", "file")), (Bytes{0x10, 0x20}));
  EXPECT_EQ(bytes_of(decode_image("P5 # note\n# 7 7\n2 #x\n1\n65535\n\x01\x02\x03\xFF"s, "file")),
            (Bytes{0x02, 0x01, 0xFF, 0x03}));
  EXPECT_EQ(bytes_of(decode_image("P6\n2 1\n255\nrgbRGB", "file")),
            (Bytes{'b', 'g', 'r', 'B', 'G', 'R'}));
  // The byte after the maximum is one white space; the next may look like one and is a sample.
  EXPECT_EQ(bytes_of(decode_image("P5\n1 1\n255\n\n", "file")), (Bytes{'\n'}));
  const cv::Mat tall = decode_image("P5\n1 2\n255\nab", "file");
  EXPECT_EQ(view_of(tall).shape(), (Shape{.rows = 2, .cols = 1, .channels = 1}));
}

TEST(Pnm, RoundTripsEveryLayout) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 3U}) {
      const OwnedImage image = counted(5, 7, channels, sample_bytes);
      const std::string content = encoded(channels == 1 ? ".pgm" : ".ppm", image);
      const cv::Mat back = decode_image(content, "file");
      EXPECT_EQ(view_of(back).shape(), image.shape());
      EXPECT_EQ(bytes_of(back), bytes_of(image)) << to_string(image.shape());
      testing::expect_cuts_are_refused(content, bytes_of(image), 0);
    }
  }
}

TEST(Pnm, RefusesWhatItCannotDeliverExactly) {
  EXPECT_THAT(refusal("P5\n2 1\n15\n\x0F\x07"), HasSubstr("maximum of 15; expected 255"));
  EXPECT_THAT(refusal("P5\n2 1\n1023\n\x01\x02\x03\x01"), HasSubstr("maximum of 1023"));
  EXPECT_THAT(refusal("P5\n2 1\n0\n\x01\x02"), HasSubstr("maximum of 0"));
  EXPECT_THAT(refusal("P4\n8 1\n\xAA"), HasSubstr("PBM of 1 bit"));
  EXPECT_THAT(refusal("P1\n2 1\n0 1"), HasSubstr("PBM of 1 bit"));
  EXPECT_THAT(refusal("P7\nWIDTH 1\n"), HasSubstr("PAM"));
  EXPECT_THAT(refusal("P5\n1 1\n255\naP5\n1 1\n255\nb"), HasSubstr("expected a single image"));
  EXPECT_EQ(refusal("P5\n1 1\n255\na\n"), "");  // a line break some writers append
}

TEST(Pnm, ReadsText) {
  const auto read = [](const std::string& content) {
    return bytes_of(decode_image(content, "file"));
  };
  EXPECT_EQ(read("P2 # gray\n2 2\n255\n0 1 # two\n254\t255"), (Bytes{0, 1, 254, 255}));
  EXPECT_EQ(read("P2\n1 1\n65535\n258\n"), (Bytes{2, 1}));
  EXPECT_EQ(read("P3\n1 2\n255\n1 2 3\n4 5 6\n"), (Bytes{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(read("P3\n1 1\n65535\n1 2 258\n"), (Bytes{2, 1, 2, 0, 1, 0}));
  EXPECT_THAT(refusal("P2\n1 1\n255\n256\n"), HasSubstr("sample 256 is above"));
  EXPECT_THAT(refusal("P2\n2 1\n255\n1 -2\n"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal("P2\n2 1\n255\n1,2\n"), HasSubstr("expected white space"));
  EXPECT_THAT(refusal("P2\n2 1\n255\n1    \n"), HasSubstr("truncated"));
  EXPECT_THAT(refusal("P2\n1 1\n255\n1 2\n"), HasSubstr("expected a single image"));
  EXPECT_THAT(refusal("P3\n16384 16384\n65535\n1"), HasSubstr("cannot come from"));
}

TEST(Pnm, RefusesBadHeaders) {
  EXPECT_THAT(refusal("P5\n0 1\n255\n"), HasSubstr("the image is empty"));
  EXPECT_THAT(refusal("P5\n1 0\n255\n"), HasSubstr("the image is empty"));
  EXPECT_THAT(refusal("P5\n-1 1\n255\n"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal("P5\n99999999999999999999 1\n255\n"), HasSubstr("more than 10 digits"));
  EXPECT_THAT(refusal("P5\n16385 16384\n65535\n"), HasSubstr("truncated"));
  EXPECT_THAT(refusal("P5\n1048577 1\n255\n"), HasSubstr("too large: 1048577 x 1"));
  EXPECT_THAT(refusal("P6\n1000000 1000000\n65535\n"), HasSubstr("too large"));
  EXPECT_THAT(refusal("P5ive is not an image"), HasSubstr("not an image"));
  EXPECT_THAT(refusal("P5\n1 1\n255"), HasSubstr("truncated"));
  EXPECT_THAT(refusal("P5\n4 4\n255\nab"), HasSubstr("needs 16 bytes of pixels, found 2"));
}

TEST(Bmp, ReadsWhatOpencvWrites) {
  for (const std::size_t channels : {1U, 3U, 4U}) {
    for (const std::size_t cols : {5U, 8U}) {  // rows with and without padding
      const OwnedImage image = counted(3, cols, channels, 1);
      const std::string content = encoded(".bmp", image);
      const cv::Mat back = decode_image(content, "file");
      EXPECT_EQ(view_of(back).shape(), image.shape());
      EXPECT_EQ(bytes_of(back), bytes_of(image)) << to_string(image.shape());
      testing::expect_cuts_are_refused(content, bytes_of(image), 0);
    }
  }
}

/// 2 x 2 pixels of 24 or 32 bit without padding, or with 2 bytes of it.
std::string bmp(std::uint32_t bits, std::int32_t height, std::uint32_t compression,
                const std::string& pixels, std::uint32_t header = 40,
                const std::string& masks = "") {
  const std::size_t offset = 14 + header + masks.size();
  std::string content = "BM" + number(offset + pixels.size(), 4) + number(0, 4) + number(offset, 4);
  content += number(header, 4) + number(2, 4) + number(static_cast<std::uint32_t>(height), 4);
  content += number(1, 2) + number(bits, 2) + number(compression, 4) + number(0, 4) +
             std::string(16, '\0');
  content.resize(14 + 40);
  return content + masks + pixels;
}

TEST(Bmp, ReadsBothDirectionsAndBitFields) {
  const std::string rows = "ABCDEF..GHIJKL..";
  EXPECT_EQ(bytes_of(decode_image(bmp(24, 2, 0, rows), "file")),
            (Bytes{'G', 'H', 'I', 'J', 'K', 'L', 'A', 'B', 'C', 'D', 'E', 'F'}));
  EXPECT_EQ(bytes_of(decode_image(bmp(24, -2, 0, rows), "file")),
            (Bytes{'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L'}));
  const std::string masks = number(0xFF0000, 4) + number(0xFF00, 4) + number(0xFF, 4);
  const cv::Mat four = decode_image(bmp(32, -2, 3, rows, 40, masks), "file");
  EXPECT_EQ(bytes_of(four), Bytes(rows.begin(), rows.end()));
  EXPECT_EQ(four.channels(), 4);
  const std::string others = number(0xFF, 4) + number(0xFF00, 4) + number(0xFF0000, 4);
  EXPECT_THAT(refusal(bmp(32, -2, 3, rows, 40, others)), HasSubstr("bit masks"));
}

TEST(Bmp, RefusesWhatItCannotDeliverExactly) {
  for (const std::uint32_t bits : {1U, 2U, 4U, 16U, 64U}) {
    EXPECT_THAT(refusal(bmp(bits, 2, 0, std::string(64, 'x'))),
                HasSubstr(fmt::format("BMP of {} bit", bits)));
  }
  EXPECT_THAT(refusal(bmp(8, 2, 1, std::string(2000, 'x'))), HasSubstr("compression 1"));
  EXPECT_THAT(refusal(bmp(24, 0, 0, "x")), HasSubstr("the image is empty"));
  EXPECT_THAT(refusal(bmp(24, std::numeric_limits<std::int32_t>::min(), 0, "x")),
              HasSubstr("too large"));
  std::string core = bmp(24, 2, 0, std::string(16, 'x'));
  core[14] = 12;
  EXPECT_THAT(refusal(core), HasSubstr("header of 12 bytes"));
  std::string early = bmp(24, 2, 0, std::string(16, 'x'));
  early[10] = 20;
  EXPECT_THAT(refusal(early), HasSubstr("pixels at byte 20, expected 54 or later"));

  const OwnedImage image = counted(3, 5, 1, 1);
  std::string palette = encoded(".bmp", image);
  palette[54 + 4 * 9 + 1] = 77;
  EXPECT_THAT(refusal(palette), HasSubstr("palette of 256 colours; expected the gray ramp"));
  std::string sixteen = encoded(".bmp", image);
  sixteen[46] = 16;
  EXPECT_THAT(refusal(sixteen), HasSubstr("palette of 16 colours"));
}

}  // namespace
}  // namespace icb
