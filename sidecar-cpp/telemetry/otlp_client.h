// The single call of OTLP, over its own channel.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <mutex>

#include "base/clock.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "telemetry/otlp_settings.h"

namespace tandem {

class OtlpClient {
 public:
  using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

  // Connects when there is something to send. It uses target, TLS, headers and timeout of `settings`.
  explicit OtlpClient(const OtlpSettings& settings);

  // Waits for the answer, at most for settings.timeout and until `deadline`. Fails at once if no server listens. Only
  // one thread at a time may call it.
  grpc::Status Export(const Request& request, TimePoint deadline);

  // Ends a running Export with CANCELLED. Any thread.
  void Cancel();

 private:
  const OtlpSettings settings_;
  const std::unique_ptr<opentelemetry::proto::collector::trace::v1::TraceService::Stub> stub_;
  std::mutex mutex_;
  grpc::ClientContext* under_way_ = nullptr;
};

}  // namespace tandem
