// Calls that have an answer under way. One whose peer does not read it is ended, since its bytes are kept until then,
// and with enough of them the engine would have no memory for other callers.
#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.h"

namespace tandem {

// As long as TCP waits for a peer that acknowledges nothing.
inline constexpr std::chrono::seconds kMaxUnread{10};

// Thread-safe.
class UnreadAnswers {
 public:
  UnreadAnswers() = default;
  ~UnreadAnswers();
  UnreadAnswers(const UnreadAnswers&) = delete;
  UnreadAnswers& operator=(const UnreadAnswers&) = delete;

  // Ends what is unread for kMaxUnread, on a thread of its own. Once.
  void Watch();

  // The call's answer is handed to gRPC: `call` must live until it is Sent.
  void Sending(grpc::CallbackServerContext& call);
  // The answer was read, or the call is over. Nothing happens if there was none. The caller holds no lock that the
  // call's own callbacks take.
  void Sent(grpc::CallbackServerContext& call);

  // Cancels the calls whose answers are under way since `time` or longer.
  void EndSince(TimePoint time);

 private:
  // Held while a call is cancelled, so that it lives until then. It may be over, and say so, on the same thread.
  std::recursive_mutex cancelling_;
  std::mutex mutex_;  // for what stands below; the last one to be locked
  std::unordered_map<grpc::CallbackServerContext*, TimePoint> since_;

  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace tandem
