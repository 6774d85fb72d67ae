/// Protocols on ciphers whose faults are known: an ideal one, and one for each fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numbers>

#include "bench/protocols/pairs.hpp"
#include "bench/protocols/robustness.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "metrics/metric.hpp"
#include "tests/sanitized.hpp"

namespace icb::protocols {
namespace {

std::uint64_t test_seed() {
  const char* text = std::getenv("ICB_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20240501;
}

OwnedImage random_image(Shape shape, std::uint64_t salt) {
  return {shape, derive_bytes(test_seed() + salt, "plain", shape.bytes())};
}

/// A smooth picture.
OwnedImage ramp(Shape shape) {
  OwnedImage out(shape);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        out.view().set_sample(row, col, channel,
                              static_cast<std::uint16_t>(2 * row + col + 9 * channel));
      }
    }
  }
  return out;
}

CipherEntry cipher_of(std::string name, std::uint64_t key_bits, std::uint64_t nonce_bytes,
                      decltype(CipherEntry::encrypt) encrypt,
                      decltype(CipherEntry::decrypt) decrypt) {
  return {.name = std::move(name),
          .source = "test",
          .status = CipherStatus::control,
          .key_bits = BitCount{key_bits},
          .nonce_bytes = ByteCount{nonce_bytes},
          .header_bytes = ByteCount{nonce_bytes},
          .refuses = [](const Shape&) -> std::optional<std::string> { return std::nullopt; },
          .encrypt = std::move(encrypt),
          .decrypt = std::move(decrypt),
          .verify = [] { return std::string(); }};
}

Bytes owned(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }

void append(Bytes& to, ConstBytes from) { to.insert(to.end(), from.begin(), from.end()); }

/// mt19937_64 seeded by SHA-256 of everything.
void fill(const Bytes& seed, MutableBytes out) {
  const Digest digest = sha256(ConstBytes{seed});
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word |= std::uint64_t{digest.at(i)} << (8 * i);
  std::mt19937_64 engine(word);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) word = engine();
    out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
  }
}

Bytes stream(ConstBytes key, ConstBytes nonce, ConstBytes text, std::size_t size) {
  Bytes seed;
  append(seed, key);
  append(seed, nonce);
  append(seed, text);
  Bytes out(size);
  fill(seed, out);
  return out;
}

/// What the null models assume: the cipher image is a fresh uniform image for every key, nonce and
/// plain image. Cannot be decrypted; gives a uniform image of key and cipher image instead.
CipherEntry ideal(std::uint64_t key_bits, std::uint64_t nonce_bytes) {
  return cipher_of(
      "ideal", key_bits, nonce_bytes,
      [](ConstImage plain, ConstBytes key, ConstBytes nonce, Image out) {
        const Bytes bytes = stream(key, nonce, plain.bytes(), out.bytes().size());
        std::ranges::copy(bytes, out.bytes().begin());
        return owned(nonce);
      },
      [](ConstImage image, ConstBytes key, ConstBytes header, Image out) {
        Bytes label{1};
        append(label, header);
        const Bytes bytes = stream(key, label, image.bytes(), out.bytes().size());
        std::ranges::copy(bytes, out.bytes().begin());
      });
}

void exclusive_or(ConstImage in, const Bytes& mask, Image out) {
  for (std::size_t i = 0; i < mask.size(); ++i) out.bytes()[i] = in.bytes()[i] ^ mask[i];
}

/// Keystream of key and nonce: a good stream cipher. With `used` only the first bits of the key
/// count.
CipherEntry keystream(std::uint64_t nonce_bytes, std::size_t used_bytes = 4) {
  const auto apply = [used_bytes](ConstImage in, ConstBytes key, ConstBytes nonce, Image out) {
    exclusive_or(in, stream(key.first(used_bytes), nonce, {}, in.bytes().size()), out);
    return owned(nonce);
  };
  return cipher_of("keystream", 32, nonce_bytes, apply, apply);
}

CipherEntry xor_repeat() {
  const auto apply = [](ConstImage in, ConstBytes key, ConstBytes nonce, Image out) {
    for (std::size_t i = 0; i < in.bytes().size(); ++i) {
      out.bytes()[i] = in.bytes()[i] ^ key[i % key.size()];
    }
    return owned(nonce);
  };
  return cipher_of("xor-repeat", 32, 0, apply, apply);
}

/// c_i = table[p_i ^ c_(i-1) ^ k_i], one pass; the table mixes well (multiplication by an odd
/// number and a xor-shift of a byte is too weak, so it is drawn).
CipherEntry one_pass() {
  const auto table = [] {
    std::vector<std::uint8_t> out(256);
    for (std::size_t i = 0; i < 256; ++i) out[i] = static_cast<std::uint8_t>(i);
    std::mt19937_64 engine(1);
    for (std::size_t i = 255; i > 0; --i) std::swap(out[i], out[uniform_below(engine, i + 1)]);
    return out;
  };
  return cipher_of(
      "one-pass", 32, 8,
      [table](ConstImage in, ConstBytes key, ConstBytes nonce, Image out) {
        const Bytes k = stream(key, nonce, {}, in.bytes().size());
        const auto box = table();
        std::uint8_t last = 0;
        for (std::size_t i = 0; i < k.size(); ++i) {
          last = out.bytes()[i] = box[in.bytes()[i] ^ last ^ k[i]];
        }
        return owned(nonce);
      },
      [table](ConstImage in, ConstBytes key, ConstBytes header, Image out) {
        const Bytes k = stream(key, header, {}, in.bytes().size());
        const auto box = table();
        std::vector<std::uint8_t> back(256);
        for (std::size_t i = 0; i < 256; ++i) back[box[i]] = static_cast<std::uint8_t>(i);
        std::uint8_t last = 0;
        for (std::size_t i = 0; i < k.size(); ++i) {
          out.bytes()[i] = back[in.bytes()[i]] ^ last ^ k[i];
          last = in.bytes()[i];
        }
      });
}

/// Key stream and a check of the key's and the image's digest: refuses whatever was altered.
CipherEntry sealed() {
  const auto tag = [](ConstBytes key, ConstBytes nonce, ConstBytes image) {
    Bytes out = stream(key, nonce, image, 8);
    return out;
  };
  CipherEntry out = cipher_of(
      "sealed", 32, 8,
      [tag](ConstImage in, ConstBytes key, ConstBytes nonce, Image image) {
        exclusive_or(in, stream(key, nonce, {}, in.bytes().size()), image);
        Bytes header = owned(nonce);
        append(header, tag(key, nonce, image.bytes()));
        return header;
      },
      [tag](ConstImage in, ConstBytes key, ConstBytes header, Image image) {
        if (!std::ranges::equal(tag(key, header.first(8), in.bytes()), header.subspan(8))) {
          throw IntegrityError("altered");
        }
        exclusive_or(in, stream(key, header.first(8), {}, in.bytes().size()), image);
      });
  out.header_bytes = ByteCount{16};
  return out;
}

std::vector<Measurement> run(const std::string& protocol, const ProtocolInput& input) {
  return find<ProtocolEntry>(protocol).run(input);
}

ProtocolInput input_of(const CipherEntry& cipher, const OwnedImage& plain, std::uint64_t seed = 1) {
  return {.cipher = cipher,
          .plain = plain.view(),
          .key = derive_bytes(seed, "key", cipher.key_bits.value / 8),
          .seed = seed,
          .positions = 20,
          .trials = 20};
}

const Measurement& row(const std::vector<Measurement>& rows, const std::string& quantity,
                       const std::string& policy = "fixed", const std::string& variant = "") {
  const auto found = std::ranges::find_if(rows, [&](const Measurement& m) {
    return m.quantity == quantity && m.nonce_policy == policy && m.variant == variant;
  });
  if (found == rows.end()) throw std::out_of_range(quantity + " " + policy + " " + variant);
  return *found;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// --- null models -------------------------------------------------------------------------------

TEST(Extremes, OfTwoCoinsByHand) {
  // Two values, each 0, 1/2 or 1 with 1/4, 1/2, 1/4: the larger is 0, 1/2, 1 with 1/16, 8/16, 7/16.
  const ExtremesNull null = extremes_of_shares(2, 2, 0.5);
  EXPECT_NEAR(null.largest.mean, 11.0 / 16, 1e-14);
  EXPECT_NEAR(null.smallest.mean, 5.0 / 16, 1e-14);
  EXPECT_NEAR(null.largest.sd, std::sqrt((2.0 + 7) / 16 - 121.0 / 256), 1e-14);
  EXPECT_NEAR(null.smallest.sd, null.largest.sd, 1e-14);
}

TEST(Extremes, OfNormalsAgreeWithKnownValues) {
  // One value: itself. Two: 1 / sqrt(pi) and sqrt(1 - 1/pi). Ten: 1.5387527308 (Teichroew 1956).
  const ExtremesNull one = extremes_of_normals(1, {2, 3});
  EXPECT_NEAR(one.largest.mean, 2, 1e-9);
  EXPECT_NEAR(one.smallest.sd, 3, 1e-5);
  const ExtremesNull two = extremes_of_normals(2, {0, 1});
  EXPECT_NEAR(two.largest.mean, std::numbers::inv_sqrtpi, 1e-6);
  EXPECT_NEAR(two.largest.sd, std::sqrt(1 - std::numbers::inv_pi), 1e-5);
  EXPECT_NEAR(two.smallest.mean, -std::numbers::inv_sqrtpi, 1e-6);
  EXPECT_NEAR(extremes_of_normals(10, {0, 1}).largest.mean, 1.5387527308, 1e-6);
}

TEST(Extremes, BinomialNearsNormal) {
  const std::uint64_t n = 6291456;
  const ExtremesNull counts = extremes_of_shares(103, n, 0.5);
  const ExtremesNull normal = extremes_of_normals(103, {0.5, 0.5 / std::sqrt(n)});
  EXPECT_NEAR((counts.smallest.mean - 0.5) / (normal.smallest.mean - 0.5), 1, 1e-4);
  EXPECT_NEAR(counts.largest.sd / normal.largest.sd, 1, 1e-3);
}

TEST(UaciGiven, ByHandAndAgainstBruteForce) {
  const OwnedImage two({1, 2}, {0, 7});
  double mean = 0;
  double squares = 0;
  for (int u = 0; u < 256; ++u) {
    for (int v = 0; v < 256; ++v) {
      const double value = (u + std::abs(7 - v)) / 2.0 / 255;
      mean += value / 65536;
      squares += value * value / 65536;
    }
  }
  const NullModel null = uaci_given(two.view());
  EXPECT_NEAR(null.mean, mean, 1e-12);
  EXPECT_NEAR(null.sd, std::sqrt(squares - mean * mean), 1e-12);
}

TEST(ShareRejected, IsAnExactBinomialTest) {
  const Measurement m = share_rejected("x", 5, 100, 0.01);
  EXPECT_EQ(m.value, 0.05);
  EXPECT_EQ(m.expected, 0.01);
  EXPECT_NEAR(*m.p_value, 0.00343, 1e-5);
  EXPECT_TRUE(contains(m.detail, "5 of 100 rejected at 0.01, 95 % interval 0.01643 to 0.1128"));
  EXPECT_EQ(share_rejected("x", 0, 100, 0.01).p_value, 1);
  EXPECT_TRUE(contains(share_rejected("x", 100, 100, 0.01).detail, " to 1"));
}

TEST(DistinctBelow, DrawsEachOnce) {
  std::mt19937_64 engine(1);
  const std::vector<std::uint64_t> taken{0, 5};
  auto all = distinct_below(engine, 99, 10, taken);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::uint64_t>{1, 2, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(distinct_below(engine, 3, 10).size(), 3U);
}

// --- every protocol ----------------------------------------------------------------------------

void expect_sound(const std::vector<Measurement>& rows, const ProtocolEntry& protocol) {
  for (const Measurement& m : rows) {
    SCOPED_TRACE(m.quantity + " " + m.variant + " " + m.detail);
    const auto known = std::ranges::find(protocol.quantities, m.quantity, &ProtocolQuantity::name);
    ASSERT_NE(known, protocol.quantities.end());
    EXPECT_EQ(m.unit, known->unit);
    EXPECT_FALSE(m.channel.empty());
    for (const auto& number : {m.value, m.expected, m.sd, m.z, m.p_value}) {
      EXPECT_TRUE(!number || std::isfinite(*number));
    }
    EXPECT_TRUE(!m.p_value || (*m.p_value >= 0 && *m.p_value <= 1));
    if (m.status == Status::not_applicable) {
      EXPECT_FALSE(m.value || m.z || m.p_value);
      EXPECT_FALSE(m.detail.empty());
    } else {
      EXPECT_EQ(m.status, Status::ok);
      EXPECT_TRUE(m.value.has_value());
      EXPECT_GT(m.n, 0U);
      EXPECT_EQ(m.seed, 1U);
    }
  }
}

TEST(Protocols, AreRegisteredAndSayWhatTheyAre) {
  for (const char* name : {"differential", "key-sensitivity", "robustness", "strict-avalanche"}) {
    const auto& protocol = find<ProtocolEntry>(name);
    EXPECT_FALSE(protocol.summary.empty() || protocol.source.empty()) << name;
    for (const ProtocolQuantity& each : protocol.quantities) {
      for (const std::string& text : {each.name, each.unit, each.formula, each.expected, each.sd}) {
        EXPECT_FALSE(text.empty()) << each.name;
      }
    }
  }
}

TEST(Protocols, GiveEveryRowOnEveryShapeAndAreDeterministic) {
  const std::vector<CipherEntry> ciphers{
      ideal(32, 8), ideal(32, 0), keystream(8), sealed(), find<CipherEntry>("identity"),
      one_pass()};
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 1, 3, 2}, Shape{1, 7}, Shape{5, 1, 2},
                             Shape{17, 12, 3}, Shape{12, 19, 1, 2}}) {
    const OwnedImage plain = ramp(shape);
    for (const CipherEntry& cipher : ciphers) {
      for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
        SCOPED_TRACE(name + " " + cipher.name + " " + to_string(shape));
        double last = -1;
        ProtocolInput input = input_of(cipher, plain);
        input.trials = 4;
        input.progress = [&last](double share) {
          EXPECT_GT(share, last);
          EXPECT_LT(share, 1);
          last = share;
        };
        const auto rows = protocol.run(input);
        expect_sound(rows, protocol);
        const std::size_t copies =
            name == "differential" ? 2 : (name == "robustness" ? damages().size() : 1);
        EXPECT_EQ(rows.size(), copies * protocol.quantities.size());
        const bool nothing_to_do = cipher.key_bits.value == 0 && name == "key-sensitivity";
        EXPECT_EQ(last < 0, nothing_to_do);
        input.progress = [](double) {};
        EXPECT_EQ(rows, protocol.run(input));
      }
    }
  }
}

TEST(Protocols, ARefusedShapeIsNotApplicable) {
  CipherEntry cipher = ideal(32, 8);
  cipher.refuses = [](const Shape&) { return std::optional<std::string>("wants a square"); };
  const OwnedImage plain = ramp({4, 5});
  for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
    const auto rows = protocol.run(input_of(cipher, plain));
    EXPECT_FALSE(rows.empty());
    for (const Measurement& m : rows) {
      EXPECT_EQ(m.status, Status::not_applicable);
      EXPECT_EQ(m.detail, "wants a square");
    }
  }
  EXPECT_THROW(robustness_sheet(input_of(cipher, plain)), std::invalid_argument);
}

TEST(Protocols, StopWhenProgressThrows) {
  const CipherEntry cipher = ideal(32, 8);
  const OwnedImage plain = ramp({4, 5});
  ProtocolInput input = input_of(cipher, plain);
  input.progress = [](double share) {
    if (share > 0.5) throw Interrupted(2, "stop");
  };
  for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
    EXPECT_THROW(protocol.run(input), Interrupted) << name;
  }
}

// --- differential ------------------------------------------------------------------------------

TEST(Differential, TheIdealCipherPasses) {
  const OwnedImage plain = ramp({32, 32, 3});
  for (const std::uint64_t nonce_bytes : {8U, 0U}) {
    const CipherEntry cipher = ideal(32, nonce_bytes);
    for (const Measurement& m : run("differential", input_of(cipher, plain))) {
      if (m.p_value) {
        EXPECT_GT(*m.p_value, 1e-4) << m.quantity;
      }
      EXPECT_EQ(m.channel, "all");
      EXPECT_EQ(m.n, m.status == Status::ok ? 23U : 0U);
    }
  }
}

TEST(Differential, AKeystreamChangesOneSampleUnderAFixedNonceOnly) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = keystream(8);
  const auto rows = run("differential", input_of(cipher, plain));
  const Measurement& most = row(rows, "differential_npcr_max");
  EXPECT_EQ(most.value, 1.0 / 1024);
  EXPECT_LT(*most.p_value, 1e-300);
  EXPECT_TRUE(contains(most.detail,
                       "keystream independent of the plain image under a fixed nonce: "
                       "expected of a stream cipher, fatal only if nonces repeat"));
  EXPECT_EQ(row(rows, "differential_bit_change_rate_mean").value, 1.0 / 8192);
  EXPECT_EQ(row(rows, "differential_uaci_rejected").value, 1);
  EXPECT_GT(*row(rows, "differential_npcr_mean", "fresh").p_value, 1e-4);
  EXPECT_FALSE(contains(row(rows, "differential_npcr_mean", "fresh").detail, "keystream"));
}

TEST(Differential, WithoutNonceThereIsNoFreshOne) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = xor_repeat();
  const auto rows = run("differential", input_of(cipher, plain));
  const Measurement& fresh = row(rows, "differential_npcr_min", "fresh");
  EXPECT_EQ(fresh.status, Status::not_applicable);
  EXPECT_EQ(fresh.detail, "the cipher has no nonce");
  const std::string& detail = row(rows, "differential_npcr_min").detail;
  EXPECT_TRUE(contains(detail, "no nonce: all pairs share one cipher image"));
  EXPECT_TRUE(contains(detail, "only the touched sample changes"));
}

TEST(Differential, OnePassChainingIsSeen) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = one_pass();
  const auto rows = run("differential", input_of(cipher, plain));
  const Measurement& least = row(rows, "differential_npcr_min");
  EXPECT_EQ(least.value, 1.0 / 1024);  // the last sample
  EXPECT_TRUE(contains(least.detail, "row 31, column 31, channel gray"));
  EXPECT_TRUE(contains(least.detail, "nothing before the touched sample changes"));
  EXPECT_GT(*row(rows, "differential_npcr_max").value, 0.98);
  EXPECT_GT(*row(rows, "differential_npcr_rejected").value, 0.8);
  EXPECT_LT(*row(rows, "differential_npcr_rejected").p_value, 1e-20);
}

TEST(Differential, APermutationMovesTheChange) {
  const auto reverse = [](ConstImage in, ConstBytes, ConstBytes, Image out) {
    std::ranges::reverse_copy(in.bytes(), out.bytes().begin());
    return Bytes{};
  };
  const CipherEntry cipher = cipher_of("reverse", 0, 0, reverse, reverse);
  const OwnedImage plain = ramp({8, 8});
  const auto rows = run("differential", input_of(cipher, plain));
  EXPECT_TRUE(contains(row(rows, "differential_uaci_mean").detail, "samples are moved"));
}

TEST(Differential, SmallImagesGiveFewerPairs) {
  const CipherEntry cipher = ideal(32, 8);
  const OwnedImage one = ramp({1, 1});
  EXPECT_EQ(row(run("differential", input_of(cipher, one)), "differential_npcr_mean").n, 1U);
  const OwnedImage seven = ramp({1, 7});
  EXPECT_EQ(row(run("differential", input_of(cipher, seven)), "differential_npcr_mean").n, 7U);
}

// --- key sensitivity ---------------------------------------------------------------------------

TEST(KeySensitivity, TheIdealCipherPasses) {
  const OwnedImage plain = ramp({32, 32, 3});
  for (const std::uint64_t nonce_bytes : {8U, 0U}) {
    const CipherEntry cipher = ideal(64, nonce_bytes);
    const auto rows = run("key-sensitivity", input_of(cipher, plain));
    for (const Measurement& m : rows) {
      if (m.p_value) {
        EXPECT_GT(*m.p_value, 1e-4) << m.quantity;
      }
      EXPECT_EQ(m.n, 64U);
    }
    EXPECT_EQ(row(rows, "key_inert_bits").value, 0);
    EXPECT_EQ(row(rows, "key_decrypt_refused").value, 0);
  }
}

TEST(KeySensitivity, InertBitsAreCountedAndListed) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = keystream(8, 3);
  const auto rows = run("key-sensitivity", input_of(cipher, plain));
  const Measurement& inert = row(rows, "key_inert_bits");
  EXPECT_EQ(inert.value, 8);
  EXPECT_EQ(inert.p_value, 0);
  EXPECT_EQ(inert.detail, "bits 24-31");
  EXPECT_EQ(row(rows, "key_encrypt_npcr_min").value, 0);
  EXPECT_TRUE(contains(row(rows, "key_encrypt_npcr_min").detail, "key bit 24"));
  EXPECT_EQ(row(rows, "key_decrypt_npcr_min").value, 0);
  EXPECT_LT(*row(rows, "key_decrypt_npcr_rejected").p_value, 1e-6);
}

TEST(KeySensitivity, XorRepeatIsRejected) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = xor_repeat();
  const auto rows = run("key-sensitivity", input_of(cipher, plain));
  EXPECT_EQ(row(rows, "key_encrypt_npcr_max").value, 0.25);
  EXPECT_LT(*row(rows, "key_decrypt_npcr_max").p_value, 1e-300);
  EXPECT_EQ(row(rows, "key_inert_bits").value, 0);
}

TEST(KeySensitivity, RefusalsAreCounted) {
  const OwnedImage plain = ramp({32, 32});
  const CipherEntry cipher = sealed();
  const auto rows = run("key-sensitivity", input_of(cipher, plain));
  EXPECT_EQ(row(rows, "key_decrypt_refused").value, 32);
  EXPECT_FALSE(row(rows, "key_decrypt_refused").p_value);
  EXPECT_EQ(row(rows, "key_decrypt_npcr_mean").status, Status::not_applicable);
  EXPECT_EQ(row(rows, "key_decrypt_npcr_mean").detail, "32 of 32 refused: a wrong key is detected");
}

TEST(KeySensitivity, WithoutKeyThereIsNone) {
  const OwnedImage plain = ramp({4, 4});
  for (const Measurement& m :
       run("key-sensitivity", input_of(find<CipherEntry>("identity"), plain))) {
    EXPECT_EQ(m.status, Status::not_applicable);
    EXPECT_EQ(m.detail, "the cipher has no key");
  }
}

// --- strict avalanche --------------------------------------------------------------------------

TEST(StrictAvalanche, TheIdealCipherPasses) {
  const OwnedImage plain = ramp({40, 33, 3});
  for (const std::uint64_t nonce_bytes : {8U, 0U}) {
    const CipherEntry cipher = ideal(32, nonce_bytes);
    for (const Measurement& m : run("strict-avalanche", input_of(cipher, plain))) {
      EXPECT_GT(*m.p_value, 1e-4) << m.quantity;
      EXPECT_TRUE(contains(m.detail, "20 trials of 32 key bits and 20 bits of 16 x 16 pixels"));
    }
  }
}

TEST(StrictAvalanche, FaultsAreSeen) {
  const OwnedImage plain = ramp({16, 16});
  const CipherEntry inert = keystream(8, 3);
  ProtocolInput input = input_of(inert, plain);
  input.trials = 100;
  const auto rows = run("strict-avalanche", input);
  EXPECT_TRUE(contains(row(rows, "avalanche_key_chi_square_worst").detail, "bit 24"));
  EXPECT_EQ(row(rows, "avalanche_key_chi_square_worst").value, 100.0 * 2048);
  EXPECT_NEAR(*row(rows, "avalanche_key_rejected").value, 0.25, 0.1);
  EXPECT_EQ(row(rows, "avalanche_key_deviation_max").value, 0.5);
  EXPECT_EQ(row(rows, "avalanche_plain_flip_rate").value, 1.0 / 2048);
  for (const Measurement& m : rows) EXPECT_LT(*m.p_value, 1e-3) << m.quantity;
}

TEST(StrictAvalanche, ACounterfeitThatFlipsExactlyHalfIsSeen) {
  // Every output bit flips in every second trial: too regular.
  int call = 0;
  CipherEntry cipher = cipher_of(
      "regular", 8, 8,
      [&call](ConstImage in, ConstBytes, ConstBytes nonce, Image out) {
        // 20 baselines of zeros, then 10 of zeros and 10 of ones for each input bit.
        const bool ones = call >= 20 && call % 20 >= 10;
        std::ranges::fill(out.bytes(), static_cast<std::uint8_t>(ones ? 255 : 0));
        ++call;
        (void)in;
        return owned(nonce);
      },
      nullptr);
  const OwnedImage plain = ramp({16, 16});
  const auto rows = run("strict-avalanche", input_of(cipher, plain));
  EXPECT_EQ(row(rows, "avalanche_key_chi_square_worst").value, 0);
  EXPECT_LT(*row(rows, "avalanche_key_chi_square_worst").p_value, 1e-100);
  EXPECT_LT(*row(rows, "avalanche_key_deviation_max").p_value, 1e-100);
  EXPECT_GT(*row(rows, "avalanche_key_flip_rate").p_value, 0.9);
}

TEST(StrictAvalanche, TakesTheSmallestSquareAccepted) {
  CipherEntry cipher = ideal(8, 8);
  cipher.refuses = [](const Shape& shape) {
    return shape.rows < 32 ? std::optional<std::string>("too small") : std::nullopt;
  };
  const OwnedImage plain = ramp({50, 40});
  const auto rows = run("strict-avalanche", input_of(cipher, plain));
  EXPECT_TRUE(contains(rows.at(0).detail, "32 x 32 pixels"));
}

// --- robustness --------------------------------------------------------------------------------

OwnedImage damage_of(const std::string& name, ConstImage image) {
  const auto found = std::ranges::find(damages(), name, &Damage::name);
  if (found == damages().end()) throw std::out_of_range(name);
  return damaged(*found, image, 1);
}

std::uint64_t different_samples(const OwnedImage& a, const OwnedImage& b) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < a.bytes().size(); ++i) out += a.bytes()[i] != b.bytes()[i] ? 1U : 0U;
  return out;
}

TEST(Damages, HitWhatTheySay) {
  Shape shape{64, 64};
  OwnedImage gray(shape, Bytes(shape.bytes(), 100));
  const auto hit = [&](const std::string& name) {
    return different_samples(gray, damage_of(name, gray.view()));
  };
  EXPECT_EQ(hit("salt-and-pepper 0.001"), 4U);
  EXPECT_EQ(hit("salt-and-pepper 0.25"), 1024U);
  EXPECT_EQ(hit("bit-flips one"), 1U);
  EXPECT_EQ(hit("bit-flips 0.0001"), 3U);
  EXPECT_EQ(hit("cropping 1/16"), 256U);
  EXPECT_EQ(hit("cropping 1/4"), 1024U);
  EXPECT_EQ(hit("cropping 1/2"), 2048U);
  EXPECT_EQ(hit("lost-rows one"), 64U);
  EXPECT_EQ(hit("lost-rows 1/4"), 1024U);
  const OwnedImage crop = damage_of("cropping 1/4", gray.view());
  EXPECT_EQ(crop.view().sample(15, 16, 0), 100);
  EXPECT_EQ(crop.view().sample(16, 16, 0), 0);
  EXPECT_EQ(crop.view().sample(47, 47, 0), 0);
  EXPECT_EQ(crop.view().sample(48, 47, 0), 100);
  const OwnedImage salted = damage_of("salt-and-pepper 0.25", gray.view());
  std::map<std::uint8_t, int> seen;
  for (const std::uint8_t byte : salted.bytes()) ++seen[byte];
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_GT(seen[0], 400);
  EXPECT_GT(seen[255], 400);
  const OwnedImage dot({1, 1}, {100});
  for (const Damage& damage : damages()) damaged(damage, dot.view(), 1);  // the smallest image
}

TEST(Damages, NoiseHasItsMoments) {
  for (const std::size_t sample_bytes : {1U, 2U}) {
    const Shape shape{256, 256, 1, sample_bytes};
    OwnedImage gray(shape);
    for (std::size_t row = 0; row < 256; ++row) {
      for (std::size_t col = 0; col < 256; ++col) {
        gray.view().set_sample(row, col, 0, sample_bytes == 1 ? 128 : 32768);
      }
    }
    const OwnedImage noisy = damage_of("gaussian-noise 10", gray.view());
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < 256; ++row) {
      for (std::size_t col = 0; col < 256; ++col) {
        const double d = noisy.view().sample(row, col, 0) - (sample_bytes == 1 ? 128 : 32768);
        sum += d;
        squares += d * d;
      }
    }
    const double sd = sample_bytes == 1 ? std::sqrt(100 + 1.0 / 12) : 2570;
    EXPECT_NEAR(sum / 65536, 0, 4.5 * sd / 256);
    EXPECT_NEAR(std::sqrt(squares / 65536) / sd, 1, 4.5 / 362);
  }
}

TEST(Damages, AreTheSameOnEveryMachine) {
  // Pinned: integers and SHA-256 alone decide them.
  const OwnedImage image = ramp({24, 20, 3});
  Bytes all;
  for (const Damage& damage : damages()) {
    const OwnedImage hurt = damaged(damage, image.view(), 7);
    all.insert(all.end(), hurt.bytes().begin(), hurt.bytes().end());
  }
  EXPECT_EQ(to_hex(sha256(ConstBytes{all})),
            "55bf5841c5fa0dc173277f271caebabf7d0ddc9cde9ea4702ceba808822895f1");
}

TEST(Robustness, OfAPointwiseStreamCipherIsItsReference) {
  const OwnedImage plain = ramp({64, 64, 3});
  const CipherEntry cipher = keystream(8);
  const auto rows = run("robustness", input_of(cipher, plain));
  EXPECT_EQ(rows.size(), 3 * damages().size());
  const auto at = [&](const std::string& quantity, const std::string& variant) {
    return row(rows, quantity, "", variant);
  };
  // 123 of 12288 samples hit; each wrong unless the damage leaves it as it was.
  EXPECT_NEAR(*at("robustness_byte_error_rate", "salt-and-pepper 0.01").value, 0.01, 3e-4);
  EXPECT_NEAR(*at("robustness_byte_error_rate", "cropping 1/4").value, 0.25, 3e-3);
  EXPECT_EQ(at("robustness_byte_error_rate", "bit-flips one").value, 1.0 / 12288);
  // A hit sample is uniform: mse = share * E (p - U)^2.
  double mse = 0;
  for (const std::uint8_t p : plain.bytes()) {
    for (int u = 0; u < 256; ++u) mse += (p - u) * (p - u) / 256.0 / 12288;
  }
  const double psnr = 10 * std::log10(255 * 255 / (mse / 4));
  EXPECT_NEAR(*at("robustness_psnr", "lost-rows 1/4").value, psnr, 1);
  EXPECT_NEAR(*at("robustness_psnr", "salt-and-pepper 0.25").value, psnr, 0.2);
  const std::string detail = at("robustness_psnr", "salt-and-pepper 0.25").detail;
  EXPECT_NEAR(std::stod(detail.substr(detail.find(": ") + 2)), psnr, 0.2);
  EXPECT_LT(*at("robustness_ssim", "salt-and-pepper 0.25").value,
            *at("robustness_ssim", "salt-and-pepper 0.01").value);
  for (const Measurement& m : rows) EXPECT_FALSE(m.expected || m.p_value || m.z);
}

TEST(Robustness, IdentityAndSmallImages) {
  const OwnedImage black({4, 4});
  const auto rows = run("robustness", input_of(find<CipherEntry>("identity"), black));
  const Measurement& same = row(rows, "robustness_psnr", "", "cropping 1/4");
  EXPECT_EQ(same.status, Status::not_applicable);  // zeros set to zero
  EXPECT_TRUE(contains(same.detail, "identical"));
  EXPECT_EQ(row(rows, "robustness_byte_error_rate", "", "cropping 1/4").value, 0);
  EXPECT_EQ(row(rows, "robustness_ssim", "", "cropping 1/4").detail, "needs 11 x 11 pixels");
}

TEST(Robustness, ErrorsSpreadWithChaining) {
  const OwnedImage plain = ramp({64, 64});
  const CipherEntry cipher = one_pass();
  const auto rows = run("robustness", input_of(cipher, plain));
  EXPECT_EQ(row(rows, "robustness_byte_error_rate", "", "bit-flips one").value, 2.0 / 4096);
}

TEST(Robustness, ASealedCipherRefuses) {
  const OwnedImage plain = ramp({16, 16});
  const CipherEntry cipher = sealed();
  for (const Measurement& m : run("robustness", input_of(cipher, plain))) {
    EXPECT_EQ(m.status, Status::not_applicable);
    EXPECT_EQ(m.detail, "refused: altered data is detected");
  }
}

TEST(RobustnessSheet, HoldsTheCellsInOrder) {
  const OwnedImage plain = ramp({24, 16, 3});
  const CipherEntry cipher = keystream(8);
  const OwnedImage sheet = robustness_sheet(input_of(cipher, plain));
  EXPECT_EQ(sheet.shape(), (Shape{6 * 26 - 2, 5 * 18 - 2, 3}));
  const auto cell = [&](std::size_t row, std::size_t column) {
    OwnedImage out(plain.shape());
    for (std::size_t i = 0; i < 24; ++i) {
      for (std::size_t j = 0; j < 16; ++j) {
        for (std::size_t c = 0; c < 3; ++c) {
          out.view().set_sample(i, j, c, sheet.view().sample(26 * row + i, 18 * column + j, c));
        }
      }
    }
    return out;
  };
  EXPECT_EQ(different_samples(cell(0, 0), plain), 0U);
  EXPECT_GT(different_samples(cell(0, 1), plain), 1000U);
  EXPECT_EQ(different_samples(cell(0, 2), plain), 0U);
  EXPECT_EQ(different_samples(cell(0, 3), {plain.shape(), Bytes(1152, 255)}), 0U);
  EXPECT_NEAR(static_cast<double>(different_samples(cell(1, 4), plain)), 288, 12);
  EXPECT_EQ(different_samples(cell(3, 0), plain), 1U);  // one bit
  const OwnedImage small = robustness_sheet(input_of(cipher, plain), 12);
  EXPECT_EQ(small.shape(), (Shape{6 * 14 - 2, 5 * 10 - 2, 3}));
  EXPECT_EQ(small.view().sample(0, 0, 0), 2);  // mean of 0, 1, 2, 3, rounded up
  const CipherEntry refusing = sealed();
  const OwnedImage crossed = robustness_sheet(input_of(refusing, plain));
  EXPECT_EQ(crossed.view().sample(26, 0, 0), 0);
  EXPECT_EQ(crossed.view().sample(26, 1, 0), 255);
  EXPECT_EQ(crossed.view().sample(26, 15, 0), 0);
}

// --- simulation --------------------------------------------------------------------------------

/// p-values and z of every row over many runs with the ideal cipher.
struct Simulated {
  std::vector<double> p;
  std::vector<double> z;
};

std::map<std::string, Simulated> simulate(const std::string& protocol, const CipherEntry& cipher,
                                          Shape shape, int runs) {
  std::map<std::string, Simulated> out;
  const OwnedImage plain = random_image(shape, 3);
  for (int i = 0; i < runs; ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    for (const Measurement& m : run(protocol, input_of(cipher, plain, seed))) {
      Simulated& to = out[m.quantity + (m.nonce_policy == "fresh" ? " fresh" : "")];
      if (m.p_value) to.p.push_back(*m.p_value);
      if (m.z) to.z.push_back(*m.z);
    }
  }
  return out;
}

/// Rejected at 0.05 and 0.01 as often as alpha says (two-sided 1e-6 each), at most so where
/// `conservative`; mean and sd of z are 0 and 1.
void expect_uniform(const std::string& name, const Simulated& seen, bool conservative) {
  SCOPED_TRACE(name + ", ICB_SEED=" + std::to_string(test_seed()));
  const std::uint64_t n = seen.p.size();
  for (const double alpha : {0.05, 0.01}) {
    const auto rejected = static_cast<std::uint64_t>(
        std::ranges::count_if(seen.p, [alpha](double p) { return p < alpha; }));
    EXPECT_GT(binomial_upper_p(rejected, n, alpha).value(), 1e-6) << rejected << " of " << n;
    if (!conservative) {
      EXPECT_GT(binomial_lower_p(rejected, n, alpha).value(), 1e-6) << rejected << " of " << n;
    }
  }
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (const double z : seen.z) {
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  // Nearly always the same value: too rarely another to see the moments.
  const bool degenerate =
      contains(name, "npcr_max") || contains(name, "rejected") || contains(name, "inert");
  if (seen.z.empty() || degenerate) return;
  const auto count = static_cast<double>(seen.z.size());
  EXPECT_NEAR(sum / count, 0, 4.5 / std::sqrt(count));
  // Of few values the kurtosis is uncertain too: at least the normal law's.
  const double excess = std::max(2.0, count * fourth / (squares * squares) - 1);
  EXPECT_NEAR(squares / count, 1, 4.5 * std::sqrt(excess / count));
}

void expect_uniform(const std::map<std::string, Simulated>& rows) {
  for (const auto& [name, seen] : rows) {
    if (seen.p.empty()) continue;
    // Few values: few counts of equal samples or of rejections.
    const bool conservative = contains(name, "npcr") || contains(name, "rejected") ||
                              contains(name, "inert") || contains(name, "deviation");
    expect_uniform(name, seen, conservative);
  }
}

constexpr int runs = ICB_SANITIZED ? 100 : 1000;

TEST(Simulation, OfDifferential) {
  expect_uniform(simulate("differential", ideal(32, 8), {16, 16}, runs));
}

TEST(Simulation, OfDifferentialWithoutNonce) {
  expect_uniform(simulate("differential", ideal(32, 0), {16, 16}, runs));
}

TEST(Simulation, OfKeySensitivity) {
  expect_uniform(simulate("key-sensitivity", ideal(32, 8), {16, 16}, runs));
}

TEST(Simulation, OfInertBitsOfOneByte) {
  // Chance alone: 2 / 256 a bit, less both at once.
  const auto rows = simulate("key-sensitivity", ideal(32, 8), {1, 1}, runs);
  double sum = 0;
  for (const double z : rows.at("key_inert_bits").z) sum += z;
  EXPECT_NEAR(sum / runs, 0, 4.5 / std::sqrt(runs));
}

TEST(Simulation, OfStrictAvalanche) {
  expect_uniform(simulate("strict-avalanche", ideal(16, 8), {4, 8}, runs));
}

}  // namespace
}  // namespace icb::protocols
