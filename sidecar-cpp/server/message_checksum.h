// The checksum that ends a message (`checksum` in engine.proto), over its bytes as they are on the wire.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

// A message from serialized parts, with its checksum appended. Its own field `checksum` must be unset.
grpc::ByteBuffer WithChecksum(std::span<const std::string> parts, std::uint64_t seed);

// Returns true if the message ends with the checksum of all bytes before it; false if it has none.
bool EndsWithChecksum(std::string_view message, std::uint64_t seed);

}  // namespace tandem
