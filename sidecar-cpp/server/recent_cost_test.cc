#include "server/recent_cost.h"

#include <gtest/gtest.h>

#include <memory>

namespace tandem {
namespace {

using std::chrono::microseconds;

struct Given {
  std::shared_ptr<const Model> model = std::make_shared<const Model>();
  RecentCost cost{Repository({model})};
};

TEST(RecentCost, NothingIsKnownBeforeARunWasSeen) {
  const Given given;
  EXPECT_EQ(given.cost.Of(*given.model, 1), std::nullopt);
}

TEST(RecentCost, CountsByTheStep) {
  Given given;
  given.cost.Note(*given.model, 10, microseconds(100));
  EXPECT_EQ(given.cost.Of(*given.model, 30), microseconds(300));
}

TEST(RecentCost, FollowsWhatItSeesAndForgetsOneSlowRun) {
  Given given;
  given.cost.Note(*given.model, 1, microseconds(40));
  given.cost.Note(*given.model, 1, microseconds(10'000));
  EXPECT_GT(given.cost.Of(*given.model, 1), microseconds(300));
  for (int k = 0; k < 10; ++k) given.cost.Note(*given.model, 1, microseconds(40));
  EXPECT_LT(given.cost.Of(*given.model, 1), microseconds(300));
}

}  // namespace
}  // namespace tandem
