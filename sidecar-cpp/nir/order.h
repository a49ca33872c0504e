// The order in which a graph's nodes are evaluated, and the edges at which its loops are cut.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "nir/graph.h"

namespace tandem {

// An edge into a node, from the node's point of view.
struct Source {
  std::uint32_t node = 0;  // index into Graph::nodes
  bool delayed = false;    // carries the source's output of the previous step
};

struct Order {
  std::vector<std::uint32_t> evaluated;      // node indices, in order of evaluation
  std::vector<std::vector<Source>> sources;  // for each node of the graph, in canonical order; empty if not evaluated
};

// Walks back from the root graph's Outputs, depth first, by proto/NUMERICS.md. Refuses a graph with an Input that the
// walk does not reach, and a node (other than a root Input) without a source, evaluated or not.
Expected<Order> OrderOfEvaluation(const Graph& graph);

}  // namespace tandem
