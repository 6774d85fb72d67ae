/// Key sensitivity: every key bit flipped once, encrypting and decrypting, by the protocol
/// `key-sensitivity` (bench/protocols/key_sensitivity.cpp), which has the null models.
///
/// Image:   a generated one, gray, resized to a square (256 x 256 pixels).
#include <fmt/format.h>

#include <algorithm>

#include "bench/properties/property.hpp"
#include "bench/protocols/protocol.hpp"
#include "bench/stop.hpp"
#include "core/hash.hpp"

namespace icb::properties {
namespace {

constexpr const char* protocol = "key-sensitivity";

std::string cell_name(const Subject& subject) {
  return fmt::format("key-bits/{0} x {0}/alpha {1:.17g}", subject.sizes.key_side, subject.alpha);
}

std::vector<Measurement> measure(const Subject& subject, const ShareDone& done) {
  const std::size_t side = subject.sizes.key_side;
  const OwnedImage plain =
      owned(resize_bilinear(find_image(smoke_set(), "texture-512-gray").load(), side, side));
  const ProtocolInput input{.cipher = subject.cipher,
                            .plain = plain.view(),
                            .key = key_of(subject, "key-bits"),
                            .seed = derive_seed(subject.seed, "properties/key-bits"),
                            .alpha = subject.alpha,
                            .progress = [&](double share) {
                              throw_if_stopped("interrupted");
                              done(share);
                            }};
  return find<ProtocolEntry>(protocol).run(input);
}

std::vector<Cell> cells(const Subject& subject) {
  const auto side = static_cast<double>(subject.sizes.key_side);
  return {
      {.name = cell_name(subject),
       .compute = {},
       .cost = 3e-6 * 3 * 256 * side * side,
       .compute_in_steps = [&subject](const ShareDone& done) { return measure(subject, done); }}};
}

std::vector<Finding> findings(const Subject& subject, const CellResults& results) {
  const std::size_t side = subject.sizes.key_side;
  std::vector<Finding> out;
  for (Measurement m : found(results, cell_name(subject))) {
    const ProtocolQuantity* quantity = find_quantity(m.quantity);
    const std::string family = family_of_quantity(m);
    m.channel = "all";
    const std::string values =
        quantity == nullptr ? "" : fmt::format("mean {}, sd {}", quantity->expected, quantity->sd);
    if (m.quantity == "key_inert_bits" &&
        m.value) {  // by chance 2^-bits of the image: no p-value is needed
      m.p_value.reset();
      m.status = *m.value > 0 ? Status::reject : Status::ok;
    }
    // That has no expectation and says only what happened.
    const bool decides = m.quantity != "key_decrypt_refused";
    if (m.value) {
      m.detail = fmt::format("{} {:.6g}{}{}; {} x {} pixels", m.quantity, *m.value,
                             m.detail.empty() ? "" : "; ", m.detail, side, side);
    }
    out.push_back({.measurement = std::move(m),
                   .family = fmt::format("key-bits/{}", family),
                   .null_model = values,
                   .decides = decides});
  }
  return out;
}

const RegisterProperty entry{
    {.name = "key-bits",
     .summary =
         "every key bit flipped, encrypting and decrypting: unrelated or refused, none inert",
     .null_model = "cipher images uniform and independent: binomial counts, normal UACI",
     .refuses = [](const Subject& subject) -> std::optional<std::string> {
       if (subject.cipher.key_bits.value > 0) return std::nullopt;
       return "the cipher has no key";
     },
     .cells = cells,
     .findings = findings}};

}  // namespace
}  // namespace icb::properties
