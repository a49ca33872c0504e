// Flattens nested graphs into one, and replaces names by indices.
#pragma once

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// Replaces every nested graph by its nodes, named "outer/inner"; an edge into it goes to its one Input, an edge out of
// it leaves its one Output. Refuses edges with unknown nodes, a nested graph without exactly one Input and one Output,
// a root graph without any, an edge into an Input or out of an Output of the root graph, and graphs over the limits of
// proto/NUMERICS.md.
Expected<Graph> Flatten(GraphTree tree);

}  // namespace tandem
