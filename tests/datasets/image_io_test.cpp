#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "files.hpp"

namespace icb {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using testing::bytes_of;
using testing::counted;
using ::testing::HasSubstr;
using testing::refusal;
using ::testing::StartsWith;

std::string load_refusal(const std::filesystem::path& path) {
  try {
    load_image(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(LoadImage, MessagesSayWhatIsWrong) {
  const testing::TemporaryDirectory directory;
  const auto missing = directory.path() / "missing.png";
  EXPECT_THAT(load_refusal(missing),
              AllOf(StartsWith(missing.string()), HasSubstr("no such file")));
  EXPECT_THAT(load_refusal(directory.path()), HasSubstr("expected a file, got a directory"));
  EXPECT_THAT(load_refusal("/dev/zero"), HasSubstr("expected a file, got a device"));
  const auto empty = directory.path() / "empty.png";
  write_file_atomically(empty, "");
  EXPECT_THAT(load_refusal(empty),
              AllOf(StartsWith(empty.string()), HasSubstr("the file is empty")));
  const auto huge = directory.path() / "huge.pgm";
  write_file_atomically(huge, "P5\n1 1\n255\na");
  std::filesystem::resize_file(huge, std::uintmax_t{1} << 40);  // sparse
  EXPECT_THAT(load_refusal(huge), HasSubstr("too large: 1099511627776 bytes"));
}

TEST(LoadImage, NotAnImage) {
  EXPECT_THAT(refusal("hello"), HasSubstr("not an image: 5 bytes starting with 68 65 6c 6c 6f"));
  EXPECT_THAT(refusal("\0\0\0"s), HasSubstr("not an image"));
  EXPECT_THAT(refusal("P"), HasSubstr("not an image"));
  EXPECT_THAT(refusal("\xFF\xD8\xFF\xE0"), HasSubstr("JPEG, which is lossy"));
  EXPECT_THAT(refusal("GIF89a"), HasSubstr("GIF"));
  EXPECT_THAT(refusal("<svg>"), HasSubstr("markup"));
}

TEST(LoadImage, TheNameOfTheFileDoesNotMatter) {
  const testing::TemporaryDirectory directory;
  const OwnedImage image = counted(4, 3, 3, 1);
  const auto path = directory.path() / "png named.tiff";
  save_png(path, image.view());
  EXPECT_EQ(bytes_of(load_image(path)), bytes_of(image));
}

TEST(LoadImage, TheLargestImageLoads) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "large.pgm";
  const std::string header = "P5\n16384 16384\n255\n";
  write_file_atomically(path, header);
  constexpr std::size_t pixels = std::size_t{16384} * 16384;
  std::filesystem::resize_file(path, header.size() + pixels);  // sparse
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x77');
  }
  const cv::Mat image = load_image(path);
  EXPECT_EQ(view_of(image).shape(), (Shape{.rows = 16384, .cols = 16384, .channels = 1}));
  EXPECT_EQ(image.data[pixels - 1], 0x77);
  EXPECT_EQ(image.data[pixels - 2], 0);
}

TEST(SavePng, RoundTripsEveryLayout) {
  const testing::TemporaryDirectory directory;
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      for (const auto& [rows, cols] : {std::pair{1U, 1U}, std::pair{3U, 1U}, std::pair{7U, 13U}}) {
        const OwnedImage image = counted(rows, cols, channels, sample_bytes);
        const auto path = directory.path() / "sub" / "image.png";
        save_png(path, image.view());
        const cv::Mat back = load_image(path);
        EXPECT_EQ(view_of(back).shape(), image.shape());
        EXPECT_EQ(bytes_of(back), bytes_of(image));
        if (channels == 2) continue;  // OpenCV reads gray + alpha as four channels
        EXPECT_EQ(bytes_of(cv::imread(path.string(), cv::IMREAD_UNCHANGED)), bytes_of(image));
      }
    }
  }
}

TEST(SavePng, LeavesTheOldFileWhenItFails) {
  const testing::TemporaryDirectory directory;
  const OwnedImage image = counted(2, 2, 1, 1);
  const auto blocked = directory.path() / "blocked.png";
  std::filesystem::create_directories(blocked / "in the way");
  try {
    save_png(blocked, image.view());
    FAIL() << "a directory was replaced";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(blocked.string()));
  }
  EXPECT_TRUE(std::filesystem::exists(blocked / "in the way"));
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    ++entries;
  }
  EXPECT_EQ(entries, 1U);  // no part file is left
}

TEST(ViewOf, AcceptsAndRefuses) {
  const cv::Mat image = to_mat(counted(4, 6, 3, 2).view());
  EXPECT_EQ(view_of(image).bytes().data(), image.data);  // nothing is copied
  EXPECT_EQ(view_of(image).shape(),
            (Shape{.rows = 4, .cols = 6, .channels = 3, .sample_bytes = 2}));
  EXPECT_THROW(view_of(cv::Mat()), std::invalid_argument);
  EXPECT_THROW(view_of(cv::Mat(2, 2, CV_32F)), std::invalid_argument);
  EXPECT_THROW(view_of(cv::Mat(2, 2, CV_8S)), std::invalid_argument);
  EXPECT_THROW(view_of(cv::Mat(2, 2, CV_8UC(5))), std::invalid_argument);
  EXPECT_THROW(view_of(image.colRange(1, 3)), std::invalid_argument);
  const int sizes[] = {2, 2, 2};
  EXPECT_THROW(view_of(cv::Mat(3, sizes, CV_8U)), std::invalid_argument);
}

TEST(OwnedAndToMat, CopyBothWays) {
  const OwnedImage image = counted(4, 6, 4, 2);
  const cv::Mat mat = to_mat(image.view());
  EXPECT_EQ(mat.type(), CV_16UC4);
  const OwnedImage back = owned(mat);
  EXPECT_EQ(back.shape(), image.shape());
  EXPECT_EQ(bytes_of(back), bytes_of(image));
  EXPECT_NE(back.bytes().data(), mat.data);
  EXPECT_EQ(mat.ptr<std::uint16_t>(1)[2], image.view().sample(1, 0, 2));
}

}  // namespace
}  // namespace icb
