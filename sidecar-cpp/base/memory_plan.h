// The memory that the engine may use for each purpose, beside its models.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace tandem {

// The limit of the container (cgroup v2 or v1 under `root`, which is /sys/fs/cgroup); nullopt if there is none.
std::optional<std::size_t> MemoryLimit(const std::string& root);

struct MemoryPlan {
  std::size_t requests = 0;  // waiting inputs and unsent answers
  std::size_t wire = 0;      // buffers of connections
};

// A quarter and an eighth of the limit, but at most 256 and 128 MiB. Without a limit: 256 and 128 MiB.
MemoryPlan PlanMemory(std::optional<std::size_t> limit);

}  // namespace tandem
