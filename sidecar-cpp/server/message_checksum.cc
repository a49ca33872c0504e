#include "server/message_checksum.h"

#define XXH_STATIC_LINKING_ONLY  // the state by value
#include <grpc/slice.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <xxhash.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "base/little_endian.h"

namespace tandem {
namespace {

// Field 15 of wire type fixed64, then the value.
constexpr std::uint8_t kTag = 15 << 3 | 1;
constexpr std::size_t kTrailerBytes = 1 + sizeof(std::uint64_t);

void WriteTrailer(std::uint64_t checksum, std::uint8_t* to) {
  *to = kTag;
  std::memcpy(to + 1, &checksum, sizeof(checksum));
}

}  // namespace

std::uint64_t ChecksumOf(const google::protobuf::MessageLite& message, std::uint64_t seed) {
  const std::string bytes = message.SerializeAsString();
  return XXH64(bytes.data(), bytes.size(), seed);
}

grpc::ByteBuffer WithChecksum(const google::protobuf::MessageLite& message, std::uint64_t seed) {
  const std::size_t size = message.ByteSizeLong();
  grpc_slice memory = grpc_slice_malloc(size + kTrailerBytes);
  std::uint8_t* bytes = GRPC_SLICE_START_PTR(memory);
  message.SerializeWithCachedSizesToArray(bytes);
  WriteTrailer(XXH64(bytes, size, seed), bytes + size);
  const grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return {&slice, 1};
}

bool EndsWithChecksum(grpc::ByteBuffer& message, std::uint64_t seed) {
  const std::size_t length = message.Length();
  if (length < kTrailerBytes) return false;
  // gRPC keeps a message in the pieces in which it came; the trailer may lie across two.
  XXH64_state_t hash;
  XXH64_reset(&hash, seed);
  std::size_t before_trailer = length - kTrailerBytes;
  std::array<std::uint8_t, kTrailerBytes> found{};
  std::size_t found_size = 0;
  grpc::ProtoBufferReader reader(&message);
  const void* piece = nullptr;
  int piece_size = 0;
  while (reader.Next(&piece, &piece_size)) {
    const std::string_view bytes(static_cast<const char*>(piece), static_cast<std::size_t>(piece_size));
    const std::string_view body = bytes.substr(0, before_trailer);
    XXH64_update(&hash, body.data(), body.size());
    before_trailer -= body.size();
    for (const char byte : bytes.substr(body.size())) found.at(found_size++) = static_cast<std::uint8_t>(byte);
  }
  std::array<std::uint8_t, kTrailerBytes> right{};
  WriteTrailer(XXH64_digest(&hash), right.data());
  return found == right;
}

}  // namespace tandem
