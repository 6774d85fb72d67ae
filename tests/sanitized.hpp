/// ICB_SANITIZED: 1 under the address or thread sanitizer, which change what memory limits mean.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ICB_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ICB_SANITIZED 1
#endif
#endif
#ifndef ICB_SANITIZED
#define ICB_SANITIZED 0
#endif
