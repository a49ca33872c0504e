// One `Describe` call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "server/incoming_call.h"

namespace tandem {

// Answers the call. The answer includes `max_message_bytes`. The returned object lives until gRPC releases it.
grpc::ServerUnaryReactor* StartDescribe(const IncomingCall& call, std::uint64_t max_message_bytes);

}  // namespace tandem
