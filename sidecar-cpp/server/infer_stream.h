// One `InferStream` call.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"
#include "server/stream_registry.h"
#include "server/unread_answers.h"

namespace tandem {

// Sent when the stream opens: which process it goes to (DescribeResponse.instance_id).
inline constexpr const char* kInstanceIdKey = "tandem-instance-id-bin";
// A caller that sends this key, whatever its value, ends each of its messages with a checksum.
inline constexpr const char* kChecksumsKey = "tandem-checksums";

// Open at once, on all connections together; more are answered ENGINE_FULL. A router opens a few.
inline constexpr std::size_t kMaxOpenStreams = 1024;

// Starts serving the call; what is returned lives until gRPC is done with it. All that is given must outlive it.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartStream(EngineCore& core, StreamRegistry& streams,
                                                                         UnreadAnswers& unread,
                                                                         grpc::CallbackServerContext& context);

}  // namespace tandem
