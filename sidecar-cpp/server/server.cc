#include "server/server.h"

#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <string>
#include <thread>
#include <utility>

#include "server/check_health.h"
#include "server/listen_address.h"

namespace tandem {
namespace {

constexpr int kMaxConcurrentStreams = 256;  // a connection
constexpr int kMinPingIntervalMs = 5000;    // routers ping every 10 s, calls or not
constexpr int kPingIdlePeerMs = 30000;
constexpr int kPingTimeoutMs = 10000;
constexpr int kHandshakeTimeoutMs = 10000;  // until the client's SETTINGS
constexpr int kMaxIdleMs = 10 * 60 * 1000;  // without a call

constexpr std::chrono::milliseconds kKeepAwakeTimeout{1000};
constexpr std::chrono::milliseconds kDrainPoll{2};
constexpr std::chrono::milliseconds kFlushTimeout{200};  // for sending the last answers

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("tandem-engine");
  quota.Resize(options.wire_bytes);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  // Our programs do not compress, and gRPC would expand a small compressed message before it checks the size.
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIdlePeerMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMaxIdleMs);
  // A stream's window grows only as far as the application reads: an unread sender must not fill the engine's memory.
  // (A larger window for streams alone does not help: the window of the connection, 64 KB, can only be changed by the
  // probe, which makes both 4 MB.)
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
}

}  // namespace

Expected<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, EngineCore& core) {
  if (auto error = CheckListenAddress(options.listen)) return *std::move(error);
  const auto credentials = ServerCredentialsOf(options.tls);
  if (!credentials.ok()) return credentials.error();
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  std::unique_ptr<Server> server(new Server(core, options));
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  auto listener = Listener::Open(options.listen, options.max_fd);
  if (!listener.ok()) return listener.error();
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor =
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials.value());
  builder.RegisterService(&server->service_);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) return CannotListen(options.listen);
  server->listener_ = std::move(listener).value();
  server->address_ = AddressWithPort(options.listen, server->listener_->port());
  server->TellHealth();
  server->listener_->Start([acceptor](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  });
  server->unread_.StartWatching(
      [listener = server->listener_.get()](const std::string& peer) { listener->CloseStuckConnections(peer); });
  if (options.max_memory_bytes > 0) {
    server->guard_ = std::make_unique<MemoryGuard>(
        [most = options.max_memory_bytes, &core] {
          return most + core.ScratchBytes() + core.model_loads().allowed_bytes();
        },
        [listener = server->listener_.get()] { listener->CloseConnections(); });
  }
  server->keep_awake_ =
      std::make_unique<KeepAwake>([channel = server->InProcessChannel()] { AskHealth(channel, kKeepAwakeTimeout); });
  return server;
}

void Server::TellHealth() {
  auto* const health = server_->GetHealthCheckService();
  if (health == nullptr || core_.draining()) return;
  const bool ready = core_.HasUsableModel();
  health->SetServingStatus("", ready);
  health->SetServingStatus("tandem.engine.v1.EngineService", ready);
}

std::shared_ptr<grpc::Channel> Server::InProcessChannel() { return server_->InProcessChannel({}); }

bool Server::Drain(std::chrono::milliseconds timeout) {
  const TimePoint deadline = Clock::now() + timeout;
  if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(false);
  core_.StartDraining();
  streams_.DrainAll();
  // Waits for our own calls. gRPC would also wait for every health watch, which may never end.
  bool done = false;
  while (!(done = core_.in_flight() == 0 && streams_.empty()) && Clock::now() < deadline) {
    std::this_thread::sleep_for(kDrainPoll);
  }
  keep_awake_.reset();
  guard_.reset();
  unread_.StopWatching();
  listener_.reset();
  server_->Shutdown(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kFlushTimeout.count(), GPR_TIMESPAN)));
  core_.Close();
  server_->Wait();
  return done;
}

}  // namespace tandem
