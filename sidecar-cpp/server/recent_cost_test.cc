#include "server/recent_cost.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

using std::chrono::microseconds;

TEST(RecentCost, NothingIsKnownBeforeTheFirstRun) {
  const Model model;
  EXPECT_EQ(CostOf(model, 1), std::nullopt);
}

TEST(RecentCost, CountsByTheStep) {
  const Model model;
  NoteCost(model, 10, microseconds(100));
  EXPECT_EQ(CostOf(model, 30), microseconds(300));
}

TEST(RecentCost, AdaptsAndForgetsOneSlowRun) {
  const Model model;
  NoteCost(model, 1, microseconds(40));
  NoteCost(model, 1, microseconds(10'000));
  EXPECT_GT(CostOf(model, 1), microseconds(300));
  for (int k = 0; k < 10; ++k) NoteCost(model, 1, microseconds(40));
  EXPECT_LT(CostOf(model, 1), microseconds(300));
}

}  // namespace
}  // namespace tandem
