// The bytes of a NIR file turned into what they say.
#pragma once

#include <span>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Reads HDF5 bytes. Refuses, naming node and field: what is not HDF5, a missing or misshapen group, dataset or
// parameter, an unknown node type, values that are not finite, and what exceeds the limits of proto/NUMERICS.md.
//
// The HDF5 library itself is not proof against every damaged file, and not thread-safe: for bytes from outside use
// Load (loader/load.h), which runs this in a process of its own.
Expected<GraphTree> ReadNir(std::span<const char> bytes);

}  // namespace tandem
