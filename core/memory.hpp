/// How this process treats memory it has freed.
#pragma once

namespace icb {

/// Keeps freed blocks of up to 32 MiB for the next image, where glibc would return them to the
/// system and fetch, zeroed page by page, as many again. For programs that go through many images
/// of a size; call it first. Does nothing with other C libraries.
void keep_freed_memory();

}  // namespace icb
