// Accepts connections and hands them on. gRPC 1.51 has an accept loop of its own, but that ends for good when an accept
// fails, as it does where the process has no file descriptor left.
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

// A connected socket, for its owner to close.
using OnConnection = std::function<void(int fd)>;

class Listener {
 public:
  // Listens on an address that CheckListenAddress found right. A descriptor of `max_fd` or above is kept free for files
  // and probes: a connection that would take it is closed at once.
  static Expected<std::unique_ptr<Listener>> Open(const std::string& address, int max_fd);
  // Stops listening; a Unix socket's file is removed.
  ~Listener();

  // 0 for Unix sockets.
  [[nodiscard]] int port() const { return port_; }

  // Accepts from now on, on a thread of its own. Once.
  void Start(OnConnection on_connection);

  // Ends every connection that was accepted here. Their owner sees them closed by the peer.
  void CloseConnections() const;
  // Ends those of one peer, named as gRPC does it, that have bytes to send which the peer does not take. Peers of a
  // Unix socket have no names: all of them are meant.
  void CloseStuckConnections(const std::string& peer) const;

 private:
  Listener(const std::string& address, int max_fd) : address_(address), max_fd_(max_fd) {}

  bool OpenUnix(const std::string& path);
  bool OpenTcp(const std::string& host, const std::string& port);
  void Accept();
  void AcceptAll(int socket);
  void Refuse(int socket);
  // Calls `visit` with each connection that was accepted here and is still open.
  void ForEachConnection(const std::function<void(int fd)>& visit) const;

  const std::string address_;
  const int max_fd_;
  int port_ = 0;
  std::string unix_path_;  // empty: TCP
  std::vector<int> sockets_;
  int stop_ = -1;     // an eventfd
  int reserve_ = -1;  // a descriptor to give up where none is left, so that a caller is told at once
  bool is_out_of_descriptors_ = false;
  Occasionally full_;
  mutable Occasionally stuck_;
  OnConnection on_connection_;
  std::thread thread_;
};

// Raises the limit on file descriptors as far as the process may. Returns the first descriptor that no connection may
// take.
int ReserveDescriptors();

}  // namespace tandem
