// The number of input and output elements of each node, and their shape if it matters.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"
#include "nir/window.h"

namespace tandem {

struct NodeSize {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  std::optional<Window> window;  // of a node that HasWindow
};

// Sizes of the nodes, evaluated or not, from their parameters, or else from a neighbour across an edge, repeated until
// nothing changes: see proto/NUMERICS.md, "Sizes" and "Shapes". Refuses sizes that contradict each other, stay unknown
// or exceed the limit.
Expected<std::vector<NodeSize>> InferSizes(const Graph& graph);

}  // namespace tandem
