#include "server/keep_awake.h"

#include <utility>

namespace tandem {

KeepAwake::KeepAwake(std::function<void()> call, std::chrono::milliseconds every)
    : thread_([this, call = std::move(call), every] {
        std::unique_lock lock(mutex_);
        while (!stop_.wait_for(lock, every, [this] { return stopped_; })) {
          lock.unlock();
          call();
          lock.lock();
        }
      }) {}

KeepAwake::~KeepAwake() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

}  // namespace tandem
