#include "nir/sizes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "nir/invalid.h"
#include "nir/own_size.h"

namespace tandem {
namespace {

// The present knowledge of a node's output shape. It only changes from unknown to known to mixed, so the result does
// not depend on the order of the nodes.
struct KnownShape {
  Shape dims;
  bool mixed = false;  // sources of different shapes

  [[nodiscard]] bool unknown() const { return dims.empty() && !mixed; }
  void Join(const KnownShape& other) {
    if (other.unknown() || mixed) return;
    if (unknown()) {
      *this = other;
    } else if (other.mixed || other.dims != dims) {
      *this = {{}, true};
    }
  }
  bool operator==(const KnownShape&) const = default;
};

class Inference {
 public:
  explicit Inference(const Graph& graph)
      : graph_(graph),
        sizes_(graph.nodes.size()),
        own_(graph.nodes.size()),
        shapes_(graph.nodes.size()),
        sources_(graph.nodes.size()),
        targets_(graph.nodes.size()) {
    for (const auto& [source, target] : graph.edges) {
      sources_[target].push_back(source);
      targets_[source].push_back(target);
    }
  }

  Expected<std::vector<NodeSize>> Run() {
    for (std::uint32_t node = 0; node < sizes_.size(); ++node) {
      auto own = OwnSizeOf(graph_.nodes[node]);
      if (!own.ok()) return own.error();
      own_[node] = std::move(own).value();
      sizes_[node].in = static_cast<std::uint32_t>(own_[node].in);
      sizes_[node].out = static_cast<std::uint32_t>(own_[node].out);
      shapes_[node].dims = own_[node].shape;
      waiting_.push_back(node);
    }
    while (!waiting_.empty()) {
      const std::uint32_t node = waiting_.back();
      waiting_.pop_back();
      if (auto error = Look(node)) return *std::move(error);
    }
    if (auto error = CheckEdges()) return *std::move(error);
    if (auto error = CheckKnown()) return *std::move(error);
    return std::move(sizes_);
  }

 private:
  [[nodiscard]] const Node& At(std::uint32_t node) const { return graph_.nodes[node]; }
  // Its input and output have the same number of elements.
  [[nodiscard]] bool KeepsSize(std::uint32_t node) const {
    return !HasWeight(At(node).type) && !HasWindow(At(node).type);
  }

  // Updates sizes from the neighbours. If something changed, the neighbours are visited again.
  MaybeError Look(std::uint32_t node) {
    const NodeSize before = sizes_[node];
    const KnownShape shape_before = shapes_[node];
    if (HasWindow(At(node).type)) {
      if (auto error = LookThroughWindow(node)) return error;
    } else {
      LookAround(node);
    }
    if (sizes_[node].out != before.out || shapes_[node] != shape_before) {
      waiting_.insert(waiting_.end(), targets_[node].begin(), targets_[node].end());
    }
    if (sizes_[node].in != before.in) {
      waiting_.insert(waiting_.end(), sources_[node].begin(), sources_[node].end());
    }
    return std::nullopt;
  }

  void LookAround(std::uint32_t node) {
    NodeSize& size = sizes_[node];
    for (const std::uint32_t source : sources_[node]) {
      if (size.in == 0) size.in = sizes_[source].out;
    }
    if (KeepsSize(node)) {
      for (const std::uint32_t target : targets_[node]) {
        if (size.in == 0) size.in = sizes_[target].in;
      }
      size.out = size.in;
    }
    if (own_[node].is_final) return;
    KnownShape shape = SourceShape(node);
    if (At(node).type == NodeType::kFlatten && !shape.dims.empty()) shape.dims = Flattened(At(node), shape.dims);
    shapes_[node] = std::move(shape);
  }

  MaybeError LookThroughWindow(std::uint32_t node) {
    Shape input = OwnInputShape(At(node));
    if (input.empty()) input = SourceShape(node).dims;
    if (input.empty() || sizes_[node].window) return std::nullopt;
    auto window = WindowOf(At(node), input);
    if (!window.ok()) return window.error();
    shapes_[node].dims = OutputShape(At(node), window.value());
    sizes_[node] = {static_cast<std::uint32_t>(ElementsOf(input)),
                    static_cast<std::uint32_t>(ElementsOf(shapes_[node].dims)), window.value()};
    return std::nullopt;
  }

  [[nodiscard]] KnownShape SourceShape(std::uint32_t node) const {
    KnownShape shape;
    for (const std::uint32_t source : sources_[node]) shape.Join(shapes_[source]);
    return shape;
  }

  [[nodiscard]] MaybeError CheckEdges() const {
    const auto fits = [this](const auto& edge) {
      const std::uint32_t out = sizes_[edge.first].out;
      const std::uint32_t in = sizes_[edge.second].in;
      return out == in || out == 0 || in == 0;
    };
    const auto from_input = [this](const auto& edge) { return At(edge.first).type == NodeType::kInput; };
    // The Input first: if it has a batch dimension, all later nodes seem wrong.
    auto wrong = std::ranges::find_if(graph_.edges, [&](const auto& e) { return from_input(e) && !fits(e); });
    if (wrong == graph_.edges.end()) wrong = std::ranges::find_if_not(graph_.edges, fits);
    if (wrong == graph_.edges.end()) return std::nullopt;
    const auto [from, to] = *wrong;
    const std::uint32_t out = sizes_[from].out;
    const std::uint32_t in = sizes_[to].in;
    if (auto error = Batched(from, out, to, in)) return error;
    if (auto error = Batched(to, in, from, out)) return error;
    return InvalidField(At(to).name, "edges",
                        "takes " + std::to_string(in) + " elements, but \"" + Printable(At(from).name) + "\" gives " +
                            std::to_string(out));
  }

  // A hint for the error, if the first dimension of an Input or Output is probably the batch.
  [[nodiscard]] MaybeError Batched(std::uint32_t node, std::uint32_t size, std::uint32_t other,
                                   std::uint32_t wanted) const {
    const auto shape = At(node).integers.find("shape");
    if (shape == At(node).integers.end() || shape->second.size() < 2) return std::nullopt;
    if (static_cast<std::uint64_t>(shape->second[0]) * wanted != size) return std::nullopt;
    const std::string batch = std::to_string(shape->second[0]);
    return InvalidField(At(node).name, "shape",
                        Shown(Shape(shape->second.begin(), shape->second.end())) + " has " + std::to_string(size) +
                            " elements, but \"" + Printable(At(other).name) + "\" has " + std::to_string(wanted) +
                            ": it looks like a batch of " + batch + "; export the model with a batch of 1");
  }

  [[nodiscard]] MaybeError CheckKnown() const {
    for (std::uint32_t node = 0; node < sizes_.size(); ++node) {
      // Two shapes that met after the window was computed.
      const bool mixed = HasWindow(At(node).type) && OwnInputShape(At(node)).empty() && SourceShape(node).mixed;
      if (mixed) {
        return InvalidField(At(node).name, "edges",
                            "its sources have different shapes, so that its input has none; give them one shape");
      }
      if (sizes_[node].in != 0 && sizes_[node].out != 0) continue;
      if (HasWindow(At(node).type)) {
        return InvalidField(At(node).name, "edges",
                            "the shape of its input is unknown; give the Input, or the nodes between, a shape with the "
                            "channels first");
      }
      return InvalidField(At(node).name, "shape",
                          "is unknown: neither its parameters nor its neighbours say how many elements it has");
    }
    return std::nullopt;
  }

  const Graph& graph_;
  std::vector<NodeSize> sizes_;
  std::vector<OwnSize> own_;
  std::vector<KnownShape> shapes_;
  std::vector<std::vector<std::uint32_t>> sources_;
  std::vector<std::vector<std::uint32_t>> targets_;
  std::vector<std::uint32_t> waiting_;
};

}  // namespace

Expected<std::vector<NodeSize>> InferSizes(const Graph& graph) { return Inference(graph).Run(); }

}  // namespace tandem
