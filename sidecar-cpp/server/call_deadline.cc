#include "server/call_deadline.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tandem {
namespace {

constexpr std::int64_t kYearSeconds = std::int64_t{365} * 24 * 3600;

// The call's deadline on our clock. gRPC gives it on the monotonic clock; a time of the wall clock would change when
// that is set.
TimePoint DeadlineOf(const grpc::CallbackServerContext& context) {
  const gpr_timespec deadline = context.raw_deadline();
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  if (left.tv_sec > kYearSeconds) return kNoDeadline;
  return Clock::now() + std::chrono::seconds(left.tv_sec) + std::chrono::nanoseconds(left.tv_nsec);
}

}  // namespace

void LimitToDeadline(const grpc::CallbackServerContext& context, TimePoint received, engine::v1::InferItem& item) {
  const TimePoint deadline = DeadlineOf(context);
  if (deadline == kNoDeadline) return;
  const std::uint64_t left_us = std::max<std::uint32_t>(ElapsedUs(received, deadline), 1);
  item.set_timeout_us(item.timeout_us() == 0 ? left_us : std::min(item.timeout_us(), left_us));
}

}  // namespace tandem
