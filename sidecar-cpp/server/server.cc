#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <thread>

#include "server/listen_address.h"

namespace tandem {
namespace {

constexpr int kMaxConcurrentStreams = 256;                     // a connection
constexpr std::size_t kMaxWireBytes = std::size_t{256} << 20;  // all connections' buffers together
constexpr int kMinPingIntervalMs = 5000;                       // routers ping every 10 s, calls or not
constexpr int kPingIdlePeerMs = 30000;
constexpr int kPingTimeoutMs = 10000;

constexpr std::chrono::milliseconds kDrainPoll{2};
constexpr std::chrono::milliseconds kLastWords{200};  // for answers on their way out when the rest is done

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("tandem-engine");
  quota.Resize(kMaxWireBytes);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIdlePeerMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  // Two engines on one port would share its calls unnoticed.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

Expected<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, EngineCore& core) {
  if (auto error = CheckListenAddress(options.listen)) return *std::move(error);
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  std::unique_ptr<Server> server(new Server(core, options));
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  int port = 0;
  builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&server->service_);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) return CannotListen(options.listen);
  server->address_ = AddressWithPort(options.listen, port);
  if (auto* health = server->server_->GetHealthCheckService()) {
    health->SetServingStatus("tandem.engine.v1.EngineService", true);
  }
  return server;
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() { return server_->InProcessChannel({}); }

bool Server::Drain(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(false);
  core_.StartDraining();
  streams_.DrainAll();
  // Our own calls are waited for here: gRPC would also wait for every health watch, which its caller may never end.
  bool done = false;
  while (!(done = core_.in_flight() == 0 && streams_.empty()) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kDrainPoll);
  }
  server_->Shutdown(std::chrono::system_clock::now() + kLastWords);
  core_.Close();
  server_->Wait();
  return done;
}

}  // namespace tandem
