// One `InferStream` call.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>

#include "server/engine_core.h"
#include "server/stream_registry.h"

namespace tandem {

// Items a message may hold; more are answered BATCH_TOO_LARGE, and a message of absurdly many ends the stream.
inline constexpr int kMaxItemsPerMessage = 256;
inline constexpr int kAbsurdItemsPerMessage = 4096;

// A stream stops reading while this much waits for a peer that does not read its answers.
inline constexpr std::size_t kMaxUnsentResults = 512;
inline constexpr std::size_t kMaxUnsentBytes = std::size_t{8} << 20;

// Answers gathered into one message, at most (one answer is always sent, however large).
inline constexpr int kMaxResultsPerMessage = 256;
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20;

// Sent when the stream opens: which process it goes to (DescribeResponse.instance_id).
inline constexpr const char* kInstanceIdKey = "tandem-instance-id-bin";
// A caller that sends this key, whatever its value, ends each of its messages with a checksum.
inline constexpr const char* kChecksumsKey = "tandem-checksums";

// Starts serving the call; what is returned lives until gRPC is done with it. `core` and `streams` must outlive it.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartStream(EngineCore& core, StreamRegistry& streams,
                                                                         grpc::CallbackServerContext& context);

}  // namespace tandem
