// Reads the bytes of a NIR file.
#pragma once

#include <span>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Reads HDF5 bytes. Refuses other formats, a missing or misshapen group, dataset or parameter, an unknown node type,
// values that are not finite, and files over the limits of proto/NUMERICS.md. The error names node and field.
//
// The HDF5 library itself is not safe with every damaged file, and not thread-safe. For bytes from outside use Load
// (loader/load.h), which runs this in a separate process.
Expected<GraphTree> ReadNir(std::span<const char> bytes);

}  // namespace tandem
