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

TEST(WriteImage, KindOfContent) {
  EXPECT_EQ(kind_of_content(encode_png(counted(1, 1, 1, 1).view())), ContentKind::image);
  EXPECT_EQ(kind_of_content("P5\n1 1"), ContentKind::image);
  EXPECT_EQ(kind_of_content("P2P networks"), ContentKind::other);
  EXPECT_EQ(kind_of_content("\xFF\xD8\xFF\xE0"), ContentKind::unsupported_image);
  EXPECT_EQ(kind_of_content("%PDF-1.4"), ContentKind::other);
  EXPECT_EQ(kind_of_content(""), ContentKind::other);
}

}  // namespace
}  // namespace icb
