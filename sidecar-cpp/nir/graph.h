// The graph of a NIR file, before and after flattening. Plain data, which does not change after it is built.
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
inline constexpr std::uint64_t kMaxWindowAdditions = std::uint64_t{1} << 32;  // of a Conv or a pool, in one step

// A parameter, row-major, as binary64; finite. A single element applies to every element.
struct Tensor {
  std::vector<std::uint64_t> dims;
  std::vector<double> values;
};

using Integers = std::vector<std::int64_t>;

struct Node {
  std::string name;  // after flattening "outer/inner"
  NodeType type = NodeType::kInput;
  std::map<std::string, Tensor> parameters;  // parameters of the file; the others have a default
  std::map<std::string, Integers> integers;  // parameters of the file; a field with a fixed count has that many
};

// A NIRGraph as in the file.
struct GraphTree {
  std::vector<Node> nodes;
  std::map<std::string, GraphTree> graphs;
  std::vector<std::pair<std::string, std::string>> edges;
  std::string warning;  // a warning about the file for the log; empty: none
};

// One flat graph. Nodes are in canonical order (bytes of their names); an edge is {source, target}, indices into
// `nodes`, and `edges` is sorted and without duplicates. `inputs` and `outputs` are the root graph's, ascending.
struct Graph {
  std::vector<Node> nodes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  std::vector<std::uint32_t> inputs;
  std::vector<std::uint32_t> outputs;
  std::string warning;
};

}  // namespace tandem
