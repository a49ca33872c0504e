// Monotonic time. Every deadline inside the program is a time of this clock.
#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace tandem {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

inline constexpr TimePoint kNoDeadline = TimePoint::max();

// `start` plus `timeout_us` microseconds; kNoDeadline for 0 and for times beyond the clock's range.
inline TimePoint DeadlineAfter(TimePoint start, std::uint64_t timeout_us) {
  constexpr std::uint64_t kForeverUs = std::uint64_t{1} << 52;  // about 140 years
  if (timeout_us == 0 || timeout_us > kForeverUs) return kNoDeadline;
  return start + std::chrono::microseconds(timeout_us);
}

// Processor time of the calling thread. Unlike the clock, it does not advance while the thread has no processor.
inline std::chrono::nanoseconds ThreadTime() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// Whole microseconds from `start` to `end`, at most the largest number of 32 bits; 0 if `end` is earlier.
inline std::uint32_t ElapsedUs(TimePoint start, TimePoint end) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(end - start).count();
  if (us <= 0) return 0;
  constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();
  return us > static_cast<std::int64_t>(kMax) ? kMax : static_cast<std::uint32_t>(us);
}

}  // namespace tandem
