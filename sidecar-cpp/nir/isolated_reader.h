// ReadNir for bytes nobody vouches for.
#pragma once

#include <span>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Reads the file in a child process with limits on memory and time. The HDF5 library can crash, loop or exhaust memory
// on a damaged file; here that ends the child, and comes back as an error like any other.
//
// Forks: call it where no other thread holds a lock that the child could need, that is before servers start.
Expected<GraphTree> ReadNirIsolated(std::span<const char> bytes);

}  // namespace tandem
