// The single call of OTLP, over its own channel.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <mutex>

#include "base/clock.h"
#include "telemetry/otlp_settings.h"

namespace tandem {

class OtlpClient {
 public:
  // Connects when there is something to send. It uses target, TLS, headers and timeout of `settings`.
  explicit OtlpClient(const OtlpSettings& settings);
  // No Export may be running.
  ~OtlpClient();

  // `request`: an ExportTraceServiceRequest. Waits for the answer, at most for settings.timeout and until `deadline`.
  // Fails at once if no server listens. Only one thread at a time may call it.
  grpc::Status Export(const grpc::ByteBuffer& request, TimePoint deadline);

  // Ends a running Export with CANCELLED. Any thread.
  void Cancel();

 private:
  const OtlpSettings settings_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::mutex mutex_;
  grpc::ClientContext* under_way_ = nullptr;
};

}  // namespace tandem
