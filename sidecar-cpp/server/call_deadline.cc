#include "server/call_deadline.h"

#include <algorithm>
#include <chrono>

namespace tandem {
namespace {

// The call's own deadline on our clock.
TimePoint DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return kNoDeadline;
  const auto left = deadline - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24 * 365)) return kNoDeadline;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
}

}  // namespace

void LimitToDeadline(const grpc::CallbackServerContext& context, TimePoint received, engine::v1::InferItem& item) {
  const TimePoint deadline = DeadlineOf(context);
  if (deadline == kNoDeadline) return;
  const std::uint64_t left_us = std::max<std::uint32_t>(ElapsedUs(received, deadline), 1);
  item.set_timeout_us(item.timeout_us() == 0 ? left_us : std::min(item.timeout_us(), left_us));
}

}  // namespace tandem
