#include "nir/tree_codec.h"

#include <cstdint>
#include <string>

namespace tandem {
namespace {

constexpr std::uint64_t kMaxText = std::uint64_t{1} << 20;

// The two directions mirror each other line by line; `ok` turns false at the first failure and stays so.
struct Out {
  std::FILE* file;
  bool ok = true;

  void Raw(const void* data, std::size_t size) { ok = ok && (size == 0 || std::fwrite(data, 1, size, file) == size); }
  void Number(std::uint64_t value) { Raw(&value, sizeof(value)); }
  void Text(const std::string& text) {
    Number(text.size());
    Raw(text.data(), text.size());
  }
  void Put(const Tensor& tensor) {
    Number(tensor.dims.size());
    Raw(tensor.dims.data(), tensor.dims.size() * sizeof(std::uint64_t));
    Number(tensor.values.size());
    Raw(tensor.values.data(), tensor.values.size() * sizeof(double));
  }
  void Put(const Node& node) {
    Text(node.name);
    Number(static_cast<std::uint64_t>(node.type));
    Number(node.shape_elements);
    Number(node.parameters.size());
    for (const auto& [name, tensor] : node.parameters) {
      Text(name);
      Put(tensor);
    }
  }
  void Put(const GraphTree& tree) {
    Number(tree.nodes.size());
    for (const Node& node : tree.nodes) Put(node);
    Number(tree.edges.size());
    for (const auto& [from, to] : tree.edges) {
      Text(from);
      Text(to);
    }
    Number(tree.graphs.size());
    for (const auto& [name, graph] : tree.graphs) {
      Text(name);
      Put(graph);
    }
  }
  void Put(const Error& error) {
    Number(static_cast<std::uint64_t>(error.code));
    Text(error.reason);
    Text(error.message);
    Number(error.metadata.size());
    for (const auto& [key, value] : error.metadata) {
      Text(key);
      Text(value);
    }
  }
};

struct In {
  std::FILE* file;
  bool ok = true;

  void Raw(void* data, std::size_t size) { ok = ok && (size == 0 || std::fread(data, 1, size, file) == size); }
  std::uint64_t Number(std::uint64_t limit) {
    std::uint64_t value = 0;
    Raw(&value, sizeof(value));
    ok = ok && value <= limit;
    return ok ? value : 0;
  }
  std::string Text() {
    std::string text(Number(kMaxText), '\0');
    Raw(text.data(), text.size());
    return text;
  }
  Tensor GetTensor() {
    Tensor tensor;
    tensor.dims.resize(Number(32));
    Raw(tensor.dims.data(), tensor.dims.size() * sizeof(std::uint64_t));
    tensor.values.resize(Number(kMaxParameterElements));
    Raw(tensor.values.data(), tensor.values.size() * sizeof(double));
    return tensor;
  }
  Node GetNode() {
    Node node;
    node.name = Text();
    node.type = static_cast<NodeType>(Number(static_cast<std::uint64_t>(NodeType::kCubaLi)));
    node.shape_elements = Number(kMaxNodeElements);
    for (std::uint64_t left = Number(kMaxNodes); ok && left > 0; --left) {
      std::string name = Text();
      node.parameters.emplace(std::move(name), GetTensor());
    }
    return node;
  }
  GraphTree GetTree(std::size_t depth) {
    GraphTree tree;
    ok = ok && depth <= kMaxDepth;
    for (std::uint64_t left = Number(kMaxNodes); ok && left > 0; --left) tree.nodes.push_back(GetNode());
    for (std::uint64_t left = Number(kMaxEdges); ok && left > 0; --left) {
      std::string from = Text();
      tree.edges.emplace_back(std::move(from), Text());
    }
    for (std::uint64_t left = Number(kMaxNodes); ok && left > 0; --left) {
      std::string name = Text();
      tree.graphs.emplace(std::move(name), GetTree(depth + 1));
    }
    return tree;
  }
  Error GetError() {
    Error error;
    error.code = static_cast<Code>(Number(16));
    error.reason = Text();
    error.message = Text();
    for (std::uint64_t left = Number(64); ok && left > 0; --left) {
      std::string key = Text();
      error.metadata.emplace(std::move(key), Text());
    }
    return error;
  }
};

}  // namespace

bool WriteTree(const Expected<GraphTree>& tree, std::FILE* to) {
  Out out{to};
  out.Number(tree.ok() ? 1 : 0);
  if (tree.ok()) {
    out.Put(tree.value());
  } else {
    out.Put(tree.error());
  }
  return out.ok && std::fflush(to) == 0;
}

Expected<GraphTree> ReadTree(std::FILE* from) {
  In in{from};
  const bool is_tree = in.Number(1) == 1;
  if (is_tree) {
    GraphTree tree = in.GetTree(1);
    if (in.ok) return tree;
  } else {
    Error error = in.GetError();
    if (in.ok) return error;
  }
  return Error{Code::kInternal, "INTERNAL", "the process that read the file ended early", {}};
}

}  // namespace tandem
