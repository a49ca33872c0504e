// Accepts connections and passes them on. gRPC 1.51 has its own accept loop, but that ends for ever when an accept
// fails, for example because the process has no free file descriptor.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "telemetry/occasionally.h"

namespace tandem {

// A connected socket. Its owner must close it.
using OnConnection = std::function<void(int fd)>;

class Listener {
 public:
  // Listens on an address that CheckListenAddress has accepted. Descriptors from `max_fd` on are reserved for files and
  // probes: a connection that would use one is closed at once.
  static Expected<std::unique_ptr<Listener>> Open(const std::string& address, int max_fd);
  // Stops listening; a Unix socket's file is removed.
  ~Listener();

  // 0 for Unix sockets.
  [[nodiscard]] int port() const { return port_; }

  // Starts to accept, on a separate thread. Call it once.
  void Start(OnConnection on_connection);

  // Ends every accepted connection. For their owner they look as if closed by the peer.
  void CloseConnections() const;
  // Ends the connections of one peer, by gRPC's name for it, that have bytes which the peer does not read. Peers of a
  // Unix socket have no names, so it applies to all of them.
  void CloseStuckConnections(const std::string& peer) const;

 private:
  Listener(const std::string& address, int max_fd) : address_(address), max_fd_(max_fd) {}

  bool OpenUnix(const std::string& path);
  bool OpenTcp(const std::string& host, const std::string& port);
  void Accept();
  void AcceptAll(int socket);
  void Refuse(int socket);
  // Calls `visit` with each accepted connection that is still open.
  void ForEachConnection(const std::function<void(int fd)>& visit) const;

  const std::string address_;
  const int max_fd_;
  int port_ = 0;
  std::string unix_path_;  // empty: TCP
  std::vector<int> sockets_;
  int stop_ = -1;     // an eventfd
  int reserve_ = -1;  // a reserved descriptor, used if no other is free
  bool is_out_of_descriptors_ = false;
  Occasionally full_;
  mutable Occasionally stuck_;
  OnConnection on_connection_;
  std::thread thread_;
};

// Raises the limit on file descriptors as far as possible. Returns the first descriptor that connections may not use.
int ReserveDescriptors();

}  // namespace tandem
