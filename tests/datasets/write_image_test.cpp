#include <opencv2/imgcodecs.hpp>

#include "files.hpp"

namespace icb {
namespace {

using testing::bytes_of;
using testing::counted;

TEST(WriteImage, TiffReadsBack) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      const OwnedImage image = counted(3, 5, channels, sample_bytes);
      const std::string content = encode_tiff(image.view());
      const cv::Mat back = decode_image(content, "file");
      EXPECT_EQ(view_of(back).shape(), image.shape());
      EXPECT_EQ(bytes_of(back), bytes_of(image)) << to_string(image.shape());
      if (channels != 1 && channels != 3) continue;  // OpenCV changes alpha
      const Bytes raw(content.begin(), content.end());
      const cv::Mat other = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
      EXPECT_EQ(bytes_of(other), bytes_of(image)) << to_string(image.shape());
    }
  }
}

TEST(WriteImage, PnmReadsBack) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 3U}) {
      const OwnedImage image = counted(3, 5, channels, sample_bytes);
      const std::string content = encode_pnm(image.view());
      EXPECT_EQ(bytes_of(decode_image(content, "file")), bytes_of(image));
      const Bytes raw(content.begin(), content.end());
      EXPECT_EQ(bytes_of(cv::imdecode(raw, cv::IMREAD_UNCHANGED)), bytes_of(image));
    }
    EXPECT_THROW(encode_pnm(counted(3, 5, 2, sample_bytes).view()), std::invalid_argument);
    EXPECT_THROW(encode_pnm(counted(3, 5, 4, sample_bytes).view()), std::invalid_argument);
  }
}

TEST(Picture, NamesWhatATiffHoldsBesidePixels) {
  using testing::number;
  const OwnedImage image = counted(3, 5, 1, 1);
  const std::string plain = encode_tiff(image.view());
  EXPECT_TRUE(decode_picture(plain, "file").dropped.empty());
  // The last entry, which says the default, gives way to another.
  const std::size_t at = plain.find(number(284, 2) + number(3, 2) + number(1, 4));
  ASSERT_NE(at, std::string::npos);
  const auto dropped = [&](std::size_t tag, std::size_t type, std::size_t count,
                           const std::string& value) {
    std::string content = plain;
    content.replace(at, 12, number(tag, 2) + number(type, 2) + number(count, 4) + value);
    const Picture picture = decode_picture(content, "file");
    EXPECT_EQ(bytes_of(picture.image), bytes_of(image));
    return picture.dropped;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(dropped(282, 5, 1, number(8, 4)), Names{"resolution"});
  EXPECT_EQ(dropped(305, 2, 4, std::string("abc", 4)), Names{"Software"});
  EXPECT_EQ(dropped(34675, 7, 4, "data"), Names{"ICC Profile"});
  EXPECT_EQ(dropped(65000, 7, 4, "data"), Names{"Tag 65000"});
}

TEST(WriteImage, KindOfContent) {
  EXPECT_EQ(kind_of_content(encode_png(counted(1, 1, 1, 1).view())), ContentKind::image);
  EXPECT_EQ(kind_of_content("P5\n1 1"), ContentKind::image);
  EXPECT_EQ(kind_of_content("P2P networks"), ContentKind::other);
  EXPECT_EQ(kind_of_content("P5 is no header"), ContentKind::other);
  EXPECT_EQ(kind_of_content("P6 # comment"), ContentKind::image);
  EXPECT_EQ(kind_of_content("\xFF\xD8\xFF\xE0"), ContentKind::unsupported_image);
  EXPECT_EQ(kind_of_content("%PDF-1.4"), ContentKind::other);
  EXPECT_EQ(kind_of_content(""), ContentKind::other);
}

}  // namespace
}  // namespace icb
