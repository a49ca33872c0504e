#include "telemetry/otlp_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <string>
#include <utility>

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
  grpc::ByteBuffer response;
  std::promise<grpc::Status> ended;
  stub_.UnaryCall(&context, kMethod, grpc::StubOptions(), &request, &response,
                  [&](grpc::Status status) { ended.set_value(std::move(status)); });
  grpc::Status status = ended.get_future().get();
  const std::lock_guard lock(mutex_);
  under_way_ = nullptr;
  return status;
}

void OtlpClient::Cancel() {
  const std::lock_guard lock(mutex_);
  if (under_way_ != nullptr) under_way_->TryCancel();
}

}  // namespace tandem
