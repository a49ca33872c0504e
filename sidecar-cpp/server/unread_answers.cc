#include "server/unread_answers.h"

#include <algorithm>

namespace tandem {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

UnreadAnswers::~UnreadAnswers() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(stop_mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void UnreadAnswers::Watch() {
  thread_ = std::thread([this] {
    std::unique_lock lock(stop_mutex_);
    while (!stop_.wait_for(lock, kLookEvery, [this] { return stopped_; })) EndSince(Clock::now() - kMaxUnread);
  });
}

void UnreadAnswers::Sending(grpc::CallbackServerContext& call) {
  const std::lock_guard lock(mutex_);
  since_[&call] = Clock::now();
}

void UnreadAnswers::Sent(grpc::CallbackServerContext& call) {
  const std::lock_guard cancelling(cancelling_);
  const std::lock_guard lock(mutex_);
  since_.erase(&call);
}

void UnreadAnswers::EndSince(TimePoint time) {
  const std::lock_guard cancelling(cancelling_);
  const auto take_one = [&]() -> grpc::CallbackServerContext* {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(since_, [time](const auto& one) { return one.second <= time; });
    if (found == since_.end()) return nullptr;
    grpc::CallbackServerContext* const call = found->first;
    since_.erase(found);
    return call;
  };
  while (grpc::CallbackServerContext* const call = take_one()) call->TryCancel();
}

}  // namespace tandem
