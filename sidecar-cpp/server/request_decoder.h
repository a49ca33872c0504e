// The messages of one InferStream call as they come in: checked, then looked through, before any of it is parsed. A pure
// function over bytes and the messages before.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "server/request_scan.h"

namespace tandem {

// Not thread-safe.
class RequestDecoder {
 public:
  // `checksums`: the caller has said that each of its messages ends with a checksum. Else its first message that does
  // says so. From then on one without is taken for one whose checksum was hit.
  explicit RequestDecoder(bool checksums) : checksums_(checksums) {}

  // The stream's next message, which must outlive the result. An error is the end of the stream: nothing that the
  // message says is true, and what was in flight may be what it was about.
  Expected<ScannedRequest> Decode(std::string_view message);

  // For an item that was found, but cannot be parsed.
  [[nodiscard]] Error Unreadable() const;

 private:
  bool checksums_;
  std::uint64_t received_ = 0;
};

}  // namespace tandem
