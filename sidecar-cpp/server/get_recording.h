// One `GetRecording` call: what one of the newest runs did, as the wire has it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call, NOT_FOUND where the engine does not have the recording. What is returned lives until gRPC is done
// with it.
grpc::ServerUnaryReactor* StartGetRecording(const IncomingCall& call);

}  // namespace tandem
