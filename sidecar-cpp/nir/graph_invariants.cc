#include "nir/graph_invariants.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "nir/invalid.h"

namespace tandem {
namespace {

// Returns true if the product of `dims` is `elements`, which is at least 1.
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
  if (field == "weight" && tensor.dims.size() != RankOfWeight(node.type)) {
    return InvalidField(node.name, field, "must have " + std::to_string(RankOfWeight(node.type)) + " dimensions");
  }
  const bool good =
      std::ranges::all_of(tensor.values, [&](double value) { return std::isfinite(value) && spec.InRange(value); });
  const bool any = spec.range == ParameterSpec::Range::kAny;
  if (!good) {
    return InvalidField(node.name, field,
                        any ? "must be finite" : "must be finite and " + std::string(spec.range_text()));
  }
  return std::nullopt;
}

bool IntegersFit(const IntegerSpec& spec, const Integers& values) {
  if (spec.count == 0 ? values.empty() || values.size() > kMaxRank : values.size() != spec.count) return false;
  const auto same = [](std::int64_t value) { return value == kSamePadding; };
  if (spec.may_be_same && std::ranges::all_of(values, same)) return true;
  return std::ranges::all_of(values, [&](std::int64_t value) { return value >= spec.min && value <= spec.max; });
}

MaybeError CheckIntegers(const Node& node) {
  std::size_t known = 0;
  for (const IntegerSpec& spec : IntegersOf(node.type)) {
    const std::string field(spec.name);
    const auto found = node.integers.find(field);
    if (found == node.integers.end()) {
      if (spec.required) return InvalidField(node.name, field, "is missing");
      continue;
    }
    ++known;
    if (!IntegersFit(spec, found->second)) return InvalidField(node.name, field, "has integers that cannot be");
  }
  if (known != node.integers.size()) return InvalidNode(node.name, "has an integer field that its type has not");
  return std::nullopt;
}

MaybeError CheckNode(const Node& node) {
  if (node.name.empty() || node.name.size() > kMaxNameBytes || !IsUtf8(node.name)) {
    return InvalidNode(node.name, "has a name that cannot be");
  }
  if (auto error = CheckIntegers(node)) return error;
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

// Checks that these are all nodes of that type, ascending, and at least one.
bool AreEnds(const Graph& graph, const std::vector<std::uint32_t>& ends, NodeType type) {
  const auto is_end = [&](std::uint32_t index) {
    return index < graph.nodes.size() && graph.nodes[index].type == type;
  };
  return !ends.empty() && std::ranges::all_of(ends, is_end) &&
         std::ranges::adjacent_find(ends, std::greater_equal<>()) == ends.end();
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
  if (!AreEnds(graph, graph.inputs, NodeType::kInput) || !AreEnds(graph, graph.outputs, NodeType::kOutput)) {
    return InvalidFile("no Input or no Output");
  }
  if (!IsUtf8(graph.warning)) return InvalidFile("a warning that cannot be");
  for (const auto& [source, target] : graph.edges) {
    if (source >= graph.nodes.size() || target >= graph.nodes.size()) return InvalidFile("an edge names no node");
    if (std::ranges::binary_search(graph.inputs, target) || std::ranges::binary_search(graph.outputs, source))
      return InvalidFile("an edge enters the Input or leaves the Output");
  }
  if (std::ranges::adjacent_find(graph.edges, std::greater_equal<>()) != graph.edges.end()) {
    return InvalidFile("edges are not in canonical order");
  }
  return std::nullopt;
}

}  // namespace tandem
