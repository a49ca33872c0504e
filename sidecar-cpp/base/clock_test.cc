#include "base/clock.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(DeadlineAfter, AddsTheTimeout) {
  const TimePoint start = Clock::now();
  EXPECT_EQ(DeadlineAfter(start, 1500), start + std::chrono::microseconds(1500));
}

TEST(DeadlineAfter, TreatsZeroAndHugeValuesAsNoLimit) {
  EXPECT_EQ(DeadlineAfter(Clock::now(), 0), kNoDeadline);
  EXPECT_EQ(DeadlineAfter(Clock::now(), ~std::uint64_t{0}), kNoDeadline);
}

TEST(ElapsedUs, StaysWithinItsRange) {
  const TimePoint start = Clock::now();
  EXPECT_EQ(ElapsedUs(start, start + std::chrono::milliseconds(2)), 2000u);
  EXPECT_EQ(ElapsedUs(start, start - std::chrono::seconds(1)), 0u);
  EXPECT_EQ(ElapsedUs(start, start + std::chrono::hours(100)), 0xFFFFFFFFu);
}

}  // namespace
}  // namespace tandem
