#include "nir/graph_invariants.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "nir/invalid.h"

namespace tandem {
namespace {

// Whether the product of `dims` is `elements`, which is at least 1.
bool ShapeFits(const std::vector<std::uint64_t>& dims, std::size_t elements) {
  std::size_t product = 1;
  for (const std::uint64_t dim : dims) {
    if (dim == 0 || product > elements / dim) return false;
    product *= dim;
  }
  return product == elements;
}

MaybeError CheckTensor(const Node& node, const ParameterSpec& spec, const Tensor& tensor) {
  const std::string field(spec.name);
  if (tensor.values.empty() || !ShapeFits(tensor.dims, tensor.values.size())) {
    return InvalidField(node.name, field, "has values that do not fit its shape");
  }
  if (field == "weight" && tensor.dims.size() != 2) return InvalidField(node.name, field, "must have two dimensions");
  const bool good = std::ranges::all_of(
      tensor.values, [&](double value) { return std::isfinite(value) && (!spec.positive || value > 0); });
  if (!good) return InvalidField(node.name, field, spec.positive ? "must be finite and > 0" : "must be finite");
  return std::nullopt;
}

MaybeError CheckNode(const Node& node) {
  if (node.name.empty() || node.name.size() > kMaxNameBytes || !IsUtf8(node.name)) {
    return InvalidNode(node.name, "has a name that cannot be");
  }
  if (PassesThrough(node.type) != (node.shape_elements != 0) || node.shape_elements > kMaxNodeElements) {
    return InvalidNode(node.name, "has a shape that cannot be");
  }
  std::size_t known = 0;
  for (const ParameterSpec& spec : ParametersOf(node.type)) {
    const auto found = node.parameters.find(std::string(spec.name));
    if (found == node.parameters.end()) {
      if (!spec.fallback) return InvalidField(node.name, std::string(spec.name), "is missing");
      continue;
    }
    ++known;
    if (auto error = CheckTensor(node, spec, found->second)) return error;
  }
  if (known != node.parameters.size()) return InvalidNode(node.name, "has a parameter that its type has not");
  return std::nullopt;
}

bool IsEnd(const Graph& graph, std::uint32_t index, NodeType type) {
  return index < graph.nodes.size() && graph.nodes[index].type == type;
}

}  // namespace

MaybeError CheckInvariants(const Graph& graph) {
  if (graph.nodes.size() > kMaxNodes || graph.edges.size() > kMaxEdges)
    return InvalidFile("more nodes or edges than the limit");
  std::size_t elements = 0;
  for (const Node& node : graph.nodes) {
    if (auto error = CheckNode(node)) return error;
    for (const auto& [field, tensor] : node.parameters) elements += tensor.values.size();
  }
  if (elements > kMaxParameterElements) return InvalidFile("more parameter elements than the limit");
  const auto not_ascending = std::ranges::adjacent_find(graph.nodes, std::greater_equal<>(), &Node::name);
  if (not_ascending != graph.nodes.end()) return InvalidNode(not_ascending->name, "is not in canonical order");
  if (!IsEnd(graph, graph.input, NodeType::kInput) || !IsEnd(graph, graph.output, NodeType::kOutput)) {
    return InvalidFile("no Input or no Output");
  }
  for (const auto& [source, target] : graph.edges) {
    if (source >= graph.nodes.size() || target >= graph.nodes.size()) return InvalidFile("an edge names no node");
    if (target == graph.input || source == graph.output)
      return InvalidFile("an edge enters the Input or leaves the Output");
  }
  if (std::ranges::adjacent_find(graph.edges, std::greater_equal<>()) != graph.edges.end()) {
    return InvalidFile("edges are not in canonical order");
  }
  return std::nullopt;
}

}  // namespace tandem
