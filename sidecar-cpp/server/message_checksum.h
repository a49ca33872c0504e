// The checksum that ends a message (`checksum` in engine.proto), over its bytes as they are on the wire.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

// A message on the wire, given as serialized parts, with its checksum behind it; its own field `checksum` must be unset.
grpc::ByteBuffer WithChecksum(std::span<const std::string> parts, std::uint64_t seed);

// Whether the message ends with the checksum of all that comes before it. False where it has none.
bool EndsWithChecksum(std::string_view message, std::uint64_t seed);

}  // namespace tandem
