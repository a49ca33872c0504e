#include "base/memory_plan.h"

#include <algorithm>
#include <fstream>

namespace tandem {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
// In cgroup v1, a very large number means "no limit".
constexpr std::size_t kNoLimit = std::size_t{1} << 50;

std::size_t Part(std::optional<std::size_t> limit, std::size_t divisor, std::size_t most) {
  if (!limit) return most;
  return std::clamp(*limit / divisor, 16 * kMiB, most);
}

}  // namespace

std::optional<std::size_t> MemoryLimit(const std::string& root) {
  for (const char* file : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    std::size_t bytes = 0;
    if (std::ifstream(root + file) >> bytes && bytes < kNoLimit) return bytes;
  }
  return std::nullopt;
}

MemoryPlan PlanMemory(std::optional<std::size_t> limit) {
  return {Part(limit, 4, 256 * kMiB), Part(limit, 8, 128 * kMiB)};
}

}  // namespace tandem
