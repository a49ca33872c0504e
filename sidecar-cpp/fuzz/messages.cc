#include "fuzz/messages.h"

#include <grpcpp/support/slice.h>
#include <xxhash.h>

#include <algorithm>

namespace tandem::fuzz {
namespace {

constexpr std::size_t kMaxMessages = 64;
constexpr std::size_t kHeaderBytes = 3;
constexpr std::size_t kPieceBytes = 7;

// As engine.proto defines it: the tag of the field, then the hash of all bytes before it.
std::string WithChecksum(std::string bytes, std::uint64_t number) {
  const std::uint64_t hash = XXH64(bytes.data(), bytes.size(), number);
  bytes.push_back(0x79);
  return bytes.append(reinterpret_cast<const char*>(&hash), sizeof(hash));
}

}  // namespace

std::vector<Message> MessagesOf(std::string_view input) {
  std::vector<Message> messages;
  while (input.size() >= kHeaderBytes && messages.size() < kMaxMessages) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(input[at]); };
    const std::size_t length = byte(1) | byte(2) << 8;
    messages.push_back({byte(0), std::string(input.substr(kHeaderBytes, length))});
    input.remove_prefix(std::min(input.size(), kHeaderBytes + length));
  }
  return messages;
}

std::string InputOf(const std::vector<Message>& messages) {
  std::string input;
  for (const Message& message : messages) {
    input.push_back(static_cast<char>(message.flags));
    input.push_back(static_cast<char>(message.bytes.size() & 0xFF));
    input.push_back(static_cast<char>(message.bytes.size() >> 8));
    input += message.bytes;
  }
  return input;
}

std::string BytesOf(const Message& message, std::uint64_t number) {
  return (message.flags & kChecksum) != 0 ? WithChecksum(message.bytes, number) : message.bytes;
}

grpc::ByteBuffer BufferOf(const Message& message, std::uint64_t number) {
  const std::string bytes = BytesOf(message, number);
  const std::size_t piece = (message.flags & kPieces) != 0 ? kPieceBytes : std::max<std::size_t>(bytes.size(), 1);
  std::vector<grpc::Slice> slices;
  for (std::size_t at = 0; at < bytes.size(); at += piece) slices.emplace_back(bytes.substr(at, piece));
  return {slices.data(), slices.size()};
}

}  // namespace tandem::fuzz
