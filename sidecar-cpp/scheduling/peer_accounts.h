// The memory accounts of unary calls. All calls of one connection share an account: otherwise a caller with many calls
// would get the minimum many times.
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

  // The account of the peer. It exists as long as it is used.
  std::shared_ptr<MemoryAccount> Open(const std::string& peer);

 private:
  MemoryBudget& budget_;
  const std::size_t minimum_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<MemoryAccount>> accounts_;
  std::size_t next_sweep_ = 0;  // at this number of accounts, unused ones are removed
};

}  // namespace tandem
