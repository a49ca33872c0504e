// One `GetRecording` call: what one of the newest runs did, as the wire has it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"

namespace tandem {

// Answers the call, NOT_FOUND where the engine does not have the recording, and empties `request`. What is returned
// lives until gRPC is done with it. `core` must outlive it.
grpc::ServerUnaryReactor* StartGetRecording(EngineCore& core, grpc::ByteBuffer& request, grpc::ByteBuffer& response);

}  // namespace tandem
