// The last protection against peers that make gRPC itself use memory, which our budgets do not count: gRPC 1.51 keeps
// header blocks of any size (CVE-2023-33953). If the process grows far beyond its budgets, all connections are closed.
// Routers reconnect within milliseconds, and their requests go to other engines until then.
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
  // Calls `relieve` on a separate thread while the process uses more than `max_bytes`.
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
