// Splits a fuzz input into the messages of one stream: each is a byte of flags, two bytes of length, and its bytes. A
// fuzzer cannot guess a checksum, so a flag adds the right one.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::fuzz {

enum Flag : std::uint8_t {
  kChecksum = 1,  // append the right checksum
  kPieces = 2,    // in pieces of 7 bytes, as a network may deliver it
  kRun = 4,       // run one batch after it
};

struct Message {
  std::uint8_t flags = 0;
  std::string bytes;
};

// At most 64 messages; the rest of the input is ignored.
std::vector<Message> MessagesOf(std::string_view input);
std::string InputOf(const std::vector<Message>& messages);

// The bytes of message number `number` of its stream.
std::string BytesOf(const Message& message, std::uint64_t number);
grpc::ByteBuffer BufferOf(const Message& message, std::uint64_t number);

}  // namespace tandem::fuzz
