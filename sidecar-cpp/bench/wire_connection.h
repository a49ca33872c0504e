// A gRPC client's connection for load generation. It writes prepared frames, and reads only the lengths and the ends of
// answers. It costs a few microseconds a call, so that the result is the server's time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tandem::bench {

// Gets the results of a connection's calls.
class WireListener {
 public:
  virtual ~WireListener() = default;
  // A unary call, or one message of a stream, has ended. `answer_bytes`: of its messages, 0 if it failed.
  virtual void OnEnd(TimePoint due, std::size_t answer_bytes) = 0;
};

struct WireOptions {
  std::string authority;
  std::string path;
  // Each with its gRPC prefix.
  std::vector<std::string> bodies;
  // If true, the connection has one stream, and a body is one message of it.
  bool is_stream = false;
  // If true, the fields 1 of an answer's message are its results. Else each message is one result.
  bool counts_results = false;
};

class WireConnection {
 public:
  // Throws std::system_error if it cannot connect.
  WireConnection(const WireOptions& options, const std::string& host, std::uint16_t port, WireListener& listener);
  ~WireConnection();
  WireConnection(const WireConnection&) = delete;
  WireConnection& operator=(const WireConnection&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // True once the peer's settings are known.
  [[nodiscard]] bool is_ready() const { return is_ready_; }
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  [[nodiscard]] bool has_output() const { return out_at_ < out_.size(); }

  // Sends body number `body`. `due`: the planned time.
  void Call(std::size_t body, TimePoint due);
  // Reads the available bytes.
  void Read();
  // Writes waiting bytes, as far as the socket accepts them.
  void Flush();
  // Ends every open call as failed.
  void Fail();

 private:
  struct Stream {
    TimePoint due;
    std::string_view unsent;  // of the body
    std::int64_t window = 0;
    std::size_t answer_bytes = 0;
  };

  void Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
  void Open(std::uint32_t id);
  // Sends as much of the stream's body as the windows allow. Returns true if all of it is sent.
  bool Pump(std::uint32_t id, Stream& stream);
  void PumpBlocked();
  void OnFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload);
  void OnSettings(std::string_view payload);
  void OnWindow(std::uint32_t id, std::uint32_t increment);
  void OnData(std::uint32_t id, std::string_view payload);
  void OnStreamMessages(std::string_view bytes);
  void End(std::uint32_t id, bool is_ok);

  const WireOptions& options_;
  WireListener& listener_;
  int fd_ = -1;
  bool is_ready_ = false;
  bool is_closed_ = false;
  bool may_index_ = true;
  bool has_indexed_ = false;
  std::string out_;
  std::size_t out_at_ = 0;
  std::string in_;
  std::uint32_t next_id_ = 1;
  std::int64_t window_ = 65'535;
  std::int64_t initial_window_ = 65'535;
  std::size_t max_frame_ = 16'384;
  std::size_t unacknowledged_ = 0;
  std::unordered_map<std::uint32_t, Stream> streams_;
  std::deque<std::uint32_t> blocked_;
  // The peer's SETTINGS_MAX_CONCURRENT_STREAMS, and the calls (body and planned time) that wait because of it.
  std::size_t max_streams_ = 0x7FFFFFFF;
  std::deque<std::pair<std::size_t, TimePoint>> waiting_;
  // Of the one stream.
  std::deque<TimePoint> due_;
  std::deque<std::string_view> messages_;
  std::string message_;
};

}  // namespace tandem::bench
