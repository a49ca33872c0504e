// `tandem-engine --check-health`: a client of grpc.health.v1, for containers, which have no shell to ask with.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/tls.h"

namespace tandem {

// The server's answer on this channel, as bytes.
std::pair<grpc::Status, std::string> AskHealth(const std::shared_ptr<grpc::Channel>& channel,
                                               std::chrono::milliseconds timeout);

// Nothing where the server at `address` ("host:port" or "unix:/path") says SERVING; else why not. `tls`: as it has
// them.
MaybeError CheckHealth(const std::string& address, std::chrono::milliseconds timeout, const TlsFiles& tls = {});

}  // namespace tandem
