// The `LoadModel` and `UnloadModel` calls: checked here, done by ModelLoads.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call. `on_change`: the models are others than before, or may be. What is returned lives until gRPC is
// done with it.
grpc::ServerUnaryReactor* StartLoadModel(const IncomingCall& call, std::function<void()> on_change);
grpc::ServerUnaryReactor* StartUnloadModel(const IncomingCall& call, std::function<void()> on_change);

}  // namespace tandem
