#include "telemetry/occasionally.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(Occasionally, IsDueAtOnceAndThenOnceAMinute) {
  Occasionally occasionally;
  const TimePoint start{std::chrono::hours(7)};
  EXPECT_TRUE(occasionally.Due(start));
  EXPECT_FALSE(occasionally.Due(start));
  EXPECT_FALSE(occasionally.Due(start + kLogAgainAfter - std::chrono::milliseconds(1)));
  EXPECT_TRUE(occasionally.Due(start + kLogAgainAfter));
  EXPECT_FALSE(occasionally.Due(start + kLogAgainAfter + std::chrono::seconds(59)));
}

}  // namespace
}  // namespace tandem
