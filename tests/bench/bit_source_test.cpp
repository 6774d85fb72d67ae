#include "bench/nist/bit_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "datasets/dataset.hpp"
#include "tests/bench/support.hpp"

namespace icb::nist {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::input_error_of;
using testing::TemporaryDirectory;

std::string random_bytes(std::size_t count, std::uint64_t seed = 1) {
  std::mt19937_64 engine(seed);
  std::string out(count, '\0');
  for (char& c : out) c = static_cast<char>(engine() & 0xFF);
  return out;
}

/// '0' and '1' of every bit, one at a time.
std::string text_of(const std::string& bytes, bool lsb = false) {
  std::string out;
  for (const char c : bytes) {
    for (int i = 0; i < 8; ++i) {
      const int bit = static_cast<unsigned char>(c) >> (lsb ? i : 7 - i) & 1;
      out += static_cast<char>('0' + bit);
    }
  }
  return out;
}

std::string text_of(const BitSequence& bits) {
  std::string out;
  for (std::uint64_t i = 0; i < bits.size(); ++i) {
    out += static_cast<char>('0' + static_cast<int>(bits.view()[i]));
  }
  return out;
}

std::string packed(const std::vector<double>& values) {
  std::string out(8 * values.size(), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

/// Binary digits of x by doubling.
std::string digits_of(double x, unsigned count) {
  std::string out;
  for (unsigned i = 0; i < count; ++i) {
    x *= 2;
    out += x >= 1 ? '1' : '0';
    if (x >= 1) x -= 1;
  }
  return out;
}

class BitSources : public ::testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) const {
    const fs::path path = m_directory.path() / name;
    write_file_atomically(path, content);
    return path.string();
  }

  std::string path(const std::string& name) const { return (m_directory.path() / name).string(); }

  static constexpr std::uint64_t all = std::uint64_t{1} << 40;

  static std::string read_all(const std::vector<std::string>& files, SourceOptions options = {}) {
    BitSource source(files, options);
    return text_of(source.read(all));
  }

  static std::string error_of(const std::vector<std::string>& files, SourceOptions options = {}) {
    return input_error_of([&] { read_all(files, options); });
  }

  TemporaryDirectory m_directory;
};

// --- Where sequences begin and end

TEST_F(BitSources, SequencesOfAnyLengthFollowWithoutAGap) {
  const std::string bytes = random_bytes(200'001);
  const std::string expected = text_of(bytes);
  const std::string file = put("random", bytes);
  for (const std::uint64_t n : {1U, 7U, 8U, 9U, 63U, 64U, 65U, 1000U, 524'289U, 1'000'003U}) {
    SCOPED_TRACE(n);
    BitSource source({file}, {.format = InputFormat::msb});
    std::string found;
    for (BitSequence bits = source.read(n); bits.size() > 0; bits = source.read(n)) {
      if (bits.size() < n) {
        EXPECT_EQ(bits.size(), expected.size() % n);
        EXPECT_EQ(source.read(n).size(), 0U);
      }
      found += text_of(bits);
      if (n < 7 && found.size() > 700'000) break;  // over a chunk's end is far enough
    }
    EXPECT_TRUE(found == expected.substr(0, found.size()));
    EXPECT_TRUE(n < 7 || found.size() == expected.size());
  }
}

TEST_F(BitSources, SkippingIsReadingAndForgetting) {
  const std::string bytes = random_bytes(150'000);
  const std::string expected = text_of(bytes);
  const std::string file = put("random", bytes);
  const std::string half = put("half", bytes.substr(0, 60'000));
  const std::string rest = put("rest", bytes.substr(60'000));
  const std::string ascii = put("ascii", expected);
  for (const std::uint64_t skip :
       {0U, 1U, 7U, 8U, 9U, 32'767U, 32'768U, 32'769U, 480'001U, 524'288U, 1'199'999U}) {
    SCOPED_TRACE(skip);
    for (const std::vector<std::string>& files :
         {std::vector<std::string>{file}, {half, rest}, {ascii}}) {
      BitSource source(files, {});
      EXPECT_EQ(source.skip(skip), skip);
      EXPECT_TRUE(text_of(source.read(100)) == expected.substr(skip, 100));
      const std::uint64_t more = std::min<std::uint64_t>(12'345, expected.size() - skip);
      if (more < 200) continue;
      EXPECT_EQ(source.skip(more - 100), more - 100);
      EXPECT_TRUE(text_of(source.read(all)) == expected.substr(skip + more));
    }
  }
  BitSource source({half, rest}, {});
  EXPECT_EQ(source.skip(all), expected.size());
  EXPECT_EQ(source.read(1).size(), 0U);
  BitSource twice({file}, {});
  EXPECT_EQ(twice.skip(200'000), 200'000U);
  EXPECT_EQ(twice.skip(all), expected.size() - 200'000);
}

TEST_F(BitSources, PackedBytesInBothOrders) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 4095U, 4096U, 4097U, 69'631U, 69'633U}) {
    const std::string bytes = random_bytes(size, size);
    const std::string file = put("random", bytes);
    EXPECT_TRUE(read_all({file}, {.format = InputFormat::msb}) == text_of(bytes)) << size;
    EXPECT_TRUE(read_all({file}, {.format = InputFormat::lsb}) == text_of(bytes, true)) << size;
  }
}

TEST_F(BitSources, FilesAreConcatenatedInTheOrderGiven) {
  const std::string a = put("a", random_bytes(5000, 1));
  const std::string b = put("b", random_bytes(3, 2));
  EXPECT_TRUE(read_all({b, a, b}, {.format = InputFormat::msb}) ==
              text_of(random_bytes(3, 2) + random_bytes(5000, 1) + random_bytes(3, 2)));
}

// --- Formats

TEST_F(BitSources, AsciiSkipsWhiteSpaceOnly) {
  EXPECT_EQ(read_all({put("a", " 01\n10\r\n\t1\v\f0 ")}), "011010");
  const std::string bits = text_of(random_bytes(20'000));
  std::string lines;
  for (std::size_t i = 0; i < bits.size(); i += 77) lines += bits.substr(i, 77) + "\r\n";
  EXPECT_TRUE(read_all({put("b", lines)}) == bits);
}

TEST_F(BitSources, AsciiNamesOffsetAndByteOfAnythingElse) {
  const SourceOptions ascii{.format = InputFormat::ascii};
  EXPECT_EQ(error_of({put("a", "0102")}, ascii),
            path("a") + ": byte 3: expected '0', '1' or white space, got 0x32");
  std::string far(100'000, '1');
  far[77'777] = '\0';
  EXPECT_THAT(error_of({put("b", far)}), HasSubstr("b: byte 77777: "));
  // Of the file it is in.
  EXPECT_THAT(error_of({put("c", "01"), put("d", "0x")}, ascii), HasSubstr("d: byte 1: "));
}

TEST_F(BitSources, DoublesGiveTheirFirstBinaryDigits) {
  std::mt19937_64 engine(3);
  std::vector<double> values{0, -0.0, 0.5, 0.75, 0x1p-52, 0x1p-1074, 1 - 0x1p-53, 0.1};
  for (int i = 0; i < 20'000; ++i) values.push_back(static_cast<double>(engine() >> 11) * 0x1p-53);
  const std::string file = put("doubles", packed(values));
  for (const unsigned bits : {1U, 8U, 31U, 32U, 33U, 52U}) {
    std::string expected;
    for (const double x : values) expected += digits_of(std::abs(x), bits);
    EXPECT_TRUE(read_all({file}, {InputFormat::float64, bits}) == expected) << bits;
  }
}

TEST_F(BitSources, DoublesOutsideTheUnitIntervalAreNamed) {
  const SourceOptions options{.format = InputFormat::float64};
  for (const double bad : {1.0, -0x1p-1074, 1.5, -3.0, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    const std::string file = put("doubles", packed({0.25, 0.5, bad, 0.5}));
    EXPECT_EQ(error_of({file}, options),
              fmt::format("{}: value 2 (the first is 0): expected a double in [0, 1), got {}", file,
                          bad));
  }
  std::vector<double> many(30'000, 0.5);
  many[29'999] = 2;
  EXPECT_THAT(error_of({put("many", packed(many))}, options), HasSubstr("value 29999 "));
}

TEST_F(BitSources, DoubleCutOffAtTheEndIsReported) {
  const std::string bytes = packed({0.1, 0.2, 0.3});
  for (const std::size_t cut : {0U, 1U, 7U}) {
    const std::string file = put("cut", bytes.substr(0, 24 - cut));
    BitSource source({file}, {.format = InputFormat::float64});
    EXPECT_EQ(source.read(all).size(), cut == 0 ? 96U : 64U);
    EXPECT_EQ(source.leftover_bytes(), cut == 0 ? 0U : 8 - cut);
  }
  // Cut between two files it is whole.
  EXPECT_EQ(read_all({put("1", bytes.substr(0, 3)), put("2", bytes.substr(3, 2)),
                      put("3", bytes.substr(5))},
                     {.format = InputFormat::float64}),
            digits_of(0.1, 32) + digits_of(0.2, 32) + digits_of(0.3, 32));
}

TEST_F(BitSources, FloatBitsAreBounded) {
  for (const unsigned bits : {0U, 53U, 64U}) {
    EXPECT_THROW(BitSource({"x"}, {InputFormat::float64, bits}), UsageError) << bits;
  }
}

TEST_F(BitSources, ImagesGiveTheirSamples) {
  const auto image_of = [](Shape shape, std::uint64_t seed) {
    const std::string bytes = random_bytes(shape.bytes(), seed);
    return OwnedImage(shape, Bytes(bytes.begin(), bytes.end()));
  };
  const OwnedImage gray = image_of({5, 7, 1, 1}, 1);
  const OwnedImage colour = image_of({70, 90, 3, 1}, 2);
  save_png(path("gray.png"), gray.view());
  save_png(path("colour.png"), colour.view());
  const auto as_text = [](const OwnedImage& image) {
    return text_of(std::string(image.bytes().begin(), image.bytes().end()));
  };
  EXPECT_EQ(read_all({path("gray.png")}), as_text(gray));
  EXPECT_EQ(read_all({path("colour.png"), path("gray.png")}), as_text(colour) + as_text(gray));
  // 16 bit: the most significant byte first.
  const OwnedImage deep(Shape{1, 2, 1, 2}, Bytes{0x34, 0x12, 0x78, 0x56});
  save_png(path("deep.png"), deep.view());
  EXPECT_EQ(read_all({path("deep.png")}), text_of("\x12\x34\x56\x78"));
  EXPECT_THAT(error_of({put("bad.png", "\x89PNG\r\n\x1A\nrubbish")}), HasSubstr("bad.png: "));
  EXPECT_THAT(error_of({put("text", "hello")}, {.format = InputFormat::image}),
              HasSubstr("text: not an image"));
}

TEST_F(BitSources, FormatIsDetected) {
  using namespace std::string_literals;
  const auto found = [](const std::string& start) { return detect_format(start); };
  for (const std::string& image :
       {"\x89PNG\r\n\x1A\n..."s, "II*\0...."s, "MM\0*...."s, "P5\n3 3\n255\n"s, "P6 # x"s,
        "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s}) {
    EXPECT_EQ(found(image), InputFormat::image) << image;
  }
  for (const std::string& ascii : {"0"s, "1"s, " 01 \r\n\t"s, std::string(5000, '1'),
                                   std::string(4096, '0') + "what comes later does not count"}) {
    EXPECT_EQ(found(ascii), InputFormat::ascii) << ascii;
  }
  for (const std::string& bytes :
       {"2"s, "0\0"s, "  \n"s, "P5rubbish"s, "BM random bytes that are long enough"s, "P7 1"s,
        "II*x"s, random_bytes(5000), packed({0.5, 0.25})}) {
    EXPECT_EQ(found(bytes), InputFormat::msb) << bytes;
  }
  EXPECT_EQ(BitSource({put("a", "0110")}, {}).format(), InputFormat::ascii);
  EXPECT_EQ(BitSource({put("a", "0110")}, {.format = InputFormat::lsb}).format(), InputFormat::lsb);
}

TEST_F(BitSources, FilesOfDifferentKindsNeedAStatement) {
  const std::string ascii = put("ascii", "0110");
  const std::string bytes = put("bytes", random_bytes(10));
  EXPECT_THAT(error_of({ascii, bytes}),
              AllOf(HasSubstr("bytes: looks like msb"), HasSubstr("ascii"), HasSubstr("--input")));
  EXPECT_EQ(read_all({ascii, bytes}, {.format = InputFormat::msb}).size(), 112U);
}

// --- Errors

TEST_F(BitSources, WhatCannotBeReadIsNamed) {
  EXPECT_EQ(error_of({path("none")}),
            path("none") + ": cannot be opened: No such file or directory");
  EXPECT_EQ(error_of({m_directory.path().string()}),
            m_directory.path().string() + ": expected a file, got a directory");
  const std::string empty = put("empty", "");
  EXPECT_EQ(error_of({empty}), empty + ": the file is empty");
  EXPECT_EQ(error_of({put("full", "abc"), empty}), empty + ": the file is empty");
  EXPECT_THAT(error_of({"/proc/self/mem"}), HasSubstr("/proc/self/mem: cannot be read: "));
}

// --- Pipes

/// Writes into a named pipe until all is written or nobody reads.
class Writer {
 public:
  Writer(const std::string& path, std::string content, std::size_t piece)
      : m_thread([=, content = std::move(content)] {
          const Descriptor pipe{::open(path.c_str(), O_WRONLY)};
          for (std::size_t i = 0; i < content.size(); i += piece) {
            const std::size_t size = std::min(piece, content.size() - i);
            if (::write(pipe.get(), content.data() + i, size) < 0) return;
          }
        }) {}

 private:
  std::jthread m_thread;
};

TEST_F(BitSources, PipesInPiecesOfAnySize) {
  const std::string bytes = random_bytes(30'000);
  for (const std::size_t piece : {1U, 3U, 4096U, 30'000U}) {
    const std::string pipe = path(fmt::format("pipe-{}", piece));
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const Writer writer(pipe, bytes, piece);
    BitSource source({pipe}, {});
    EXPECT_EQ(source.format(), InputFormat::msb);
    EXPECT_EQ(source.skip(32'771), 32'771U);
    EXPECT_FALSE(source.total_bits());
    EXPECT_TRUE(text_of(source.read(100'003)) == text_of(bytes).substr(32'771, 100'003));
    EXPECT_TRUE(text_of(source.read(all)) == text_of(bytes).substr(132'774));
  }
}

TEST_F(BitSources, ImageAndTextFromAPipe) {
  save_png(path("image.png"), OwnedImage(Shape{300, 400, 3, 1}).view());
  for (const std::string& content :
       {read_file(path("image.png")), std::string("01 1\n"), packed({0.5})}) {
    const std::string pipe = path(fmt::format("pipe-{}", content.size()));
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const std::string file = put("file", content);
    const std::string expected = read_all({file});
    const Writer writer(pipe, content, 1000);
    EXPECT_TRUE(read_all({pipe}) == expected);
  }
}

TEST_F(BitSources, SizeTellsTheNumberOfBits) {
  const std::string a = put("a", random_bytes(100));
  const std::string b = put("b", random_bytes(21));
  EXPECT_EQ(BitSource({a, b}, {.format = InputFormat::lsb}).total_bits(), 968U);
  EXPECT_EQ(BitSource({a, b}, {InputFormat::float64, 10}).total_bits(), 150U);
  EXPECT_EQ(BitSource({put("c", "01")}, {}).total_bits(), std::nullopt);
}

// --- BitBuilder

TEST(BitBuilders, AnyPiecesInAnyOrder) {
  const std::string bytes = random_bytes(3000);
  const std::string text = text_of(bytes);
  const BitSequence bits = BitSequence::from_text(text);
  std::mt19937_64 engine(testing::test_seed());
  for (int repetition = 0; repetition < 100; ++repetition) {
    BitBuilder builder;
    std::string expected;
    for (int piece = 0; piece < 50; ++piece) {
      const std::uint64_t first = engine() % text.size();
      const std::uint64_t count = engine() % std::min<std::uint64_t>(300, text.size() - first + 1);
      builder.append(bits.view(), first, count);
      expected += text.substr(first, count);
      const auto few = static_cast<unsigned>(engine() % 65);
      const std::uint64_t value = few == 0 ? 0 : engine() >> (64 - few);
      builder.append(value, few);
      for (unsigned i = 0; i < few; ++i) expected += (value >> (few - 1 - i) & 1) != 0 ? '1' : '0';
    }
    EXPECT_EQ(builder.size(), expected.size());
    EXPECT_EQ(text_of(builder.take()), expected);
    EXPECT_EQ(builder.size(), 0U);
  }
}

}  // namespace
}  // namespace icb::nist
