// What holds for every Graph that the reader and Flatten make, checked for one that came from another process.
#pragma once

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Checks all that the code behind it takes for granted: names, order, required parameters, shapes against values,
// finite and positive values, edges, limits. nullopt: all of it holds.
MaybeError CheckInvariants(const Graph& graph);

}  // namespace tandem
