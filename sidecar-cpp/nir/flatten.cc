#include "nir/flatten.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "nir/invalid.h"

namespace tandem {
namespace {

// A node or a nested graph from outside: the nodes at which edges enter and leave it, as indices into Flat::nodes.
struct Ports {
  std::uint32_t input = 0;
  std::uint32_t output = 0;
};

using Indices = std::vector<std::uint32_t>;

// All Inputs and Outputs of a graph. A nested graph has one of each.
struct Ends {
  Indices inputs;
  Indices outputs;
};

// Edges as indices, since names may be long.
struct Flat {
  std::vector<Node> nodes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
};

std::string WhereIs(const std::string& prefix) {
  return prefix.empty() ? "the root graph" : "node \"" + Printable(prefix.substr(0, prefix.size() - 1)) + "\"";
}

// Indices of the nodes of that type in `tree.nodes`, shifted by `first`.
Expected<Indices> NodesOf(const GraphTree& tree, NodeType type, const std::string& prefix, std::size_t first) {
  Indices found;
  for (std::size_t k = 0; k < tree.nodes.size(); ++k) {
    if (tree.nodes[k].type == type) found.push_back(static_cast<std::uint32_t>(first + k));
  }
  const bool root = prefix.empty();
  if (root ? !found.empty() : found.size() == 1) return found;
  return InvalidFile(WhereIs(prefix) + ": " + (root ? "must have an " : "a nested graph must have exactly one ") +
                     std::string(NameOf(type)) + " node, found " + std::to_string(found.size()));
}

class Flattener {
 public:
  Expected<Ends> Add(GraphTree tree, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth) {
      return InvalidFile(WhereIs(prefix) + ": graphs are nested deeper than the limit of " + std::to_string(kMaxDepth));
    }
    auto inputs = NodesOf(tree, NodeType::kInput, prefix, flat_.nodes.size());
    if (!inputs.ok()) return inputs.error();
    auto outputs = NodesOf(tree, NodeType::kOutput, prefix, flat_.nodes.size());
    if (!outputs.ok()) return outputs.error();

    std::unordered_map<std::string, Ports> ends;  // the ends of an edge with this node's name
    for (Node& node : tree.nodes) {
      const auto index = static_cast<std::uint32_t>(flat_.nodes.size());
      ends[node.name] = {index, index};
      node.name.insert(0, prefix);
      flat_.nodes.push_back(std::move(node));
    }
    for (auto& [name, graph] : tree.graphs) {
      const auto nested = Add(std::move(graph), prefix + name + "/", depth + 1);
      if (!nested.ok()) return nested.error();
      ends[name] = {nested.value().inputs[0], nested.value().outputs[0]};
    }
    for (const auto& [from, to] : tree.edges) {
      for (const std::string& end : {from, to}) {
        if (ends.contains(end)) continue;
        return InvalidFile(WhereIs(prefix) + ": field \"edges\": the edge \"" + Printable(from) + "\" -> \"" +
                           Printable(to) + "\" has an unknown node: there is no \"" + Printable(end) + "\"");
      }
      flat_.edges.emplace_back(ends[from].output, ends[to].input);
    }
    return Ends{std::move(inputs).value(), std::move(outputs).value()};
  }

  Flat Take() { return std::move(flat_); }

 private:
  Flat flat_;
};

}  // namespace

Expected<Graph> Flatten(GraphTree tree) {
  Flattener flattener;
  Graph graph;
  graph.warning = std::move(tree.warning);
  auto ends = flattener.Add(std::move(tree), "", 1);
  if (!ends.ok()) return ends.error();
  Flat flat = flattener.Take();
  if (flat.nodes.size() > kMaxNodes) {
    return InvalidFile("the graph has " + std::to_string(flat.nodes.size()) + " nodes, above the limit of " +
                       std::to_string(kMaxNodes));
  }

  std::vector<std::uint32_t> order(flat.nodes.size());  // indices into flat.nodes, in canonical order
  std::iota(order.begin(), order.end(), 0u);
  // std::string compares bytes: canonical order.
  std::ranges::sort(order, {}, [&](std::uint32_t k) -> const std::string& { return flat.nodes[k].name; });
  std::vector<std::uint32_t> index(flat.nodes.size());  // index in the graph, by index into flat.nodes
  for (const std::uint32_t k : order) {
    index[k] = static_cast<std::uint32_t>(graph.nodes.size());
    graph.nodes.push_back(std::move(flat.nodes[k]));
  }
  const auto indices_of = [&index](const Indices& nodes) {
    Indices sorted;
    for (const std::uint32_t node : nodes) sorted.push_back(index[node]);
    std::ranges::sort(sorted);
    return sorted;
  };
  graph.inputs = indices_of(ends.value().inputs);
  graph.outputs = indices_of(ends.value().outputs);

  for (const auto& [from, to] : flat.edges) {
    const std::uint32_t source = index[from];
    const std::uint32_t target = index[to];
    const std::string& source_name = graph.nodes[source].name;
    const std::string& target_name = graph.nodes[target].name;
    if (std::ranges::binary_search(graph.inputs, target)) {
      return InvalidField(target_name, "edges",
                          "no edge may enter an Input of the root graph; \"" + Printable(source_name) + "\" does");
    }
    if (std::ranges::binary_search(graph.outputs, source)) {
      return InvalidField(
          source_name, "edges",
          "no edge may leave an Output of the root graph; one goes to \"" + Printable(target_name) + "\"");
    }
    graph.edges.emplace_back(source, target);
  }
  std::ranges::sort(graph.edges);
  graph.edges.erase(std::unique(graph.edges.begin(), graph.edges.end()), graph.edges.end());
  return graph;
}

}  // namespace tandem
