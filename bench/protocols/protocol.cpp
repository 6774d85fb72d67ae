#include "bench/protocols/protocol.hpp"

#include "metrics/verdict.hpp"

namespace icb {

const ProtocolQuantity* find_quantity(std::string_view name) {
  for (const auto& [protocol_name, protocol] : registry<ProtocolEntry>()) {
    for (const ProtocolQuantity& quantity : protocol.quantities) {
      if (quantity.name == name) return &quantity;
    }
  }
  return nullptr;
}

std::string family_of_quantity(const Measurement& measurement) {
  const ProtocolQuantity* quantity = find_quantity(measurement.quantity);
  if (quantity != nullptr && !quantity->family.empty()) return quantity->family;
  return family_of(measurement);
}

bool is_nonce_misuse(const Measurement& measurement, const CipherEntry& cipher) {
  const ProtocolQuantity* quantity = find_quantity(measurement.quantity);
  return quantity != nullptr && quantity->changes_plain && measurement.nonce_policy == "fixed" &&
         cipher.nonce_bytes.value > 0;
}

}  // namespace icb
