#include "bench/protocols/protocol.hpp"

#include "metrics/verdict.hpp"

namespace icb {

std::string family_of_quantity(const Measurement& measurement) {
  for (const auto& [name, protocol] : registry<ProtocolEntry>()) {
    for (const ProtocolQuantity& quantity : protocol.quantities) {
      if (quantity.name == measurement.quantity && !quantity.family.empty()) return quantity.family;
    }
  }
  return family_of(measurement);
}

}  // namespace icb
