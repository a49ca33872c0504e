#include "nir/order.h"

#include <algorithm>

#include "nir/invalid.h"

namespace tandem {
namespace {

enum class Walk : std::uint8_t { kNotYet, kWalking, kDone };

struct Frame {
  std::uint32_t node;
  std::size_t next = 0;  // source to look at next
};

}  // namespace

Expected<Order> OrderOfEvaluation(const Graph& graph) {
  // Edges are sorted by source, so the sources of each node are in canonical order.
  std::vector<std::vector<std::uint32_t>> into(graph.nodes.size());
  for (const auto& [source, target] : graph.edges) into[target].push_back(source);

  for (std::uint32_t node = 0; node < graph.nodes.size(); ++node) {
    if (into[node].empty() && !std::ranges::binary_search(graph.inputs, node)) {
      return InvalidField(graph.nodes[node].name, "edges", "no edge enters it; give it a source");
    }
  }

  Order order;
  order.sources.resize(graph.nodes.size());
  std::vector<Walk> state(graph.nodes.size(), Walk::kNotYet);
  std::vector<Frame> walk;
  const auto enter = [&](std::uint32_t node) {
    state[node] = Walk::kWalking;
    walk.push_back({node});
  };

  for (const std::uint32_t output : graph.outputs) {
    enter(output);
    while (!walk.empty()) {
      Frame& frame = walk.back();
      const std::uint32_t node = frame.node;
      if (frame.next == into[node].size()) {
        state[node] = Walk::kDone;
        order.evaluated.push_back(node);
        walk.pop_back();
        continue;
      }
      const std::uint32_t source = into[node][frame.next++];
      order.sources[node].push_back({source, state[source] == Walk::kWalking});
      if (state[source] == Walk::kNotYet) enter(source);
    }
  }
  for (const std::uint32_t input : graph.inputs) {
    if (state[input] == Walk::kDone) continue;
    return InvalidField(graph.nodes[input].name, "edges", "no path leads from this Input to an Output");
  }
  return order;
}

}  // namespace tandem
