// XXH64 for digests: seed 0, little-endian bytes in the given order.
#pragma once

#define XXH_STATIC_LINKING_ONLY  // the state by value
#include <xxhash.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/little_endian.h"

namespace tandem {

class Digest {
 public:
  Digest() { XXH64_reset(&state_, 0); }

  template <typename Number>
  void Add(Number value) {
    XXH64_update(&state_, &value, sizeof(value));
  }
  template <typename Number>
  void AddAll(std::span<const Number> values) {
    XXH64_update(&state_, values.data(), values.size_bytes());
  }
  void AddText(std::string_view text) { XXH64_update(&state_, text.data(), text.size()); }

  [[nodiscard]] std::uint64_t Value() const { return XXH64_digest(&state_); }

 private:
  XXH64_state_t state_;
};

inline std::uint64_t DigestOf(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

}  // namespace tandem
