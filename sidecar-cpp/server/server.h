// The gRPC server around an engine: address, limits, health, reflection, and an orderly end.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/status.h"
#include "server/engine_core.h"
#include "server/keep_awake.h"
#include "server/listener.h"
#include "server/memory_guard.h"
#include "server/service.h"
#include "server/stream_registry.h"
#include "server/tls.h"
#include "server/unread_answers.h"

namespace tandem {

struct ServerOptions {
  std::string listen = "127.0.0.1:50061";  // host:port (port 0: any free one) or unix:/path
  int max_message_bytes =
      65 << 20;  // larger ones get RESOURCE_EXHAUSTED; 16 MiB of INT8 at a router become 64 MiB here
  bool reflection = true;
  std::size_t wire_bytes = std::size_t{128} << 20;  // for the buffers of all connections together
  int max_fd = 1024;                                // connections use descriptors below it
  // Memory limit of the process without simulation, above which it closes its connections; 0: none.
  std::size_t max_memory_bytes = 0;
  TlsFiles tls = {};
};

class Server {
 public:
  // Listens and serves. `core` must outlive the server.
  static Expected<std::unique_ptr<Server>> Start(const ServerOptions& options, EngineCore& core);
  ~Server() { unread_.StopWatching(); }  // it uses the listener
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The address in use, with the real port.
  [[nodiscard]] const std::string& address() const { return address_; }

  // A channel to this server without a socket. For tests.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // For tests.
  UnreadAnswers& unread() { return unread_; }

  // Reports NOT_SERVING, refuses new work, answers open requests and closes streams. After `timeout` it cancels the
  // rest, and returns false. Call it once.
  bool Drain(std::chrono::milliseconds timeout);

 private:
  Server(EngineCore& core, const ServerOptions& options)
      : core_(core),
        address_(options.listen),
        service_(core, streams_, unread_, static_cast<std::uint64_t>(options.max_message_bytes),
                 [this] { TellHealth(); }) {}

  // Returns true if there is a usable model.
  void TellHealth();

  EngineCore& core_;
  std::string address_;
  StreamRegistry streams_;
  UnreadAnswers unread_;
  EngineServiceImpl service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<MemoryGuard> guard_;  // destroyed before the listener, which it uses
  std::unique_ptr<KeepAwake> keep_awake_;
};

}  // namespace tandem
