// One `Infer` call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/incoming_call.h"

namespace tandem {

// Starts answering the call. The returned object lives until gRPC releases it.
grpc::ServerUnaryReactor* StartUnary(const IncomingCall& call);

}  // namespace tandem
