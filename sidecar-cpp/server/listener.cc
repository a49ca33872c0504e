#include "server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include "server/listen_address.h"

namespace tandem {
namespace {

constexpr int kBacklog = 512;
constexpr int kMaxConnections = 1024;     // each open connection uses memory
constexpr int kReservedDescriptors = 64;  // for files, probes and descriptors of gRPC itself
constexpr int kUnsentTimeoutMs = 10000;   // a peer that acknowledges nothing for this time is gone
constexpr int kRetryMs = 20;

void SetOption(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof(value)); }

// -1 if it is not available.
int BoundSocket(const sockaddr* to, socklen_t length) {
  const int made = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0) return -1;
  if (to->sa_family != AF_UNIX) {
    // The sockets of connections inherit them.
    SetOption(made, IPPROTO_TCP, TCP_NODELAY, 1);
    SetOption(made, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnsentTimeoutMs);
    SetOption(made, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (to->sa_family == AF_INET6) SetOption(made, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(made, to, length) == 0 && listen(made, kBacklog) == 0) return made;
  close(made);
  return -1;
}

int PortOf(int socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  // Both kinds of address have the port at the same offset.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

// Returns true if this is gRPC's name for the connection's peer.
bool IsPeer(int socket, const std::string& name) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return false;
  if (peer.ss_family == AF_UNIX) return name.starts_with("unix:");
  const auto& ip4 = reinterpret_cast<const sockaddr_in&>(peer);
  const auto& ip6 = reinterpret_cast<const sockaddr_in6&>(peer);
  const std::string port = ":" + std::to_string(ntohs(ip4.sin_port));  // the same offset in both kinds of address
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (peer.ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&ip6.sin6_addr)) {
    inet_ntop(AF_INET6, &ip6.sin6_addr, host.data(), host.size());
    // There may be a scope between them.
    return name.starts_with(std::string("ipv6:%5B") + host.data()) && name.ends_with("%5D" + port);
  }
  const void* const address =
      peer.ss_family == AF_INET6 ? &ip6.sin6_addr.s6_addr[12] : static_cast<const void*>(&ip4.sin_addr);
  inet_ntop(AF_INET, address, host.data(), host.size());
  return name == std::string("ipv4:") + host.data() + port;
}

bool HasUnsentBytes(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsOutOfResources(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

int ReserveDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kReservedDescriptors;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto all = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kMaxConnections + kReservedDescriptors));
  return all - std::min(kReservedDescriptors, all / 4);
}

Expected<std::unique_ptr<Listener>> Listener::Open(const std::string& address, int max_fd) {
  std::unique_ptr<Listener> listener(new Listener(address, max_fd));
  const std::string path = UnixPath(address);
  const std::size_t colon = address.rfind(':');
  const bool is_open =
      path.empty() ? listener->OpenTcp(address.substr(0, colon), address.substr(colon + 1)) : listener->OpenUnix(path);
  if (!is_open) return CannotListen(address);
  listener->stop_ = eventfd(0, EFD_CLOEXEC);
  listener->reserve_ = OpenReserve();
  if (listener->stop_ < 0) return CannotListen(address);
  return listener;
}

Listener::~Listener() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_, &one, sizeof(one));
    thread_.join();
  }
  for (const int socket : sockets_) close(socket);
  for (const int fd : {stop_, reserve_}) {
    if (fd >= 0) close(fd);
  }
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
}

bool Listener::OpenUnix(const std::string& path) {
  // Removes the socket of a killed process. CheckListenAddress has checked that no process answers on it.
  struct stat left {};
  if (lstat(path.c_str(), &left) == 0 && S_ISSOCK(left.st_mode)) unlink(path.c_str());
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  const int socket = BoundSocket(reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  if (socket < 0) return false;
  sockets_.push_back(socket);
  unix_path_ = path;
  return true;
}

// All addresses of the name, with the same port.
bool Listener::OpenTcp(const std::string& host, const std::string& port) {
  std::string name = host;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  // Accepts IPv4, too, if the machine has IPv6.
  if (name == "0.0.0.0" && OpenTcp("::", port)) return true;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), port.c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    auto* const to = reinterpret_cast<sockaddr_in*>(one->ai_addr);
    if (port_ != 0) to->sin_port = htons(static_cast<std::uint16_t>(port_));
    const int socket = BoundSocket(one->ai_addr, one->ai_addrlen);
    // A machine may list an IPv6 address of itself and still not have IPv6.
    if (socket < 0 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)) continue;
    if (socket < 0) return false;
    sockets_.push_back(socket);
    port_ = PortOf(socket);
  }
  return !sockets_.empty();
}

void Listener::Start(OnConnection on_connection) {
  on_connection_ = std::move(on_connection);
  thread_ = std::thread([this] { Accept(); });
}

void Listener::Accept() {
  std::vector<pollfd> watched{{stop_, POLLIN, 0}};
  for (const int socket : sockets_) watched.push_back({socket, POLLIN, 0});
  while (true) {
    // Without a free descriptor, a waiting connection wakes poll at once, so check only now and then.
    if (is_out_of_descriptors_) poll(watched.data(), 1, kRetryMs);
    poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return;
    for (std::size_t k = 1; k < watched.size(); ++k) {
      if (watched[k].revents != 0) AcceptAll(watched[k].fd);
    }
  }
}

void Listener::AcceptAll(int socket) {
  while (true) {
    const int fd = accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (IsOutOfResources(errno)) return Refuse(socket);
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;  // this one connection failed
      return;
    }
    // The kernel gives the lowest free number, so all lower numbers are in use.
    if (fd >= max_fd_) {
      close(fd);
      if (full_.Due()) {
        spdlog::error(
            "{}: as many connections as the limit on file descriptors allows ({}) are open; new ones are "
            "closed at once; close some, or raise the limit (ulimit -n)",
            address_, max_fd_);
      }
      continue;
    }
    if (std::exchange(is_out_of_descriptors_, false)) spdlog::info("{}: accepts connections again", address_);
    on_connection_(fd);
  }
}

void Listener::CloseConnections() const {
  ForEachConnection([](int fd) { shutdown(fd, SHUT_RDWR); });
}

void Listener::CloseStuckConnections(const std::string& peer) const {
  ForEachConnection([&](int fd) {
    if (!IsPeer(fd, peer) || !HasUnsentBytes(fd)) return;
    shutdown(fd, SHUT_RDWR);
    if (stuck_.Due()) spdlog::warn("{}: closed a connection of {}, which does not read its data", address_, peer);
  });
}

// Connections are found by their local address, since the owner of a descriptor may close it at any time.
void Listener::ForEachConnection(const std::function<void(int fd)>& visit) const {
  const auto bound_to = [](int fd) {
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    const bool is_socket = getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) == 0;
    return std::string(reinterpret_cast<const char*>(&bound), is_socket ? length : 0);
  };
  const std::string own = unix_path_.empty() ? "" : bound_to(sockets_.front());
  for (int fd = 0; fd < max_fd_; ++fd) {
    int is_listening = 0;
    socklen_t length = sizeof(is_listening);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 || is_listening != 0) continue;
    const bool is_ours = unix_path_.empty() ? PortOf(fd) == port_ : bound_to(fd) == own;
    if (is_ours) visit(fd);
  }
}

// Accepts and closes the connection with the reserved descriptor, so that the caller gets an error at once.
void Listener::Refuse(int socket) {
  const std::string why = std::generic_category().message(errno);
  if (reserve_ >= 0) close(std::exchange(reserve_, -1));
  const int fd = accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) close(fd);
  reserve_ = OpenReserve();
  if (std::exchange(is_out_of_descriptors_, true)) return;
  spdlog::error("{}: cannot accept connections: {}; each is closed at once until file descriptors are free", address_,
                why);
}

}  // namespace tandem
