// Prevents gRPC's callback threads from sleeping. In gRPC 1.51 each of them sleeps for 100 ms after a second without
// work. A call that arrives while all of them sleep waits for the first one to wake.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tandem {

// Well below the second after which a thread sleeps, so a thread that served a call is awake for the next one.
inline constexpr std::chrono::milliseconds kKeepAwakeEvery{400};

class KeepAwake {
 public:
  // Calls `call` repeatedly on a separate thread until this object is destroyed. `call` makes a call to the server and
  // waits for its end.
  explicit KeepAwake(std::function<void()> call, std::chrono::milliseconds every = kKeepAwakeEvery);
  ~KeepAwake();
  KeepAwake(const KeepAwake&) = delete;
  KeepAwake& operator=(const KeepAwake&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace tandem
