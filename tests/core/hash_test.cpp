#include "core/hash.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/statistics.hpp"

namespace icb {
namespace {

struct Vector {
  std::string text;
  std::string_view digest;
};

// FIPS 180-4 examples (NIST, "SHA256.pdf") and the empty message of the CAVP files.
const std::array<Vector, 4> fips180{{
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
}};

TEST(Sha256, Fips180Vectors) {
  for (const Vector& vector : fips180) {
    EXPECT_EQ(to_hex(sha256(std::string_view{vector.text})), vector.digest);
    EXPECT_EQ(to_hex(sha256(Bytes(vector.text.begin(), vector.text.end()))), vector.digest);
  }
}

TEST(Sha256, OfFilesReadInPieces) {
  const auto path =
      std::filesystem::temp_directory_path() / ("icb_hash_" + std::to_string(::getpid()) + ".bin");
  for (const Vector& vector : fips180) {
    write_file_atomically(path, vector.text);
    EXPECT_EQ(sha256_of_file(path.string()), vector.digest);
  }
  std::filesystem::remove(path);
  for (const std::string& bad : {path.string(), std::filesystem::temp_directory_path().string()}) {
    try {
      sha256_of_file(bad);
      ADD_FAILURE() << "hashed " << bad;
    } catch (const InputError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(bad)) << error.what();
    }
  }
}

TEST(Hex, RoundTripOfEveryByte) {
  Bytes bytes(256);
  for (std::size_t i = 0; i < 256; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(bytes);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(504), "fcfdfeff");
  EXPECT_EQ(from_hex(text), bytes);
  EXPECT_EQ(from_hex("aBCdEf"), (Bytes{0xAB, 0xCD, 0xEF}));
  EXPECT_TRUE(from_hex("").empty());
  EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (const char* text : {"a", "abc", "0x", "g0", "0g", " 0", "0/", "0:", "@0", "`0"}) {
    EXPECT_THROW(from_hex(text), std::invalid_argument) << text;
  }
}

// From Python: int.from_bytes(sha256(b"icbench seed\0" + master + b"\0" + name)[:8], "little").
TEST(Seeds, PinnedValues) {
  EXPECT_EQ(derive_seed(1, "table3/4.2.03/pairs"), 0x3D5AE0EE3EE49B56U);
  EXPECT_EQ(derive_seed(0, ""), 0x704B5CCD8534417AU);
  EXPECT_EQ(derive_seed(18446744073709551615U, "\xC3\xA4"), 0x2436D1430F65D4EEU);
  EXPECT_EQ(to_hex(derive_key(7, "key-0")),
            "371bb56ca0dcecf5fc83ad7d1fd7ec51ffad156ed246a55565600572a50b9443");
}

TEST(Seeds, MasterAndNameAreKeptApart) {
  EXPECT_NE(derive_seed(1, "1x"), derive_seed(11, "x"));
  EXPECT_NE(derive_seed(1, "x"), derive_seed(1, "y"));
  EXPECT_NE(derive_key(1, "x"), derive_key(2, "x"));
}

TEST(DeriveBytes, AnyNumberOfThem) {
  const Digest first = derive_key(3, "nonce");
  const Digest second = derive_key(3, "nonce/1");
  EXPECT_TRUE(derive_bytes(3, "nonce", 0).empty());
  EXPECT_EQ(derive_bytes(3, "nonce", 5), Bytes(first.begin(), first.begin() + 5));
  Bytes all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_EQ(derive_bytes(3, "nonce", 64), all);
  EXPECT_EQ(derive_bytes(3, "nonce", 33), Bytes(all.begin(), all.begin() + 33));
}

TEST(UniformBelow, StaysBelowEveryBound) {
  std::mt19937_64 engine(3);
  const std::uint64_t top = ~std::uint64_t{0};
  for (const std::uint64_t bound :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1} << 32,
        (std::uint64_t{1} << 63) + 1, top - 1, top}) {
    for (int i = 0; i < 2000; ++i) ASSERT_LT(uniform_below(engine, bound), bound);
  }
  EXPECT_THROW(uniform_below(engine, 0), std::invalid_argument);
}

TEST(UniformBelow, PinnedDraws) {
  std::mt19937_64 engine;  // its first two draws: 14514284786278117030, 4620546740167642908
  EXPECT_EQ(uniform_below(engine, 1000), 30U);
  EXPECT_EQ(uniform_below(engine, 1000), 908U);
}

// Of 64-bit draws reduced without rejection a third of the values would come twice as often.
TEST(UniformBelow, IsUnbiasedWhereReductionAloneIsNot) {
  std::mt19937_64 engine(4);
  const std::uint64_t third = std::uint64_t{1} << 62;
  std::array<double, 3> counts{};
  constexpr int draws = 300000;
  for (int i = 0; i < draws; ++i) counts.at(uniform_below(engine, 3 * third) / third) += 1;
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 1e5) * (count - 1e5) / 1e5;
  EXPECT_GT(chi_square_upper_p(chi_square, 2).value(), 1e-6);
}

TEST(UniformBelow, SmallBoundsAreEvenlyHit) {
  std::mt19937_64 engine(5);
  for (const std::size_t bound : {std::size_t{2}, std::size_t{7}, std::size_t{100}}) {
    std::vector<double> counts(bound);
    for (std::size_t i = 0; i < 1000 * bound; ++i) counts.at(uniform_below(engine, bound)) += 1;
    double chi_square = 0;
    for (const double count : counts) chi_square += (count - 1000) * (count - 1000) / 1000;
    EXPECT_GT(chi_square_upper_p(chi_square, static_cast<double>(bound - 1)).value(), 1e-6);
  }
}

}  // namespace
}  // namespace icb
