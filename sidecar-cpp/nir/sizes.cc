#include "nir/sizes.h"

#include <string>

#include "nir/invalid.h"

namespace tandem {
namespace {

// A size and where it was found; 0 elements: not known.
struct OwnSize {
  std::uint64_t elements = 0;
  std::string field;
};

// The size a node's own parameters give it, or why they contradict each other.
Expected<OwnSize> SizeFromParameters(const Node& node) {
  if (node.shape_elements != 0) {
    return OwnSize{node.shape_elements, node.type == NodeType::kFlatten ? "input_type" : "shape"};
  }
  OwnSize known;
  for (const auto& [field, tensor] : node.parameters) {
    const std::uint64_t elements = tensor.values.size();
    if (elements == 1) continue;
    if (known.elements != 0 && known.elements != elements) {
      return InvalidField(node.name, field,
                          "has " + std::to_string(elements) + " elements where \"" + known.field + "\" has " +
                              std::to_string(known.elements) + "; give both the same, or one element");
    }
    known = {elements, field};
  }
  return known;
}

MaybeError CheckBias(const Node& node, std::uint64_t out) {
  const auto bias = node.parameters.find("bias");
  if (bias == node.parameters.end()) return std::nullopt;
  const std::uint64_t elements = bias->second.values.size();
  if (elements == 1 || elements == out) return std::nullopt;
  return InvalidField(node.name, "bias",
                      "has " + std::to_string(elements) + " elements where \"weight\" has " + std::to_string(out) +
                          " rows; give one for each row");
}

MaybeError CheckLimit(const Node& node, std::uint64_t elements) {
  if (elements <= kMaxNodeElements) return std::nullopt;
  return InvalidNode(node.name, "has " + std::to_string(elements) + " elements, above the limit of " +
                                    std::to_string(kMaxNodeElements));
}

class Inference {
 public:
  explicit Inference(const Graph& graph) : graph_(graph), sizes_(graph.nodes.size()) {}

  Expected<std::vector<NodeSize>> Run() {
    if (auto error = Start()) return *std::move(error);
    bool changed = true;
    while (changed) {
      changed = false;
      for (const auto& [source, target] : graph_.edges) {
        if (auto error = Meet(source, target, changed)) return *std::move(error);
      }
    }
    for (std::size_t node = 0; node < sizes_.size(); ++node) {
      if (sizes_[node].in != 0) continue;
      return InvalidField(graph_.nodes[node].name, "shape",
                          "is unknown: neither its parameters nor its neighbours say how many elements it has");
    }
    return std::move(sizes_);
  }

 private:
  MaybeError Start() {
    for (std::size_t index = 0; index < sizes_.size(); ++index) {
      const Node& node = graph_.nodes[index];
      if (HasWeight(node.type)) {
        const auto& dims = node.parameters.at("weight").dims;
        for (const std::uint64_t elements : dims) {
          if (auto error = CheckLimit(node, elements)) return error;
        }
        if (auto error = CheckBias(node, dims[0])) return error;
        sizes_[index] = {static_cast<std::uint32_t>(dims[1]), static_cast<std::uint32_t>(dims[0])};
        continue;
      }
      const auto own = SizeFromParameters(node);
      if (!own.ok()) return own.error();
      if (auto error = CheckLimit(node, own.value().elements)) return error;
      const auto elements = static_cast<std::uint32_t>(own.value().elements);
      sizes_[index] = {elements, elements};
    }
    return std::nullopt;
  }

  // Lets the two ends of an edge agree, or says that they cannot.
  MaybeError Meet(std::uint32_t from, std::uint32_t to, bool& changed) {
    NodeSize& source = sizes_[from];
    NodeSize& target = sizes_[to];
    if (source.out == target.in) return std::nullopt;
    if (source.out == 0) {
      source = {target.in, target.in};
    } else if (target.in == 0) {
      target = {source.out, source.out};
    } else {
      return InvalidField(graph_.nodes[to].name, "edges",
                          "takes " + std::to_string(target.in) + " elements, but \"" +
                              Printable(graph_.nodes[from].name) + "\" gives " + std::to_string(source.out));
    }
    changed = true;
    return std::nullopt;
  }

  const Graph& graph_;
  std::vector<NodeSize> sizes_;
};

}  // namespace

Expected<std::vector<NodeSize>> InferSizes(const Graph& graph) { return Inference(graph).Run(); }

}  // namespace tandem
