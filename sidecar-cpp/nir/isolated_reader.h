// ReadNir for bytes nobody vouches for.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// What the child may use at most.
struct ReadLimits {
  std::uint64_t cpu_seconds = 20;                       // the largest model needs about 3
  std::uint64_t memory_bytes = std::uint64_t{3} << 30;  // the largest model needs about half of it
};

// Reads the file in a child process with limits on memory and time. The HDF5 library can crash, loop or exhaust memory
// on a damaged file; here that ends the child, and comes back as an error like any other.
//
// Forks: call it where no other thread holds a lock that the child could need, that is before servers start.
Expected<GraphTree> ReadNirIsolated(std::span<const char> bytes, const ReadLimits& limits = {});

}  // namespace tandem
