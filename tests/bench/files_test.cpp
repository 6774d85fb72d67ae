/// keygen, encrypt and decrypt as processes: files, pipes, folders, exit codes, what is left.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "bench/files/key_file.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "datasets/dataset.hpp"
#include "datasets/png_chunks.hpp"
#include "tests/bench/support.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::icbench;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::Start;
using testing::TemporaryDirectory;
using namespace std::string_literals;

OwnedImage image_of(Shape shape) { return {shape, derive_bytes(1, "image", shape.bytes())}; }

const Shape colour{.rows = 5, .cols = 7, .channels = 3};

/// In a directory of its own with a key and an image.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    write_key_file(path("key"), to_hex(derive_key(1, "key")) + '\n');
    write_key_file(path("other-key"), to_hex(derive_key(1, "other key")) + '\n');
    write_file_atomically(path("plain.png"), encode_png(image_of(colour).view()));
  }

  fs::path path(const std::string& name) const { return m_directory.path() / name; }

  std::string content(const std::string& name) const { return read_file(path(name)); }

  Outcome run(const std::vector<std::string>& arguments) const {
    Start start;
    start.directory = m_directory.path();
    return icbench(arguments, start);
  }

  Outcome convert(const std::string& command, const std::string& in, const std::string& out,
                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{command, in, out, "--key-file", "key"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  Outcome shell(const std::string& line) const {
    Start start;
    start.directory = m_directory.path();
    start.environment["ICBENCH"] = ICB_PROGRAM;
    return testing::run_program({"/bin/bash", "-o", "pipefail", "-c", line}, start);
  }

  /// Names of everything in the directory.
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(m_directory.path())) {
      out.insert(entry.path().lexically_relative(m_directory.path()).string());
    }
    return out;
  }

  /// The command fails with that code and message and leaves everything as it was.
  void expect_refused(const std::vector<std::string>& arguments, int code,
                      const std::string& message) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    const auto before = testing::files_below(m_directory.path(), ".png");
    const auto names_before = names();
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, code);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(names(), names_before);
    EXPECT_EQ(testing::files_below(m_directory.path(), ".png"), before);
  }

  void expect_refused(const std::string& command, const std::string& in, const std::string& out,
                      int code, const std::string& message) const {
    expect_refused({command, in, out, "--key-file", "key"}, code, message);
  }

  TemporaryDirectory m_directory;
};

unsigned mode_of(const fs::path& path) {
  struct stat status {};

  EXPECT_EQ(::lstat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

// --- keygen

TEST_F(Files, KeygenWritesKeysForTheOwnerAlone) {
  const Outcome printed = run({"keygen"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.err, IsEmpty());
  EXPECT_THAT(printed.out, ::testing::MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_NE(run({"keygen"}).out, printed.out);
  const Outcome outcome = shell("umask 0; \"$ICBENCH\" keygen -o new");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(mode_of(path("new")), 0600U);
  EXPECT_THAT(content("new"), ::testing::MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_EQ(run({"encrypt", "plain.png", "c.png", "--key-file", "new"}).err, "");
}

TEST_F(Files, KeygenNeverOverwrites) {
  fs::create_symlink("nowhere", path("link"));
  for (const char* name : {"key", "link", "."}) {
    expect_refused({"keygen", "-o", name}, 3, "exists; a key is never overwritten");
  }
  EXPECT_EQ(content("key"), to_hex(derive_key(1, "key")) + '\n');
  expect_refused({"keygen", "-o", "missing/key"}, 3, "missing/key: cannot be written");
}

TEST_F(Files, KeygenKnowsWhereKeysComeFrom) {
  expect_refused({"keygen", "--seed", "1"}, 2, "--seed means nothing to keygen");
  expect_refused({"keygen", "--out", "x"}, 2, "--out means nothing to keygen");
  expect_refused({"encrypt", "plain.png", "c.png", "--key-file", "key", "--seed", "1"}, 2,
                 "--seed means nothing to encrypt");
}

// --- Key files

TEST_F(Files, KeyFilesAreExact) {
  const std::string digits = to_hex(derive_key(1, "key"));
  for (const auto& [text, good] : {std::pair{digits, true},
                                   {digits + "\n", true},
                                   {digits + "\n\n", false},
                                   {digits + "\r\n", false},
                                   {digits + " ", false},
                                   {" " + digits, false},
                                   {""s, false},
                                   {digits.substr(1), false},
                                   {digits + "0", false},
                                   {"0x" + digits.substr(2), false},
                                   {"g" + digits.substr(1), false},
                                   {std::string(32, '\1'), false},
                                   {std::string(5000, '0'), false},
                                   {digits.substr(0, 63) + "\0"s, false}}) {
    fs::remove(path("k"));
    write_key_file(path("k"), text);
    if (good) {
      EXPECT_EQ(to_hex(read_key_file(path("k")).bytes()), digits);
    } else {
      try {
        read_key_file(path("k"));
        ADD_FAILURE() << ::testing::PrintToString(text);
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr(digits.substr(2, 30))));
      }
    }
  }
  std::string upper = digits;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  fs::remove(path("k"));
  write_key_file(path("k"), upper);
  EXPECT_EQ(to_hex(read_key_file(path("k")).bytes()), digits);
  expect_refused({"encrypt", "plain.png", "c.png", "--key-file", "missing"}, 3,
                 "missing: no such file");
  expect_refused({"encrypt", "plain.png", "c.png", "--key-file", "."}, 3, "got a directory");
  expect_refused({"encrypt", "plain.png", "c.png", "--key-file", "plain.png"}, 3, "not a key");
  expect_refused({"encrypt", "plain.png", "c.png"}, 2, "--key-file is required");
}

TEST_F(Files, KeyFilesOthersMayReadAreReported) {
  fs::permissions(path("key"), fs::perms{0640});
  const Outcome outcome = convert("encrypt", "plain.png", "c.png");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("warning: key: "), HasSubstr("mode 0640")));
  EXPECT_THAT(convert("encrypt", "plain.png", "d.png", {"--quiet"}).err, IsEmpty());
}

// --- One file

TEST_F(Files, RoundTripOfEveryLayoutAndFormat) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      const OwnedImage image =
          image_of({.rows = 3, .cols = 5, .channels = channels, .sample_bytes = sample_bytes});
      std::vector<std::pair<std::string, std::string>> inputs{
          {"in.png", encode_png(image.view())}, {"in.tif", encode_tiff(image.view())}};
      if (channels % 2 == 1) inputs.emplace_back("in.pnm", encode_pnm(image.view()));
      for (const auto& [name, stored] : inputs) {
        SCOPED_TRACE(name + " " + to_string(image.shape()));
        write_file_atomically(path(name), stored);
        ASSERT_EQ(convert("encrypt", name, "c.png", {"--force"}).err, "");
        ASSERT_EQ(convert("decrypt", "c.png", "out-" + name, {"--force"}).err, "");
        const cv::Mat back = load_image(path("out-" + name));
        EXPECT_EQ(view_of(back).shape(), image.shape());
        EXPECT_TRUE(std::ranges::equal(view_of(back).bytes(), image.bytes()));
        EXPECT_EQ(load_image(path("c.png")).size(), back.size());
      }
    }
  }
}

TEST_F(Files, MetadataOfPngComesBackByteForByte) {
  const PngMetadata metadata{png::make_chunk("gAMA", "\0\0\xB1\x8F"s) +
                                 png::make_chunk("pHYs", "\0\0\x0B\x13\0\0\x0B\x13\1"s),
                             png::make_chunk("tEXt", "Comment\0a secret"s)};
  write_file_atomically(path("m.png"),
                        encode_png(image_of(colour).view(), PngEffort::fast, metadata));
  EXPECT_EQ(convert("encrypt", "m.png", "c.png").err, "");
  EXPECT_THAT(content("c.png"), Not(HasSubstr("a secret")));
  EXPECT_EQ(convert("decrypt", "c.png", "out.png").err, "");
  EXPECT_EQ(decode_picture(content("out.png"), "out").metadata, metadata);
  const Outcome tiff = convert("decrypt", "c.png", "out.tif");
  EXPECT_EQ(tiff.exit_code, 0);
  EXPECT_THAT(tiff.err, HasSubstr("dropped, a .png would hold them: gAMA, pHYs, tEXt"));
}

TEST_F(Files, WhatIsExpandedOrDroppedIsSaid) {
  const std::string start(png::signature);
  const std::string one_bit =
      start + png::make_chunk("IHDR", "\0\0\0\1\0\0\0\1\1\0\0\0\0"s) +
      png::make_chunk("IDAT", "\x78\x01\x01\x02\x00\xFD\xFF\x00\x80\x00\x82\x00\x81"s) +
      png::make_chunk("IEND", "");
  write_file_atomically(path("one.png"), one_bit);
  EXPECT_EQ(convert("encrypt", "one.png", "c.png").err,
            "icbench: one.png: expanded: gray of 1 bit to 8 bit\n");
  write_file_atomically(path("c.pgm"), "P2 # words\n1 1 255 7\n");
  EXPECT_EQ(convert("encrypt", "c.pgm", "d.png").err,
            "icbench: c.pgm: dropped, not in the cipher image: comment\n");
  EXPECT_EQ(convert("encrypt", "c.pgm", "e.png", {"--quiet"}).err, "");
}

TEST_F(Files, NoncesAreFresh) {
  convert("encrypt", "plain.png", "a.png");
  convert("encrypt", "plain.png", "b.png");
  const cv::Mat a = load_image(path("a.png"));
  const cv::Mat b = load_image(path("b.png"));
  EXPECT_FALSE(std::ranges::equal(view_of(a).bytes(), view_of(b).bytes()));
}

TEST_F(Files, WrongKeyOrAlteredFileWritesNothing) {
  convert("encrypt", "plain.png", "c.png");
  expect_refused({"decrypt", "c.png", "out.png", "--key-file", "other-key"}, 4,
                 "c.png: wrong key, or the file was altered");
  expect_refused({"decrypt", "c.png", "-", "--key-file", "other-key"}, 4, "wrong key");
  std::string bad = content("c.png");
  bad[bad.size() / 2] ^= 1;
  write_file_atomically(path("bad.png"), bad);
  expect_refused("decrypt", "bad.png", "out.png", 4, "bad.png: altered or damaged");
  write_file_atomically(path("cut.png"), content("c.png").substr(0, 200));
  expect_refused("decrypt", "cut.png", "out.png", 4, "cut.png: ");
  write_file_atomically(path("more.png"), content("c.png") + "x");
  expect_refused("decrypt", "more.png", "out.png", 4, "1 bytes after the end");
  // Saved again by another program.
  write_file_atomically(path("again.png"), encode_png(view_of(load_image(path("c.png")))));
  expect_refused("decrypt", "again.png", "out.png", 4,
                 "no icbench chunk: the file was saved again");
  expect_refused("decrypt", "plain.png", "out.png", 4, "no icbench chunk");
}

TEST_F(Files, BadInputIsNamed) {
  write_file_atomically(path("text.png"), "not an image at all");
  write_file_atomically(path("empty.png"), "");
  for (const char* command : {"encrypt", "decrypt"}) {
    expect_refused(command, "text.png", "out.png", 3, "text.png: not a");
    expect_refused(command, "empty.png", "out.png", 3, "empty.png: ");
    expect_refused(command, "missing.png", "out.png", 3, "missing.png: no such file");
    expect_refused(command, "/dev/zero", "out.png", 3, "got a device");
  }
  const std::string bomb =
      std::string(png::signature) +
      png::make_chunk("IHDR", png::number(16384) + png::number(16384) + "\x10\6\0\0\0"s) +
      png::make_chunk("IDAT", "x") + png::make_chunk("IEND", "");
  write_file_atomically(path("bomb.png"), bomb);
  expect_refused("encrypt", "bomb.png", "out.png", 3, "bomb.png: truncated or damaged");
  convert("encrypt", "plain.png", "c.png");
  expect_refused("encrypt", "c.png", "out.png", 3, "c.png: is a cipher image already");
}

TEST_F(Files, NamesOfOutputsAreChecked) {
  for (const char* name : {"c.jpg", "c", "c.tif", "c.png.txt"}) {
    expect_refused("encrypt", "plain.png", name, 2, "expected a name ending in .png, or -");
  }
  convert("encrypt", "plain.png", "c.png");
  for (const char* name : {"out.jpg", "out", "out.bmp"}) {
    expect_refused("decrypt", "c.png", name, 2, "expected a name ending in .png, .tif");
  }
  expect_refused("decrypt", "c.png", "out.pgm", 3, "out.pgm: cannot hold an image of 5 x 7 x 3");
  expect_refused({"encrypt", "plain.png", "out.png", "--key-file", "key", "--cipher", "identity"},
                 2, "--cipher identity: cannot encrypt files");
  expect_refused({"encrypt", "plain.png", "out.png", "--key-file", "key", "--cipher", "none"}, 2,
                 "unknown cipher");
  EXPECT_EQ(convert("encrypt", "plain.png", "aes.png", {"--cipher", "aes-256-ctr"}).exit_code, 0);
  EXPECT_EQ(convert("decrypt", "aes.png", "back.png").exit_code, 0);
  EXPECT_TRUE(
      std::ranges::equal(view_of(load_image(path("back.png"))).bytes(), image_of(colour).bytes()));
}

TEST_F(Files, OutputIsNeverAnInput) {
  fs::create_symlink("plain.png", path("link.png"));
  fs::create_hard_link(path("plain.png"), path("hard.png"));
  fs::create_directory(path("below"));
  for (const std::string& out : {"plain.png"s, "./plain.png"s, "below/../plain.png"s,
                                 path("plain.png").string(), "link.png"s, "hard.png"s}) {
    for (const char* command : {"encrypt", "decrypt"}) {
      expect_refused({command, "plain.png", out, "--key-file", "key", "--force"}, 2,
                     "the same file");
    }
  }
  fs::create_symlink("key", path("key.png"));
  expect_refused({"encrypt", "plain.png", "key.png", "--key-file", "key", "--force"}, 2,
                 "is the key file");
}

TEST_F(Files, ExistingOutputsStay) {
  write_file_atomically(path("c.png"), "precious");
  expect_refused("encrypt", "plain.png", "c.png", 3, "c.png: exists; --force replaces it");
  fs::create_symlink("nowhere", path("dangling.png"));
  expect_refused("encrypt", "plain.png", "dangling.png", 3, "exists; --force replaces it");
  fs::create_directory(path("folder.png"));
  expect_refused({"encrypt", "plain.png", "folder.png", "--key-file", "key", "--force"}, 3,
                 "got a directory");
  EXPECT_EQ(convert("encrypt", "plain.png", "c.png", {"--force"}).exit_code, 0);
  EXPECT_NE(content("c.png"), "precious");
}

TEST_F(Files, FullDiskLeavesNothing) {
  write_file_atomically(path("large.png"), encode_png(image_of({.rows = 200, .cols = 200}).view()));
  const auto before = names();
  Start limited;
  limited.directory = m_directory.path();
  limited.file_size = 10'000;
  const Outcome outcome = icbench({"encrypt", "large.png", "c.png", "--key-file", "key"}, limited);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("c.png: cannot be written: File too large"));
  EXPECT_EQ(names(), before);
}

// --- Pipes

TEST_F(Files, Pipes) {
  const Outcome outcome = shell(
      "\"$ICBENCH\" encrypt - - --key-file key < plain.png | \"$ICBENCH\" decrypt - - --key-file "
      "key > back.png");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(
      std::ranges::equal(view_of(load_image(path("back.png"))).bytes(), image_of(colour).bytes()));
  EXPECT_EQ(shell("\"$ICBENCH\" decrypt - out.png --key-file key < plain.png").exit_code, 4);
  EXPECT_EQ(shell("\"$ICBENCH\" encrypt - out.png --key-file key < /dev/null").exit_code, 3);
  EXPECT_EQ(shell("\"$ICBENCH\" encrypt plain.png - --key-file key > /dev/full").exit_code, 3);
  EXPECT_EQ(shell("\"$ICBENCH\" encrypt plain.png p.png --key-file <(cat key)").exit_code, 0);
}

// --- Folders

class Folders : public Files {
 protected:
  void SetUp() override {
    Files::SetUp();
    fs::create_directories(path("in/deep"));
    const OwnedImage image = image_of(colour);
    write_file_atomically(path("in/a.png"), encode_png(image.view()));
    write_file_atomically(path("in/a.tif"), encode_tiff(image.view()));
    write_file_atomically(path("in/deep/a.ppm"), encode_pnm(image.view()));
    write_file_atomically(path("in/notes.txt"), "P5 is not what this is about");
  }
};

TEST_F(Folders, AreEncryptedAndDecryptedAsAWhole) {
  const Outcome outcome = convert("encrypt", "in", "out");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("in/notes.txt: not an image; skipped"),
                    HasSubstr("out: 3 encrypted, 0 there already, 1 not images, 0 failed")));
  const Outcome back = convert("decrypt", "out", "back");
  EXPECT_EQ(back.exit_code, 0) << back.err;
  for (const char* name : {"back/a.png", "back/a.tif.png", "back/deep/a.ppm.png"}) {
    EXPECT_TRUE(
        std::ranges::equal(view_of(load_image(path(name))).bytes(), image_of(colour).bytes()));
  }
  EXPECT_EQ(testing::files_below(path("back"), "").size(), 0U);
  EXPECT_EQ(testing::files_below(path("out"), ".png").size(), 3U);
}

TEST_F(Folders, GoOnWhereTheyStopped) {
  convert("encrypt", "in", "out");
  const auto first = testing::files_below(path("out"), ".png");
  fs::remove(path("out/a.tif.png"));
  const Outcome again = convert("encrypt", "in", "out");
  EXPECT_THAT(again.err, HasSubstr("1 encrypted, 2 there already"));
  const auto second = testing::files_below(path("out"), ".png");
  EXPECT_EQ(second.at("a.png.png"), first.at("a.png.png"));
  EXPECT_NE(second.at("a.tif.png"), first.at("a.tif.png"));
  EXPECT_THAT(convert("encrypt", "in", "out", {"--force"}).err,
              HasSubstr("3 encrypted, 0 there already"));
}

TEST_F(Folders, AFailureIsReportedAndTheOthersGoOn) {
  write_file_atomically(path("in/b.png"), "damaged");
  write_file_atomically(path("in/c.jpg"), "\xFF\xD8\xFF\xE0");
  const Outcome outcome = convert("encrypt", "in", "out");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("in/b.png: not an image"), HasSubstr("JPEG"),
                                 HasSubstr("3 encrypted"), HasSubstr("2 failed")));
  std::string bad = content("out/a.png.png");
  bad[bad.size() / 2] ^= 1;
  write_file_atomically(path("out/a.png.png"), bad);
  write_file_atomically(path("out/x.png"), "damaged");
  const Outcome back = convert("decrypt", "out", "back");
  EXPECT_EQ(back.exit_code, 4);
  EXPECT_THAT(back.err, AllOf(HasSubstr("a.png.png: altered"), HasSubstr("x.png: not a PNG"),
                              HasSubstr("2 decrypted"), HasSubstr("2 failed")));
}

TEST_F(Folders, TwoFilesForOneNameAreBothRefused) {
  fs::create_directory(path("two"));
  convert("encrypt", "plain.png", "two/a.png");
  convert("encrypt", "plain.png", "two/a.png.png");
  const Outcome outcome = convert("decrypt", "two", "back");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("two/a.png: another file"),
                                 HasSubstr("two/a.png.png: another file"), HasSubstr("2 failed")));
  EXPECT_FALSE(fs::exists(path("back/a.png")));
}

TEST_F(Folders, AreKeptApart) {
  fs::create_directory_symlink("in", path("in-link"));
  for (const char* out : {"in", "in/deep", "in/new/folder", "in-link", "./in/", "in-link/new"}) {
    expect_refused("encrypt", "in", out, 2, "inside it; expected a folder elsewhere");
  }
  expect_refused("encrypt", "in", "-", 2, "expected a folder as output");
  expect_refused("encrypt", "in", "plain.png", 3, "expected a folder, as in is one");
  EXPECT_EQ(convert("encrypt", "in", "in2").exit_code, 0);  // a longer name is another folder
}

TEST_F(Folders, AnInterruptedRunKeepsWhatIsFinished) {
  for (int i = 0; i < 100; ++i) {
    write_file_atomically(path("many/" + std::to_string(i) + ".png"),
                          encode_png(image_of({.rows = 300, .cols = 300}).view()));
  }
  Start start;
  start.directory = m_directory.path();
  testing::Child child({ICB_PROGRAM, "encrypt", "many", "out", "--key-file", "key"}, start);
  while (child.runs() && !fs::exists(path("out"))) ::usleep(1000);
  child.send(SIGINT);
  const Outcome outcome = child.wait();
  const std::size_t finished = testing::files_below(path("out"), ".png").size();
  EXPECT_THAT(testing::files_below(path("out"), ".part"), IsEmpty());
  if (outcome.exit_code == 0) GTEST_SKIP() << "finished before it could be interrupted";
  EXPECT_EQ(outcome.signal, SIGINT);
  EXPECT_THAT(outcome.err, HasSubstr("the same command goes on"));
  EXPECT_GE(finished, 1U);
  EXPECT_LT(finished, 100U);
  const Outcome again = convert("encrypt", "many", "out");
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr(std::to_string(100 - finished) + " encrypted, " +
                                   std::to_string(finished) + " there already"));
}

}  // namespace
}  // namespace icb
