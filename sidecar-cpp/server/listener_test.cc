#include "server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <semaphore>
#include <string>

#include "testing/temporary_folder.h"

namespace tandem {
namespace {

constexpr int kManyMs = 10000;

class ListenerTest : public ::testing::Test {
 protected:
  void Open(int max_fd) {
    listener_ = Listener::Open("127.0.0.1:0", max_fd).value();
    listener_->Start([this](int fd) {
      close(fd);
      accepted_.release();
    });
  }
  // A connected socket; the caller closes it.
  [[nodiscard]] int Connect() const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(listener_->port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    return fd;
  }
  static bool IsClosedByPeer(int fd) {
    pollfd watched{fd, POLLIN, 0};
    char byte = 0;
    return poll(&watched, 1, kManyMs) == 1 && recv(fd, &byte, 1, 0) <= 0;
  }

  std::counting_semaphore<> accepted_{0};
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, PassesOnConnections) {
  Open(1 << 20);
  const int client = Connect();
  EXPECT_TRUE(accepted_.try_acquire_for(std::chrono::milliseconds(kManyMs)));
  close(client);
}

TEST_F(ListenerTest, ClosesAConnectionThatWouldTakeAReservedDescriptor) {
  Open(0);
  const int client = Connect();
  EXPECT_TRUE(IsClosedByPeer(client));
  EXPECT_FALSE(accepted_.try_acquire());
  close(client);
}

TEST_F(ListenerTest, RefusesAtOnceWithoutDescriptorsAndAcceptsOnceTheyAreFree) {
  Open(1 << 20);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int client = Connect();
  ASSERT_TRUE(accepted_.try_acquire_for(std::chrono::milliseconds(kManyMs)));
  close(client);
  // Uses up all descriptors except one for the client.
  const int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const rlimit none{static_cast<rlim_t>(lowest) + 1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  close(lowest);
  const int refused = Connect();
  EXPECT_TRUE(IsClosedByPeer(refused));
  EXPECT_FALSE(accepted_.try_acquire());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const int served = Connect();
  EXPECT_TRUE(accepted_.try_acquire_for(std::chrono::seconds(1)));
  close(refused);
  close(served);
}

// A connection to `listener` with data that the client has not read, and its two ends.
class UnreadConnection {
 public:
  UnreadConnection(const std::string& address, const sockaddr* to, socklen_t length)
      : listener_(Listener::Open(address, 1 << 20).value()) {
    listener_->Start([this](int fd) {
      server_ = fd;
      is_accepted_.release();
    });
    sockaddr_storage target{};
    std::memcpy(&target, to, length);
    if (to->sa_family != AF_UNIX) {
      reinterpret_cast<sockaddr_in&>(target).sin_port = htons(static_cast<std::uint16_t>(listener_->port()));
    }
    client_ = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(client_, reinterpret_cast<const sockaddr*>(&target), length), 0);
    EXPECT_TRUE(is_accepted_.try_acquire_for(std::chrono::milliseconds(kManyMs)));
  }
  ~UnreadConnection() {
    close(client_);
    close(server_);
  }
  UnreadConnection(const UnreadConnection&) = delete;
  UnreadConnection& operator=(const UnreadConnection&) = delete;

  void Fill() const {
    const std::string bytes(65536, 'x');
    while (send(server_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
  }
  // Returns true if the listener closes it for this name.
  [[nodiscard]] bool IsClosedFor(const std::string& peer) const {
    listener_->CloseStuckConnections(peer);
    char byte = 0;
    return recv(server_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
  }
  [[nodiscard]] std::string Port() const {
    sockaddr_in bound{};
    socklen_t length = sizeof(bound);
    EXPECT_EQ(getsockname(client_, reinterpret_cast<sockaddr*>(&bound), &length), 0);
    return std::to_string(ntohs(bound.sin_port));
  }

 private:
  std::counting_semaphore<> is_accepted_{0};
  int client_ = -1;
  int server_ = -1;
  std::unique_ptr<Listener> listener_;
};

sockaddr_in LocalIpv4() {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}

TEST(StuckConnections, AreClosedByTheNameOfTheirPeer) {
  const sockaddr_in to = LocalIpv4();
  const UnreadConnection connection("127.0.0.1:0", reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  connection.Fill();
  EXPECT_FALSE(connection.IsClosedFor("ipv4:127.0.0.1:1"));
  EXPECT_FALSE(connection.IsClosedFor("unix:"));
  EXPECT_TRUE(connection.IsClosedFor("ipv4:127.0.0.1:" + connection.Port()));
}

TEST(StuckConnections, HaveBytesToSend) {
  const sockaddr_in to = LocalIpv4();
  const UnreadConnection connection("127.0.0.1:0", reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  EXPECT_FALSE(connection.IsClosedFor("ipv4:127.0.0.1:" + connection.Port()));
}

// For gRPC, an IPv4 peer of a socket for both is an IPv4 peer.
TEST(StuckConnections, AreFoundOnASocketOfBothFamilies) {
  const sockaddr_in to = LocalIpv4();
  const UnreadConnection connection("0.0.0.0:0", reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  connection.Fill();
  EXPECT_TRUE(connection.IsClosedFor("ipv4:127.0.0.1:" + connection.Port()));
}

TEST(StuckConnections, AreFoundByAnIpv6Name) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = in6addr_loopback;
  const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool has_ipv6 = probe >= 0 && bind(probe, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  if (probe >= 0) close(probe);
  if (!has_ipv6) GTEST_SKIP() << "this machine has no IPv6";
  const UnreadConnection connection("[::1]:0", reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  connection.Fill();
  EXPECT_FALSE(connection.IsClosedFor("ipv6:%5B::1%5D:1"));
  EXPECT_TRUE(connection.IsClosedFor("ipv6:%5B::1%5D:" + connection.Port()));
}

TEST(StuckConnections, OfAUnixSocketAreFoundWithoutAName) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "engine.sock";
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof(to.sun_path) - 1);
  const UnreadConnection connection("unix:" + path, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  connection.Fill();
  EXPECT_TRUE(connection.IsClosedFor("unix:"));
}

}  // namespace
}  // namespace tandem
