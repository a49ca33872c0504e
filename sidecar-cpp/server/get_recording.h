// One `GetRecording` call: returns the recording of a recent run.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call; NOT_FOUND if the engine does not have the recording. The returned object lives until gRPC releases
// it.
grpc::ServerUnaryReactor* StartGetRecording(const IncomingCall& call);

}  // namespace tandem
