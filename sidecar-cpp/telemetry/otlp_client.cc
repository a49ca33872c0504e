#include "telemetry/otlp_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace tandem {
namespace {

const std::string kMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

std::shared_ptr<grpc::Channel> Connect(const OtlpSettings& settings) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // gRPC must not reconnect later than we retry.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(settings.first_pause.count()));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(settings.first_pause.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(settings.longest_pause.count()));
  const auto credentials = settings.tls ? grpc::SslCredentials({}) : grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(settings.target, credentials, arguments);
}

}  // namespace

OtlpClient::OtlpClient(const OtlpSettings& settings) : settings_(settings), stub_(Connect(settings)) {}

grpc::Status OtlpClient::Export(const grpc::ByteBuffer& request, TimePoint deadline) {
  grpc::ClientContext context;
  for (const auto& [key, value] : settings_.headers) context.AddMetadata(key, value);
  Clock::duration left = settings_.timeout;
  if (deadline != kNoDeadline) left = std::min(left, deadline - Clock::now());
  context.set_deadline(std::chrono::system_clock::now() + left);
  {
    const std::lock_guard lock(mutex_);
    under_way_ = &context;
  }
  grpc::Status status;
  grpc::ByteBuffer response;
  const auto call = stub_.PrepareUnaryCall(&context, kMethod, request, &queue_);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue_.Next(&tag, &ok);  // the only event there is
  const std::lock_guard lock(mutex_);
  under_way_ = nullptr;
  return status;
}

OtlpClient::~OtlpClient() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void OtlpClient::Cancel() {
  const std::lock_guard lock(mutex_);
  if (under_way_ != nullptr) under_way_->TryCancel();
}

}  // namespace tandem
