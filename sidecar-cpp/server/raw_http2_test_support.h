// A caller with its own HTTP/2, for behaviour that gRPC's clients never have. It reads nothing.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/listen_address.h"

namespace tandem {

class RawHttp2 {
 public:
  // `address`: 127.0.0.1 and a port, or a Unix socket. `window`: bytes of an answer that may be sent to it.
  explicit RawHttp2(const std::string& address, std::size_t window = 0)
      : socket_(address.starts_with("unix:") ? ConnectUnix(UnixPath(address)) : ConnectTcp(address)) {
    const auto initial = static_cast<std::uint32_t>(window);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    SendFrame(kSettings, 0, 0, std::string("\0\4", 2) + BigEndian(initial, 4));
    if (window > 0) SendFrame(kWindowUpdate, 0, 0, BigEndian(initial, 4));
  }
  ~RawHttp2() { close(socket_); }
  RawHttp2(const RawHttp2&) = delete;
  RawHttp2& operator=(const RawHttp2&) = delete;

  // Sends a complete unary call.
  void Call(const std::string& path, const std::string& message) {
    const std::uint32_t stream = next_stream_;
    next_stream_ += 2;
    const std::string headers = "\x83\x86" + Literal(":path", path) + Literal(":authority", "test") +
                                Literal("content-type", "application/grpc") + Literal("te", "trailers");
    SendFrame(kHeaders, kEndHeaders, stream, headers);
    const std::string body = std::string(1, '\0') + BigEndian(message.size(), 4) + message;
    constexpr std::size_t kMaxFrame = 16384;
    for (std::size_t at = 0; at < body.size(); at += kMaxFrame) {
      const bool is_last = at + kMaxFrame >= body.size();
      SendFrame(kData, is_last ? kEndStream : 0, stream, body.substr(at, kMaxFrame));
    }
  }

  // Waits until it is true.
  [[nodiscard]] bool IsClosedByPeer() const {
    std::array<char, 65536> bytes{};
    constexpr int kManyMs = 10000;
    pollfd watched{socket_, POLLIN, 0};
    while (poll(&watched, 1, kManyMs) == 1) {
      if (recv(socket_, bytes.data(), bytes.size(), 0) <= 0) return true;
    }
    return false;
  }

 private:
  static int ConnectTcp(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    return Connected(to);
  }
  static int ConnectUnix(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    return Connected(to);
  }
  template <typename Address>
  static int Connected(const Address& to) {
    const auto& any = reinterpret_cast<const sockaddr&>(to);
    const int made = socket(any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int small = 4096;
    setsockopt(made, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    EXPECT_EQ(connect(made, &any, sizeof(to)), 0);
    return made;
  }

  enum Type : std::uint8_t { kData = 0, kHeaders = 1, kSettings = 4, kWindowUpdate = 8 };
  enum Flags : std::uint8_t { kEndStream = 1, kEndHeaders = 4 };

  static std::string BigEndian(std::size_t value, int bytes) {
    std::string to;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>(value >> shift);
    return to;
  }
  // A header field without the tables of HPACK. Both strings are shorter than 127 bytes.
  static std::string Literal(std::string_view name, std::string_view value) {
    return std::string(1, '\0') + static_cast<char>(name.size()) + std::string(name) + static_cast<char>(value.size()) +
           std::string(value);
  }
  void SendFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const std::string& payload) const {
    Send(BigEndian(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) + BigEndian(stream, 4) +
         payload);
  }
  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  const int socket_;
  std::uint32_t next_stream_ = 1;
};

}  // namespace tandem
