// The memory accounts of unary calls: all calls of one connection share one. A call alone would get an account's
// minimum for nothing, and a caller of many calls would get many.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "scheduling/memory_budget.h"

namespace tandem {

// Thread-safe.
class PeerAccounts {
 public:
  // Each account has `minimum` bytes in any case. `budget` must outlive the accounts.
  PeerAccounts(MemoryBudget& budget, std::size_t minimum) : budget_(budget), minimum_(minimum) {}

  // The account of the peer, which exists as long as anything uses it.
  std::shared_ptr<MemoryAccount> Open(const std::string& peer);

 private:
  MemoryBudget& budget_;
  const std::size_t minimum_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<MemoryAccount>> accounts_;
  std::size_t next_sweep_ = 0;  // when there are so many accounts, those that nothing uses are removed
};

}  // namespace tandem
