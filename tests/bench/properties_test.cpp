/// Properties on a good cipher and on ciphers whose faults are known: every row must see the fault
/// it is there for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "bench/properties/rates.hpp"
#include "bench/properties/report.hpp"
#include "bench/properties/run.hpp"
#include "bench/properties/sequences.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "tests/bench/support.hpp"

namespace icb::properties {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t seed = 20240711;  // deterministic: all results below are

// --- Ciphers

const CipherEntry& good() { return find<CipherEntry>("aes-256-ctr"); }

/// AES with what `change` does to it.
template <class Change>
CipherEntry altered(const std::string& name, Change change) {
  CipherEntry out = good();
  out.name = name;
  change(out);
  return out;
}

Bytes digest_of(ConstBytes key, ConstBytes nonce, ConstBytes data) {
  Bytes all(key.begin(), key.end());
  all.insert(all.end(), nonce.begin(), nonce.end());
  all.insert(all.end(), data.begin(), data.end());
  const Digest digest = sha256(ConstBytes{all});
  return {digest.begin(), digest.end()};
}

/// Key repeated over the image, nothing else.
CipherEntry xor_repeat() {
  const auto apply = [](ConstImage in, ConstBytes key, ConstBytes, Image out) {
    for (std::size_t i = 0; i < in.bytes().size(); ++i) {
      out.bytes()[i] = static_cast<std::uint8_t>(in.bytes()[i] ^ key[i % key.size()]);
    }
    return Bytes{};
  };
  return altered("test-xor-repeat", [&](CipherEntry& out) {
    out.nonce_bytes = out.header_bytes = ByteCount{0};
    out.encrypt = apply;
    out.decrypt = apply;
    out.keystream = [](ConstBytes key, ConstBytes, MutableBytes bytes) {
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = key[i % key.size()];
    };
  });
}

// Streams of cipher images look their cipher up by name.
const RegisterCipher xor_entry{xor_repeat()};

/// AES whose nonce comes from a digest of the image (a synthetic nonce), which is also its tag.
CipherEntry sealed(const std::string& name = "test-sealed") {
  return altered(name, [](CipherEntry& out) {
    out.header_bytes = ByteCount{48};
    out.has_integrity = true;
    out.public_parameter = [](ConstImage plain, ConstBytes key, ConstBytes nonce) {
      return digest_of(key, nonce, plain.bytes());
    };
    out.encrypt = [parameter = out.public_parameter](ConstImage plain, ConstBytes key,
                                                     ConstBytes nonce, Image image) {
      Bytes header(nonce.begin(), nonce.end());
      const Bytes tag = parameter(plain, key, nonce);
      header.insert(header.end(), tag.begin(), tag.end());
      good().encrypt(plain, key, ConstBytes{tag}.first(16), image);
      return header;
    };
    out.decrypt = [parameter = out.public_parameter](ConstImage cipher, ConstBytes key,
                                                     ConstBytes header, Image image) {
      good().decrypt(cipher, key, header.subspan(16, 16), image);
      const Bytes tag = parameter(image, key, header.first(16));
      if (std::ranges::equal(tag, header.subspan(16))) return;
      std::ranges::fill(image.bytes(), std::uint8_t{0});
      throw IntegrityError("altered");
    };
  });
}

// --- Runs

ImageRef image_ref(const std::string& name, Shape shape) {
  OwnedImage image(shape);
  for (std::size_t i = 0; i < shape.bytes(); ++i) {
    image.view().bytes()[i] = static_cast<std::uint8_t>((i / shape.cols + i % shape.cols) / 2);
  }
  return {.name = name,
          .description = "ramp",
          .sha256 = to_hex(sha256(image.bytes())),
          .shape = shape,
          .load = [image] { return to_mat(image.view()); }};
}

ImageSet small_set() {
  return {.name = "ramps",
          .origin = "ramps",
          .generated = true,
          .images = {image_ref("gray", {.rows = 64, .cols = 80}),
                     image_ref("colour", {.rows = 70, .cols = 66, .channels = 3}),
                     image_ref("tiny", {.rows = 3, .cols = 5})}};
}

Subject subject_of(const CipherEntry& cipher) {
  return {.cipher = cipher,
          .seed = seed,
          .sizes = {.pairs = 40,
                    .sequences = 12,
                    .pattern_sequences = 12,
                    .sequence_bits = 40'000,
                    .keystream_bits = 480'000,
                    .parameter_side = 16,
                    .key_side = 32,
                    .altered = 40,
                    .rounds_keys = 20,
                    .larger_side = 600},
          .images = small_set(),
          .stream = small_set(),
          .volumes = {small_set()}};
}

Judgement run_on(const Subject& subject, const std::vector<std::string>& names = {},
                 unsigned threads = 1) {
  CellStore store = CellStore::temporary();
  const Properties properties = properties_named(names);
  const CellResults results =
      run_cells(cells_of(subject, properties), store, {threads, true, "test"});
  return judge_properties(subject, properties, results);
}

/// The verdict on one property.
std::string verdict(const CipherEntry& cipher, const std::string& property) {
  const Judgement judgement = run_on(subject_of(cipher), {property});
  for (const std::string& error : judgement.properties.front().errors) ADD_FAILURE() << error;
  return judgement.properties.front().verdict();
}

/// Findings that are rejected, whether they decide or not.
std::vector<std::string> rejected(const Judgement& judgement) {
  std::vector<std::string> out;
  for (const PropertyResult& property : judgement.properties) {
    for (const JudgedFinding& each : property.findings) {
      if (each.rejected()) out.push_back(each.finding.measurement.quantity);
    }
  }
  return out;
}

// --- Rates

double integral_of(std::uint64_t n, double probability, double x) {
  constexpr int steps = 2000;
  double out = 0;
  for (std::uint64_t k = 0; k <= n; ++k) {
    const double mass = binomial_lower_p(k, n, probability).value() -
                        (k == 0 ? 0 : binomial_lower_p(k - 1, n, probability).value());
    int below = 0;
    for (int i = 0; i < steps; ++i) {
      below += randomised_binomial_p(k, n, probability, (i + 0.5) / steps).value() <= x ? 1 : 0;
    }
    out += mass * below / steps;
  }
  return out;
}

TEST(Rates, RandomisedBinomialIsUniform) {
  for (const double x : {0.01, 0.2, 0.5, 0.77}) {
    EXPECT_NEAR(integral_of(12, 0.5, x), x, 1e-3);
    EXPECT_NEAR(integral_of(40, 1.0 / 256, x), x, 1e-3);  // nearly all mass at 0
  }
}

TEST(Rates, RandomisedBinomialKeepsTheDigitsOfSmallTails) {
  EXPECT_NEAR(randomised_binomial_p(0, 300, 0.5, 1).value() * 0x1p299, 1, 1e-9);
  EXPECT_NEAR(randomised_binomial_p(300, 300, 0.5, 0).value() * 0x1p299, 1, 1e-9);
}

TEST(Rates, OnlyCountsAreRandomised) {
  Measurement m = measurement_of("uaci", 0.33, 100);
  m.p_value = 0.25;
  EXPECT_EQ(uniform_p(m, 0.9), 0.25);
  m = measurement_of("npcr", 1, 1000);
  m.expected = 255.0 / 256;
  m.p_value = 0.25;
  // No sample unchanged: P(X = 0) = 0.01996; v of it.
  EXPECT_NEAR(uniform_p(m, 0.5), 2 * 0.5 * std::pow(255.0 / 256, 1000), 1e-12);
}

Samples samples_of(double (*p)(double)) {
  Samples out;
  for (int i = 0; i < 1000; ++i) {
    out.p.push_back(p((i + 0.5) / 1000));
    out.z.push_back(0);
  }
  return out;
}

std::map<std::string, double> p_of(const Samples& samples) {
  std::map<std::string, double> out;
  for (const Finding& each :
       rate_findings({.stem = "s", .family = "f", .nonce_policy = {}, .null_model = {}}, samples)) {
    out[each.measurement.quantity] = each.measurement.p_value.value();
  }
  return out;
}

TEST(Rates, UniformSamplesPass) {
  const auto p = p_of(samples_of([](double u) { return u; }));
  EXPECT_EQ(p.size(), 5U);
  for (const auto& [name, value] : p) EXPECT_GT(value, 0.5) << name;
}

TEST(Rates, TooManyAndTooFewRejectionsAreSeen) {
  EXPECT_LT(p_of(samples_of([](double u) { return u * u; })).at("s_rejected_0.01"), 1e-6);
  const auto few = p_of(samples_of([](double u) { return std::sqrt(u); }));
  EXPECT_LT(few.at("s_rejected_0.05"), 1e-6);  // none of 1000
  EXPECT_LT(few.at("s_ks"), 1e-6);
}

TEST(Rates, AShiftTooSmallForASampleShowsInTheMean) {
  Samples samples = samples_of([](double u) { return u; });
  for (double& z : samples.z) z = 0.2;
  EXPECT_NEAR(p_of(samples).at("s_mean"), two_sided_normal_p(0.2 * std::sqrt(1000.0)).value(),
              1e-15);
}

TEST(Rates, ExactIntervalOfARate) {
  Samples samples;
  samples.p.assign(99, 0.5);
  samples.p.push_back(0.02);
  const Finding first =
      rate_findings({.stem = "s", .family = "f", .nonce_policy = {}, .null_model = {}}, samples)
          .front();
  EXPECT_EQ(first.measurement.value, 0.01);
  EXPECT_NEAR(*first.low, 0.000253146, 1e-8);  // Clopper-Pearson of 1 in 100
  EXPECT_NEAR(*first.high, 0.0544594, 1e-6);
}

// --- The good cipher

TEST(Properties, TheGoodCipherPasses) {
  const Judgement judgement = run_on(subject_of(good()));
  EXPECT_FALSE(judgement.failed());
  EXPECT_FALSE(judgement.rejected()) << render_table(subject_of(good()), judgement);
  EXPECT_EQ(judgement.properties.size(), registry<PropertyEntry>().size());
}

TEST(Properties, AGoodCipherWithAPublicParameterPassesItsRowsToo) {
  const CipherEntry cipher = sealed();
  const Judgement judgement = run_on(subject_of(cipher), {"exact-inverse", "integrity", "key-bits",
                                                          "one-bit-change", "public-parameter"});
  EXPECT_THAT(rejected(judgement), IsEmpty());
  for (const PropertyResult& property : judgement.properties) {
    EXPECT_EQ(property.verdict(), "ok") << property.name;
  }
}

TEST(Properties, ThreadsDoNotMatter) {
  const std::vector<std::string> names{"image-metrics", "one-bit-change", "sp80022"};
  const Subject subject = subject_of(good());
  EXPECT_EQ(findings_csv(run_on(subject, names, 1)).text(),
            findings_csv(run_on(subject, names, 3)).text());
}

TEST(Properties, WhatACipherDoesNotOfferDoesNotApply) {
  const Judgement judgement =
      run_on(subject_of(find<CipherEntry>("identity")),
             {"integrity", "key-bits", "keystream", "public-parameter", "rounds"});
  for (const PropertyResult& property : judgement.properties) {
    EXPECT_EQ(property.verdict(), "not_applicable") << property.name;
  }
  EXPECT_FALSE(judgement.rejected());
}

// --- Faults

TEST(Properties, IdentityIsSeen) {
  const CipherEntry& cipher = find<CipherEntry>("identity");
  EXPECT_EQ(verdict(cipher, "exact-inverse"), "ok");
  EXPECT_EQ(verdict(cipher, "image-metrics"), "reject");
  EXPECT_EQ(verdict(cipher, "one-bit-change"), "reject");
  EXPECT_EQ(verdict(cipher, "sp80022-patterns"), "reject");
}

TEST(Properties, RepeatedXorIsSeen) {
  const CipherEntry& cipher = find<CipherEntry>("test-xor-repeat");
  for (const char* name : {"image-metrics", "one-bit-change", "key-bits", "sp80022",
                           "sp80022-patterns", "keystream"}) {
    EXPECT_EQ(verdict(cipher, name), "reject") << name;
  }
}

TEST(Properties, PermutationAloneIsSeen) {
  const CipherEntry& cipher = find<CipherEntry>("khazaal2024-confusion");
  EXPECT_EQ(verdict(cipher, "image-metrics"), "reject");
  EXPECT_EQ(verdict(cipher, "one-bit-change"), "reject");
  EXPECT_EQ(verdict(cipher, "sp80022-patterns"), "reject");
}

TEST(Properties, AByteLostInOneShapeIsSeen) {
  const CipherEntry cipher = altered("test-lossy", [](CipherEntry& out) {
    out.decrypt = [](ConstImage image, ConstBytes key, ConstBytes header, Image plain) {
      good().decrypt(image, key, header, plain);
      if (image.shape() == Shape{7, 1, 3, 2}) plain.bytes().back() ^= 1U;
    };
  });
  const Judgement judgement = run_on(subject_of(cipher), {"exact-inverse"});
  EXPECT_THAT(rejected(judgement), ElementsAre("shapes_not_restored"));
  const Measurement& m = judgement.properties.front().findings.front().finding.measurement;
  EXPECT_EQ(m.value, 2);  // random and zero
  EXPECT_THAT(m.detail, HasSubstr("7 x 1 x 3, 16 bit"));
}

TEST(Properties, AnInertKeyBitIsSeen) {
  const CipherEntry cipher = altered("test-inert", [](CipherEntry& out) {
    const auto without = [](ConstBytes key) {
      Bytes used(key.begin(), key.end());
      used[31] &= 0x7FU;
      return used;
    };
    out.encrypt = [without](ConstImage plain, ConstBytes key, ConstBytes nonce, Image image) {
      return good().encrypt(plain, without(key), nonce, image);
    };
    out.decrypt = [without](ConstImage image, ConstBytes key, ConstBytes header, Image plain) {
      good().decrypt(image, without(key), header, plain);
    };
  });
  const Judgement judgement = run_on(subject_of(cipher), {"key-bits"});
  EXPECT_TRUE(judgement.rejected());
  EXPECT_THAT(rejected(judgement), ::testing::Contains("key_inert_bits"));
}

TEST(Properties, ARepeatedNonceDecidesOnlyWhereSomethingTakesItsPlace) {
  const Judgement stream = run_on(subject_of(good()), {"one-bit-change"});
  EXPECT_THAT(rejected(stream), ::testing::Contains("npcr_first_rejected_0.05"));
  EXPECT_FALSE(stream.rejected());
  EXPECT_EQ(stream.tests, 3U);  // three metrics, fresh; what does not decide costs nothing
  EXPECT_GT(stream.p.value().value(), 0.01);
  // A public parameter that does nothing: a stream cipher that claims more.
  const CipherEntry cipher = altered(
      "test-claims", [](CipherEntry& out) { out.public_parameter = sealed().public_parameter; });
  EXPECT_TRUE(run_on(subject_of(cipher), {"one-bit-change"}).rejected());
}

TEST(Properties, ABlindSpotOfThePublicParameterIsSeen) {
  const CipherEntry cipher = altered("test-blind", [](CipherEntry& out) {
    out.public_parameter = [](ConstImage plain, ConstBytes key, ConstBytes nonce) {
      return digest_of(key, nonce, plain.bytes().first(plain.bytes().size() - 1));
    };
  });
  EXPECT_THAT(rejected(run_on(subject_of(cipher), {"public-parameter"})),
              ::testing::IsSupersetOf({"parameter_unchanged", "parameter_collisions"}));
}

TEST(Properties, AnUnkeyedOrBiasedPublicParameterIsSeen) {
  const CipherEntry unkeyed = altered("test-unkeyed", [](CipherEntry& out) {
    out.public_parameter = [](ConstImage plain, ConstBytes, ConstBytes nonce) {
      return digest_of({}, nonce, plain.bytes());
    };
  });
  EXPECT_THAT(rejected(run_on(subject_of(unkeyed), {"public-parameter"})),
              ::testing::Contains("parameter_unkeyed"));
  const CipherEntry stuck = altered("test-stuck", [](CipherEntry& out) {
    out.public_parameter = [](ConstImage plain, ConstBytes key, ConstBytes nonce) {
      Bytes tag = digest_of(key, nonce, plain.bytes());
      tag[5] &= 0xFEU;
      return tag;
    };
  });
  EXPECT_THAT(
      rejected(run_on(subject_of(stuck), {"public-parameter"})),
      ::testing::IsSupersetOf({"parameter_flipped_bit_flips", "parameter_other_key_bit_flips"}));
}

TEST(Properties, WhatIsNotRefusedOrLeaksIsSeen) {
  const CipherEntry accepting =
      altered("test-accepting", [](CipherEntry& out) { out.has_integrity = true; });
  EXPECT_EQ(verdict(accepting, "integrity"), "reject");
  EXPECT_EQ(verdict(good(), "integrity"), "not_applicable");

  const CipherEntry leaking = altered("test-leaking", [](CipherEntry& out) {
    out = sealed("test-leaking");
    out.decrypt = [](ConstImage cipher, ConstBytes key, ConstBytes header, Image image) {
      try {
        sealed().decrypt(cipher, key, header, image);
      } catch (const IntegrityError&) {
        image.bytes().front() = 1;
        throw;
      }
    };
  });
  EXPECT_THAT(rejected(run_on(subject_of(leaking), {"integrity"})),
              ElementsAre("wrong_key_leaked", "altered_header_leaked", "altered_image_leaked"));

  const CipherEntry forgetful = altered("test-forgetful", [](CipherEntry& out) {
    out = sealed("test-forgetful");
    out.decrypt = [](ConstImage cipher, ConstBytes key, ConstBytes header, Image image) {
      // The last byte of the tag is not looked at.
      good().decrypt(cipher, key, header.subspan(16, 16), image);
      const Bytes tag = digest_of(key, header.first(16), ConstImage(image).bytes());
      if (std::ranges::equal(ConstBytes{tag}.first(31), header.subspan(16, 31))) return;
      std::ranges::fill(image.bytes(), std::uint8_t{0});
      throw IntegrityError("altered");
    };
  });
  EXPECT_THAT(rejected(run_on(subject_of(forgetful), {"integrity"})),
              ElementsAre("altered_header_accepted"));
}

/// Rounds below `enough` do nothing to all but the first byte.
CipherEntry with_rounds(unsigned usual, unsigned enough) {
  return altered("test-rounds", [=](CipherEntry& out) {
    out.rounds = {.default_rounds = usual,
                  .encrypt = [=](unsigned rounds, ConstImage plain, ConstBytes key,
                                 ConstBytes nonce, ConstBytes, Image image) {
                    const Bytes tag = digest_of(key, nonce, plain.bytes());
                    const ConstBytes used = rounds >= enough ? ConstBytes{tag}.first(16) : nonce;
                    good().encrypt(plain, key, used, image);
                  }};
  });
}

TEST(Properties, TheNumberOfRoundsIsTheSmallestThatPasses) {
  EXPECT_EQ(verdict(with_rounds(2, 2), "rounds"), "ok");
  EXPECT_EQ(verdict(with_rounds(3, 2), "rounds"), "reject");  // one fewer would do
  EXPECT_EQ(verdict(with_rounds(2, 3), "rounds"), "reject");  // the default does not
  EXPECT_EQ(verdict(with_rounds(1, 1), "rounds"), "ok");      // there is none fewer
}

TEST(Properties, AKeystreamThatRepeatsLateIsSeenInTheLongSequence) {
  const CipherEntry cipher = altered("test-cycle", [](CipherEntry& out) {
    out.keystream = [](ConstBytes key, ConstBytes nonce, MutableBytes bytes) {
      constexpr std::size_t cycle = 40'000 / 8;
      good().keystream(key, nonce, bytes.first(std::min(bytes.size(), cycle)));
      for (std::size_t i = cycle; i < bytes.size(); ++i) bytes[i] = bytes[i - cycle];
    };
  });
  const Judgement judgement = run_on(subject_of(cipher), {"keystream"});
  ASSERT_TRUE(judgement.rejected());
  for (const std::string& name : rejected(judgement)) {
    EXPECT_THAT(name, ::testing::StartsWith("keystream-long_"));
  }
}

// --- Sequences

TEST(Sequences, CellsGiveTheAssessmentOfTheBattery) {
  const Sequences sequences{
      .kind = "test", .count = 8, .bits = 30'000, .make = [](std::uint64_t i) {
        Bytes bytes(30'000 / 8);
        good().keystream(Bytes(32, 1), Bytes(16, static_cast<std::uint8_t>(i)), bytes);
        return BitSequence::from_bytes(bytes, 0, 30'000);
      }};
  CellStore store = CellStore::temporary();
  const CellResults results = run_cells(sequence_cells(sequences), store, {1, true, "test"});
  const Assessment found = assess(sequences, results, 0.01);

  const Battery battery({}, {});
  Assessor assessor(battery, 30'000, Alpha{0.01});
  for (std::uint64_t i = 0; i < 8; ++i) assessor.add(battery.run(sequences.make(i).view()));
  const Assessment expected = assessor.result();
  ASSERT_EQ(found.tests.size(), expected.tests.size());
  for (std::size_t i = 0; i < found.tests.size(); ++i) {
    EXPECT_EQ(found.tests[i].combined_p, expected.tests[i].combined_p) << found.tests[i].name;
    EXPECT_EQ(found.tests[i].not_applicable.size(), expected.tests[i].not_applicable.size());
  }
}

// --- Judgement

TEST(Judgement, ErrorsAreSaidAndDoNotPass) {
  const CipherEntry cipher = altered("test-throws", [](CipherEntry& out) {
    out.encrypt = [](ConstImage, ConstBytes, ConstBytes, Image) -> Bytes {
      throw std::runtime_error("no entropy today");
    };
  });
  const Judgement judgement = run_on(subject_of(cipher), {"image-metrics"});
  EXPECT_TRUE(judgement.failed());
  EXPECT_EQ(judgement.properties.front().verdict(), "error");
  EXPECT_THAT(judgement.properties.front().errors, ElementsAre("no entropy today"));
}

TEST(Judgement, UnknownPropertyNamesWhatExists) {
  try {
    properties_named({"speed"});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("exact-inverse, image-metrics"));
  }
}

// --- The command

TEST(PropertiesCommand, WritesTheSameFilesTwiceAndRejectsIdentity) {
  const icb::testing::TemporaryDirectory directory;
  const std::vector<std::string> arguments{"properties", "--cipher",
                                           "identity",   "--quick",
                                           "--only",     "image-metrics,integrity",
                                           "--pairs",    "6",
                                           "--out",      (directory.path() / "out").string()};
  const auto first = icb::testing::icbench(arguments);
  EXPECT_EQ(first.exit_code, 1) << first.err;
  const auto csv = icb::testing::files_below(directory.path(), ".csv");
  ASSERT_EQ(csv.size(), 2U);
  const auto page = icb::testing::files_below(directory.path(), ".md");
  EXPECT_THAT(page.begin()->second, HasSubstr("| image-metrics | reject |"));
  EXPECT_EQ(icb::testing::icbench(arguments).exit_code, 1);
  EXPECT_EQ(icb::testing::files_below(directory.path(), ".csv"), csv);
}

TEST(PropertiesCommand, ExitCodes) {
  const auto code = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "properties");
    return icb::testing::icbench(arguments).exit_code;
  };
  EXPECT_EQ(code({}), 2);
  EXPECT_EQ(code({"--cipher", "rot13"}), 2);
  EXPECT_EQ(code({"--cipher", "aes-256-ctr", "--only", "speed"}), 2);
  EXPECT_EQ(code({"--cipher", "aes-256-ctr", "--keystream-bits", "17000000"}), 2);
  EXPECT_EQ(code({"--cipher", "aes-256-ctr", "--keystream-bits", "1500000"}), 2);
  EXPECT_EQ(code({"--cipher", "aes-256-ctr", "--data", "/nowhere"}), 3);
  EXPECT_EQ(code({"--cipher", "aes-256-ctr", "--quick", "--only", "integrity"}), 0);
}

}  // namespace
}  // namespace icb::properties
