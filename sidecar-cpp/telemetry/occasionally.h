// Limits how often a frequent event is logged.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace tandem {

inline constexpr std::chrono::minutes kLogAgainAfter{1};

// Thread-safe.
class Occasionally {
 public:
  // True for the first call, and then for one call in kLogAgainAfter.
  bool Due(TimePoint now = Clock::now()) {
    const auto time = now.time_since_epoch().count();
    auto last = last_.load(std::memory_order_relaxed);
    if (last != kNever && time - last < Clock::duration(kLogAgainAfter).count()) return false;
    return last_.compare_exchange_strong(last, time, std::memory_order_relaxed);
  }

 private:
  static constexpr auto kNever = Clock::duration::min().count();
  std::atomic<Clock::rep> last_ = kNever;
};

}  // namespace tandem
