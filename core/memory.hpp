/// How this process gets memory and what it does with memory it has freed.
#pragma once

#include <cstddef>

namespace icb {

/// Keeps freed blocks of up to 32 MiB for the next image, where glibc would return them to the
/// system and fetch, zeroed page by page, as many again. For programs that go through many images
/// of a size; call it first. Does nothing with other C libraries.
void keep_freed_memory();

/// Asks for huge pages below memory that has not been touched yet: an image of many megabytes then
/// takes dozens of page faults instead of thousands, and walks down its columns find their pages.
/// Does nothing with less than 4 MiB or where the system has none.
void prefer_huge_pages(void* memory, std::size_t bytes);

}  // namespace icb
