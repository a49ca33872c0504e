#include "bench/wire_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tandem::bench {
namespace {

constexpr std::size_t kFrameHead = 9;
constexpr std::size_t kGrpcPrefix = 5;
constexpr std::size_t kCredit = 16U << 20;
constexpr std::size_t kReadBytes = 256U << 10;
enum Type : std::uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoaway = 7, kWindow = 8 };
enum Flag : std::uint8_t { kNone = 0, kEndStream = 1, kAck = 1, kEndHeaders = 4 };

std::string Uint32(std::uint32_t value) {
  std::string bytes(4, '\0');
  for (int k = 0; k < 4; ++k) bytes[k] = static_cast<char>(value >> (24 - 8 * k));
  return bytes;
}

std::uint32_t Uint32At(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t k = 0; k < 4; ++k) value = value << 8 | static_cast<std::uint8_t>(bytes[at + k]);
  return value;
}

// RFC 7541, 5.2. No string here is longer than 126 bytes.
void AppendString(std::string& block, std::string_view text) {
  block.push_back(static_cast<char>(std::min<std::size_t>(text.size(), 126)));
  block.append(text.substr(0, 126));
}

// The first block of a connection puts the fields into the dynamic table, as gRPC's own clients do. Each later block
// refers to them.
std::string HeaderBlock(const WireOptions& options, bool may_index, bool has_indexed) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> fields = {{{":path", options.path},
                                                                                {":authority", options.authority},
                                                                                {"content-type", "application/grpc"},
                                                                                {"te", "trailers"},
                                                                                {"user-agent", "tandem-wire-load"},
                                                                                {"grpc-accept-encoding", "identity"},
                                                                                {"grpc-timeout", "10S"}}};
  std::string block = "\x83\x86";  // :method POST, :scheme http
  if (has_indexed) {
    for (std::size_t k = 0; k < fields.size(); ++k)
      block.push_back(static_cast<char>(0x80 | (62 + fields.size() - 1 - k)));
    return block;
  }
  for (const auto& [name, value] : fields) {
    block.push_back(may_index ? '\x40' : '\x00');
    AppendString(block, name);
    AppendString(block, value);
  }
  return block;
}

// The number of fields 1 in a message; here all of them are length-delimited.
std::size_t CountFields(std::string_view message) {
  std::size_t count = 0;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0; at < message.size(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(message[at++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.size()) {
    const std::uint64_t tag = varint();
    if (tag == (1U << 3 | 2U)) ++count;
    switch (tag & 7U) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2:
        at += varint();
        break;
      default:
        at += 4;
    }
  }
  return count;
}

}  // namespace

WireConnection::WireConnection(const WireOptions& options, const std::string& host, std::uint16_t port,
                               WireListener& listener)
    : options_(options), listener_(listener) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close(fd_);
    throw std::system_error(error, std::generic_category(), "connect to " + options.authority);
  }
  out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  Frame(kSettings, kNone, 0, std::string("\x00\x04", 2) + Uint32(0x7FFFFFFF));
  Frame(kWindow, kNone, 0, Uint32(0x7FFFFFFF - 65'535));
  Flush();
}

WireConnection::~WireConnection() { close(fd_); }

void WireConnection::Call(std::size_t body, TimePoint due) {
  const std::string_view bytes = options_.bodies[body % options_.bodies.size()];
  if (options_.is_stream) {
    if (next_id_ == 1) Open(next_id_);
    due_.push_back(due);
    messages_.push_back(bytes);
    PumpBlocked();
    return;
  }
  if (streams_.size() >= max_streams_) {
    waiting_.emplace_back(body, due);
    return;
  }
  const std::uint32_t id = next_id_;
  Open(id);
  Stream& stream = streams_[id];
  stream.due = due;
  stream.unsent = bytes;
  if (!blocked_.empty() || !Pump(id, stream)) blocked_.push_back(id);
}

void WireConnection::Open(std::uint32_t id) {
  Frame(kHeaders, kEndHeaders, id, HeaderBlock(options_, may_index_, has_indexed_));
  has_indexed_ = may_index_;
  next_id_ = id + 2;
  streams_[id].window = initial_window_;
}

bool WireConnection::Pump(std::uint32_t id, Stream& stream) {
  while (!stream.unsent.empty()) {
    const auto room = static_cast<std::int64_t>(max_frame_);
    const std::int64_t bytes =
        std::min({room, window_, stream.window, static_cast<std::int64_t>(stream.unsent.size())});
    if (bytes <= 0) return false;
    const std::string_view part = stream.unsent.substr(0, static_cast<std::size_t>(bytes));
    stream.unsent.remove_prefix(part.size());
    window_ -= bytes;
    stream.window -= bytes;
    Frame(kData, stream.unsent.empty() && !options_.is_stream ? kEndStream : kNone, id, part);
  }
  return true;
}

void WireConnection::PumpBlocked() {
  if (options_.is_stream) {
    const auto found = streams_.find(1);
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    while (Pump(1, stream) && !messages_.empty()) {
      stream.unsent = messages_.front();
      messages_.pop_front();
    }
    return;
  }
  while (!blocked_.empty()) {
    const auto found = streams_.find(blocked_.front());
    if (found != streams_.end() && !Pump(found->first, found->second)) return;
    blocked_.pop_front();
  }
}

void WireConnection::Read() {
  std::size_t used = in_.size();
  in_.resize(used + kReadBytes);
  const ssize_t got = recv(fd_, in_.data() + used, kReadBytes, MSG_DONTWAIT);
  in_.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    Fail();
    return;
  }
  std::string_view rest = in_;
  while (rest.size() >= kFrameHead && !is_closed_) {
    const std::size_t length = Uint32At(rest, 0) >> 8;
    if (rest.size() < kFrameHead + length) break;
    OnFrame(static_cast<std::uint8_t>(rest[3]), static_cast<std::uint8_t>(rest[4]), Uint32At(rest, 5) & 0x7FFFFFFF,
            rest.substr(kFrameHead, length));
    rest.remove_prefix(kFrameHead + length);
  }
  in_.erase(0, in_.size() - rest.size());
}

void WireConnection::OnFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) {
  switch (type) {
    case kSettings:
      if ((flags & kAck) == 0) OnSettings(payload);
      break;
    case kPing:
      if ((flags & kAck) == 0) Frame(kPing, kAck, 0, payload);
      break;
    case kWindow:
      OnWindow(id, Uint32At(payload, 0));
      break;
    case kGoaway:
      Fail();
      break;
    case kReset:
      End(id, false);
      break;
    case kData:
      OnData(id, payload);
      [[fallthrough]];
    case kHeaders:
      if ((flags & kEndStream) != 0) End(id, true);
      break;
    default:
      break;
  }
}

void WireConnection::OnSettings(std::string_view payload) {
  for (std::size_t at = 0; at + 6 <= payload.size(); at += 6) {
    const std::uint32_t value = Uint32At(payload, at + 2);
    switch (payload[at + 1]) {
      case 1:
        may_index_ = value >= 1'024;
        break;
      case 4:
        for (auto& [id, stream] : streams_) stream.window += static_cast<std::int64_t>(value) - initial_window_;
        initial_window_ = value;
        break;
      case 5:
        max_frame_ = value;
        break;
      default:
        break;
    }
  }
  Frame(kSettings, kAck, 0, "");
  is_ready_ = true;
  PumpBlocked();
}

void WireConnection::OnWindow(std::uint32_t id, std::uint32_t increment) {
  if (id == 0) {
    window_ += increment;
  } else if (const auto found = streams_.find(id); found != streams_.end()) {
    found->second.window += increment;
  }
  PumpBlocked();
}

void WireConnection::OnData(std::uint32_t id, std::string_view payload) {
  unacknowledged_ += payload.size();
  if (unacknowledged_ >= kCredit) {
    Frame(kWindow, kNone, 0, Uint32(static_cast<std::uint32_t>(unacknowledged_)));
    if (options_.is_stream) Frame(kWindow, kNone, id, Uint32(static_cast<std::uint32_t>(unacknowledged_)));
    unacknowledged_ = 0;
  }
  if (options_.is_stream) {
    OnStreamMessages(payload);
  } else if (const auto found = streams_.find(id); found != streams_.end()) {
    found->second.answer_bytes += payload.size();
  }
}

void WireConnection::OnStreamMessages(std::string_view bytes) {
  message_.append(bytes);
  std::string_view rest = message_;
  while (rest.size() >= kGrpcPrefix) {
    const std::size_t length = Uint32At(rest, 1);
    if (rest.size() < kGrpcPrefix + length) break;
    const std::string_view message = rest.substr(kGrpcPrefix, length);
    const std::size_t results = options_.counts_results ? CountFields(message) : 1;
    for (std::size_t k = 0; k < results && !due_.empty(); ++k) {
      const TimePoint due = due_.front();
      due_.pop_front();
      listener_.OnEnd(due, length);
    }
    rest.remove_prefix(kGrpcPrefix + length);
  }
  message_.erase(0, message_.size() - rest.size());
}

void WireConnection::End(std::uint32_t id, bool is_ok) {
  if (options_.is_stream) {
    Fail();
    return;
  }
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream stream = found->second;
  streams_.erase(found);
  listener_.OnEnd(stream.due, is_ok ? stream.answer_bytes : 0);
  if (waiting_.empty()) return;
  const auto [body, due] = waiting_.front();
  waiting_.pop_front();
  Call(body, due);
}

void WireConnection::Fail() {
  if (is_closed_) return;
  is_closed_ = true;
  for (const auto& [id, stream] : streams_) {
    if (!options_.is_stream) listener_.OnEnd(stream.due, 0);
  }
  for (const TimePoint due : due_) listener_.OnEnd(due, 0);
  for (const auto& [body, due] : waiting_) listener_.OnEnd(due, 0);
  waiting_.clear();
  streams_.clear();
  due_.clear();
}

void WireConnection::Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  const std::string length = Uint32(static_cast<std::uint32_t>(payload.size()));
  out_.append(length, 1, 3);
  out_.push_back(static_cast<char>(type));
  out_.push_back(static_cast<char>(flags));
  out_.append(Uint32(stream));
  out_.append(payload);
}

void WireConnection::Flush() {
  while (has_output() && !is_closed_) {
    const ssize_t sent = send(fd_, out_.data() + out_at_, out_.size() - out_at_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
      Fail();
      return;
    }
    out_at_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  out_at_ = 0;
}

}  // namespace tandem::bench
