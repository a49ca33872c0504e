// How many elements each node takes and gives.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

struct NodeSize {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
};

// Sizes of the nodes, evaluated or not, from their parameters or else from a neighbour across an edge, repeated until
// nothing changes. Refuses sizes that contradict each other, stay unknown or exceed the limit.
Expected<std::vector<NodeSize>> InferSizes(const Graph& graph);

}  // namespace tandem
