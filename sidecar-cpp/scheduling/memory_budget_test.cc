#include "scheduling/memory_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace tandem {
namespace {

TEST(MemoryBudget, ReturnsTheBytesOfAnEndedHold) {
  MemoryBudget budget(100);
  const auto account = MemoryAccount::Open(budget);
  {
    const auto hold = account->Take(40);
    ASSERT_TRUE(hold);
    EXPECT_EQ(budget.used(), 40u);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(account->used(), 0u);
}

TEST(MemoryBudget, RefusesBytesThatDoNotFitWithoutCountingThem) {
  MemoryBudget budget(100);
  const auto one = MemoryAccount::Open(budget);
  const auto other = MemoryAccount::Open(budget);
  const auto hold = one->Take(90);
  EXPECT_FALSE(other->Take(11));
  EXPECT_EQ(budget.used(), 90u);
  EXPECT_EQ(other->used(), 0u);
  EXPECT_TRUE(other->Take(10));
}

TEST(MemoryBudget, AnAccountMayHoldAsMuchAsItLeavesFree) {
  MemoryBudget budget(100);
  const auto account = MemoryAccount::Open(budget);
  const auto first = account->Take(30);
  const auto second = account->Take(20);
  EXPECT_TRUE(second);
  EXPECT_FALSE(account->Take(20));
}

TEST(MemoryBudget, AnAccountAlwaysHasItsMinimum) {
  MemoryBudget budget(100);
  const MemoryHold greedy = MemoryAccount::Open(budget)->Force(200);
  const auto account = MemoryAccount::Open(budget, 10);
  const auto first = account->Take(10);
  EXPECT_TRUE(first);
  EXPECT_FALSE(account->Take(1));
}

TEST(MemoryBudget, AnUnusedBudgetAcceptsAnySize) {
  MemoryBudget budget(100);
  const auto account = MemoryAccount::Open(budget);
  const auto huge = account->Take(5000);
  EXPECT_TRUE(huge);
  EXPECT_FALSE(MemoryAccount::Open(budget)->Take(1));
}

TEST(MemoryBudget, ForcedBytesCountAboveTheBudget) {
  MemoryBudget budget(100);
  const auto account = MemoryAccount::Open(budget);
  const MemoryHold forced = account->Force(150);
  EXPECT_EQ(budget.used(), 150u);
  EXPECT_TRUE(budget.full());
  EXPECT_FALSE(account->Take(1));
}

TEST(MemoryBudget, AHoldCanBeResizedAndMoved) {
  MemoryBudget budget(100);
  const auto account = MemoryAccount::Open(budget);
  MemoryHold hold = account->Force(30);
  hold.Resize(10);
  EXPECT_EQ(budget.used(), 10u);
  MemoryHold other = account->Force(5);
  other = std::move(hold);
  EXPECT_EQ(budget.used(), 10u);
  other.Resize(25);
  EXPECT_EQ(account->used(), 25u);
}

TEST(MemoryBudget, ManyThreadsReturnAllBytes) {
  MemoryBudget budget(1000);
  const auto account = MemoryAccount::Open(budget);
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10000; ++round) account->Take(300);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(account->used(), 0u);
}

}  // namespace
}  // namespace tandem
