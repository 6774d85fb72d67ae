/// Agreement with independent values computed by NumPy and SciPy from the formulas alone. Files:
/// <source>/../shared/oracles/metrics and ../shared/sipi/misc, or ICB_ORACLES and ICBENCH_DATA (the
/// folder of the images or the one above "misc").
#include <openssl/evp.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "core/hash.hpp"
#include "metrics/chi_square.hpp"
#include "tests/metrics/support.hpp"

namespace icb::testing {
namespace {

namespace fs = std::filesystem;

fs::path directory(const char* variable, const char* relative) {
  if (const char* text = std::getenv(variable)) return text;
  return fs::path(ICB_SOURCE_DIR) / ".." / "shared" / relative;
}

/// Swaps B, G, R with R, G, B.
void swap_red_and_blue(OwnedImage& image) {
  if (image.shape().channels != 3) return;
  const MutableBytes bytes = image.view().bytes();
  for (std::size_t i = 0; i < bytes.size(); i += 3) std::swap(bytes[i], bytes[i + 2]);
}

void xor_aes_ctr(MutableBytes bytes, const std::string& key, const std::string& iv) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  ASSERT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, from_hex(key).data(),
                               from_hex(iv).data()),
            1);
  ASSERT_EQ(EVP_EncryptUpdate(context.get(), bytes.data(), &length, bytes.data(),
                              static_cast<int>(bytes.size())),
            1);
}

class Oracle : public ::testing::TestWithParam<const char*> {};

TEST_P(Oracle, Agrees) {
  const fs::path oracle =
      directory("ICB_ORACLES", "oracles/metrics") / (GetParam() + std::string(".json"));
  const std::string name = GetParam() + std::string(".tiff");
  const fs::path data = directory("ICBENCH_DATA", "sipi");
  const fs::path file = fs::exists(data / name) ? data / name : data / "misc" / name;
  if (!fs::exists(oracle)) GTEST_SKIP() << "no oracle file " << oracle;
  if (!fs::exists(file)) GTEST_SKIP() << "no image " << file;
  const auto json = nlohmann::json::parse(std::ifstream(oracle));
  const cv::Mat mat = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
  ASSERT_FALSE(mat.empty());
  ASSERT_TRUE(mat.isContinuous());
  const Shape shape{static_cast<std::size_t>(mat.rows), static_cast<std::size_t>(mat.cols),
                    static_cast<std::size_t>(mat.channels()), mat.elemSize1()};
  const OwnedImage plain(shape, Bytes(mat.data, mat.data + shape.bytes()));
  OwnedImage cipher = plain;
  swap_red_and_blue(cipher);
  OwnedImage second = cipher;
  second.view().bytes()[0] ^= 1;
  xor_aes_ctr(cipher.view().bytes(), json.at("key"), json.at("iv"));
  swap_red_and_blue(cipher);
  xor_aes_ctr(second.view().bytes(), json.at("key"), json.at("iv2"));
  swap_red_and_blue(second);

  std::size_t compared = 0;
  const auto compare = [&](const Measurement& m, const nlohmann::json& values) {
    const double expected = values.at(m.quantity);
    ++compared;
    // The oracle's own sums are rounded: 2e-16 is its floor for correlations near 0.
    EXPECT_NEAR(*m.value, expected, 1e-12 * std::abs(expected) + 2e-16)
        << m.quantity << " " << m.channel;
    if (m.quantity != "chi_square") return;
    const double upper = values.at("chi_square_p");
    EXPECT_NEAR(chi_square_upper(*m.value, 256).value(), upper, 1e-12 * upper + 1e-300);
  };
  for (const char* metric : {"correlation_horizontal", "correlation_vertical",
                             "correlation_diagonal", "entropy", "chi_square"}) {
    for (const auto& [kind, image] :
         {std::pair{"plain", &plain}, std::pair{"cipher", &std::as_const(cipher)}}) {
      for (const Measurement& m : measure(metric, {.image = image->view()})) {
        if (m.channel != "all") compare(m, json.at("channels").at(m.channel).at(kind));
      }
    }
  }
  const MetricInput input{.image = std::as_const(cipher).view(),
                          .plain = plain.view(),
                          .second = std::as_const(second).view()};
  for (const char* metric :
       {"bit_change_rate", "encryption_quality", "irregular_deviation", "mae", "maximum_deviation",
        "mse", "npcr", "plain_cipher_correlation", "psnr", "uaci"}) {
    for (const Measurement& m : measure(metric, input)) {
      if (m.channel == "all") continue;
      const auto& values = json.at("channels").at(m.channel);
      compare(m, values);
      if (m.quantity != "npcr" && m.quantity != "uaci") continue;
      const double z = values.at(m.quantity + "_z");
      EXPECT_NEAR(*m.z, z, 1e-11 * (1 + std::abs(z))) << m.quantity;  // a difference of fractions
    }
  }
  EXPECT_EQ(compared, 20 * shape.channels);
}

INSTANTIATE_TEST_SUITE_P(Images, Oracle,
                         ::testing::Values("4.2.03", "5.2.10", "7.1.01", "ruler.512"));

}  // namespace
}  // namespace icb::testing
