// Nested graphs dissolved into one, and names turned into indices.
#pragma once

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Replaces every nested graph by its nodes, named "outer/inner"; an edge into it goes to its one Input, an edge out of
// it leaves its one Output. Refuses edges that name no node, a graph without exactly one Input and one Output, an edge
// into the root Input or out of the root Output, and what exceeds the limits of proto/NUMERICS.md.
Expected<Graph> Flatten(GraphTree tree);

}  // namespace tandem
