// The checksum that ends a message (`checksum` in engine.proto), over its bytes as they are on the wire.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

namespace tandem {

// Of all that `message` is on the wire; its own field `checksum` must be unset.
std::uint64_t ChecksumOf(const google::protobuf::MessageLite& message, std::uint64_t seed);

// The message on the wire, with its checksum behind it; its own field `checksum` must be unset.
grpc::ByteBuffer WithChecksum(const google::protobuf::MessageLite& message, std::uint64_t seed);

// Whether the message ends with the checksum of all that comes before it. False where it has none.
bool EndsWithChecksum(grpc::ByteBuffer& message, std::uint64_t seed);

}  // namespace tandem
