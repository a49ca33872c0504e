// How many elements each node takes and gives.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"
#include "nir/order.h"

namespace tandem {

struct NodeSize {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
};

// Sizes of the evaluated nodes (0 for the others), from their parameters or else from a neighbour across an edge,
// repeated until nothing changes. Refuses sizes that contradict each other, stay unknown or exceed the limit. Nodes
// that are not evaluated take no part.
Expected<std::vector<NodeSize>> InferSizes(const Graph& graph, const Order& order);

}  // namespace tandem
