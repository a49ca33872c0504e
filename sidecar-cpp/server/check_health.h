// `tandem-engine --check-health`: a client of grpc.health.v1, for containers, which have no shell to ask with.
#pragma once

#include <chrono>
#include <string>

#include "base/status.h"

namespace tandem {

// Nothing where the server at `address` ("host:port" or "unix:/path") says SERVING; else why not.
MaybeError CheckHealth(const std::string& address, std::chrono::milliseconds timeout);

}  // namespace tandem
