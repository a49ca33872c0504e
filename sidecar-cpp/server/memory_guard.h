// The last resort against peers that make gRPC itself take memory, which no budget of ours counts: gRPC 1.51 keeps
// header blocks of any size (CVE-2023-33953). Where the process grows far beyond what its budgets allow, all
// connections are closed: routers are back in milliseconds, and their requests go to other engines meanwhile.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>

namespace tandem {

// Memory of this process that is in use, bytes; 0: not known.
std::size_t ResidentMemory();

class MemoryGuard {
 public:
  // Calls `relieve`, on a thread of its own, while the process takes more than `max_bytes` says.
  MemoryGuard(std::function<std::size_t()> max_bytes, std::function<void()> relieve);
  ~MemoryGuard();
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

 private:
  void Watch();

  const std::function<std::size_t()> max_bytes_;
  const std::function<void()> relieve_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace tandem
