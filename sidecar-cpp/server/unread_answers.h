// Ends calls whose callers do not read their answers. An answer uses memory until it is read, so a caller with many
// unread answers would prevent the engine from serving others.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "telemetry/occasionally.h"

namespace tandem {

// An answer must be read within this time. TCP waits as long for a peer that acknowledges nothing.
inline constexpr std::chrono::seconds kMaxUnread{10};

// If a call is still open for this time after it was ended, its connection accepts no bytes at all. Then the connection
// is closed.
inline constexpr std::chrono::seconds kMaxEnding{5};

class SendTimer;

// Thread-safe.
class UnreadAnswers {
 public:
  UnreadAnswers() = default;
  ~UnreadAnswers() { StopWatching(); }
  UnreadAnswers(const UnreadAnswers&) = delete;
  UnreadAnswers& operator=(const UnreadAnswers&) = delete;

  // Calls EndOverdue every second, on a separate thread. `close_connection` gets gRPC's name of the peer.
  void StartWatching(std::function<void(const std::string& peer)> close_connection);
  void StopWatching();

  // Ends calls with answers that are unread for kMaxUnread at `now`, with UNAVAILABLE.
  void EndOverdue(TimePoint now);
  // Number of ended calls.
  [[nodiscard]] std::uint64_t ended() const { return ended_; }

 private:
  friend class SendTimer;

  void Add(SendTimer* timer);
  void Remove(SendTimer* timer);

  std::mutex mutex_;
  std::unordered_set<SendTimer*> timers_;

  std::atomic<std::uint64_t> ended_ = 0;
  Occasionally log_;

  std::function<void(const std::string& peer)> close_connection_;
  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

// Measures how long an answer of one call is unread.
class SendTimer {
 public:
  SendTimer(UnreadAnswers& unread, grpc::CallbackServerContext& context) : unread_(unread), call_(context.c_call()) {
    unread_.Add(this);
  }
  ~SendTimer() { Close(); }
  SendTimer(const SendTimer&) = delete;
  SendTimer& operator=(const SendTimer&) = delete;

  // An answer is passed to gRPC now.
  void Start(TimePoint now = Clock::now()) { since_ = now; }
  // The answer was read.
  void Stop() { since_ = kNoDeadline; }
  // The call has ended: gRPC may free it from now on.
  void Close() {
    if (std::exchange(is_open_, false)) unread_.Remove(this);
  }

 private:
  friend class UnreadAnswers;

  UnreadAnswers& unread_;
  grpc_call* const call_;  // valid until Close
  bool is_open_ = true;
  std::atomic<TimePoint> since_ = kNoDeadline;  // no answer is being sent
  // Guarded by unread_'s mutex.
  std::optional<TimePoint> ended_at_;  // by EndOverdue
  std::string peer_;                   // set with it
};

}  // namespace tandem
