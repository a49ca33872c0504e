#include "server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <semaphore>

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
  // Connected; the caller closes it.
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

TEST_F(ListenerTest, HandsOnWhatConnects) {
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
  // From now on only the client's own descriptor is free: the lowest one.
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

}  // namespace
}  // namespace tandem
