#include "bench/verify.hpp"

#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <variant>

#include "cipher/cipher.hpp"

namespace icb {
namespace {

template <class Check>
std::string guarded(Check check) {
  try {
    return check();
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string compare(const RandomnessVector& vector, const TestResult& result) {
  if (const auto* reason = std::get_if<NotApplicable>(&result.outcome)) {
    return fmt::format("{}: not applicable: {}", vector.source, reason->reason);
  }
  const auto& found = std::get<std::vector<SubResult>>(result.outcome);
  for (const auto& [id, expected] : vector.p_values) {
    bool seen = false;
    for (const SubResult& sub : found) {
      if (sub.id != id) continue;
      seen = true;
      if (!(std::abs(sub.p.value() - expected) <= vector.tolerance)) {
        return fmt::format("{}: {} expected {:.9g}, got {:.17g}", vector.source, id, expected,
                           sub.p.value());
      }
    }
    if (!seen) return fmt::format("{}: no p-value called {}", vector.source, id);
  }
  return {};
}

}  // namespace

std::string check_vectors(const RandomnessEntry& test) {
  for (const RandomnessVector& vector : test.vectors) {
    const BitSequence bits = BitSequence::from_text(vector.bits);
    std::string difference = compare(vector, test.run(bits.view(), vector.parameters));
    if (!difference.empty()) return difference;
  }
  return {};
}

std::vector<VerifiedSubject> verify_all() {
  std::vector<VerifiedSubject> out;
  for (const auto& [name, cipher] : registry<CipherEntry>()) {
    out.push_back({name, "cipher", guarded(cipher.verify)});
  }
  for (const auto& [name, test] : registry<RandomnessEntry>()) {
    const RandomnessEntry& entry = test;  // Clang 14 cannot capture a structured binding
    out.push_back({name, "randomness test", guarded([&entry] { return check_vectors(entry); })});
  }
  return out;
}

}  // namespace icb
