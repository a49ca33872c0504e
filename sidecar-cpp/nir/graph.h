// What a NIR file says, before and after nested graphs are dissolved. Plain data; immutable once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nir/node_type.h"

namespace tandem {

// proto/NUMERICS.md, "Limits".
inline constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxNodes = 4096;
inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMaxNameBytes = 1024;  // of a node, after flattening
inline constexpr std::size_t kMaxEdges = 65536;
inline constexpr std::size_t kMaxNodeElements = 1048576;
inline constexpr std::size_t kMaxParameterElements = std::size_t{64} << 20;

// A parameter, row-major, as binary64; finite. One element holds for every element.
struct Tensor {
  std::vector<std::uint64_t> dims;
  std::vector<double> values;
};

struct Node {
  std::string name;  // after flattening "outer/inner"
  NodeType type = NodeType::kInput;
  std::map<std::string, Tensor> parameters;  // those the file has; the rest have a fallback
  std::uint64_t shape_elements = 0;          // Input, Output, Flatten: product of the shape; else 0
};

// A NIRGraph as it stands in the file.
struct GraphTree {
  std::vector<Node> nodes;
  std::map<std::string, GraphTree> graphs;
  std::vector<std::pair<std::string, std::string>> edges;
};

// One flat graph. Nodes are in canonical order (bytes of their names); an edge is {source, target}, indices into
// `nodes`, and `edges` is sorted and without duplicates.
struct Graph {
  std::vector<Node> nodes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  std::uint32_t input = 0;
  std::uint32_t output = 0;
};

}  // namespace tandem
