#include "nir/order.h"

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
  // Edges are sorted by source, so each node's sources come out in canonical order.
  std::vector<std::vector<std::uint32_t>> into(graph.nodes.size());
  for (const auto& [source, target] : graph.edges) into[target].push_back(source);

  Order order;
  order.sources.resize(graph.nodes.size());
  std::vector<Walk> state(graph.nodes.size(), Walk::kNotYet);
  std::vector<Frame> walk;
  const auto enter = [&](std::uint32_t node) {
    state[node] = Walk::kWalking;
    walk.push_back({node});
  };

  enter(graph.output);
  while (!walk.empty()) {
    Frame& frame = walk.back();
    const std::uint32_t node = frame.node;
    if (frame.next == into[node].size()) {
      if (into[node].empty() && node != graph.input) {
        return InvalidNode(graph.nodes[node].name, "has no source: no edge enters it");
      }
      state[node] = Walk::kDone;
      order.evaluated.push_back(node);
      walk.pop_back();
      continue;
    }
    const std::uint32_t source = into[node][frame.next++];
    order.sources[node].push_back({source, state[source] == Walk::kWalking});
    if (state[source] == Walk::kNotYet) enter(source);
  }
  if (state[graph.input] != Walk::kDone) {
    return InvalidNode(graph.nodes[graph.input].name, "is the root Input, but no path leads from it to the Output");
  }
  return order;
}

}  // namespace tandem
