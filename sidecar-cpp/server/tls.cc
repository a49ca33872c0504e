#include "server/tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>
#include <iterator>

#include "base/text.h"

namespace tandem {
namespace {

constexpr unsigned int kLookEveryS = 5;

Error Refused(const std::string& message) { return {Code::kInvalidArgument, "TLS", message, {}, 0}; }

MaybeError CheckPem(const std::string& flag, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (text.find("-----BEGIN ") != std::string::npos) return std::nullopt;
  const std::string why = in.is_open() ? "is not a PEM file" : "cannot be read";
  return Refused(flag + " " + Printable(file) + " " + why + "; scripts/certs makes certificates for development");
}

MaybeError Check(const TlsFiles& files) {
  if (files.cert.empty() != files.key.empty()) return Refused("--tls-cert and --tls-key go together; give both");
  if (files.cert.empty() && !files.client_ca.empty()) return Refused("--tls-client-ca needs --tls-cert and --tls-key");
  if (files.cert.empty()) return std::nullopt;
  if (auto error = CheckPem("--tls-cert", files.cert)) return error;
  if (auto error = CheckPem("--tls-key", files.key)) return error;
  return files.client_ca.empty() ? std::nullopt : CheckPem("--tls-client-ca", files.client_ca);
}

std::shared_ptr<grpc::experimental::CertificateProviderInterface> Watch(const TlsFiles& files) {
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(files.key, files.cert, files.client_ca,
                                                                              kLookEveryS);
}

}  // namespace

Expected<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const TlsFiles& files) {
  if (auto error = Check(files)) return *std::move(error);
  if (files.cert.empty()) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(Watch(files));
  options.watch_identity_key_cert_pairs();
  if (files.client_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

Expected<std::shared_ptr<grpc::ChannelCredentials>> OwnChannelCredentials(const TlsFiles& files) {
  if (auto error = Check(files)) return *std::move(error);
  if (files.cert.empty()) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch({files.cert, files.key, ""}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  options.set_check_call_host(false);
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace tandem
