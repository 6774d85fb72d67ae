/// Known answers of all subjects, checked before anything is measured.
#pragma once

#include <string>
#include <vector>

#include "nist_tests/randomness_test.hpp"

namespace icb {

struct VerifiedSubject {
  std::string name;
  std::string kind;
  std::string difference;  ///< empty: all known answers hold
};

/// Every cipher and every randomness test, sorted by kind and name.
std::vector<VerifiedSubject> verify_all();

/// First difference between a test's known answers and what it gives, or empty.
std::string check_vectors(const RandomnessEntry& test);

}  // namespace icb
