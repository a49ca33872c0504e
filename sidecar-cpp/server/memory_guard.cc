#include "server/memory_guard.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <utility>

namespace tandem {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};

}  // namespace

std::size_t ResidentMemory() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

MemoryGuard::MemoryGuard(std::function<std::size_t()> max_bytes, std::function<void()> relieve)
    : max_bytes_(std::move(max_bytes)), relieve_(std::move(relieve)), thread_([this] { Watch(); }) {}

MemoryGuard::~MemoryGuard() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void MemoryGuard::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kLookEvery, [this] { return stopped_; })) {
    const std::size_t max_bytes = max_bytes_();
    if (ResidentMemory() <= max_bytes) continue;
    malloc_trim(0);
    const std::size_t resident = ResidentMemory();
    if (resident <= max_bytes) continue;
    spdlog::error(
        "this engine uses {} MiB of memory, more than {} MiB, which its inputs and answers do not explain; all "
        "connections are closed; look for a peer that is not a router",
        resident >> 20, max_bytes >> 20);
    relieve_();
  }
}

}  // namespace tandem
