#include "nir/flatten.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "nir/invalid.h"

namespace tandem {
namespace {

using NamedEdge = std::pair<std::string, std::string>;

// How a graph looks from outside: the full names of its Input and its Output.
struct Ports {
  std::string input;
  std::string output;
};

struct Flat {
  std::vector<Node> nodes;
  std::vector<NamedEdge> edges;
};

std::string WhereIs(const std::string& prefix) {
  return prefix.empty() ? "the root graph" : "node \"" + Printable(prefix.substr(0, prefix.size() - 1)) + "\"";
}

Expected<std::string> OnlyNodeOf(const GraphTree& tree, NodeType type, const std::string& prefix) {
  std::string found;
  std::size_t count = 0;
  for (const Node& node : tree.nodes) {
    if (node.type != type) continue;
    found = node.name;
    ++count;
  }
  if (count != 1) {
    return InvalidFile(WhereIs(prefix) + ": a graph must have exactly one " + std::string(NameOf(type)) +
                       " node, found " + std::to_string(count));
  }
  return prefix + found;
}

class Flattener {
 public:
  Expected<Ports> Add(GraphTree tree, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth) {
      return InvalidFile(WhereIs(prefix) + ": graphs are nested deeper than the limit of " + std::to_string(kMaxDepth));
    }
    auto input = OnlyNodeOf(tree, NodeType::kInput, prefix);
    if (!input.ok()) return input.error();
    auto output = OnlyNodeOf(tree, NodeType::kOutput, prefix);
    if (!output.ok()) return output.error();

    std::unordered_map<std::string, Ports> ends;  // what an edge that names this node means
    for (Node& node : tree.nodes) {
      const std::string name = prefix + node.name;
      ends[node.name] = {name, name};
      node.name = name;
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
    return Ports{input.value(), output.value()};
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

  Graph graph;
  graph.nodes = std::move(flat.nodes);
  std::ranges::sort(graph.nodes, {}, &Node::name);  // std::string compares bytes: canonical order
  std::unordered_map<std::string_view, std::uint32_t> index;
  for (std::uint32_t k = 0; k < graph.nodes.size(); ++k) index[graph.nodes[k].name] = k;
  graph.input = index[ports.value().input];
  graph.output = index[ports.value().output];

  for (const auto& [from, to] : flat.edges) {
    const std::uint32_t source = index[from];
    const std::uint32_t target = index[to];
    if (target == graph.input)
      return InvalidField(to, "edges", "no edge may enter the root Input; \"" + Printable(from) + "\" does");
    if (source == graph.output)
      return InvalidField(from, "edges", "no edge may leave the root Output; one goes to \"" + Printable(to) + "\"");
    graph.edges.emplace_back(source, target);
  }
  std::ranges::sort(graph.edges);
  graph.edges.erase(std::unique(graph.edges.begin(), graph.edges.end()), graph.edges.end());
  return graph;
}

}  // namespace tandem
