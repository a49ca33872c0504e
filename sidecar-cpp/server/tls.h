// TLS of the engine's port. Certificates are read again when their files change, so a renewal needs no restart.
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
  // Routers must present a certificate that this CA signed. Empty: no certificate is required.
  std::string client_ca;
};

// Credentials of a server. Refuses incomplete settings, and files that cannot be read.
Expected<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const TlsFiles& files);

// Credentials for a call to this engine itself, which needs no proof of its identity.
Expected<std::shared_ptr<grpc::ChannelCredentials>> OwnChannelCredentials(const TlsFiles& files);

}  // namespace tandem
