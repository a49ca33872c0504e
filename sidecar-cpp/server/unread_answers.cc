#include "server/unread_answers.h"

#include <grpc/support/alloc.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace tandem {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

// Keeps a call alive, even after its end.
using HeldCall = std::unique_ptr<grpc_call, decltype(&grpc_call_unref)>;

HeldCall Hold(grpc_call* call) {
  grpc_call_ref(call);
  return {call, grpc_call_unref};
}

// gRPC forgets it when the call ends.
std::string PeerOf(grpc_call* call) {
  const std::unique_ptr<char, decltype(&gpr_free)> peer(grpc_call_get_peer(call), gpr_free);
  return peer.get();
}

}  // namespace

void UnreadAnswers::StartWatching(std::function<void(const std::string& peer)> close_connection) {
  close_connection_ = std::move(close_connection);
  thread_ = std::thread([this] {
    std::unique_lock lock(stop_mutex_);
    while (!stop_.wait_for(lock, kLookEvery, [this] { return stopped_; })) {
      try {
        EndOverdue(Clock::now());
      } catch (const std::bad_alloc&) {  // the rest are ended the next time
      }
    }
  });
}

void UnreadAnswers::StopWatching() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(stop_mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void UnreadAnswers::Add(SendTimer* timer) {
  const std::lock_guard lock(mutex_);
  timers_.insert(timer);
}

void UnreadAnswers::Remove(SendTimer* timer) {
  const std::lock_guard lock(mutex_);
  timers_.erase(timer);
}

void UnreadAnswers::EndOverdue(TimePoint now) {
  std::vector<HeldCall> overdue;
  std::string peer;  // of an overdue one
  std::unordered_set<std::string> stuck_peers;
  {
    const std::lock_guard lock(mutex_);
    for (SendTimer* const timer : timers_) {
      if (timer->ended_at_) {
        if (now - *timer->ended_at_ >= kMaxEnding) stuck_peers.insert(timer->peer_);
      } else if (const TimePoint since = timer->since_; since != kNoDeadline && now - since >= kMaxUnread) {
        peer = timer->peer_ = PeerOf(timer->call_);
        overdue.push_back(Hold(timer->call_));
        timer->ended_at_ = now;
      }
    }
  }
  // Without the lock, since a call that ends may close its timer on this thread.
  for (const HeldCall& call : overdue) {
    grpc_call_cancel_with_status(call.get(), GRPC_STATUS_UNAVAILABLE,
                                 "an answer was not read for 10 s; read answers as they arrive", nullptr);
  }
  ended_ += overdue.size();
  if (!overdue.empty() && log_.Due()) {
    spdlog::warn("{} calls ended, {} since the start: their callers did not read an answer for {} s; one is {}",
                 overdue.size(), ended_.load(), kMaxUnread.count(), peer);
  }
  if (!close_connection_) return;
  for (const std::string& stuck : stuck_peers) close_connection_(stuck);
}

}  // namespace tandem
