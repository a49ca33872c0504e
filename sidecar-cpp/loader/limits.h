// The limits of reading one file.
#pragma once

#include <chrono>
#include <cstdint>

namespace tandem {

struct LoadLimits {
  std::uint64_t memory_bytes = std::uint64_t{3} << 30;  // the largest model needs about half of it
  std::uint64_t cpu_seconds = 20;                       // the largest model needs about 3
  std::chrono::milliseconds wall_time{300'000};  // the largest model took 57 s on a machine with ten times the load
};

}  // namespace tandem
