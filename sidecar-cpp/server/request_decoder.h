// Checks and scans the messages of one InferStream call before any of them is parsed. A pure function of the bytes and
// the earlier messages.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "server/request_scan.h"

namespace tandem {

// Not thread-safe.
class RequestDecoder {
 public:
  // `checksums`: the caller has announced that each of its messages ends with a checksum. Otherwise the first message
  // with a checksum announces it. After that, a message without one counts as damaged.
  explicit RequestDecoder(bool checksums) : checksums_(checksums) {}

  // Decodes the stream's next message, which must outlive the result. An error ends the stream: nothing in the message
  // can be trusted, and it may have been about open items.
  Expected<ScannedRequest> Decode(std::string_view message);

  // For an item that was found, but cannot be parsed.
  [[nodiscard]] Error Unreadable() const;

 private:
  bool checksums_;
  std::uint64_t received_ = 0;
};

}  // namespace tandem
