/// `icbench evaluate` as a program, and what it is made of.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "bench/cipher_stream.hpp"
#include "bench/evaluate/run.hpp"
#include "bench/evaluate/summary.hpp"
#include "core/csv.hpp"
#include "core/hash.hpp"
#include "core/statistics.hpp"
#include "datasets/dataset.hpp"
#include "metrics/distance.hpp"
#include "tests/bench/support.hpp"
#include "tests/sanitized.hpp"

namespace icb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Child;
using testing::csv_rows;
using testing::files_below;
using ::testing::HasSubstr;
using testing::icbench;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::Start;
using testing::TemporaryDirectory;

// --- Images

/// Samples as files have them: R, G, B, most significant byte first.
std::string random_samples(const Shape& shape, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::string out(shape.bytes(), '\0');
  for (char& c : out) c = static_cast<char>(engine() & 0xFF);
  return out;
}

std::string smooth_samples(const Shape& shape) {
  std::string out;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        const double x = static_cast<double>(col) / 40 + static_cast<double>(channel);
        const double value = 128 + 60 * std::sin(x) + 50 * std::cos(static_cast<double>(row) / 30);
        out += static_cast<char>(static_cast<int>(value));
        if (shape.sample_bytes == 2) out += static_cast<char>(static_cast<int>(256 * value) & 0xFF);
      }
    }
  }
  return out;
}

std::string pnm(const Shape& shape, const std::string& samples) {
  return fmt::format("P{}\n{} {}\n{}\n", shape.channels == 1 ? 5 : 6, shape.cols, shape.rows,
                     shape.sample_bytes == 1 ? 255 : 65535) +
         samples;
}

constexpr Shape rgb{48, 64, 3};
constexpr Shape gray{64, 48};

class Evaluate : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(path("")); }

  fs::path path(const std::string& name) const { return m_directory.path() / "work" / name; }

  void put(const std::string& name, const std::string& content) const {
    write_file_atomically(path(name), content);
  }

  void put_image(const std::string& name, const Shape& shape, const std::string& samples) const {
    put(name, pnm(shape, samples));
  }

  Start start() const {
    Start out;
    out.directory = path("");
    return out;
  }

  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "evaluate");
    return icbench(arguments, start());
  }

  void expect_failure(const std::vector<std::string>& arguments, int exit_code,
                      const std::vector<std::string>& messages) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out;
    EXPECT_THAT(outcome.out, IsEmpty());
    for (const std::string& message : messages) EXPECT_THAT(outcome.err, HasSubstr(message));
  }

  /// Folders plain/ and cipher/ with that many pairs of ideal images.
  void put_pairs(std::size_t count, const Shape& shape) const {
    const std::string plain = pnm(shape, smooth_samples(shape));
    for (std::size_t i = 0; i < count; ++i) {
      put(fmt::format("plain/{:04}.pgm", i), plain);
      put_image(fmt::format("cipher/{:04}.ppm", i), shape, random_samples(shape, i + 1));
    }
  }

  std::map<std::string, std::string> results(const std::string& out) const {
    std::map<std::string, std::string> files;
    for (const char* extension : {".txt", ".csv", ".json", ".part"}) {
      files.merge(files_below(path(out), extension));
    }
    return files;
  }

  TemporaryDirectory m_directory;
};

const std::vector<std::string> folders{"--plain", "plain", "--cipher-image", "cipher"};

std::vector<std::string> plus(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// For ideal images that must pass: every new metric draws another lot.
const std::vector<std::string> lenient{"--alpha", "1e-5"};

// --- One image

TEST_F(Evaluate, IdealImagePassesAndPlainImageDoesNot) {
  put_image("plain.ppm", rgb, smooth_samples(rgb));
  put_image("cipher.ppm", rgb, random_samples(rgb, 1));
  const Outcome good = run(plus(lenient, {"--plain", "plain.ppm", "--cipher-image", "cipher.ppm"}));
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_THAT(good.out,
              AllOf(HasSubstr("cipher image   cipher.ppm"), HasSubstr("[cipher image alone]"),
                    HasSubstr("[plain and cipher image]"), HasSubstr("p_corrected"),
                    HasSubstr("rejected: 0 tests (0 measurements)"),
                    HasSubstr("It does not mean secure."), HasSubstr("icbench 0.")));
  EXPECT_THAT(good.err, IsEmpty());
  const Outcome bad = run({"--cipher-image", "plain.ppm"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("reject"), HasSubstr("p below 1e-6"),
                             Not(HasSubstr("plain and cipher image"))));
}

TEST_F(Evaluate, CsvHoldsWhatTheMetricsGive) {
  put_image("plain.ppm", rgb, smooth_samples(rgb));
  put_image("cipher.ppm", rgb, random_samples(rgb, 2));
  const auto rows = csv_rows(
      run({"--plain", "plain.ppm", "--cipher-image", "cipher.ppm", "--format", "csv"}).out);
  const OwnedImage plain = owned(load_image(path("plain.ppm")));
  const OwnedImage cipher = owned(load_image(path("cipher.ppm")));
  std::size_t checked = 0;
  for (const auto& [name, metric] : registry<MetricEntry>()) {
    if (metric.needs == Needs::second) continue;
    const std::uint64_t seed = derive_seed(1, "evaluate/cipher");
    for (const Measurement& m : metric.compute(
             {.image = cipher.view(), .plain = CountedImage(plain.view()), .seed = seed})) {
      const auto row = std::ranges::find_if(rows, [&](const auto& fields) {
        return fields.at("quantity") == m.quantity && fields.at("channel") == m.channel;
      });
      ASSERT_NE(row, rows.end()) << name;
      ++checked;
      EXPECT_EQ(row->at("value"), m.value ? format_double(*m.value) : "");
      EXPECT_EQ(row->at("p_value"), m.p_value ? format_double(*m.p_value) : "");
      EXPECT_EQ(row->at("family"), metric.family_name());
      EXPECT_EQ(row->at("extreme"), "0");
      EXPECT_EQ(row->at("image"), "cipher");
      EXPECT_EQ(row->at("image_sha256"), sha256_of_file(path("cipher.ppm")));
      EXPECT_EQ(row->at("cipher"), "external");
    }
  }
  EXPECT_EQ(rows.size(), checked);
}

TEST_F(Evaluate, MetricsAreChosenAndPairsDrawn) {
  put_image("cipher.pgm", gray, random_samples(gray, 3));
  const Outcome outcome =
      run({"--cipher-image", "cipher.pgm", "--metrics", "entropy,correlation_vertical", "--pairs",
           "500", "--format", "csv"});
  const auto rows = csv_rows(outcome.out);
  ASSERT_EQ(rows.size(), 2U) << outcome.out << outcome.err;
  EXPECT_EQ(rows[0].at("quantity"), "correlation_vertical");
  EXPECT_EQ(rows[0].at("n"), "500");
  EXPECT_THAT(rows[0].at("seed"), Not(IsEmpty()));
  EXPECT_EQ(rows[1].at("quantity"), "entropy");
}

TEST_F(Evaluate, JsonSaysWhatWasDone) {
  put_image("plain.pgm", gray, smooth_samples(gray));
  const auto json = nlohmann::json::parse(
      run({"--cipher-image", "plain.pgm", "--format", "json", "--alpha", "0.05"}).out);
  EXPECT_TRUE(json.at("program").contains("commit"));
  EXPECT_EQ(json.at("inputs").at("cipher_image"), "plain.pgm");
  EXPECT_EQ(json.at("options").at("alpha"), 0.05);
  EXPECT_EQ(json.at("verdict").at("rejected"), true);
  EXPECT_EQ(json.at("verdict").at("p_value"), 0);
  EXPECT_GT(json.at("measurements").size(), 4U);
  EXPECT_EQ(json.at("measurements").at(0).at("extreme"), true);
}

TEST_F(Evaluate, OutHoldsEverything) {
  put_image("cipher.pgm", gray, random_samples(gray, 4));
  const Outcome outcome = run(plus(lenient, {"--cipher-image", "cipher.pgm", "--out", "out"}));
  EXPECT_EQ(outcome.out, "out\n");
  const auto files = results("out");
  std::set<std::string> names;
  for (const auto& [name, text] : files) names.insert(name);
  EXPECT_EQ(names, (std::set<std::string>{"evaluate.txt", "images.csv", "manifest.json",
                                          "measurements.csv"}));
  EXPECT_EQ(files.at("evaluate.txt"), run(plus(lenient, {"--cipher-image", "cipher.pgm"})).out);
  EXPECT_EQ(files.at("measurements.csv"),
            run(plus(lenient, {"--cipher-image", "cipher.pgm", "--format", "csv"})).out);
  auto json = nlohmann::ordered_json::parse(
      run(plus(lenient, {"--cipher-image", "cipher.pgm", "--format", "json"})).out);
  EXPECT_EQ(json.erase("measurements"), 1U);
  EXPECT_EQ(nlohmann::ordered_json::parse(files.at("manifest.json")), json);
  EXPECT_EQ(csv_rows(files.at("images.csv")).at(0).at("verdict"), "ok");
}

TEST_F(Evaluate, SmallestImagesAreNotTested) {
  put_image("one.pgm", {1, 1}, "x");
  const Outcome outcome = run({"--cipher-image", "one.pgm", "--plain", "one.pgm"});
  EXPECT_LE(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("not_applicable"));
}

TEST_F(Evaluate, HelpReadsLikeAManual) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out,
              AllOf(HasSubstr("Exit codes"), HasSubstr("Raw files"), HasSubstr("Folders"),
                    HasSubstr("openssl enc -aes-256-ctr"), HasSubstr("--cipher-image-2")));
}

// --- Raw samples

/// Rows without what names the file.
std::string findings(const std::string& csv) {
  std::string out;
  for (auto row : csv_rows(csv)) {
    for (const char* field : {"image", "image_sha256", "variant"}) row.erase(field);
    for (const auto& [key, value] : row) out += key + '=' + value + ' ';
    out += '\n';
  }
  return out;
}

TEST_F(Evaluate, RawSamplesAreThoseOfTheImageFile) {
  for (const Shape shape : {rgb, gray, Shape{20, 30, 3, 2}, Shape{30, 20, 1, 2}}) {
    SCOPED_TRACE(to_string(shape));
    const std::string samples = random_samples(shape, 5);
    put_image("plain.pnm", shape, smooth_samples(shape));
    put_image("cipher.pnm", shape, samples);
    put("cipher.raw", samples);
    const auto of = [&](const std::string& file) {
      return run({"--plain", "plain.pnm", "--cipher-image", file, "--format", "csv"});
    };
    const Outcome raw = of("cipher.raw");
    EXPECT_LE(raw.exit_code, 1) << raw.err;
    EXPECT_THAT(raw.err, AllOf(HasSubstr("cipher.raw"), HasSubstr("raw samples"),
                               HasSubstr("R G B"), HasSubstr("most significant byte first")));
    EXPECT_EQ(findings(raw.out), findings(of("cipher.pnm").out));
    EXPECT_EQ(csv_rows(raw.out).at(0).at("variant"), "raw samples");
  }
}

TEST_F(Evaluate, RawSamplesThatLookLikeAnImageAreRaw) {
  put_image("plain.pgm", gray, smooth_samples(gray));
  for (const char* magic : {"BM", "P5", "\x89PNG\r\n\x1A\n", "II*", "\xFF\xD8\xFF", "<"}) {
    put("cipher.raw", magic + random_samples(gray, 6).substr(std::string(magic).size()));
    const Outcome outcome = run({"--plain", "plain.pgm", "--cipher-image", "cipher.raw"});
    EXPECT_LE(outcome.exit_code, 1) << magic;
    EXPECT_THAT(outcome.err, HasSubstr("raw samples")) << magic;
  }
}

TEST_F(Evaluate, RawSamplesOfAnotherSizeAreRefused) {
  put_image("plain.pgm", gray, smooth_samples(gray));
  put("cipher.raw", random_samples(gray, 7) + "0123456789abcdef");  // as with padding
  expect_failure({"--plain", "plain.pgm", "--cipher-image", "cipher.raw"}, 3,
                 {"cipher.raw: not an image", "64 x 48 x 1, 8 bit", "3072 bytes, it has 3088"});
  put("cipher.raw", random_samples(gray, 7));
  expect_failure({"--cipher-image", "cipher.raw"}, 3, {"cipher.raw", "--plain"});
  // A second image may follow the first.
  put_image("cipher.pgm", gray, random_samples(gray, 8));
  EXPECT_LE(run({"--cipher-image", "cipher.pgm", "--cipher-image-2", "cipher.raw"}).exit_code, 1);
}

TEST(EvaluateInputs, RawSamplesInTheOrderOfFiles) {
  const OwnedImage colour = evaluate::from_raw({1, 2, 3}, "RGBrgb");
  EXPECT_EQ(std::string(colour.bytes().begin(), colour.bytes().end()), "BGRbgr");
  const OwnedImage alpha = evaluate::from_raw({1, 1, 4}, "RGBA");
  EXPECT_EQ(std::string(alpha.bytes().begin(), alpha.bytes().end()), "BGRA");
  const OwnedImage two = evaluate::from_raw({1, 2, 2}, "gaGA");
  EXPECT_EQ(std::string(two.bytes().begin(), two.bytes().end()), "gaGA");
  const OwnedImage wide = evaluate::from_raw({1, 1, 3, 2}, "RrGgBb");
  EXPECT_EQ(std::string(wide.bytes().begin(), wide.bytes().end()), "bBgGrR");
  EXPECT_THROW(evaluate::from_raw({1, 2, 3}, "RGB"), std::invalid_argument);
}

// --- What cannot be done

TEST_F(Evaluate, WrongUsageIsNamed) {
  put_image("a.pgm", gray, smooth_samples(gray));
  fs::create_directories(path("folder"));
  expect_failure({}, 2, {"--cipher-image"});
  expect_failure({"--plain", "a.pgm"}, 2, {"--cipher-image"});
  expect_failure({"--cipher", "aes-256-ctr"}, 2, {"--plain"});
  expect_failure({"--cipher-image-2", "a.pgm"}, 2, {"--cipher-image"});
  expect_failure({"--cipher-image", "a.pgm", "--cipher", "identity", "--plain", "a.pgm"}, 2,
                 {"--cipher"});
  expect_failure({"--cipher-image", "a.pgm", "--metrics", "beauty"}, 2, {"beauty", "entropy"});
  expect_failure({"--cipher-image", "a.pgm", "--metrics", "plain_cipher_correlation"}, 2,
                 {"plain_cipher_correlation", "--plain"});
  expect_failure({"--cipher-image", "a.pgm", "--pairs", "0"}, 2, {"--pairs"});
  expect_failure({"--cipher-image", "a.pgm", "--key", "00"}, 2, {"--key"});
  expect_failure({"--cipher-image", "a.pgm", "--protocols", "all"}, 2, {"--cipher"});
  expect_failure({"--cipher-image", "a.pgm", "--plain", "folder"}, 2, {"got both"});
  const std::vector<std::string> aes{"--plain", "a.pgm", "--cipher", "aes-256-ctr"};
  expect_failure(plus(aes, {"--key", "0123"}), 2, {"64 hexadecimal digits", "4 characters"});
  expect_failure(plus(aes, {"--key", std::string(64, 'x')}), 2, {"64 hexadecimal digits"});
  expect_failure(plus(aes, {"--protocols", "magic"}), 2, {"magic"});
  expect_failure({"--plain", "a.pgm", "--cipher", "rot13"}, 2, {"rot13", "aes-256-ctr"});
}

TEST_F(Evaluate, UnusableInputIsNamed) {
  put_image("a.pgm", gray, smooth_samples(gray));
  put_image("turned.pgm", {48, 64}, random_samples(gray, 9));
  put_image("colour.ppm", rgb, random_samples(rgb, 9));
  put("jpeg", "\xFF\xD8\xFF\xE0 and so on");
  expect_failure({"--cipher-image", "nothing.pgm"}, 3, {"nothing.pgm: no such file"});
  expect_failure({"--cipher-image", "jpeg"}, 3, {"jpeg: not a supported image", "lossy"});
  expect_failure({"--cipher-image", "a.pgm", "--plain", "jpeg"}, 3, {"jpeg", "lossy"});
  expect_failure({"--cipher-image", "turned.pgm", "--plain", "a.pgm"}, 3,
                 {"turned.pgm: 48 x 64 x 1, 8 bit", "plain image a.pgm is 64 x 48 x 1, 8 bit",
                  "without --plain"});
  expect_failure({"--cipher-image", "a.pgm", "--cipher-image-2", "colour.ppm"}, 3,
                 {"colour.ppm: 48 x 64 x 3", "first cipher image a.pgm is 64 x 48 x 1"});
  expect_failure({"--cipher-image", "/dev/zero"}, 3, {"device"});
  put("file", "x");
  expect_failure({"--cipher-image", "a.pgm", "--out", "file"}, 3, {"file"});
}

// --- Registered ciphers

TEST_F(Evaluate, RegisteredCipherEncryptsUnderTheSeed) {
  put_image("plain.ppm", rgb, smooth_samples(rgb));
  const std::vector<std::string> aes =
      plus(lenient, {"--plain", "plain.ppm", "--cipher", "aes-256-ctr"});
  const Outcome outcome = run(plus(aes, {"--format", "csv"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto& entry = find<CipherEntry>("aes-256-ctr");
  const OwnedImage plain = owned(load_image(path("plain.ppm")));
  const Bytes key = key_for(1, entry, "evaluate");
  const auto encrypted =
      encrypt(entry, plain.view(), key, nonce_for(1, entry, "evaluate", "plain/first"));
  const auto row = csv_rows(outcome.out).at(0);
  EXPECT_EQ(row.at("image_sha256"), to_hex(sha256(encrypted.image.bytes())));
  EXPECT_EQ(row.at("cipher"), "aes-256-ctr");
  EXPECT_EQ(row.at("key_id"), "evaluate");
  const auto given = run(plus(aes, {"--format", "csv", "--key", to_hex(key)}));
  EXPECT_EQ(csv_rows(given.out).at(0).at("image_sha256"), row.at("image_sha256"));
  EXPECT_EQ(csv_rows(given.out).at(0).at("key_id"), "given");
  const auto other = run(plus(aes, {"--format", "csv", "--seed", "2"}));
  EXPECT_NE(csv_rows(other.out).at(0).at("image_sha256"), row.at("image_sha256"));
  const Outcome identity =
      run({"--plain", "plain.ppm", "--cipher", "identity", "--protocols", "none"});
  EXPECT_EQ(identity.exit_code, 1);
  EXPECT_THAT(identity.out, HasSubstr("cipher         identity"));
}

TEST_F(Evaluate, RegisteredCipherOnAFolder) {
  put_pairs(4, gray);
  const Outcome outcome =
      run(plus(lenient, {"--plain", "plain", "--cipher", "aes-256-ctr", "--out", "out"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto images = csv_rows(results("out").at("images.csv"));
  std::set<std::string> hashes;  // one plain image four times, fresh nonces
  for (const auto& row : images) hashes.insert(row.at("image_sha256"));
  EXPECT_EQ(hashes.size(), 4U);
}

/// Three measurements per run; the last one tells the seed.
ProtocolEntry fake_protocol(double p) {
  ProtocolEntry out;
  out.name = "fake";
  out.run = [p](const ProtocolInput& input) {
    for (const double share : {0.3, 1.0}) input.progress(share);
    std::vector<Measurement> rows;
    for (const char* variant : {"first bit", "middle bit", "last bit"}) {
      Measurement m;
      m.quantity = "fake_distance";
      m.channel = "all";
      m.variant = variant;
      m.nonce_policy = "fixed";
      m.value = static_cast<double>(input.key.size());
      m.z = 0.5;
      m.p_value = m.variant == "last bit" ? p : 0.5;
      m.seed = input.seed;
      rows.push_back(m);
    }
    return rows;
  };
  return out;
}

TEST(EvaluateRun, ProtocolsAreJudgedBelowTheMetrics) {
  for (const double p : {0.4, 1e-9}) {
    const ProtocolEntry protocol = fake_protocol(p);
    const auto images = std::make_shared<evaluate::Images>();
    images->plain = evaluate::from_raw(gray, smooth_samples(gray));
    images->sha256 = "of the plain image";
    const std::vector<evaluate::Case> cases{
        {.name = "x", .id = "y", .bytes = 1, .load = [&] { return images; }}};
    evaluate::Job job{.metrics = {&find<MetricEntry>("entropy")}, .protocols = {&protocol}};
    job.cipher = &find<CipherEntry>("aes-256-ctr");
    job.key = evaluate::derived_key(1, *job.cipher);
    CellStore store = CellStore::temporary();
    evaluate::JudgedImage judged;
    run(cases, job, store, {.threads = 2, .quiet = true, .title = "test"},
        [&](evaluate::JudgedImage image) { judged = std::move(image); });
    ASSERT_EQ(judged.verdict.rows.size(), 4U);
    EXPECT_EQ(judged.metrics, 1U);
    EXPECT_EQ(judged.verdict.tests, 2U);
    EXPECT_EQ(judged.verdict.rejected, p < 0.01);
    const Measurement& last = judged.verdict.rows[3].measurement;
    EXPECT_EQ(last.status, p < 0.01 ? Status::reject : Status::ok);
    EXPECT_EQ(last.cipher, "aes-256-ctr");
    EXPECT_EQ(last.image, "x");
    EXPECT_EQ(last.image_sha256, "of the plain image");
    EXPECT_EQ(last.value, 32);
    EXPECT_EQ(last.seed, derive_seed(1, "evaluate/x/fake"));
    evaluate::Summary summary(Alpha{0.01});
    summary.add(judged);
    const auto quantities = summary.quantities();
    ASSERT_EQ(quantities.size(), 2U);
    EXPECT_EQ(quantities[1].measured, 1U);  // three changes of one image: Simes
    EXPECT_EQ(quantities[1].rejected, p < 0.01 ? 1U : 0U);
    EXPECT_EQ(quantities[1].z_count, 3U);
  }
}

TEST(EvaluateRun, SecondImageIsThatOfOneFlippedBit) {
  // What a metric of two cipher images sees, as a number.
  MetricEntry metric;
  metric.name = "bits_that_differ";
  metric.needs = Needs::second;
  metric.compute = [](const MetricInput& input) {
    const DistanceSums sums = distance_sums(input.image, *input.second);
    const DistanceSums plain = distance_sums(input.image, *input.plain);
    Measurement m;
    m.channel = "all";
    m.quantity = "bits_that_differ";
    m.value = static_cast<double>(sums.bits);
    m.n = plain.bits;
    m.expected = static_cast<double>(sums.absolute);
    return std::vector{m};
  };
  for (const Shape shape : {gray, Shape{3, 5, 3, 2}, Shape{1, 1}}) {
    const auto images = std::make_shared<evaluate::Images>();
    images->plain = evaluate::from_raw(shape, random_samples(shape, 1));
    const std::vector<evaluate::Case> cases{
        {.name = "x", .id = "y", .bytes = 1, .load = [&] { return images; }}};
    const auto row = [&](const char* cipher) {
      evaluate::Job job{.metrics = {&metric}, .protocols = {}};
      job.cipher = &find<CipherEntry>(cipher);
      job.key = evaluate::derived_key(1, *job.cipher);
      CellStore store = CellStore::temporary();
      Measurement out;
      run(cases, job, store, {.threads = 1, .quiet = true, .title = "test"},
          [&](const evaluate::JudgedImage& image) { out = image.verdict.rows.at(0).measurement; });
      return out;
    };
    const Measurement identity = row("identity");
    EXPECT_EQ(identity.value, 1);
    EXPECT_EQ(identity.expected, 1);  // the lowest bit
    EXPECT_EQ(identity.n, 0U);        // the first image is the plain one
    EXPECT_EQ(identity.nonce_policy, "fixed");
    if (shape.bytes() < 2) continue;
    const auto bits = static_cast<double>(8 * shape.bytes());
    EXPECT_NEAR(*row("aes-256-ctr").value, bits / 2, 4 * std::sqrt(bits));  // fresh nonce
  }
}

TEST(EvaluateRun, AFailingProtocolIsAnErrorOfItsOwn) {
  ProtocolEntry protocol = fake_protocol(0.5);
  protocol.run = [](const ProtocolInput&) -> std::vector<Measurement> {
    throw InputError("no luck");
  };
  const auto images = std::make_shared<evaluate::Images>();
  images->plain = evaluate::from_raw(gray, smooth_samples(gray));
  const std::vector<evaluate::Case> cases{
      {.name = "x", .id = "y", .bytes = 1, .load = [&] { return images; }}};
  evaluate::Job job{.metrics = {&find<MetricEntry>("entropy")}, .protocols = {&protocol}};
  job.cipher = &find<CipherEntry>("identity");
  CellStore store = CellStore::temporary();
  run(cases, job, store, {.threads = 1, .quiet = true, .title = "test"},
      [&](const evaluate::JudgedImage& image) {
        ASSERT_EQ(image.verdict.rows.size(), 2U);
        EXPECT_EQ(image.verdict.rows[1].measurement.quantity, "fake");
        EXPECT_EQ(image.verdict.rows[1].measurement.status, Status::error);
        EXPECT_THAT(image.errors, ::testing::ElementsAre("no luck"));
        EXPECT_EQ(evaluate::verdict_name(image), "reject");  // what could be tested was
      });
}

// --- Folders

TEST_F(Evaluate, FolderOfIdealImagesPasses) {
  put_pairs(40, gray);
  const Outcome outcome = run(plus(folders, plus(lenient, {"--quiet"})));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("images: 40 judged\n"), HasSubstr("p of the folder"),
                                 HasSubstr("It does not mean secure."), HasSubstr("entropy")));
}

TEST_F(Evaluate, FolderWithOneBrokenImageIsRejected) {
  put_pairs(30, gray);
  put_image("cipher/0017.ppm", gray, smooth_samples(gray));
  const Outcome outcome = run(plus(folders, {"--format", "json", "--quiet"}));
  EXPECT_EQ(outcome.exit_code, 1);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json.at("verdict").at("judged"), 30);
  EXPECT_EQ(json.at("verdict").at("rejected"), true);
  EXPECT_EQ(json.at("images").at(17).at("verdict"), "reject");
  EXPECT_EQ(json.at("images").at(17).at("image"), "0017");
  std::size_t found = 0;
  for (const auto& row : json.at("quantities")) found += row.at("worst_image") == "0017" ? 1U : 0U;
  EXPECT_GT(found, json.at("quantities").size() / 2);  // not every metric looks at smoothness
}

TEST_F(Evaluate, LeftOverFilesAreListed) {
  put_pairs(3, gray);
  put("plain/README.txt", "x");
  put("plain/.hidden", "x");
  put("cipher/0001.png", "a second one of that name");
  put_image("cipher/sub/0002.pgm", gray, random_samples(gray, 1));
  const Outcome outcome = run(plus(folders, lenient));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("4 file(s)"), HasSubstr("plain/README.txt"),
                    HasSubstr("cipher/0001.png"), HasSubstr("cipher/0001.ppm"),
                    HasSubstr("plain/0001.pgm"), Not(HasSubstr("hidden")), Not(HasSubstr("sub"))));
  EXPECT_THAT(outcome.out, HasSubstr("images: 2 judged, 4 files left over"));
}

TEST_F(Evaluate, NothingPairedIsAnError) {
  put_image("plain/a.pgm", gray, smooth_samples(gray));
  put_image("cipher/b.pgm", gray, random_samples(gray, 1));
  expect_failure(folders, 3, {"no file name", "cipher", "plain"});
  fs::create_directories(path("empty"));
  expect_failure({"--cipher-image", "empty"}, 3, {"empty"});
}

TEST_F(Evaluate, UnusablePairsAreErrorRowsAndTheRunGoesOn) {
  put_pairs(6, gray);
  put("cipher/0001.ppm", "not an image");
  put_image("cipher/0002.ppm", {48, 64}, random_samples(gray, 1));
  put("cipher/0003.ppm", random_samples(gray, 2));  // raw
  const Outcome outcome = run(plus(folders, plus(lenient, {"--out", "out"})));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("2 of 6 image(s) with errors"), HasSubstr("cipher/0001.ppm"),
                    HasSubstr("cipher/0002.ppm: 48 x 64 x 1, 8 bit, but the plain image"),
                    HasSubstr("1 images: no image format, taken as raw samples")));
  const auto files = results("out");
  const auto images = csv_rows(files.at("images.csv"));
  ASSERT_EQ(images.size(), 6U);
  EXPECT_EQ(images[1].at("verdict"), "error");
  EXPECT_THAT(images[2].at("detail"), HasSubstr("64 x 48 x 1"));
  EXPECT_EQ(images[3].at("verdict"), "ok");
  std::size_t errors = 0;
  for (const auto& row : csv_rows(files.at("measurements.csv"))) {
    errors += row.at("status") == "error" ? 1U : 0U;
  }
  EXPECT_EQ(errors, 2U);
  EXPECT_THAT(files.at("evaluate.txt"), HasSubstr("images: 4 judged, 2 not"));
  // Mended, the same command judges them too.
  put_image("cipher/0001.ppm", gray, random_samples(gray, 21));
  put_image("cipher/0002.ppm", gray, random_samples(gray, 22));
  EXPECT_EQ(run(plus(folders, plus(lenient, {"--out", "out"}))).exit_code, 0);
  EXPECT_EQ(csv_rows(results("out").at("images.csv")).at(1).at("verdict"), "ok");
}

TEST_F(Evaluate, SummaryIsThatOfTheMeasurements) {
  put_pairs(60, rgb);
  const double alpha = 0.2;
  EXPECT_NE(run(plus(folders, {"--out", "out", "--alpha", "0.2"})).exit_code, 3);
  const auto files = results("out");
  std::map<std::string, std::vector<std::map<std::string, std::string>>> by_quantity;
  for (const auto& row : csv_rows(files.at("measurements.csv"))) {
    if (row.at("channel") != "all") by_quantity[row.at("quantity")].push_back(row);
  }
  const auto summary = csv_rows(files.at("summary.csv"));
  EXPECT_EQ(summary.size(), by_quantity.size());
  for (const auto& row : summary) {
    const auto& all = by_quantity.at(row.at("quantity"));
    std::uint64_t rejected = 0;
    double sum = 0;
    double squares = 0;
    double worst = 0;
    for (const auto& m : all) {
      rejected += parse_double(m.at("p_value")) < alpha ? 1U : 0U;
      const double z = parse_double(m.at("z"));
      sum += z;
      squares += z * z;
      if (std::abs(z) > std::abs(worst)) worst = z;
    }
    const auto n = static_cast<double>(all.size());
    EXPECT_EQ(row.at("measured"), "180");
    EXPECT_EQ(row.at("rejected"), std::to_string(rejected));
    EXPECT_NEAR(parse_double(row.at("z_mean")), sum / n, 1e-12);
    EXPECT_NEAR(parse_double(row.at("z_sd")), std::sqrt((squares - sum * sum / n) / (n - 1)),
                1e-12);
    EXPECT_EQ(parse_double(row.at("worst_z")), worst);
    const BinomialInterval interval = binomial_interval(rejected, all.size(), 1 - alpha);
    EXPECT_EQ(parse_double(row.at("interval_low")), interval.low);
    EXPECT_EQ(parse_double(row.at("interval_high")), interval.high);
    EXPECT_EQ(parse_double(row.at("p_value")),
              binomial_upper_p(rejected, all.size(), alpha).value());
  }
  std::vector<PValue> p_values;
  for (const auto& image : csv_rows(files.at("images.csv"))) {
    p_values.emplace_back(parse_double(image.at("p_value")));
  }
  const auto below = static_cast<std::uint64_t>(
      std::ranges::count_if(p_values, [&](PValue p) { return p.value() < alpha; }));
  double smallest =
      std::min(simes(p_values).value(), binomial_upper_p(below, p_values.size(), alpha).value());
  for (const auto& row : csv_rows(files.at("summary.csv"))) {
    if (!row.at("p_corrected").empty()) {
      smallest = std::min(smallest, parse_double(row.at("p_corrected")));
    }
  }
  const auto json = nlohmann::json::parse(files.at("manifest.json"));
  EXPECT_EQ(json.at("verdict").at("p_value"), std::min(1.0, 3 * smallest));
}

TEST_F(Evaluate, EveryThreadCountGivesTheSameBytes) {
  put_pairs(40, rgb);
  put("cipher/0003.ppm", "broken");
  put("cipher/0007.ppm", random_samples(rgb, 99));
  std::vector<std::map<std::string, std::string>> all;
  for (const char* threads : {"1", "2", "7"}) {
    EXPECT_EQ(run(plus(folders, {"--out", threads, "--threads", threads})).exit_code, 3);
    all.push_back(results(threads));
    for (const char* format : {"table", "csv", "json"}) {
      all.back()[format] = run(plus(folders, {"--format", format, "--threads", threads})).out;
    }
  }
  ASSERT_EQ(all[0].size(), 8U);
  EXPECT_TRUE(all[0] == all[1]);
  EXPECT_TRUE(all[0] == all[2]);
  EXPECT_EQ(all[0].at("table"), all[0].at("evaluate.txt"));
}

// --- Interruption and memory

/// Waits until the store holds something; false if the program has ended.
bool store_grows(Child& child, const fs::path& store, std::uintmax_t beyond) {
  std::error_code error;
  while (child.runs()) {
    const auto size = fs::file_size(store, error);
    if (!error && size > beyond) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST_F(Evaluate, InterruptedRunGoesOnWhereItStopped) {
  put_pairs(150, {128, 128, 3});
  const std::vector<std::string> command =
      plus({ICB_PROGRAM, "evaluate"}, plus(folders, plus(lenient, {"--out", "out"})));
  const fs::path store = path("out") / "store.jsonl";
  std::uintmax_t before = 0;
  for (const int signal : {SIGKILL, SIGINT, SIGKILL}) {
    Child child(command, start());
    ASSERT_TRUE(store_grows(child, store, before + 20000)) << "over too early";
    child.send(signal);
    const Outcome outcome = child.wait();
    EXPECT_EQ(outcome.signal, signal) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_FALSE(fs::exists(path("out") / "manifest.json"));
    if (signal == SIGINT) {
      EXPECT_THAT(outcome.err, HasSubstr("goes on from there"));
      EXPECT_TRUE(results("out").empty()) << "a file is left";
    }
    for (const auto& [name, text] : files_below(path("out"), ".part")) {
      fs::remove(path("out") / name);
    }
    before = fs::file_size(store);
  }
  EXPECT_EQ(run(plus(folders, plus(lenient, {"--out", "out"}))).exit_code, 0);
  EXPECT_EQ(run(plus(folders, plus(lenient, {"--out", "quiet"}))).exit_code, 0);
  EXPECT_TRUE(results("out") == results("quiet"));
  // Nothing finished was computed twice: only a cell cut by a kill leaves lines of its own.
  const std::string again = read_file(store);
  const auto lines = std::ranges::count(read_file(path("quiet") / "store.jsonl"), '\n');
  EXPECT_GE(std::ranges::count(again, '\n'), lines);
  EXPECT_LE(std::ranges::count(again, '\n'), lines + 2 * (lines / 150));
  EXPECT_NE(run(plus(folders, {"--out", "out", "--alpha", "0.05"})).exit_code, 3);
  EXPECT_TRUE(read_file(store) == again) << "another alpha computes nothing";
}

TEST_F(Evaluate, MemoryDoesNotGrowWithTheFolder) {
#if ICB_SANITIZED
  GTEST_SKIP() << "sanitizers keep memory that was freed";
#else
  const auto memory = [&](std::size_t pairs) {
    put_pairs(pairs, {128, 128, 3});
    const Outcome outcome =
        run(plus(folders, plus(lenient, {"--quiet", "--format", "csv", "--threads", "2"})));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.memory_kib;
  };
  const long few = memory(30);
  const long many = memory(300);  // 270 pairs more: 26 MiB of pixels
  RecordProperty("kib_30", std::to_string(few));
  RecordProperty("kib_300", std::to_string(many));
  EXPECT_LT(many, few + 3000);
#endif
}

}  // namespace
}  // namespace icb
