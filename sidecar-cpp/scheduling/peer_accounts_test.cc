#include "scheduling/peer_accounts.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem {
namespace {

TEST(PeerAccounts, CallsOfOnePeerShareAnAccount) {
  MemoryBudget budget(100);
  PeerAccounts accounts(budget, 0);
  const auto hold = accounts.Open("one")->Take(40);
  EXPECT_TRUE(hold);
  EXPECT_EQ(accounts.Open("one")->used(), 40u);
  EXPECT_FALSE(accounts.Open("one")->Take(30));
  EXPECT_TRUE(accounts.Open("other")->Take(30));
}

TEST(PeerAccounts, APeerAlwaysHasItsMinimum) {
  MemoryBudget budget(100);
  PeerAccounts accounts(budget, 10);
  const MemoryHold greedy = accounts.Open("one")->Force(200);
  EXPECT_TRUE(accounts.Open("other")->Take(10));
  EXPECT_FALSE(accounts.Open("one")->Take(10));
}

TEST(PeerAccounts, AnUnusedAccountIsCreatedAgain) {
  MemoryBudget budget(100);
  PeerAccounts accounts(budget, 0);
  { const auto hold = accounts.Open("one")->Take(40); }
  EXPECT_EQ(accounts.Open("one")->used(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(PeerAccounts, ManyGonePeersDoNotAffectOthers) {
  MemoryBudget budget(100);
  PeerAccounts accounts(budget, 0);
  const auto hold = accounts.Open("stays")->Take(40);
  for (int peer = 0; peer < 5000; ++peer) accounts.Open(std::to_string(peer));
  EXPECT_EQ(accounts.Open("stays")->used(), 40u);
}

}  // namespace
}  // namespace tandem
