// One `Trace` call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/incoming_call.h"

namespace tandem {

// Starts answering the call. The returned object lives until gRPC releases it.
grpc::ServerUnaryReactor* StartTrace(const IncomingCall& call);

}  // namespace tandem
