#pragma once

namespace tandem {

// A sanitizer reserves terabytes of address space for its own books, and reports on stderr.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderSanitizer = true;
#else
inline constexpr bool kUnderSanitizer = false;
#endif

}  // namespace tandem
