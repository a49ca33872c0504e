#include "server/message_checksum.h"

#include <grpc/slice.h>
#include <xxhash.h>

#include <array>
#include <cstring>

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

grpc::ByteBuffer WithChecksum(std::span<const std::string> parts, std::uint64_t seed) {
  std::size_t size = 0;
  for (const std::string& part : parts) size += part.size();
  grpc_slice memory = grpc_slice_malloc(size + kTrailerBytes);
  std::uint8_t* const bytes = GRPC_SLICE_START_PTR(memory);
  std::uint8_t* next = bytes;
  for (const std::string& part : parts) {
    std::memcpy(next, part.data(), part.size());
    next += part.size();
  }
  WriteTrailer(XXH64(bytes, size, seed), next);
  const grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return {&slice, 1};
}

bool EndsWithChecksum(std::string_view message, std::uint64_t seed) {
  if (message.size() < kTrailerBytes) return false;
  const std::size_t body = message.size() - kTrailerBytes;
  std::array<std::uint8_t, kTrailerBytes> right{};
  WriteTrailer(XXH64(message.data(), body, seed), right.data());
  return std::memcmp(message.data() + body, right.data(), kTrailerBytes) == 0;
}

}  // namespace tandem
