// The messages of one InferStream call as they come in: checked, then parsed.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

#include "base/status.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Not thread-safe.
class RequestDecoder {
 public:
  // `checksums`: the caller has said that each of its messages ends with a checksum. Else its first message that does
  // says so. From then on one without is taken for one whose checksum was hit.
  explicit RequestDecoder(bool checksums) : checksums_(checksums) {}

  // The stream's next message; `from` is empty afterwards. An error is the end of the stream: nothing in `to` is true,
  // and what was in flight may be what the message was about.
  MaybeError Decode(grpc::ByteBuffer& from, engine::v1::InferStreamRequest& to);

 private:
  bool checksums_;
  std::uint64_t received_ = 0;
};

}  // namespace tandem
