#include "core/memory.hpp"

#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace icb {

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest it accepts
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace icb
