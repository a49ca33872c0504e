// Keeps the threads on which gRPC serves callbacks from sleeping. gRPC 1.51 lets each of them sleep for 100 ms when it
// had nothing to do for a second, and a call that comes while all of them sleep waits for the first to wake.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tandem {

// Well within the second after which a thread sleeps: one that served a call is awake for the next.
inline constexpr std::chrono::milliseconds kKeepAwakeEvery{400};

class KeepAwake {
 public:
  // Calls `call`, which makes a call to the server and waits for its end, on a thread of its own until this ends.
  explicit KeepAwake(std::function<void()> call, std::chrono::milliseconds every = kKeepAwakeEvery);
  ~KeepAwake();
  KeepAwake(const KeepAwake&) = delete;
  KeepAwake& operator=(const KeepAwake&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace tandem
