// One `InferStream` call.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"
#include "server/stream_registry.h"
#include "server/unread_answers.h"

namespace tandem {

// Sent when the stream opens: the id of this process (DescribeResponse.instance_id).
inline constexpr const char* kInstanceIdKey = "tandem-instance-id-bin";
// A caller that sends this key, with any value, ends each of its messages with a checksum.
inline constexpr const char* kChecksumsKey = "tandem-checksums";

// Maximum open streams on all connections together; more are answered with ENGINE_FULL. A router opens a few.
inline constexpr std::size_t kMaxOpenStreams = 1024;

// Starts serving the call. The returned object lives until gRPC releases it. All arguments must outlive it.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartStream(EngineCore& core, StreamRegistry& streams,
                                                                         UnreadAnswers& unread,
                                                                         grpc::CallbackServerContext& context);

}  // namespace tandem
