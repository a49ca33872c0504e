// One `Describe` call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call. `max_message_bytes` is told. What is returned lives until gRPC is done with it.
grpc::ServerUnaryReactor* StartDescribe(const IncomingCall& call, std::uint64_t max_message_bytes);

}  // namespace tandem
