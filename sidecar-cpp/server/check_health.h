// `tandem-engine --check-health`: a client of grpc.health.v1, for containers without a shell.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/tls.h"

namespace tandem {

// The server's encoded answer on this channel.
std::pair<grpc::Status, std::string> AskHealth(const std::shared_ptr<grpc::Channel>& channel,
                                               std::chrono::milliseconds timeout);

// Returns nullopt if the server at `address` ("host:port" or "unix:/path") answers SERVING, else the error. `tls`: the
// server's settings.
MaybeError CheckHealth(const std::string& address, std::chrono::milliseconds timeout, const TlsFiles& tls = {});

}  // namespace tandem
