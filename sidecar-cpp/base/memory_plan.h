// How much memory the engine may use for what, beside its models.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace tandem {

// The limit of the container (cgroup v2 or v1 under `root`, which is /sys/fs/cgroup); nothing: there is none.
std::optional<std::size_t> MemoryLimit(const std::string& root);

struct MemoryPlan {
  std::size_t requests = 0;  // inputs that wait and answers that are not sent
  std::size_t wire = 0;      // buffers of connections
};

// A quarter and an eighth of the limit; without one, or with a large one, 256 and 128 MiB.
MemoryPlan PlanMemory(std::optional<std::size_t> limit);

}  // namespace tandem
