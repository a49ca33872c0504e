// One `Trace` call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Starts answering the call; what is returned lives until gRPC is done with it. `core` must outlive it.
grpc::ServerUnaryReactor* StartTrace(EngineCore& core, grpc::CallbackServerContext& context,
                                     const engine::v1::TraceRequest& request, engine::v1::TraceResponse& response);

}  // namespace tandem
