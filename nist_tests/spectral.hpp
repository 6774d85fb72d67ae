/// The spectral test's transform, for provenance.
#pragma once

#include <string>

namespace icb {

/// Name and version of the library that does the transform, e.g. "fftw-3.3.10-sse2-avx".
std::string transform_library();

}  // namespace icb
