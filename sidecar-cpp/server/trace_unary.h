// One `Trace` call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"

namespace tandem {

// Starts answering the call, and empties `request`; what is returned lives until gRPC is done with it. `core` must
// outlive it.
grpc::ServerUnaryReactor* StartTrace(EngineCore& core, grpc::CallbackServerContext& context, grpc::ByteBuffer& request,
                                     grpc::ByteBuffer& response);

}  // namespace tandem
