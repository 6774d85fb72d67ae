#include "container/container.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.hpp"
#include "datasets/png_chunks.hpp"

namespace icb::container {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

const CipherEntry& cipher() { return find<CipherEntry>("khazaal2024"); }

Secret key(int number = 0) {
  return Secret(derive_bytes(1, fmt::format("container key {}", number), key_bytes));
}

/// The same for every run, so that a failure can be repeated.
Fresh fixed(const CipherEntry& entry = cipher()) {
  return {derive_bytes(1, "salt", salt_bytes), derive_bytes(1, "nonce", entry.nonce_bytes.value)};
}

OwnedImage image_of(Shape shape) {
  const Bytes bytes = derive_bytes(1, to_string(shape), shape.bytes());
  return {shape, bytes};
}

PngMetadata some_metadata() {
  return {png::make_chunk("gAMA", "\0\0\xB1\x8F"s) + png::make_chunk("iCCP", "profile"),
          png::make_chunk("tEXt", "Comment\0secret words"s)};
}

std::string small_file() {
  return seal(cipher(), image_of({.rows = 2, .cols = 3, .channels = 3}).view(), some_metadata(),
              key(), fixed());
}

enum class Refusal { none, input, integrity };

struct Result {
  Refusal refusal = Refusal::none;
  std::string message;
};

Result result_of(std::string_view content, const Secret& secret = key()) {
  try {
    open(content, secret, "file");
    return {};
  } catch (const InputError& error) {
    return {Refusal::input, error.what()};
  } catch (const IntegrityError& error) {
    return {Refusal::integrity, error.what()};
  }
}

std::vector<std::string> chunks_of(const std::string& content) {
  std::vector<std::string> out;
  std::size_t at = png::signature.size();
  while (const auto chunk = png::chunk_at(content, at)) {
    out.emplace_back(chunk->whole);
    at += chunk->whole.size();
  }
  return out;
}

std::string file_of(const std::vector<std::string>& chunks) {
  std::string out(png::signature);
  for (const auto& chunk : chunks) out += chunk;
  return out;
}

/// The file with other data in its chunk and the checksum right.
std::string with_chunk_data(const std::string& content,
                            const std::function<void(std::string&)>& change) {
  auto chunks = chunks_of(content);
  std::string data = chunks[1].substr(8, chunks[1].size() - png::frame_bytes);
  change(data);
  chunks[1] = png::make_chunk(chunk_type, data);
  return file_of(chunks);
}

TEST(Container, RoundTripsEveryShape) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    for (const std::size_t channels : {1U, 2U, 3U, 4U}) {
      for (const auto& [rows, cols] : {std::pair{1U, 1U}, {1U, 7U}, {33U, 65U}, {64U, 3U}}) {
        const Shape shape{
            .rows = rows, .cols = cols, .channels = channels, .sample_bytes = sample_bytes};
        const OwnedImage plain = image_of(shape);
        const std::string content = seal(cipher(), plain.view(), {}, key(), fresh(cipher()));
        const Opened opened = open(content, key(), "file");
        EXPECT_EQ(opened.image.shape(), shape);
        EXPECT_TRUE(std::ranges::equal(opened.image.bytes(), plain.bytes())) << to_string(shape);
        EXPECT_TRUE(opened.metadata.empty());
        EXPECT_EQ(opened.cipher, "khazaal2024");
        // Any reader sees an image of the same shape, which is not the plain one.
        const cv::Mat seen = decode_image(content, "file");
        EXPECT_EQ(view_of(seen).shape(), shape);
        if (shape.bytes() >= 16) {
          EXPECT_FALSE(std::ranges::equal(view_of(seen).bytes(), plain.bytes()));
        }
      }
    }
  }
}

TEST(Container, EveryUsableCipherCanSeal) {
  const OwnedImage plain = image_of({.rows = 9, .cols = 5, .channels = 3});
  std::size_t usable = 0;
  for (const auto& [name, entry] : registry<CipherEntry>()) {
    if (!why_unusable(entry).empty()) {
      EXPECT_THROW(seal(entry, plain.view(), {}, key(), fresh(entry)), std::invalid_argument);
      continue;
    }
    ++usable;
    const Opened opened =
        open(seal(entry, plain.view(), some_metadata(), key(), fresh(entry)), key(), "file");
    EXPECT_TRUE(std::ranges::equal(opened.image.bytes(), plain.bytes())) << name;
    EXPECT_EQ(opened.cipher, name);
  }
  EXPECT_GE(usable, 2U);
  EXPECT_THAT(why_unusable(find<CipherEntry>("identity")), HasSubstr("a key of 0 bits"));
}

TEST(Container, CarriesMetadataHidden) {
  const std::string content = small_file();
  EXPECT_EQ(open(content, key(), "file").metadata, some_metadata());
  EXPECT_EQ(content.find("secret words"), std::string::npos);
  EXPECT_EQ(content.find("iCCP"), std::string::npos);
}

TEST(Container, LayoutIsAsDocumented) {
  const std::string content = small_file();
  const Bytes salt = derive_bytes(1, "salt", salt_bytes);
  const Bytes nonce = derive_bytes(1, "nonce", cipher().nonce_bytes.value);
  const auto chunks = chunks_of(content);
  ASSERT_EQ(chunks.size(), 4U);
  const std::string_view data =
      std::string_view(chunks[1]).substr(8, chunks[1].size() - png::frame_bytes);
  const std::size_t header = cipher().header_bytes.value;
  const std::size_t metadata = 4 + some_metadata().before.size() + some_metadata().after.size();
  EXPECT_EQ(data.substr(0, 10), "icbench\0\1"s + static_cast<char>(cipher().rounds.default_rounds));
  EXPECT_EQ(data.substr(10, 12), "\x0Bkhazaal2024");
  EXPECT_EQ(data.substr(22, 32), std::string(salt.begin(), salt.end()));
  EXPECT_EQ(data.substr(54, 2), ""s + static_cast<char>(header >> 8) + static_cast<char>(header));
  EXPECT_EQ(data.substr(56 + header, 4), png::number(static_cast<std::uint32_t>(metadata)));
  EXPECT_EQ(data.size(), 56 + header + 4 + metadata + tag_bytes);
  // A freshly drawn nonce is in it, wherever the cipher's header has it.
  EXPECT_NE(data.substr(56, header).find(std::string(nonce.begin(), nonce.end())),
            std::string::npos);
  // PNG specification, section 5.4: ancillary, private, reserved bit zero, unsafe to copy.
  EXPECT_NE(chunk_type[0] & 0x20, 0);
  EXPECT_NE(chunk_type[1] & 0x20, 0);
  EXPECT_EQ(chunk_type[2] & 0x20, 0);
  EXPECT_EQ(chunk_type[3] & 0x20, 0);
}

TEST(Container, SealingIsAFunctionOfItsInputs) {
  EXPECT_EQ(small_file(), small_file());
  const OwnedImage plain = image_of({.rows = 2, .cols = 3});
  EXPECT_NE(seal(cipher(), plain.view(), {}, key(), fresh(cipher())),
            seal(cipher(), plain.view(), {}, key(), fresh(cipher())));
}

TEST(Container, EveryBitCounts) {
  const std::string good = small_file();
  ASSERT_EQ(result_of(good).refusal, Refusal::none);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const Refusal expected = at < png::signature.size() ? Refusal::input : Refusal::integrity;
      EXPECT_EQ(result_of(bad).refusal, expected) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(Container, EveryByteCountsWithChecksumsMadeRight) {
  const std::string good = small_file();
  const auto chunks = chunks_of(good);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    for (std::size_t at = 0; at + png::frame_bytes < chunks[i].size(); ++at) {
      auto bad = chunks;
      std::string data = chunks[i].substr(8, chunks[i].size() - png::frame_bytes);
      data[at] = static_cast<char>(data[at] ^ 0x01);
      bad[i] = png::make_chunk(chunks[i].substr(4, 4), data);
      EXPECT_NE(result_of(file_of(bad)).refusal, Refusal::none) << "chunk " << i << " byte " << at;
    }
  }
}

TEST(Container, EveryCutIsRefused) {
  const std::string good = small_file();
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(result_of(good.substr(0, length)).refusal, Refusal::none) << length;
  }
  EXPECT_EQ(result_of("").refusal, Refusal::input);
}

TEST(Container, AppendedBytesAreRefused) {
  for (const std::string& more :
       {"\0"s, "x"s, std::string(1000, '\0'), small_file(), png::make_chunk("IEND", "")}) {
    const Result result = result_of(small_file() + more);
    EXPECT_EQ(result.refusal, Refusal::integrity);
    EXPECT_THAT(result.message, HasSubstr("after the end"));
  }
}

TEST(Container, WrongKeyIsRefused) {
  for (std::size_t bit = 0; bit < 8 * key_bytes; ++bit) {
    const Secret right = key();
    Bytes wrong(right.bytes().begin(), right.bytes().end());
    wrong[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const Result result = result_of(small_file(), Secret(wrong));
    EXPECT_EQ(result.refusal, Refusal::integrity);
    EXPECT_EQ(result.message, "file: wrong key, or the file was altered");
  }
}

TEST(Container, ChunksDroppedRepeatedOrMovedAreRefused) {
  const auto chunks = chunks_of(small_file());  // IHDR, icBE, IDAT, IEND
  using Order = std::vector<std::size_t>;
  for (const Order& order :
       {Order{0, 2, 3}, Order{0, 1, 1, 2, 3}, Order{0, 2, 1, 3}, Order{1, 0, 2, 3}, Order{0, 1, 3},
        Order{0, 0, 1, 2, 3}, Order{0, 1, 2, 2, 3}, Order{0, 1, 2}, Order{0, 1, 2, 3, 3},
        Order{0, 1, 2, 3, 1}, Order{0, 2, 3, 1}, Order{1, 2, 3}, Order{}}) {
    std::vector<std::string> moved;
    for (const std::size_t i : order) moved.push_back(chunks[i]);
    const Result result = result_of(file_of(moved));
    EXPECT_EQ(result.refusal, Refusal::integrity) << ::testing::PrintToString(order);
    if (order == Order{0, 2, 3}) {
      EXPECT_EQ(result.message,
                "file: no icbench chunk: the file was saved again by another program or is not a "
                "cipher image");
    }
  }
  auto more = chunks;
  more.insert(more.begin() + 2, png::make_chunk("tEXt", "Software\0an editor"s));
  EXPECT_EQ(result_of(file_of(more)).refusal, Refusal::integrity);
  EXPECT_THROW(parse(file_of(more), "file"), IntegrityError);  // whatever its tag
  // The same pixels, compressed otherwise: nobody can tell.
  const cv::Mat pixels = decode_image(small_file(), "file");
  auto again = chunks_of(encode_png(view_of(pixels), PngEffort::small));
  again.insert(again.begin() + 1, chunks[1]);
  EXPECT_EQ(result_of(file_of(again)).message, "file: wrong key, or the file was altered");
  // The same pixels in two chunks.
  auto split = chunks;
  const std::string data = chunks[2].substr(8, chunks[2].size() - png::frame_bytes);
  split[2] = png::make_chunk("IDAT", data.substr(0, 5)) + png::make_chunk("IDAT", data.substr(5));
  EXPECT_EQ(decode_image(file_of(split), "file").rows, 2);
  EXPECT_EQ(result_of(file_of(split)).refusal, Refusal::integrity);
}

TEST(Container, OtherVersionsAreNamed) {
  const Result result = result_of(with_chunk_data(small_file(), [](auto& data) { data[8] = 2; }));
  EXPECT_EQ(result.refusal, Refusal::input);
  EXPECT_EQ(result.message, "file: container version 2; this program reads version 1");
}

std::string resealed(const std::string& content, const std::function<void(std::string&)>& change) {
  const std::string changed = with_chunk_data(content, change);
  const Parsed parsed = parse(changed, "file");
  const Bytes salt(parsed.salt.begin(), parsed.salt.end());
  return with_tag(changed, parsed, derive_keys(key(), salt).authentication);
}

TEST(Container, WhoeverHasTheKeyCanNameOtherCiphers) {
  EXPECT_EQ(result_of(resealed(small_file(), [](auto&) {})).refusal, Refusal::none);
  const Result other = result_of(resealed(small_file(), [](auto& data) { data[11] = 'x'; }));
  EXPECT_EQ(other.message, "file: encrypted by cipher \"xhazaal2024\", unknown here");
  EXPECT_EQ(other.refusal, Refusal::input);
  const Result rounds =
      result_of(resealed(small_file(), [](auto& data) { data[9] = static_cast<char>(0xEE); }));
  EXPECT_EQ(rounds.refusal, Refusal::input);
  EXPECT_THAT(rounds.message, HasSubstr("another version of cipher \"khazaal2024\": 238 rounds"));
}

TEST(Container, TheCipherRefusesByItselfWhatTheTagAccepts) {
  // Negative control: a tag made with the right key over an altered pixel or header.
  const OwnedImage plain = image_of({.rows = 4, .cols = 5, .channels = 3});
  const std::string good = seal(cipher(), plain.view(), {}, key(), fixed());
  const std::size_t header_at = 56;
  for (std::size_t i = 0; i < cipher().header_bytes.value; ++i) {
    const std::string bad = resealed(good, [&](auto& data) { data[header_at + i] ^= 1; });
    const Result result = result_of(bad);
    EXPECT_EQ(result.refusal, Refusal::integrity) << i;
    EXPECT_THAT(result.message, ::testing::Not(HasSubstr("or the file was altered")));
  }
  cv::Mat pixels = decode_image(good, "file");
  pixels.data[7] ^= 1;
  auto chunks = chunks_of(encode_png(view_of(pixels), PngEffort::stored));
  chunks.insert(chunks.begin() + 1, chunks_of(good)[1]);
  const Result result = result_of(resealed(file_of(chunks), [](auto&) {}));
  EXPECT_EQ(result.refusal, Refusal::integrity);
  EXPECT_THAT(result.message, ::testing::Not(HasSubstr("or the file was altered")));
}

TEST(Container, HostileLengthsAreRefused) {
  // Every field of the chunk that is a length, with its checksum right.
  const std::size_t metadata_at = 56 + cipher().header_bytes.value;
  for (const std::size_t at : {std::size_t{10}, std::size_t{54}, std::size_t{55}, metadata_at,
                               metadata_at + 1, metadata_at + 2, metadata_at + 3}) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      const std::string bad =
          with_chunk_data(small_file(), [&](auto& data) { data[at] = static_cast<char>(value); });
      if (bad == small_file()) continue;
      EXPECT_NE(result_of(bad).refusal, Refusal::none);
    }
  }
  for (std::size_t length = 0; length < 56; ++length) {
    EXPECT_NE(
        result_of(with_chunk_data(small_file(), [&](auto& data) { data.resize(length); })).refusal,
        Refusal::none);
  }
}

TEST(Container, BombsAllocateNothing) {
  // Without the key the dimensions are never looked at; with it, the data must be there first.
  auto chunks = chunks_of(small_file());
  const auto dimensions = [&](std::uint32_t width, std::uint32_t height) {
    chunks[0] = png::make_chunk(
        "IHDR", png::number(width) + png::number(height) + std::string("\x10\x06\0\0\0", 5));
    return file_of(chunks);
  };
  EXPECT_EQ(result_of(dimensions(16384, 16384)).message,
            "file: wrong key, or the file was altered");
  EXPECT_THAT(result_of(resealed(dimensions(16384, 16384), [](auto&) {})).message,
              HasSubstr("cannot come from"));
  EXPECT_THAT(result_of(resealed(dimensions(0x7FFFFFFF, 0x7FFFFFFF), [](auto&) {})).message,
              HasSubstr("too large"));
  EXPECT_THAT(result_of(resealed(dimensions(0, 1), [](auto&) {})).message, HasSubstr("empty"));
}

TEST(Container, MetadataIsBounded) {
  const OwnedImage plain = image_of({.rows = 1, .cols = 1});
  const std::string much = png::make_chunk("tEXt", std::string(max_metadata_bytes - 16, 'x'));
  EXPECT_EQ(
      open(seal(cipher(), plain.view(), {much, ""}, key(), fixed()), key(), "file").metadata.before,
      much);
  EXPECT_THROW(seal(cipher(), plain.view(), {much, "x"}, key(), fixed()), InputError);
}

TEST(Container, OtherFilesAreNotContainers) {
  EXPECT_THAT(result_of("P5\n1 1\n255\nx").message, HasSubstr("not a PNG"));
  const OwnedImage plain = image_of({.rows = 1, .cols = 1});
  EXPECT_THAT(result_of(encode_png(plain.view())).message, HasSubstr("no icbench chunk"));
  EXPECT_TRUE(has_chunk(small_file()));
  EXPECT_FALSE(has_chunk(encode_png(plain.view())));
}

}  // namespace
}  // namespace icb::container
