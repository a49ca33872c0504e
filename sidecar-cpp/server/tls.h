// TLS of the engine's port. Certificates are read again when their files change, so that a renewal needs no restart.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace tandem {

struct TlsFiles {
  // PEM files. `cert`: the certificate of the engine and its intermediates; empty: plaintext.
  std::string cert;
  std::string key;
  // Routers must present a certificate that it signs. Empty: none is asked for.
  std::string client_ca;
};

// For a server. Refuses half a setting, and files that cannot be read.
Expected<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const TlsFiles& files);

// For a question to this engine itself, which need not prove who it is.
Expected<std::shared_ptr<grpc::ChannelCredentials>> OwnChannelCredentials(const TlsFiles& files);

}  // namespace tandem
