#include "nir/flatten.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "nir/invalid.h"

namespace tandem {
namespace {

// How a graph looks from outside: its Input and its Output, as indices into Flat::nodes.
struct Ports {
  std::uint32_t input = 0;
  std::uint32_t output = 0;
};

// Edges as indices: names, which a file can make long, are not repeated for each.
struct Flat {
  std::vector<Node> nodes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
};

std::string WhereIs(const std::string& prefix) {
  return prefix.empty() ? "the root graph" : "node \"" + Printable(prefix.substr(0, prefix.size() - 1)) + "\"";
}

// Index of the only node of that type in `tree.nodes`.
Expected<std::uint32_t> OnlyNodeOf(const GraphTree& tree, NodeType type, const std::string& prefix) {
  std::uint32_t found = 0;
  std::size_t count = 0;
  for (std::uint32_t k = 0; k < tree.nodes.size(); ++k) {
    if (tree.nodes[k].type != type) continue;
    found = k;
    ++count;
  }
  if (count != 1) {
    return InvalidFile(WhereIs(prefix) + ": a graph must have exactly one " + std::string(NameOf(type)) +
                       " node, found " + std::to_string(count));
  }
  return found;
}

class Flattener {
 public:
  Expected<Ports> Add(GraphTree tree, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth) {
      return InvalidFile(WhereIs(prefix) + ": graphs are nested deeper than the limit of " + std::to_string(kMaxDepth));
    }
    const auto input = OnlyNodeOf(tree, NodeType::kInput, prefix);
    if (!input.ok()) return input.error();
    const auto output = OnlyNodeOf(tree, NodeType::kOutput, prefix);
    if (!output.ok()) return output.error();

    const auto first = static_cast<std::uint32_t>(flat_.nodes.size());
    std::unordered_map<std::string, Ports> ends;  // what an edge that names this node means
    for (Node& node : tree.nodes) {
      const auto index = static_cast<std::uint32_t>(flat_.nodes.size());
      ends[node.name] = {index, index};
      node.name.insert(0, prefix);
      flat_.nodes.push_back(std::move(node));
    }
    for (auto& [name, graph] : tree.graphs) {
      auto ports = Add(std::move(graph), prefix + name + "/", depth + 1);
      if (!ports.ok()) return ports.error();
      ends[name] = ports.value();
    }
    for (const auto& [from, to] : tree.edges) {
      for (const std::string& end : {from, to}) {
        if (ends.contains(end)) continue;
        return InvalidFile(WhereIs(prefix) + ": field \"edges\": the edge \"" + Printable(from) + "\" -> \"" +
                           Printable(to) + "\" names no node: there is no \"" + Printable(end) + "\"");
      }
      flat_.edges.emplace_back(ends[from].output, ends[to].input);
    }
    return Ports{first + input.value(), first + output.value()};
  }

  Flat Take() { return std::move(flat_); }

 private:
  Flat flat_;
};

}  // namespace

Expected<Graph> Flatten(GraphTree tree) {
  Flattener flattener;
  auto ports = flattener.Add(std::move(tree), "", 1);
  if (!ports.ok()) return ports.error();
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
  Graph graph;
  for (const std::uint32_t k : order) {
    index[k] = static_cast<std::uint32_t>(graph.nodes.size());
    graph.nodes.push_back(std::move(flat.nodes[k]));
  }
  graph.input = index[ports.value().input];
  graph.output = index[ports.value().output];

  for (const auto& [from, to] : flat.edges) {
    const std::uint32_t source = index[from];
    const std::uint32_t target = index[to];
    const std::string& source_name = graph.nodes[source].name;
    const std::string& target_name = graph.nodes[target].name;
    if (target == graph.input) {
      return InvalidField(target_name, "edges",
                          "no edge may enter the root Input; \"" + Printable(source_name) + "\" does");
    }
    if (source == graph.output) {
      return InvalidField(source_name, "edges",
                          "no edge may leave the root Output; one goes to \"" + Printable(target_name) + "\"");
    }
    graph.edges.emplace_back(source, target);
  }
  std::ranges::sort(graph.edges);
  graph.edges.erase(std::unique(graph.edges.begin(), graph.edges.end()), graph.edges.end());
  return graph;
}

}  // namespace tandem
