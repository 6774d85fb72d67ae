/// Known answers of the cipher, made by the independent Python implementation
/// (scripts/reference/make_vectors.py) and compiled in.
#pragma once

#include <string>

#include "cipher/khazaal2024/khazaal2024.hpp"

namespace icb::khazaal2024 {

/// Encrypts and decrypts every vector of the variant. Empty if all hold, else what differs first.
std::string check_vectors(const Variant& variant);

}  // namespace icb::khazaal2024
