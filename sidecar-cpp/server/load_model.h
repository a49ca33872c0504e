// The `LoadModel` and `UnloadModel` calls. They are checked here and carried out by ModelLoads.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call. `on_change` is called when the models have changed or may have. The returned object lives until
// gRPC releases it.
grpc::ServerUnaryReactor* StartLoadModel(const IncomingCall& call, std::function<void()> on_change);
grpc::ServerUnaryReactor* StartUnloadModel(const IncomingCall& call, std::function<void()> on_change);

}  // namespace tandem
