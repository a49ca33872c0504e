// One `Infer` call.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "server/engine_core.h"
#include "tandem/engine/v1/engine.pb.h"

namespace tandem {

// Starts answering the call; what is returned lives until gRPC is done with it. `core` must outlive it.
grpc::ServerUnaryReactor* StartUnary(EngineCore& core, grpc::CallbackServerContext& context,
                                     const engine::v1::InferRequest& request, engine::v1::InferResponse& response);

}  // namespace tandem
