// The invariants of every Graph of the reader and Flatten. They are checked for a graph from another process.
#pragma once

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Checks everything on which later code relies: names, order, required parameters, shapes and number of values, finite
// and positive values, edges, limits. Returns nullopt if all is valid.
MaybeError CheckInvariants(const Graph& graph);

}  // namespace tandem
