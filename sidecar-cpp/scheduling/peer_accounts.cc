#include "scheduling/peer_accounts.h"

#include <algorithm>

namespace tandem {
namespace {

constexpr std::size_t kMinimumSweep = 1024;

}  // namespace

std::shared_ptr<MemoryAccount> PeerAccounts::Open(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  if (accounts_.size() >= next_sweep_) {
    std::erase_if(accounts_, [](const auto& one) { return one.second.expired(); });
    next_sweep_ = std::max(kMinimumSweep, 2 * accounts_.size());
  }
  std::weak_ptr<MemoryAccount>& known = accounts_[peer];
  std::shared_ptr<MemoryAccount> account = known.lock();
  if (account == nullptr) known = account = MemoryAccount::Open(budget_, minimum_);
  return account;
}

}  // namespace tandem
